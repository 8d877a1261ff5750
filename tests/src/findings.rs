//! The check after every fault: nothing lost, nothing doubled, no hole, nothing of another room,
//! and everybody is shown the same.

use std::collections::{HashMap, HashSet};
use std::fmt;

use parlour_protocol::Id;
use parlour_protocol::frame::Event;

use crate::actor::text_of;
use crate::load::Account;
use crate::reader::{Reader, Seen};

/// What must not be. Each is a sentence.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Messages that were acknowledged, and are not there as they were.
    pub lost: Vec<String>,
    /// Messages that are there twice.
    pub doubled: Vec<String>,
    /// Numbers that are missing or out of order, where they are stored or shown.
    pub disordered: Vec<String>,
    /// Messages in a room where nobody wrote them.
    pub crossed: Vec<String>,
}

impl Findings {
    /// Compares what the writers of a room know with what is stored.
    #[must_use]
    pub fn of(room: Id, account: &Account, history: &[Event]) -> Self {
        let mut findings = Self::default();
        let mut known = HashSet::new();
        for (event, expected) in history.iter().zip(1..) {
            if event.seq != expected {
                let text = format!("{} stands where {expected} should in {room}", event.seq);
                findings.disordered.push(text);
            }
            if !known.insert(event.cid) {
                let text = format!("{} is twice in {room}", event.cid);
                findings.doubled.push(text);
            }
            if event.room != room || !account.texts.contains_key(&event.cid) {
                let text = format!("{} is in {room}, where nobody wrote it", event.cid);
                findings.crossed.push(text);
            }
        }
        let stored: HashMap<Id, &Event> = history.iter().map(|event| (event.cid, event)).collect();
        for (cid, seq) in &account.acknowledged {
            let kept = stored.get(cid).is_some_and(|event| {
                event.seq == *seq && account.texts.get(cid) == Some(&text_of(event))
            });
            if !kept {
                let text = format!("{cid} was acknowledged as {seq} in {room}, and is lost");
                findings.lost.push(text);
            }
        }
        findings
    }

    /// Compares what somebody was shown of a room with what is stored.
    pub fn compare(&mut self, room: Id, seen: &Seen, history: &[Event]) {
        self.disordered.extend(seen.faults.iter().cloned());
        let mut shown = seen.entries.get(&room).map_or(&[][..], Vec::as_slice);
        let mut stored = history
            .iter()
            .map(|event| (event.seq, event.cid))
            .peekable();
        // Who started over with the newest page misses nothing of what lies before it.
        if let [(before, Reader::BEFORE), rest @ ..] = shown {
            shown = rest;
            while stored.next_if(|(seq, _)| seq <= before).is_some() {}
        }
        if !shown.iter().copied().eq(stored) {
            let text = format!("a reader of {room} was shown something else than is stored");
            self.disordered.push(text);
        }
    }

    /// Takes over what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.disordered.extend(other.disordered);
        self.crossed.extend(other.crossed);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        let kinds = [&self.lost, &self.doubled, &self.disordered, &self.crossed];
        kinds.into_iter().flatten()
    }

    /// Asserts that there are none.
    ///
    /// # Panics
    /// With what there is.
    #[track_caller]
    pub fn assert_none(&self) {
        assert!(self.is_empty(), "{self}");
    }
}

/// The first few.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<&str> = self.all().map(String::as_str).collect();
        let shown = sentences.len().min(5);
        write!(
            f,
            "{} findings: {}",
            sentences.len(),
            sentences[..shown].join("; ")
        )
    }
}

/// Asserts that a room is as its writers know it.
///
/// # Panics
/// With what is wrong.
#[track_caller]
pub fn check(room: Id, account: &Account, history: &[Event]) {
    Findings::of(room, account, history).assert_none();
}
