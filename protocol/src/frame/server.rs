//! What the server sends.

use super::{Cursor, Event, Person};
use crate::Id;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A frame from the server.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "t", rename_all = "snake_case"))]
pub enum ServerFrame {
    /// Answers `hello`. The pages of the rooms that were joined follow.
    Welcome {
        /// The protocol's version.
        v: u32,
        /// The server's time, in microseconds.
        time: i64,
        /// The time between two `beat` frames, in milliseconds.
        heartbeat: u32,
        /// The epoch of the server's data. Another than before: every cursor is void.
        epoch: Id,
        /// Who the client is.
        me: Person,
        /// What the client may send.
        limits: Limits,
        /// A visitor's tickets, newest first; an agent's direct and team rooms.
        rooms: Vec<RoomState>,
        /// The agents, and whether they are there.
        people: Vec<Presence>,
    },
    /// The messages are stored, on disk.
    Ack {
        /// The room.
        room: Id,
        /// One for every message of the `send`, in its order.
        acks: Vec<Ack>,
    },
    /// A new entry, or a newer revision of one.
    Event(Event),
    /// Entries in order: the answer to `join`, `history`, or a part of a resume.
    Page {
        /// The room.
        room: Id,
        /// The entries, oldest first, without holes.
        events: Vec<Event>,
        /// Whether older ones exist than the first of these.
        more: bool,
        /// The newest sequence number of the room.
        position: u64,
        /// Whether the window that the client has must be dropped first.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
        reset: bool,
        /// Set on the last page of a join: from here on, the room is live.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        live: Option<RoomState>,
    },
    /// Somebody's marks moved.
    Receipt {
        /// The room.
        room: Id,
        /// The marks.
        mark: Mark,
    },
    /// Somebody types, or stopped.
    Typing {
        /// The room.
        room: Id,
        /// Who.
        who: Person,
        /// Whether she types.
        on: bool,
    },
    /// Somebody came or went.
    Presence(Presence),
    /// The heartbeat.
    Beat {
        /// Of the `ping` that is answered, or 0.
        #[cfg_attr(feature = "serde", serde(default))]
        n: u32,
        /// The server's time, in microseconds.
        time: i64,
        /// The positions of the rooms that are joined.
        rooms: Vec<Cursor>,
        /// [`crate::frame::digest`] of the list of the last `sync`, if there was one.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        digest: Option<u32>,
    },
    /// A ticket changed. Only to agents.
    #[cfg(feature = "agents")]
    Ticket(TicketRow),
    /// Answers `sync`. Only to agents.
    #[cfg(feature = "agents")]
    List {
        /// The tickets of the page, in order.
        order: Vec<Id>,
        /// The rows that the client lacks, or has in an older revision.
        rows: Vec<TicketRow>,
        /// [`crate::frame::digest`] of the page.
        digest: u32,
        /// How many tickets there are.
        counts: ListCounts,
    },
    /// Something was refused.
    Error {
        /// What kind.
        code: ErrorCode,
        /// One sentence for a developer; interfaces have their own words.
        message: String,
        /// Whether the same frame may succeed later.
        retry: bool,
        /// If so, not before this many milliseconds.
        #[cfg_attr(feature = "serde", serde(default))]
        after: u32,
        /// The room that it refers to.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        room: Option<Id>,
        /// The message that it refers to.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        cid: Option<Id>,
    },
    /// The server is about to close the connection.
    Bye {
        /// Why, in a word: `restart`, `limit`, `slow`.
        reason: String,
        /// Come back after this many milliseconds.
        after: u32,
    },
}

/// What a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Limits {
    /// Bytes of a frame.
    pub frame: u32,
    /// Characters of a message.
    pub text: u32,
    /// Messages in a `send`.
    pub batch: u32,
}

/// A message that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Ack {
    /// The message.
    pub cid: Id,
    /// Its number in the room.
    pub seq: u64,
    /// When it was stored, in microseconds.
    pub at: i64,
    /// Whether it had been stored before.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub dup: bool,
}

/// A member's two high-water marks in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Mark {
    /// The member.
    pub member: Id,
    /// Delivered up to.
    pub delivered: u64,
    /// Read up to.
    pub read: u64,
}

/// A person, and whether she is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Presence {
    /// Who.
    pub who: Person,
    /// Whether she is there.
    pub state: Availability,
}

/// Whether a person is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Availability {
    /// Some tab is open and in use.
    Online,
    /// Connected, but not in use.
    Away,
    /// No connection.
    #[default]
    Offline,
}

/// What kind of room it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RoomKind {
    /// A ticket's room with the visitor in it. Its id is the ticket's.
    Public,
    /// A ticket's room for agents.
    Staff,
    /// Two agents.
    Direct,
    /// Many agents.
    Team,
}

/// A room, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RoomState {
    /// The room.
    pub room: Id,
    /// What kind it is.
    pub kind: RoomKind,
    /// The newest sequence number.
    pub position: u64,
    /// Of a ticket's rooms: the ticket's state.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub ticket: Option<TicketState>,
    /// Marks: the own ones, and those that the member may see.
    #[cfg_attr(feature = "serde", serde(default))]
    pub marks: Vec<Mark>,
    /// Who else is in the room, and whether they are there. In `welcome` it is empty.
    #[cfg_attr(feature = "serde", serde(default))]
    pub people: Vec<Presence>,
}

/// The life of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum TicketState {
    /// Somebody has to answer.
    #[default]
    Open,
    /// Waits for the visitor.
    Pending,
    /// Hidden until a time.
    Snoozed,
    /// Done.
    Resolved,
}

/// A ticket in the agents' list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct TicketRow {
    /// The ticket, and its public room.
    pub id: Id,
    /// Its revision; an older one is ignored.
    pub rev: u64,
    /// Its site.
    pub site: Id,
    /// Its state.
    pub state: TicketState,
    /// Whose it is.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub assignee: Option<Id>,
    /// The newest sequence number of its public room.
    pub position: u64,
    /// When something was last written, in microseconds; lists are sorted by it.
    pub at: i64,
    /// The dashboard's row.
    pub html: String,
}

/// How many tickets there are, each up to [`crate::limits::MOST_COUNTED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct ListCounts {
    /// Open and assigned to the agent who asks.
    pub mine: u64,
    /// Open and nobody's.
    pub unassigned: u64,
    /// Open.
    pub open: u64,
    /// Resolved.
    pub resolved: u64,
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ErrorCode {
    /// Not a frame of this protocol.
    BadFrame,
    /// No such room, or not for this client: the two look alike.
    UnknownRoom,
    /// The text is empty, or has nothing but white space.
    Empty,
    /// Over a length that `limits` states.
    TooLong,
    /// Too fast; `after` says when to go on.
    TooFast,
    /// The id was used for another message.
    Conflict,
    /// Another agent has answered meanwhile, above `seen`. With a newer `seen` it is stored.
    Unseen,
    /// The token is not good.
    Unauthorized,
    /// The role may not do this.
    Forbidden,
    /// The server cannot do it now: the disk is full, the database busy, or it shuts down.
    Unavailable,
    /// Something that this version does not know.
    #[cfg_attr(feature = "serde", serde(other))]
    Unknown,
}

#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it by reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}
