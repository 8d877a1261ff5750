//! A room: its window, what is asked of the server about it, marks and who types.

use super::outbox::Flight;
use super::port::Port;
use super::repair::Request;
use super::types::{Change, Pending, Tick};
use super::window::{HIGHEST, Window};
use crate::Id;
use crate::frame::{Body, Event, Mark, Person, RoomState, TicketState};

/// Marks and people of one room at most.
pub(super) const MOST_MEMBERS: usize = 256;

/// How far the room is in this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not asked for.
    Out,
    /// Asked for; asked for again at this time.
    Joining(u64),
    /// The server sends its events.
    Live,
}

/// A room that the client has joined or writes to.
pub struct Room {
    pub(super) id: Id,
    /// Whether it is kept joined.
    pub(super) wanted: bool,
    /// A ticket that the first message will open: nothing to join yet.
    pub(super) opening: bool,
    pub(super) gone: bool,
    pub(super) stage: Stage,
    pub(super) join_tries: u32,
    pub(super) window: Window,
    pub(super) position: u64,
    pub(super) request: Option<Request>,
    pub(super) older_wanted: bool,
    pub(super) fill_at: Option<u64>,
    pub(super) fill_tries: u32,
    pub(super) pending: Vec<Pending>,
    /// Acknowledged messages whose entries have not arrived: id and number.
    pub(super) acked: Vec<(Id, u64)>,
    pub(super) flight: Option<Flight>,
    pub(super) send_at: u64,
    pub(super) send_tries: u32,
    pub(super) typers: Vec<Person>,
    /// When each of `typers` expires.
    pub(super) typers_until: Vec<u64>,
    pub(super) state: Option<RoomState>,
    #[cfg(feature = "agents")]
    pub(super) ticket_rev: u64,
    /// The own marks, as they should be.
    pub(super) own: Marks,
    /// The own marks, as the server was told.
    pub(super) told: Marks,
}

/// Two high-water marks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) delivered: u64,
    pub(super) read: u64,
}

impl Room {
    /// The room's id; a ticket's public room has the ticket's.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }

    /// The entries that are loaded, by ascending sequence number, without holes.
    #[must_use]
    pub fn entries(&self) -> &[Event] {
        self.window.entries()
    }

    /// Whether older entries can be loaded.
    #[must_use]
    pub fn more(&self) -> bool {
        self.window.more()
    }

    /// The messages of the outbox that belong here, in order; they stand below the entries.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Whether older entries are being loaded.
    #[must_use]
    pub fn loading(&self) -> bool {
        self.older_wanted || self.request.is_some_and(|request| request.older)
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
        self.stage == Stage::Live
    }

    /// Whether the server does not know the room, or not for this client. Joining it again asks anew.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.gone
    }

    /// The texts of others above the own read mark, among the entries that are loaded.
    #[must_use]
    pub fn unread(&self, me: Id) -> u64 {
        let stored = self
            .marks()
            .iter()
            .find(|mark| mark.member == me)
            .map_or(0, |mark| mark.read);
        let texts = self
            .window
            .above(self.own.read.max(stored))
            .filter(|event| {
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

/// What the other parts need of it.
impl Room {
    pub(super) fn new(id: Id) -> Self {
        Self {
            id,
            wanted: false,
            opening: false,
            gone: false,
            stage: Stage::Out,
            join_tries: 0,
            window: Window::default(),
            position: 0,
            request: None,
            older_wanted: false,
            fill_at: None,
            fill_tries: 0,
            pending: Vec::new(),
            acked: Vec::new(),
            flight: None,
            send_at: 0,
            send_tries: 0,
            typers: Vec::new(),
            typers_until: Vec::new(),
            state: None,
            #[cfg(feature = "agents")]
            ticket_rev: 0,
            own: Marks::default(),
            told: Marks::default(),
        }
    }

    /// The newest number without a hole below it; `None` before the first page.
    pub(super) fn top(&self) -> Option<u64> {
        self.window.top()
    }

    pub(super) fn has(&self, cid: Id) -> bool {
        self.window.has(cid)
    }

    /// Moves a member's marks forward. True if one has moved.
    pub(super) fn raise(&mut self, mark: Mark) -> bool {
        self.state
            .as_mut()
            .is_some_and(|state| raise(&mut state.marks, mark))
    }

    /// Sets the ticket's state. True if it was another.
    pub(super) fn set_ticket(&mut self, ticket: TicketState) -> bool {
        let Some(old) = self.state.as_mut().and_then(|state| state.ticket.as_mut()) else {
            return false;
        };
        core::mem::replace(old, ticket) != ticket
    }

    /// The same, from a row of the list, which may be late.
    #[cfg(feature = "agents")]
    pub(super) fn set_ticket_row(&mut self, ticket: TicketState, rev: u64) -> bool {
        if rev < self.ticket_rev {
            return false;
        }
        self.ticket_rev = rev;
        self.set_ticket(ticket)
    }

    pub(super) fn state_mut(&mut self) -> Option<&mut RoomState> {
        self.state.as_mut()
    }

    pub(super) fn note_position(&mut self, position: u64) {
        self.position = self.position.max(position.min(HIGHEST));
    }

    /// The connection is gone, and with it all that was under way.
    pub(super) fn disconnect(&mut self, port: &mut Port) {
        let changed = self.loading() || self.flight.is_some() || self.stage == Stage::Live;
        self.stage = Stage::Out;
        self.join_tries = 0;
        self.fill_tries = 0;
        self.stop_asking();
        self.window.drop_held();
        self.land();
        if !self.typers.is_empty() {
            self.clear_typers();
            port.change(Change::Typing(self.id));
        }
        if changed {
            port.room_changed(self.id);
        }
    }

    /// Everything that belongs to the server's data is void; the outbox stays.
    pub(super) fn forget(&mut self) {
        self.window = Window::default();
        self.position = 0;
        self.state = None;
        #[cfg(feature = "agents")]
        {
            self.ticket_rev = 0;
        }
        self.own = Marks::default();
        self.told = Marks::default();
        self.stop_asking();
        self.clear_typers();
        self.drop_acked();
    }

    /// The server does not know the room, or not for this client.
    pub(super) fn lose(&mut self, port: &mut Port) {
        if self.opening
            || self
                .pending
                .iter()
                .any(|pending| pending.open.is_some() && !self.is_acked(pending.cid))
        {
            // Asked for before its first message could open it.
            self.opening = true;
            self.stage = Stage::Out;
            return;
        }
        self.gone = true;
        self.stage = Stage::Out;
        self.forget();
        port.room_changed(self.id);
    }

    /// Whether nothing is left that it is kept for.
    pub(super) fn idle(&self) -> bool {
        !self.wanted && self.pending.is_empty() && self.flight.is_none()
    }
}

/// Moves a member's marks forward in a list. True if one has moved.
pub(super) fn raise(marks: &mut Vec<Mark>, mark: Mark) -> bool {
    if let Some(old) = marks.iter_mut().find(|old| old.member == mark.member) {
        let moved = mark.read > old.read || mark.delivered > old.delivered;
        old.read = old.read.max(mark.read);
        old.delivered = old.delivered.max(mark.delivered);
        return moved;
    }
    if marks.len() < MOST_MEMBERS {
        marks.push(mark);
        return true;
    }
    false
}
