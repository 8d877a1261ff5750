//! A ticket's thread: its public and its staff room in one time line, page by page.

use parlour_admin_templates::{MessageView, ThreadKind, ThreadView};
use parlour_protocol::limits;
use uuid::Uuid;

use super::live::message_view;
use crate::chat::messages::event;
use crate::chat::{Actor, Chat};
use crate::error::Error;
use crate::store::messages::{Page, Stored};
use crate::store::tickets::Ticket;

/// Entries on one page.
const PAGE: usize = limits::PAGE;

/// Where an older page ends: below these numbers of the public and the staff room.
/// Two numbers, because each room counts for itself; in an address they are `12-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    public: i64,
    staff: i64,
}

impl Before {
    /// Reads what [`Before::text`] writes; anything else is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (public, staff) = text.split_once('-')?;
        let number = |text: &str| text.parse().ok().filter(|number: &i64| *number > 0);
        Some(Self {
            public: number(public)?,
            staff: number(staff)?,
        })
    }

    fn text(self) -> String {
        format!("{}-{}", self.public, self.staff)
    }
}

/// A page of a thread, and how far each room is on it.
pub(super) struct Thread {
    /// What the page shows.
    pub(super) view: ThreadView,
    /// The newest numbers of the public and the staff room on it; 0 if none.
    pub(super) newest: (i64, i64),
}

/// A page of a ticket's thread: the newest one, or the one that ends at `before`.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not enter, and what the store reports.
pub(super) async fn of_ticket(
    chat: &Chat,
    actor: &Actor,
    ticket: &Ticket,
    before: Option<Before>,
    query: &str,
) -> Result<Thread, Error> {
    let public = chat
        .history(
            actor,
            ticket.id,
            before.map_or(0, |before| before.public),
            0,
        )
        .await?;
    let staff = chat
        .history(
            actor,
            ticket.staff_room,
            before.map_or(0, |before| before.staff),
            0,
        )
        .await?;
    let newest = |page: &Page| page.entries.last().map_or(0, |entry| entry.seq);
    let newest = (newest(&public), newest(&staff));
    let (entries, older) = merge(public, staff, before, PAGE);
    let joint = if query.is_empty() { '?' } else { '&' };
    let here = format!("/tickets/{}{query}", ticket.id);
    let view = ThreadView {
        kind: ThreadKind::Ticket,
        room: ticket.id.to_string(),
        staff_room: Some(ticket.staff_room.to_string()),
        messages: views(&entries),
        older: older.map(|before| format!("{here}{joint}before={}", before.text())),
        newer: before.map(|_| here),
    };
    Ok(Thread { view, newest })
}

/// A page of a direct or team room: the newest one, or the one below `before`.
///
/// # Errors
/// [`Error::NotFound`] if the actor may not enter, and what the store reports.
pub(super) async fn of_room(
    chat: &Chat,
    actor: &Actor,
    room: Uuid,
    before: Option<i64>,
) -> Result<Thread, Error> {
    let page = chat.history(actor, room, before.unwrap_or(0), 0).await?;
    let first = page.entries.first().map_or(0, |entry| entry.seq);
    let view = ThreadView {
        kind: ThreadKind::Agents,
        room: room.to_string(),
        staff_room: None,
        messages: views(&page.entries),
        older: page.more.then(|| format!("/rooms/{room}?before={first}")),
        newer: before.map(|_| format!("/rooms/{room}")),
    };
    Ok(Thread {
        view,
        newest: (page.entries.last().map_or(0, |entry| entry.seq), 0),
    })
}

fn views(entries: &[Stored]) -> Vec<MessageView> {
    entries
        .iter()
        .map(|entry| message_view(&event(entry)))
        .collect()
}

/// The newest `limit` entries of two rooms in the order of `(at, room, seq)`, and where the page
/// before them ends, if there is one.
fn merge(
    public: Page,
    staff: Page,
    before: Option<Before>,
    limit: usize,
) -> (Vec<Stored>, Option<Before>) {
    let more = public.more || staff.more;
    let end = |page: &Page, bound: Option<i64>| {
        // Above the newest entry that was read; a room without any has nothing older either.
        page.entries
            .last()
            .map_or(bound.unwrap_or(1), |entry| entry.seq + 1)
    };
    let public_room = public.entries.first().map(|entry| entry.room);
    let mut next = Before {
        public: end(&public, before.map(|before| before.public)),
        staff: end(&staff, before.map(|before| before.staff)),
    };
    let mut entries = public.entries;
    entries.extend(staff.entries);
    entries.sort_by_key(|entry| (entry.at, entry.room, entry.seq));
    let cut = entries.len().saturating_sub(limit);
    let entries = entries.split_off(cut);
    for entry in entries.iter().rev() {
        if Some(entry.room) == public_room {
            next.public = entry.seq;
        } else {
            next.staff = entry.seq;
        }
    }
    (entries, (more || cut > 0).then_some(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::Kind;
    use parlour_protocol::frame::Role;
    use proptest::prelude::*;

    fn entry(room: Uuid, seq: i64, at: i64) -> Stored {
        Stored {
            room,
            seq,
            cid: Uuid::new_v4(),
            at,
            rev: 0,
            kind: Kind::Text,
            author: Uuid::nil(),
            author_role: Role::Agent,
            author_name: String::new(),
            text: String::new(),
            what: String::new(),
            whom: None,
            whom_name: String::new(),
        }
    }

    fn page(all: &[Stored], before: i64, limit: usize) -> Page {
        let below: Vec<_> = all
            .iter()
            .filter(|entry| before <= 0 || entry.seq < before)
            .cloned()
            .collect();
        let cut = below.len().saturating_sub(limit);
        Page {
            entries: below[cut..].to_vec(),
            more: cut > 0,
            position: all.last().map_or(0, |entry| entry.seq),
        }
    }

    proptest! {
        #[test]
        fn pages_backwards_are_the_whole_time_line(sides in prop::collection::vec(any::<bool>(), 0..40), limit in 1_usize..7) {
            let rooms = [Uuid::new_v4(), Uuid::new_v4()];
            let mut all = [Vec::new(), Vec::new()];
            let mut expected = Vec::new();
            for (at, side) in sides.iter().enumerate() {
                let side = usize::from(*side);
                let seq = i64::try_from(all[side].len()).expect("a small number") + 1;
                all[side].push(entry(rooms[side], seq, i64::try_from(at).expect("a small number")));
                expected.push((rooms[side], seq));
            }
            let mut seen = Vec::new();
            let mut before = None;
            loop {
                let public = page(&all[0], before.map_or(0, |before: Before| before.public), limit);
                let staff = page(&all[1], before.map_or(0, |before: Before| before.staff), limit);
                let (entries, older) = merge(public, staff, before, limit);
                let mut part: Vec<_> = entries.iter().map(|entry| (entry.room, entry.seq)).collect();
                part.extend(seen);
                seen = part;
                let Some(older) = older else { break };
                prop_assert!(!entries.is_empty());
                before = Before::parse(&older.text());
                prop_assert_eq!(before, Some(older));
            }
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_bad_cursor_is_none() {
        for text in [
            "",
            "-",
            "1",
            "1-",
            "0-3",
            "3-0",
            "-1-2",
            "1-2-3",
            "a-b",
            "99999999999999999999-1",
        ] {
            assert_eq!(Before::parse(text), None, "{text}");
        }
    }
}
