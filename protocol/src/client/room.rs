//! A room: its window of entries, gaps, marks and who types.

use super::types::{Pending, Tick};
use crate::Id;
use crate::frame::{Body, Event, Mark, Person, RoomState};

/// A room that the client has joined or writes to.
pub struct Room {
    pub(super) id: Id,
    pub(super) entries: Vec<Event>,
    pub(super) more: bool,
    pub(super) pending: Vec<Pending>,
    pub(super) loading: bool,
    pub(super) position: u64,
    pub(super) typers: Vec<Person>,
    pub(super) state: Option<RoomState>,
    pub(super) live: bool,
    pub(super) gone: bool,
    pub(super) read: u64,
}

impl Room {
    pub(super) fn new(id: Id) -> Self {
        Self {
            id,
            entries: Vec::new(),
            more: false,
            pending: Vec::new(),
            loading: false,
            position: 0,
            typers: Vec::new(),
            state: None,
            live: false,
            gone: false,
            read: 0,
        }
    }

    /// The room's id; a ticket's public room has the ticket's.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }

    /// The entries that are loaded, by ascending sequence number, without holes.
    #[must_use]
    pub fn entries(&self) -> &[Event] {
        &self.entries
    }

    /// Whether older entries can be loaded.
    #[must_use]
    pub fn more(&self) -> bool {
        self.more
    }

    /// The messages of the outbox that belong here, in order; they stand below the entries.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Whether older entries are being loaded.
    #[must_use]
    pub fn loading(&self) -> bool {
        self.loading
    }

    /// The newest sequence number that is known of, loaded or not.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The others who type.
    #[must_use]
    pub fn typing(&self) -> &[Person] {
        &self.typers
    }

    /// The marks of the members, as far as they may be seen; the own one too.
    #[must_use]
    pub fn marks(&self) -> &[Mark] {
        self.state.as_ref().map_or(&[], |state| &state.marks)
    }

    /// The room's kind, ticket state and people; `None` before it was joined for the first time.
    #[must_use]
    pub fn state(&self) -> Option<&RoomState> {
        self.state.as_ref()
    }

    /// Whether the server sends this room's entries now.
    #[must_use]
    pub fn live(&self) -> bool {
        self.live
    }

    /// Whether the server does not know the room, or not for this client.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.gone
    }

    /// The texts of others above the own read mark, among the entries that are loaded.
    #[must_use]
    pub fn unread(&self, me: Id) -> u64 {
        let stored = self.marks().iter().find(|mark| mark.member == me).map_or(0, |mark| mark.read);
        let read = self.read.max(stored);
        let texts = self.entries.iter().rev().take_while(|event| event.seq > read).filter(|event| {
            event.author.id != me && matches!(event.body, Body::Text { .. } | Body::Note { .. })
        });
        texts.count() as u64
    }

    /// How far an own entry has come at the others.
    #[must_use]
    pub fn tick_of(&self, event: &Event, me: Id) -> Tick {
        let others = || self.marks().iter().filter(|mark| mark.member != me);
        if others().any(|mark| mark.read >= event.seq) {
            Tick::Read
        } else if others().any(|mark| mark.delivered >= event.seq) {
            Tick::Delivered
        } else {
            Tick::Sent
        }
    }
}
