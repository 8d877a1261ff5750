//! What the server sends: one arm per frame, one function per noun.

use super::intake::Page;
use super::room::{Room, Stage};
use super::types::{Change, Output};
use super::{Client, find};
use crate::Id;
use crate::frame::{
    Cursor, ErrorCode, Event, Limits, Person, Presence, Role, RoomKind, RoomState, ServerFrame,
};

/// Rooms of the welcome that are kept.
const MOST_LISTED: usize = 256;
/// People that are kept.
const MOST_PEOPLE: usize = 512;
/// The shortest delay before something refused is asked again, in milliseconds.
const LEAST_POSTPONE: u64 = 500;

impl Client {
    /// A frame has arrived.
    pub fn frame(&mut self, now: u64, frame: ServerFrame) {
        if !self.hear(now) {
            return;
        }
        match (frame, self.port.live) {
            (
                ServerFrame::Welcome {
                    v,
                    time,
                    heartbeat,
                    epoch,
                    me,
                    limits,
                    rooms,
                    people,
                },
                live,
            ) => {
                if v == crate::VERSION {
                    self.set_time(time, now);
                    self.welcome(epoch, me, limits, rooms, people);
                    // Without a WebSocket it comes again when something of it has changed.
                    if !live {
                        self.came_live(heartbeat, now);
                    }
                }
            }
            (ServerFrame::Bye { after, .. }, _) => self.said_bye(after),
            (
                ServerFrame::Error {
                    code,
                    retry,
                    after,
                    room,
                    cid,
                    ..
                },
                _,
            ) => {
                self.error(
                    &Refusal {
                        code,
                        retry,
                        after,
                        room,
                        cid,
                    },
                    now,
                );
            }
            (frame, true) => self.live_frame(frame, now),
            (_, false) => {}
        }
    }

    fn live_frame(&mut self, frame: ServerFrame, now: u64) {
        match frame {
            ServerFrame::Ack { room, acks } => self.ack(room, &acks, now),
            ServerFrame::Event(event) => self.event(event, now),
            ServerFrame::Page {
                room,
                events,
                more,
                position,
                reset,
                live,
            } => {
                self.page(
                    room,
                    Page {
                        events,
                        more,
                        position,
                        reset,
                        live,
                    },
                    now,
                );
            }
            ServerFrame::Receipt { room, mark } => self.receipt(room, mark),
            ServerFrame::Typing { room, who, on } => self.typed(room, who, on, now),
            ServerFrame::Presence(presence) => self.presence(presence),
            ServerFrame::Beat {
                n,
                time,
                rooms,
                digest,
            } => {
                self.set_time(time, now);
                if n == 0 {
                    self.answer_beat(now);
                }
                self.positions(&rooms, now);
                self.check_list(digest, now);
            }
            #[cfg(feature = "agents")]
            ServerFrame::Ticket(row) => self.row(row),
            #[cfg(feature = "agents")]
            ServerFrame::List {
                order,
                rows,
                counts,
                ..
            } => self.listing(order, rows, counts),
            // Handled before.
            _ => {}
        }
    }

    fn welcome(
        &mut self,
        epoch: Id,
        me: Person,
        limits: Limits,
        rooms: Vec<RoomState>,
        people: Vec<Presence>,
    ) {
        let old = self.epoch.replace(epoch);
        if old != Some(epoch) {
            self.port.push(Output::SaveEpoch(epoch));
        }
        if old.is_some_and(|old| old != epoch) {
            // The cursors were void: their joins are answered with pages that start over.
            for room in &mut self.rooms {
                room.forget();
                self.port.room_changed(room.id);
            }
            self.forget_lists();
        }
        self.me = Some(me);
        self.port.limits = limits;
        self.listed = rooms;
        self.listed.truncate(MOST_LISTED);
        self.people = people;
        self.people.truncate(MOST_PEOPLE);
        self.port.change(Change::Welcome);
    }

    fn event(&mut self, event: Event, now: u64) {
        let me = self.me_id();
        let Some(room) = find(&mut self.rooms, event.room) else {
            return;
        };
        if room.wanted {
            let ticket = room.state().map(|state| state.ticket);
            if room.take_event(event, me, &mut self.port, now) {
                let changed = room.state().map(|state| state.ticket) != ticket;
                copy_listed(room, &mut self.listed);
                if changed {
                    self.port.change(Change::Rooms);
                }
            }
        } else {
            room.acknowledge(event.cid, event.seq, &mut self.port);
            room.drop_acked();
            self.port.room_changed(event.room);
        }
        self.sweep();
        self.plan_receipts(now);
    }

