//! What a client sends.

use crate::Id;
use crate::frame::TicketState;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A frame from the client.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "t", rename_all = "snake_case"))]
pub enum ClientFrame {
    /// The first frame: what the client speaks, and how far it has read.
    Hello {
        /// The protocol's version, [`crate::VERSION`].
        v: u32,
        /// How events are wanted.
        #[cfg_attr(feature = "serde", serde(default))]
        view: View,
        /// The epoch of the server that the cursors belong to.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        epoch: Option<Id>,
        /// Rooms to join, and the newest sequence number known of each.
        #[cfg_attr(feature = "serde", serde(default))]
        cursors: Vec<Cursor>,
    },
    /// A renewed token, in a connection that goes on.
    Auth {
        /// The JWT.
        token: String,
    },
    /// Joins a room; answered by `page` frames, then events follow.
    Join {
        /// The room.
        room: Id,
        /// Events above this number are wanted; without it the newest page.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        after: Option<u64>,
    },
    /// Leaves a room: no more of its events.
    Leave {
        /// The room.
        room: Id,
    },
    /// Writes messages, all of them or none. One at a time per room.
    Send {
        /// The room. With `open` it is the id of the new ticket, made by the client.
        room: Id,
        /// The newest sequence number that the author had on screen.
        #[cfg_attr(feature = "serde", serde(default))]
        seen: u64,
        /// The messages, oldest first; 1 to [`crate::limits::MAX_BATCH`].
        messages: Vec<Draft>,
        /// Opens the ticket if it is not there yet. Only visitors.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        open: Option<Open>,
    },
    /// Starts or stops typing.
    Typing {
        /// The room.
        room: Id,
        /// Whether the author types.
        on: bool,
    },
    /// Moves the marks of the reader forward; zero leaves a mark as it is.
    Receipt {
        /// The room.
        room: Id,
        /// Delivered up to.
        #[cfg_attr(feature = "serde", serde(default))]
        delivered: u64,
        /// Read up to.
        #[cfg_attr(feature = "serde", serde(default))]
        read: u64,
    },
    /// Asks for older events, or for those in a gap; answered by `page`.
    History {
        /// The room.
        room: Id,
        /// Below this number, the newest of them; 0 for no bound.
        #[cfg_attr(feature = "serde", serde(default))]
        before: u64,
        /// Above this number; 0 for no bound.
        #[cfg_attr(feature = "serde", serde(default))]
        after: u64,
    },
    /// Compares the ticket list on screen with the server's; answered by `list`. Only agents.
    #[cfg(feature = "agents")]
    Sync {
        /// Which list.
        query: ListQuery,
        /// What is on screen.
        #[cfg_attr(feature = "serde", serde(default))]
        rows: Vec<RowRev>,
    },
    /// Answers a `beat`, or asks for one.
    Ping {
        /// Comes back in the `beat`.
        #[cfg_attr(feature = "serde", serde(default))]
        n: u32,
        /// Whether the person is there: the page is visible and was used in the last 5 minutes.
        #[cfg_attr(feature = "serde", serde(default))]
        active: bool,
    },
}

/// How a client wants events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum View {
    /// As runs only.
    #[default]
    Runs,
    /// With the dashboard's fragment as well. Only agents.
    Html,
}

/// A position in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Cursor {
    /// The room.
    pub room: Id,
    /// The newest sequence number.
    pub seq: u64,
}

/// A message that its author has written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Draft {
    /// The message's id, made by the sender; unique in the room.
    pub cid: Id,
    /// What was typed; 1 to [`crate::limits::MAX_TEXT`] characters.
    pub text: String,
}

/// Where a visitor was when she opened the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Open {
    /// The page's address.
    pub page: String,
    /// The page's title.
    pub title: String,
}

/// A list of tickets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct ListQuery {
    /// Only tickets in this state.
    pub state: TicketState,
    /// `all`, `mine` or `unassigned`.
    pub assigned: String,
    /// Only tickets of this site.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub site: Option<Id>,
}

/// A row that a client has on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RowRev {
    /// The ticket.
    pub id: Id,
    /// Its revision.
    pub rev: u64,
}
