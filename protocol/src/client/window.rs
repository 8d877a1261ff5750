//! A room's window: entries without holes, and those that wait for a hole to be filled.

use crate::Id;
use crate::frame::Event;
use crate::limits;

/// Entries that a window holds at most; the oldest go first.
pub(super) const MOST: usize = 2_000;
/// Entries that wait above a hole at most.
const HELD: usize = 256;
/// How many are dropped at once when a window is full.
const TRIM: usize = 4 * limits::PAGE;
/// The largest sequence number that is believed, so that sums cannot overflow.
pub(super) const HIGHEST: u64 = 1 << 53;

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landed {
    /// It stands at the end of the window, and perhaps others that had waited for it.
    Appended,
    /// It is a newer revision of one in the window.
    Replaced,
    /// It waits: an entry before it is missing.
    Held,
    /// There is no place for more that wait; all of them were dropped.
    Overflow,
    /// It is old, or below the window.
    Ignored,
}

#[derive(Default)]
pub(super) struct Window {
    entries: Vec<Event>,
    /// Whether `top` means anything: a first page has come.
    known: bool,
    top: u64,
    more: bool,
    /// Above a hole, by ascending sequence number.
    held: Vec<Event>,
}

impl Window {
    pub(super) fn entries(&self) -> &[Event] {
        &self.entries
    }

    /// The newest sequence number without a hole below it; `None` before the first page.
    pub(super) fn top(&self) -> Option<u64> {
        self.known.then_some(self.top)
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.entries.first().map(|event| event.seq)
    }

    pub(super) fn more(&self) -> bool {
        self.more && self.entries.len() + limits::PAGE <= MOST
    }

    pub(super) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// The newest number that waits.
    pub(super) fn newest_held(&self) -> u64 {
        self.held.last().map_or(0, |event| event.seq)
    }

    pub(super) fn drop_held(&mut self) {
        self.held.clear();
    }

    pub(super) fn has(&self, cid: Id) -> bool {
        self.entries.iter().rev().any(|event| event.cid == cid)
    }

    /// The entries above `seq`, newest first.
    pub(super) fn above(&self, seq: u64) -> impl Iterator<Item = &Event> {
        self.entries
            .iter()
            .rev()
            .take_while(move |event| event.seq > seq)
    }

    /// Puts one entry to its place.
    pub(super) fn insert(&mut self, event: Event) -> Landed {
        if !believable(&event) {
            return Landed::Ignored;
        }
        if !self.known || event.seq > self.top + 1 {
            return self.hold(event);
        }
        if event.seq <= self.top {
            let Some(old) = self.at(event.seq) else {
                return Landed::Ignored;
            };
            if event.rev <= old.rev {
                return Landed::Ignored;
            }
            *old = event;
            return Landed::Replaced;
        }
        self.append(event);
        self.release();
        self.trim();
        Landed::Appended
    }

    /// Begins anew with a page of the newest entries.
    pub(super) fn start_over(&mut self, mut events: Vec<Event>, more: bool, position: u64) {
        keep_ascending(&mut events);
        let cut = contiguous_end(&events);
        let old = core::mem::take(&mut self.entries);
        self.more = more || cut > 0;
        events.drain(..cut);
        self.entries = events;
        self.top = self
            .entries
            .last()
            .map_or(position.min(HIGHEST), |event| event.seq);
        self.known = true;
        // A newer revision may have overtaken the page.
        for event in old {
            if let Some(place) = self.at(event.seq)
                && place.cid == event.cid
                && place.rev < event.rev
            {
                *place = event;
            }
        }
        for event in core::mem::take(&mut self.held) {
            self.insert(event);
        }
    }

    /// Merges a page: what stands before the window, in it, or after it.
    pub(super) fn merge(&mut self, mut events: Vec<Event>, more: bool) {
        keep_ascending(&mut events);
        if let Some(first) = self.first() {
            let newer = events.split_off(events.partition_point(|event| event.seq < first));
            self.prepend(events, first, more);
            events = newer;
        }
        for event in events {
            self.insert(event);
        }
    }

    /// There is nothing before the window.
    pub(super) fn ends_here(&mut self) {
        self.more = false;
    }

    fn prepend(&mut self, mut older: Vec<Event>, first: u64, more: bool) {
        if older.last().is_none_or(|event| event.seq + 1 != first)
            || self.entries.len() + older.len() > MOST
        {
            return;
        }
        let cut = contiguous_end(&older);
        self.more = more || cut > 0;
        older.drain(..cut);
        older.append(&mut self.entries);
        self.entries = older;
    }

    fn at(&mut self, seq: u64) -> Option<&mut Event> {
        let index = seq.checked_sub(self.first()?)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    fn append(&mut self, event: Event) {
        self.top = event.seq;
        self.entries.push(event);
    }

    fn hold(&mut self, event: Event) -> Landed {
        match self.held.binary_search_by_key(&event.seq, |held| held.seq) {
            Ok(index) => match self.held.get_mut(index) {
                Some(old) if old.rev < event.rev => *old = event,
                _ => return Landed::Ignored,
            },
            Err(_) if self.held.len() >= HELD => {
                self.held.clear();
                return Landed::Overflow;
            }
            Err(index) => self.held.insert(index, event),
        }
        Landed::Held
    }

    /// Takes over those that waited, as far as there is no hole.
    fn release(&mut self) {
        let ready = self
            .held
            .iter()
            .zip(self.top + 1..)
            .take_while(|(event, seq)| event.seq == *seq)
            .count();
        let rest = self.held.split_off(ready);
        for event in core::mem::replace(&mut self.held, rest) {
            self.append(event);
        }
    }

    fn trim(&mut self) {
        if self.entries.len() > MOST {
            self.entries.drain(..TRIM);
            self.more = true;
        }
    }
}

fn believable(event: &Event) -> bool {
    (1..=HIGHEST).contains(&event.seq)
}

/// Drops what is not in order: a page is, and sorting would cost the widget kilobytes.
fn keep_ascending(events: &mut Vec<Event>) {
    let mut last = 0;
    events.retain(|event| {
        let keep = believable(event) && event.seq > last;
        if keep {
            last = event.seq;
        }
        keep
    });
}

/// Where the last stretch without a hole begins.
fn contiguous_end(events: &[Event]) -> usize {
    let pairs = events.iter().zip(events.iter().skip(1)).rev();
    let length = pairs
        .take_while(|(before, after)| before.seq + 1 == after.seq)
        .count()
        + 1;
    events.len().saturating_sub(length)
}
