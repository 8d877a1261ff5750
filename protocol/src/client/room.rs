//! A room: its window, what is asked of the server about it, marks and who types.

use super::outbox::Flight;
use super::port::Port;
use super::types::{Change, Output, Pending, Tick};
use super::window::{HIGHEST, Landed, Window};
use crate::Id;
use crate::frame::{Body, ClientFrame, Event, Happening, Mark, Person, RoomState, TicketState};
use crate::limits;

/// A hole is asked for after this time: swapped events fill most of them.
const GAP_DELAY: u64 = 50;
/// A position above the window, without an event, is asked for after this time: the event may be under way.
const BEHIND_DELAY: u64 = 250;
/// A join without an answer is repeated after this time, a history request given up.
pub(super) const ANSWER_TIMEOUT: u64 = 5_000;
/// A hole above this many entries is joined again instead of being asked for page by page.
const WIDE_GAP: u64 = 2 * limits::PAGE as u64;
/// Marks and people of one room at most.
const MOST_MEMBERS: usize = 256;

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

/// A `history` under way. One at a time, so that an answer needs no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    older: bool,
    until: u64,
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
    join_tries: u32,
    window: Window,
    position: u64,
    request: Option<Request>,
    older_wanted: bool,
    fill_at: Option<u64>,
    fill_tries: u32,
    pub(super) pending: Vec<Pending>,
    /// Acknowledged messages whose entries have not arrived: id and number.
    pub(super) acked: Vec<(Id, u64)>,
    pub(super) flight: Option<Flight>,
    pub(super) send_at: u64,
    pub(super) send_tries: u32,
    pub(super) typers: Vec<Person>,
    /// When each of `typers` expires.
    pub(super) typers_until: Vec<u64>,
    state: Option<RoomState>,
    ticket_rev: u64,
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