    fn page(&mut self, id: Id, mut page: Page, now: u64) {
        page.events.retain(|event| event.room == id);
        let me = self.me_id();
        let Some(room) = find(&mut self.rooms, id).filter(|room| room.wanted) else {
            // The server has let her in by itself: another tab opened a ticket, a colleague a room.
            if let Some(state) = page.live.filter(|state| state.room == id) {
                self.add_listed(state);
            }
            return;
        };
        let joined = page.live.is_some();
        if !room.take_page(page, me, &mut self.port, now) {
            return;
        }
        let listed = copy_listed(room, &mut self.listed);
        self.port.room_changed(id);
        if joined {
            room.flush(&mut self.port, now);
            let state = self.room(id).and_then(Room::state).cloned();
            match state.filter(|_| !listed) {
                Some(state) => self.add_listed(state),
                None => self.port.change(Change::Rooms),
            }
        }
        self.plan_receipts(now);
    }

    /// A room that came after the welcome: a visitor's new ticket, an agent's new direct or team room.
    fn add_listed(&mut self, state: RoomState) {
        let visitor = self.me.as_ref().is_some_and(|me| me.role == Role::Visitor);
        let ours = visitor || matches!(state.kind, RoomKind::Direct | RoomKind::Team);
        let known = self.listed.iter().any(|listed| listed.room == state.room);
        if ours && !known && self.listed.len() < MOST_LISTED {
            self.listed.insert(
                0,
                RoomState {
                    people: Vec::new(),
                    ..state
                },
            );
        }
        self.port.change(Change::Rooms);
    }

    /// The positions of the joined rooms. One that is not among them has been lost on the way.
    fn positions(&mut self, cursors: &[Cursor], now: u64) {
        let live = |room: &&mut Room| room.stage == Stage::Live;
        for room in self.rooms.iter_mut().filter(live) {
            if let Some(cursor) = cursors.iter().find(|cursor| cursor.room == room.id) {
                room.note_position(cursor.seq);
                room.check_gap(now, &mut self.port);
            } else {
                room.ask_join(&mut self.port, now);
                self.port.room_changed(room.id);
            }
        }
    }

    fn presence(&mut self, presence: Presence) {
        let id = presence.who.id;
        for state in self.rooms.iter_mut().filter_map(Room::state_mut) {
            if let Some(known) = state.people.iter_mut().find(|known| known.who.id == id) {
                *known = presence.clone();
            }
        }
        if let Some(known) = self.people.iter_mut().find(|known| known.who.id == id) {
            *known = presence.clone();
        } else if presence.who.role == Role::Agent && self.people.len() < MOST_PEOPLE {
            self.people.push(presence.clone());
        }
        self.port.change(Change::Presence(presence));
    }

    fn error(&mut self, refusal: &Refusal, now: u64) {
        let Refusal {
            code,
            retry,
            after,
            room,
            cid,
        } = *refusal;
        if let Some(cid) = cid {
            self.refuse(cid, code, retry, after, now);
            return;
        }
        if retry && let Some(room) = room.and_then(|id| find(&mut self.rooms, id)) {
            room.postpone(now + u64::from(after).max(LEAST_POSTPONE));
        }
        match (code, room) {
            // Of typing, receipts or history: none of them needs a word.
            (ErrorCode::TooFast, _) => return,
            (ErrorCode::UnknownRoom | ErrorCode::Forbidden, Some(id)) => {
                if let Some(room) = find(&mut self.rooms, id).filter(|room| room.wanted) {
                    room.lose(&mut self.port);
                }
            }
            (ErrorCode::Unauthorized, _) => self.port.push(Output::Renew),
            _ => {}
        }
        self.port.change(Change::Error { code, room, cid });
    }

    fn set_time(&mut self, time: i64, now: u64) {
        self.offset = time.saturating_sub(micros(now));
    }
}

/// An `error`, taken apart.
struct Refusal {
    code: ErrorCode,
    retry: bool,
    after: u32,
    room: Option<Id>,
    cid: Option<Id>,
}

/// Brings the welcome's list up to date with what a joined room knows. False if it does not stand there.
fn copy_listed(room: &Room, listed: &mut [RoomState]) -> bool {
    let Some(listed) = listed.iter_mut().find(|listed| listed.room == room.id) else {
        return false;
    };
    listed.position = listed.position.max(room.position());
    if let Some(state) = room.state() {
        listed.ticket = state.ticket;
        listed.marks.clone_from(&state.marks);
    }
    true
}

/// Milliseconds of `now` in microseconds.
pub(super) fn micros(now: u64) -> i64 {
    i64::try_from(now.saturating_mul(1000)).unwrap_or(i64::MAX)
}
