//! An entry of a room, as it travels.

use crate::Id;
use crate::text::Run;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// An entry of a room.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Event {
    /// The room.
    pub room: Id,
    /// Its number in the room, from 1, without holes.
    pub seq: u64,
    /// Its id, made by the sender.
    pub cid: Id,
    /// When it was stored, in microseconds.
    pub at: i64,
    /// Its revision: an older one is ignored.
    #[cfg_attr(feature = "serde", serde(default))]
    pub rev: u32,
    /// Who wrote it.
    pub author: Person,
    /// What it says.
    pub body: Body,
    /// The dashboard's fragment, for clients that asked for it.
    #[cfg(feature = "agents")]
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub html: Option<String>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Body {
    /// A text.
    Text {
        /// Its runs.
        runs: Vec<Run>,
    },
    /// A note: only in a ticket's staff room.
    Note {
        /// Its runs.
        runs: Vec<Run>,
    },
    /// Something that happened.
    Happened {
        /// What.
        what: Happening,
        /// Whom it concerns, if not the author alone.
        #[cfg(feature = "agents")]
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        whom: Option<Person>,
        /// Until when, of a snooze, in microseconds.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none")
        )]
        until: Option<i64>,
    },
    /// Its text was deleted.
    Deleted,
}

/// Something that happened to a ticket or a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Happening {
    /// The ticket was resolved (public room).
    Resolved,
    /// The ticket was opened again (public room).
    Reopened,
    /// The ticket was assigned to `whom` (staff room).
    Assigned,
    /// The ticket is nobody's any more (staff room).
    Unassigned,
    /// The ticket waits for the visitor (staff room).
    Pending,
    /// The ticket is put aside `until` a time, or until the visitor writes (staff room).
    Snoozed,
    /// The ticket is open again after it was pending or snoozed (staff room).
    Woke,
    /// `whom` was added to the room.
    Added,
    /// `whom` was removed from the room, or left it.
    Removed,
    /// Something that this version does not know.
    #[cfg_attr(feature = "serde", serde(other))]
    Unknown,
}

/// A person, as others in the room see her.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Person {
    /// Her id; [`Id::NIL`] for the system.
    pub id: Id,
    /// On which side she stands.
    pub role: Role,
    /// Her name; empty for a visitor who has not given one.
    #[cfg_attr(feature = "serde", serde(default))]
    pub name: String,
}

/// On which side a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Role {
    /// Writes from a site.
    Visitor,
    /// Answers.
    Agent,
    /// Parlour itself.
    System,
}