/// The window, and what is asked of the server about it.
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

    /// Asks the server to join the room, from the window's end on.
    pub(super) fn ask_join(&mut self, port: &mut Port, now: u64) {
        if !port.live || !self.wanted || self.opening || self.gone {
            return;
        }
        self.stage = Stage::Joining(now + (ANSWER_TIMEOUT << self.join_tries.min(3)));
        self.join_tries += 1;
        self.stop_asking();
        port.transmit(ClientFrame::Join {
            room: self.id,
            after: self.top(),
        });
    }

    /// The first message has opened the ticket. The server joins its sender by itself;
    /// after a lost acknowledgement it has done so in a connection that is gone.
    pub(super) fn opened(&mut self, again: bool, port: &mut Port, now: u64) {
        self.opening = false;
        if self.stage != Stage::Out {
            return;
        }
        if again {
            self.ask_join(port, now);
        } else if self.wanted {
            self.stage = Stage::Joining(now + OPENED_DELAY);
        }
    }

    /// Takes an event. True if the window has changed.
    pub(super) fn take_event(&mut self, event: Event, me: Id, port: &mut Port, now: u64) -> bool {
        let (id, cid, seq) = (self.id, event.cid, event.seq);
        let before = self.top().unwrap_or(0);
        self.note_position(seq);
        let landed = self.window.insert(event);
        match landed {
            Landed::Appended => self.absorb(before, me, port),
            Landed::Replaced => port.change(Change::Event { room: id, cid }),
            // It is stored, so it need not be sent again, wherever it will be shown.
            Landed::Held => self.acknowledge(cid, seq, port),
            Landed::Overflow if self.stage == Stage::Live => self.ask_join(port, now),
            Landed::Overflow | Landed::Ignored => {}
        }
        if landed == Landed::Appended {
            self.announce(before, port);
        }
        self.check_gap(now, port);
        matches!(landed, Landed::Appended | Landed::Replaced)
    }

    /// Takes a page. False if it was nothing to be used.
    pub(super) fn take_page(&mut self, page: Page, me: Id, port: &mut Port, now: u64) -> bool {
        let last_of_join = page.live.is_some();
        if self.top().is_none() && !page.reset && !last_of_join {
            return false;
        }
        let mut before = self.top().unwrap_or(0);
        let answers = if last_of_join || page.reset {
            None
        } else {
            self.request.take()
        };
        let filled = answers.is_some_and(|request| !request.older);
        let starts_above = page
            .events
            .iter()
            .map(|event| event.seq)
            .min()
            .is_some_and(|seq| seq > before + 1);
        // A hole that begins after what was asked for: the entries in it are gone for good.
        if page.reset || self.top().is_none() || (filled && starts_above) {
            if page.position < before {
                self.roll_back(page.position);
                before = 0;
            }
            self.window
                .start_over(page.events, page.more, page.position);
            self.position = page.position;
        } else if page.events.is_empty() && answers.is_some_and(|request| request.older) {
            self.window.ends_here();
        } else {
            self.window.merge(page.events, page.more);
        }
        if filled {
            // The database has spoken: what was said above it is not there.
            self.position = page.position;
        }
        let top = self.top().unwrap_or(0);
        self.note_position(page.position.max(top).max(self.window.newest_held()));
        if top > before {
            self.fill_tries = 0;
        }
        self.absorb(before, me, port);
        if let Some(state) = page.live {
            self.go_live(state, me);
        } else if let Stage::Joining(_) = self.stage {
            self.stage = Stage::Joining(now + ANSWER_TIMEOUT);
        }
        self.settle(port);
        self.ask_older(port, now);
        self.check_gap(now, port);
        true
    }

    fn go_live(&mut self, state: RoomState, me: Id) {
        self.stage = Stage::Live;
        self.join_tries = 0;
        self.opening = false;
        self.gone = false;
        self.set_state(state, me);
    }

    /// The server's data has gone back behind what we have seen.
    fn roll_back(&mut self, position: u64) {
        self.state = None;
        self.told = Marks::default();
        self.own.read = self.own.read.min(position);
        self.own.delivered = self.own.delivered.min(position);
    }

    fn set_state(&mut self, mut state: RoomState, me: Id) {
        state.marks.truncate(MOST_MEMBERS);
        state.people.truncate(MOST_MEMBERS);
        self.note_position(state.position);
        if let Some(mark) = state.marks.iter().find(|mark| mark.member == me) {
            self.told = Marks {
                delivered: mark.delivered,
                read: mark.read,
            };
        } else {
            self.told = Marks::default();
        }
        self.own.delivered = self.own.delivered.max(self.told.delivered);
        self.own.read = self.own.read.max(self.told.read);
        let old = self.state.replace(state);
        for mark in old.into_iter().flat_map(|old| old.marks) {
            if self.marks().iter().any(|other| other.member == mark.member) {
                self.raise(mark);
            }
        }
        let own = Mark {
            member: me,
            delivered: self.own.delivered,
            read: self.own.read,
        };
        if own.read > 0 || own.delivered > 0 {
            self.raise(own);
        }
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

    /// What follows from the entries above `before`, which are new in the window.
    fn absorb(&mut self, before: u64, me: Id, port: &mut Port) {
        let mut ticket = None;
        let mut ended = false;
        for event in self.window.above(before) {
            if event.author.id != me {
                self.own.delivered = self.own.delivered.max(event.seq);
            }
            if let Body::Happened { what, .. } = event.body {
                ticket = ticket.or(match what {
                    Happening::Resolved => Some(TicketState::Resolved),
                    Happening::Reopened => Some(TicketState::Open),
                    _ => None,
                });
            }
            if let Some(index) = self
                .typers
                .iter()
                .position(|typer| typer.id == event.author.id)
            {
                self.typers.remove(index);
                self.typers_until.remove(index);
                ended = true;
            }
        }
        if ended {
            port.change(Change::Typing(self.id));
        }
        if ticket.is_some_and(|ticket| self.set_ticket(ticket)) {
            port.change(Change::Room(self.id));
        }
        self.settle(port);
    }

    /// Names each new entry, oldest first.
    fn announce(&self, before: u64, port: &mut Port) {
        let count = self.window.above(before).count();
        let entries = self.window.entries();
        for event in entries.iter().skip(entries.len().saturating_sub(count)) {
            port.change(Change::Event {
                room: self.id,
                cid: event.cid,
            });
        }
    }

    /// Plans to ask for what is missing between the window and the newest that is known of.
    pub(super) fn check_gap(&mut self, now: u64, port: &mut Port) {
        let whole = self.top().is_none_or(|top| self.position <= top) && !self.window.has_held();
        if self.stage != Stage::Live || whole {
            self.fill_at = None;
            self.fill_tries = 0;
            return;
        }
        if self.request.is_some_and(|request| !request.older) {
            return;
        }
        let delay = match self.fill_tries {
            0 if self.window.has_held() => GAP_DELAY,
            0 => BEHIND_DELAY,
            tries => port.back_off(tries) + GAP_DELAY,
        };
        match self.fill_at {
            Some(at) if self.fill_tries > 0 || at <= now + delay => {}
            _ => self.fill_at = Some(now + delay),
        }
    }

    /// Asks for the page before the window, if it is wanted and its turn has come.
    pub(super) fn ask_older(&mut self, port: &mut Port, now: u64) {
        if !self.older_wanted || self.request.is_some() || self.stage != Stage::Live {
            return;
        }
        self.older_wanted = false;
        if let Some(before) = self.window.first().filter(|_| self.window.more()) {
            self.request = Some(Request {
                older: true,
                until: now + ANSWER_TIMEOUT,
            });
            port.transmit(ClientFrame::History {
                room: self.id,
                before,
                after: 0,
            });
        }
    }

    pub(super) fn want_older(&mut self, port: &mut Port, now: u64) {
        if self.stage == Stage::Live && self.window.more() && !self.loading() {
            self.older_wanted = true;
            self.ask_older(port, now);
            port.change(Change::Room(self.id));
        }
    }

    fn ask_fill(&mut self, port: &mut Port, now: u64) {
        self.fill_at = None;
        let Some(top) = self.top() else { return };
        self.fill_tries += 1;
        if self.position.saturating_sub(top) > WIDE_GAP {
            self.ask_join(port, now);
        } else {
            self.request = Some(Request {
                older: false,
                until: now + ANSWER_TIMEOUT,
            });
            port.transmit(ClientFrame::History {
                room: self.id,
                before: 0,
                after: top,
            });
        }
    }

    fn stop_asking(&mut self) {
        self.request = None;
        self.older_wanted = false;
        self.fill_at = None;
    }

    /// The server cannot answer now: what is under way is asked again not before `at`.
    pub(super) fn postpone(&mut self, at: u64) {
        if let Stage::Joining(_) = self.stage {
            self.stage = Stage::Joining(at);
        }
        if let Some(request) = &mut self.request {
            request.until = at;
        }
    }

    pub(super) fn timer(&self) -> Option<u64> {
        let join = match self.stage {
            Stage::Joining(again) => Some(again),
            _ => None,
        };
        let fill = self.fill_at.filter(|_| self.request.is_none());
        let request = self.request.map(|request| request.until);
        let typers = self.typers_until.iter().min().copied();
        [join, fill, request, typers, self.outbox_timer()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn tick(&mut self, port: &mut Port, now: u64) {
        if let Stage::Joining(again) = self.stage
            && again <= now
        {
            self.ask_join(port, now);
        }
        if self.request.is_some_and(|request| request.until <= now) {
            self.request = None;
            port.change(Change::Room(self.id));
            self.ask_older(port, now);
            self.check_gap(now, port);
        }
        if self.request.is_none() && self.fill_at.is_some_and(|at| at <= now) {
            self.ask_fill(port, now);
        }
        self.expire_typers(port, now);
        self.flush(port, now);
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
            port.change(Change::Room(self.id));
        }
    }

    /// Everything that belongs to the server's data is void; the outbox stays.
    pub(super) fn forget(&mut self) {
        self.window = Window::default();
        self.position = 0;
        self.state = None;
        self.ticket_rev = 0;
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
        port.change(Change::Room(self.id));
    }

    /// Takes pending messages away whose entries are in the window.
    pub(super) fn settle(&mut self, port: &mut Port) {
        if self.pending.is_empty() {
            return;
        }
        let (window, acked) = (&self.window, &mut self.acked);
        self.pending.retain(|pending| {
            let seq = acked
                .iter()
                .find(|(cid, _)| *cid == pending.cid)
                .map(|(_, seq)| *seq);
            let passed = seq.is_some_and(|seq| window.top().is_some_and(|top| seq <= top));
            if !passed && !window.has(pending.cid) {
                return true;
            }
            if seq.is_none() {
                port.push(Output::Unsave(pending.cid));
            }
            false
        });
        let pending = &self.pending;
        acked.retain(|(cid, _)| pending.iter().any(|pending| pending.cid == *cid));
    }

    /// Whether nothing is left that it is kept for.
    pub(super) fn idle(&self) -> bool {
        !self.wanted && self.pending.is_empty()
    }
}

/// A `page`, taken apart.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    pub(super) more: bool,
    pub(super) position: u64,
    pub(super) reset: bool,
    pub(super) live: Option<RoomState>,
}

/// After an acknowledgement that opened a ticket, its page is awaited this long.
const OPENED_DELAY: u64 = 1_000;

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
