//! The words of the wire, for the script.

use parlour_protocol::client::{PendingState, Tick};
use parlour_protocol::frame::{Availability, ErrorCode, Happening, Role, RoomKind, TicketState};

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Visitor => "visitor",
        Role::Agent => "agent",
        Role::System => "system",
    }
}

pub(super) fn availability(state: Availability) -> &'static str {
    match state {
        Availability::Online => "online",
        Availability::Away => "away",
        Availability::Offline => "offline",
    }
}

pub(super) fn kind(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Public => "public",
        RoomKind::Staff => "staff",
        RoomKind::Direct => "direct",
        RoomKind::Team => "team",
    }
}

pub(super) fn ticket(state: TicketState) -> &'static str {
    match state {
        TicketState::Open => "open",
        TicketState::Pending => "pending",
        TicketState::Snoozed => "snoozed",
        TicketState::Resolved => "resolved",
    }
}

pub(super) fn ticket_from(word: &str) -> Option<TicketState> {
    use TicketState::{Open, Pending, Resolved, Snoozed};
    [Open, Pending, Snoozed, Resolved]
        .into_iter()
        .find(|state| ticket(*state) == word)
}

pub(super) fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sent => "sent",
        Tick::Delivered => "delivered",
        Tick::Read => "read",
    }
}

pub(super) fn happening(what: Happening) -> &'static str {
    match what {
        Happening::Resolved => "resolved",
        Happening::Reopened => "reopened",
        Happening::Assigned => "assigned",
        Happening::Unassigned => "unassigned",
        Happening::Pending => "pending",
        Happening::Snoozed => "snoozed",
        Happening::Woke => "woke",
        Happening::Added => "added",
        Happening::Removed => "removed",
        Happening::Unknown => "unknown",
    }
}

pub(super) fn pending(state: PendingState) -> &'static str {
    match state {
        PendingState::Waiting => "waiting",
        PendingState::Sending => "sending",
        PendingState::Failed(_) => "failed",
    }
}

pub(super) fn error(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadFrame => "bad_frame",
        ErrorCode::UnknownRoom => "unknown_room",
        ErrorCode::Empty => "empty",
        ErrorCode::TooLong => "too_long",
        ErrorCode::TooFast => "too_fast",
        ErrorCode::Conflict => "conflict",
        ErrorCode::Unauthorized => "unauthorized",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::Unseen => "unseen",
        ErrorCode::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn states_of_tickets_round_trip() {
        for word in ["open", "pending", "snoozed", "resolved"] {
            assert_eq!(ticket(ticket_from(word).unwrap()), word);
        }
        assert_eq!(ticket_from("closed"), None);
    }
}
