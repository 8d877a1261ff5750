//! Rooms, tickets and presence.

use super::entry::person;
use super::fields::Fields;
use crate::frame::{
    Availability, Cursor, ListCounts, Mark, Presence, RoomKind, RoomState, TicketRow, TicketState,
};

pub(super) fn room(f: &mut Fields<'_>) -> RoomState {
    RoomState {
        room: f.id("room"),
        kind: room_kind(f),
        position: f.u64("position"),
        ticket: match f.optional("ticket") {
            Some(value) => {
                let word = f.as_word(value);
                Some(ticket_state(f, word))
            }
            None => None,
        },
        marks: f.many_or_none("marks", mark),
        people: f.many_or_none("people", presence),
    }
}

fn room_kind(f: &mut Fields<'_>) -> RoomKind {
    match f.word("kind") {
        "public" => RoomKind::Public,
        "staff" => RoomKind::Staff,
        "direct" => RoomKind::Direct,
        "team" => RoomKind::Team,
        _ => {
            f.fail();
            RoomKind::Public
        }
    }
}

fn ticket_state(f: &mut Fields<'_>, word: &str) -> TicketState {
    match word {
        "open" => TicketState::Open,
        "pending" => TicketState::Pending,
        "snoozed" => TicketState::Snoozed,
        "resolved" => TicketState::Resolved,
        _ => {
            f.fail();
            TicketState::Open
        }
    }
}

pub(super) fn mark(f: &mut Fields<'_>) -> Mark {
    Mark {
        member: f.id("member"),
        delivered: f.u64("delivered"),
        read: f.u64("read"),
    }
}

pub(super) fn cursor(f: &mut Fields<'_>) -> Cursor {
    Cursor {
        room: f.id("room"),
        seq: f.u64("seq"),
    }
}

pub(super) fn presence(f: &mut Fields<'_>) -> Presence {
    Presence {
        who: f.one("who", person),
        state: availability(f),
    }
}

fn availability(f: &mut Fields<'_>) -> Availability {
    match f.word("state") {
        "online" => Availability::Online,
        "away" => Availability::Away,
        "offline" => Availability::Offline,
        _ => {
            f.fail();
            Availability::Offline
        }
    }
}

pub(super) fn ticket(f: &mut Fields<'_>) -> TicketRow {
    TicketRow {
        id: f.id("id"),
        rev: f.u64("rev"),
        site: f.id("site"),
        state: {
            let word = f.word("state");
            ticket_state(f, word)
        },
        assignee: f.optional_id("assignee"),
        position: f.u64("position"),
        at: f.i64("at"),
        html: f.text("html"),
    }
}

pub(super) fn counts(f: &mut Fields<'_>) -> ListCounts {
    ListCounts {
        mine: f.u64("mine"),
        unassigned: f.u64("unassigned"),
        open: f.u64("open"),
        resolved: f.u64("resolved"),
    }
}
