//! The words and the attribute values of the protocol's enums.

use parlour_protocol::frame::{Availability, Happening, Role, RoomKind, TicketState};
use parlour_protocol::limits::{MOST_COUNTED, MOST_UNREAD};

/// An enum that pages show.
pub trait Word {
    /// Its value in attributes, addresses and forms; as on the wire.
    fn key(&self) -> &'static str;
    /// What a person reads.
    fn word(&self) -> &'static str;
}

impl Word for TicketState {
    fn key(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Pending => "Pending",
            Self::Snoozed => "Snoozed",
            Self::Resolved => "Resolved",
        }
    }
}

impl Word for Availability {
    fn key(&self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Away => "Away",
            Self::Offline => "Offline",
        }
    }
}

impl Word for Role {
    fn key(&self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
            Self::System => "system",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Visitor => "Visitor",
            Self::Agent => "Agent",
            Self::System => "Parlour",
        }
    }
}

impl Word for RoomKind {
    fn key(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Staff => "staff",
            Self::Direct => "direct",
            Self::Team => "team",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Public => "Reply",
            Self::Staff => "Note",
            Self::Direct => "Direct room",
            Self::Team => "Team room",
        }
    }
}

impl Word for Happening {
    fn key(&self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Assigned => "assigned",
            Self::Unassigned => "unassigned",
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Woke => "woke",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Unknown => "unknown",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Resolved => "resolved the ticket",
            Self::Reopened => "reopened the ticket",
            Self::Assigned => "assigned the ticket to",
            Self::Unassigned => "made the ticket nobody's",
            Self::Pending => "set the ticket to wait for the visitor",
            Self::Snoozed => "snoozed the ticket until",
            Self::Woke => "opened the ticket again",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Unknown => "changed something",
        }
    }
}

/// What an agent may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rank {
    /// Everything.
    Owner,
    /// Everything but the owner.
    Admin,
    /// Answers.
    #[default]
    Agent,
}

impl Rank {
    /// All of them, highest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Agent];

    /// Whether she may see the pages of agents and sites in full.
    #[must_use]
    pub fn manages(self) -> bool {
        self != Self::Agent
    }
}

impl Word for Rank {
    fn key(&self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Agent => "Agent",
        }
    }
}

/// A number of tickets: many are not counted to the end.
pub(crate) fn counted(count: u64) -> String {
    up_to(count, MOST_COUNTED)
}

/// What stands in a badge, as the live script writes it as well.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "templates pass by reference"
)]
pub(crate) fn badge(count: &u64) -> String {
    up_to(*count, MOST_UNREAD)
}

fn up_to(count: u64, most: u64) -> String {
    if count < most {
        count.to_string()
    } else {
        format!("{}+", most - 1)
    }
}
