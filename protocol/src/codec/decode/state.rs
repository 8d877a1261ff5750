//! Rooms, tickets and presence.

use super::entry::person;
use super::fields::Fields;
use crate::codec::json::Value;
use crate::frame::{Availability, Cursor, Mark, Presence, RoomKind, RoomState, TicketState};
#[cfg(feature = "agents")]
use crate::frame::{ListCounts, TicketRow};

pub(super) fn room(f: &mut Fields<'_>) -> RoomState {
    RoomState {
        room: f.id("room"),
        kind: room_kind(f),
        position: f.u64("position"),
        ticket: f.optional("ticket").map(|value| ticket_state(f, value)),
        marks: f.many_or_none("marks", mark),
        people: f.many_or_none("people", presence),
    }
}

fn room_kind(f: &mut Fields<'_>) -> RoomKind {
    match f.known_variant("kind", &["public", "staff", "direct", "team"]) {
        0 => RoomKind::Public,
        1 => RoomKind::Staff,
        2 => RoomKind::Direct,
        _ => RoomKind::Team,
    }
}

fn ticket_state<'v>(f: &mut Fields<'v>, value: &'v Value<'v>) -> TicketState {
    match f.as_known_variant(value, &["open", "pending", "snoozed", "resolved"]) {
        0 => TicketState::Open,
        1 => TicketState::Pending,
        2 => TicketState::Snoozed,
        _ => TicketState::Resolved,
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
    match f.known_variant("state", &["online", "away", "offline"]) {
        0 => Availability::Online,
        1 => Availability::Away,
        _ => Availability::Offline,
    }
}

#[cfg(feature = "agents")]
pub(super) fn ticket(f: &mut Fields<'_>) -> TicketRow {
    TicketRow {
        id: f.id("id"),
        rev: f.u64("rev"),
        site: f.id("site"),
        state: {
            let value = f.need("state");
            ticket_state(f, value)
        },
        assignee: f.optional_id("assignee"),
        position: f.u64("position"),
        at: f.i64("at"),
        html: f.text("html"),
    }
}

#[cfg(feature = "agents")]
pub(super) fn counts(f: &mut Fields<'_>) -> ListCounts {
    ListCounts {
        mine: f.u64("mine"),
        unassigned: f.u64("unassigned"),
        open: f.u64("open"),
        resolved: f.u64("resolved"),
    }
}
