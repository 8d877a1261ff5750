//! A small server: rooms with a gapless sequence, ids that are stored once, marks that
//! only move forward. Its pages are short, so that few messages need several of them.

use parlour_protocol::client::Tick;
use parlour_protocol::frame::{
    Body, Cursor, ErrorCode, Event, Limits, Mark, Person, Role, RoomKind, RoomState, TicketState,
};
use parlour_protocol::{ClientFrame, Id, ServerFrame};
use std::collections::VecDeque;

const PAGE: usize = 3;
const MAX_RESUME: u64 = 12;
pub(crate) const HEARTBEAT: u64 = 2_000;

/// A connection, as the server sees it.
#[derive(Default)]
pub(crate) struct Session {
    greeted: bool,
    joined: Vec<Id>,
    pub(crate) down: VecDeque<ServerFrame>,
}

/// What the server does with the next `send`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// It cannot now.
    Busy { after: u32 },
    /// One of the messages is not accepted, by its place in the batch.
    Never { index: usize },
}

pub(crate) struct Stored {
    pub(crate) id: Id,
    pub(crate) events: Vec<Event>,
    pub(crate) marks: Vec<Mark>,
}

pub(crate) struct Server {
    pub(crate) epoch: Id,
    pub(crate) rooms: Vec<Stored>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) refusal: Option<Refusal>,
    /// Whether the echo of a message overtakes its acknowledgement.
    pub(crate) echo_first: bool,
    /// Whether who opens a ticket is joined to it without asking.
    pub(crate) joins_opener: bool,
}

impl Server {
    pub(crate) fn new(rooms: &[Id], clients: usize) -> Self {
        let rooms = rooms.iter().map(|id| Stored {
            id: *id,
            events: Vec::new(),
            marks: Vec::new(),
        });
        Self {
            epoch: Id([1; 16]),
            rooms: rooms.collect(),
            sessions: (0..clients).map(|_| Session::default()).collect(),
            refusal: None,
            echo_first: false,
            joins_opener: true,
        }
    }

    /// Takes a frame of client `from` at `now`.
    pub(crate) fn take(&mut self, from: usize, frame: ClientFrame, now: u64) {
        if let ClientFrame::Hello { epoch, cursors, .. } = frame {
            if !std::mem::replace(&mut self.sessions[from].greeted, true) {
                self.hello(from, epoch, &cursors, now);
            }
            return;
        }
        if !self.sessions[from].greeted {
            return;
        }
        match frame {
            ClientFrame::Join { room, after } => self.join(from, room, after, false),
            ClientFrame::Leave { room } => {
                self.sessions[from].joined.retain(|joined| *joined != room);
            }
            ClientFrame::Send {
                room,
                messages,
                open,
                ..
            } => self.send(from, room, &messages, open.as_ref()),
            ClientFrame::History {
                room,
                before,
                after,
            } => self.history(from, room, before, after),
            ClientFrame::Receipt {
                room,
                delivered,
                read,
            } => self.receipt(from, room, delivered, read),
            ClientFrame::Typing { room, on } => {
                self.publish(
                    room,
                    &ServerFrame::Typing {
                        room,
                        who: who(from),
                        on,
                    },
                );
            }
            ClientFrame::Ping { n, .. } if n > 0 => self.beat(from, n, now),
            _ => {}
        }
    }

    pub(crate) fn beat(&mut self, to: usize, n: u32, now: u64) {
        if !self.sessions[to].greeted {
            return;
        }
        let joined = self.sessions[to].joined.clone();
        let position = |room| {
            self.stored(room)
                .map_or(0, |stored| stored.events.len() as u64)
        };
        let rooms = joined
            .into_iter()
            .map(|room| Cursor {
                room,
                seq: position(room),
            })
            .collect();
        self.push(
            to,
            ServerFrame::Beat {
                n,
                time: now as i64 * 1000,
                rooms,
                digest: None,
            },
        );
    }

    /// An entry is edited or deleted.
    pub(crate) fn edit(&mut self, room: Id, index: usize) {
        let Some(stored) = self.rooms.iter_mut().find(|stored| stored.id == room) else {
            return;
        };
        let length = stored.events.len();
        let Some(event) = stored.events.get_mut(index % length.max(1)) else {
            return;
        };
        event.rev += 1;
        event.body = Body::Deleted;
        let event = event.clone();
        self.publish(room, &ServerFrame::Event(event));
    }

    /// The data goes back to an earlier state, under another epoch. Every connection is cut by the caller.
    pub(crate) fn restore(&mut self, keep: usize) {
        self.epoch.0[0] += 1;
        for stored in &mut self.rooms {
            stored.events.truncate(keep);
            let top = stored.events.len() as u64;
            for mark in &mut stored.marks {
                mark.delivered = mark.delivered.min(top);
                mark.read = mark.read.min(top);
            }
        }
    }

    pub(crate) fn stored(&self, room: Id) -> Option<&Stored> {
        self.rooms.iter().find(|stored| stored.id == room)
    }

    fn hello(&mut self, from: usize, epoch: Option<Id>, cursors: &[Cursor], now: u64) {
        let limits = Limits {
            frame: 65_536,
            text: 8_000,
            batch: 4,
        };
        let rooms = self
            .rooms
            .iter()
            .map(|stored| state(stored, false))
            .collect();
        let (time, heartbeat) = (now as i64 * 1000, HEARTBEAT as u32);
        let (me, epoch_now) = (who(from), self.epoch);
        let people = Vec::new();
        self.push(
            from,
            ServerFrame::Welcome {
                v: 1,
                time,
                heartbeat,
                epoch: epoch_now,
                me,
                limits,
                rooms,
                people,
            },
        );
        for cursor in cursors {
            self.join(
                from,
                cursor.room,
                Some(cursor.seq),
                epoch.is_some_and(|epoch| epoch != self.epoch),
            );
        }
    }

    pub(crate) fn join(&mut self, from: usize, room: Id, after: Option<u64>, void: bool) {
        let Some(stored) = self.rooms.iter().find(|stored| stored.id == room) else {
            self.push(from, refused(ErrorCode::UnknownRoom, false, 0, room, None));
            return;
        };
        let position = stored.events.len() as u64;
        let state = state(stored, true);
        let reset =
            after.is_some_and(|after| void || after > position || position - after > MAX_RESUME);
        let newest = stored.events.len().saturating_sub(PAGE);
        let start = if reset {
            newest
        } else {
            after.map_or(newest, |after| after as usize)
        };
        let rest = &stored.events[start..];
        let mut pages: Vec<Vec<Event>> = rest.chunks(PAGE).map(<[Event]>::to_vec).collect();
        let last = pages.pop().unwrap_or_default();
        let more = |events: &[Event]| events.first().map_or(start > 0, |event| event.seq > 1);
        let mut frames: Vec<_> = pages
            .into_iter()
            .map(|events| ServerFrame::Page {
                room,
                more: more(&events),
                events,
                position,
                reset: false,
                live: None,
            })
            .collect();
        frames.push(ServerFrame::Page {
            room,
            more: more(&last),
            events: last,
            position,
            reset,
            live: Some(state),
        });
        let session = &mut self.sessions[from];
        if !session.joined.contains(&room) {
            session.joined.push(room);
        }
        session.down.extend(frames);
    }

    fn history(&mut self, from: usize, room: Id, before: u64, after: u64) {
        let Some(stored) = self.stored(room) else {
            return;
        };
        let position = stored.events.len();
        let (start, end) = if before > 0 {
            let end = (before as usize - 1).min(position);
            (end.saturating_sub(PAGE), end)
        } else {
            let start = (after as usize).min(position);
            (start, (start + PAGE).min(position))
        };
        let events = stored.events[start..end].to_vec();
        let page = ServerFrame::Page {
            room,
            events,
            more: start > 0,
            position: position as u64,
            reset: false,
            live: None,
        };
        self.push(from, page);
    }

    pub(crate) fn publish(&mut self, room: Id, frame: &ServerFrame) {
        for session in self
            .sessions
            .iter_mut()
            .filter(|session| session.joined.contains(&room))
        {
            session.down.push_back(frame.clone());
        }
    }

    pub(crate) fn push(&mut self, to: usize, frame: ServerFrame) {
        self.sessions[to].down.push_back(frame);
    }

    /// How far the others are with an entry.
    pub(crate) fn tick_of(&self, room: Id, seq: u64, author: Id) -> Tick {
        let marks = self
            .stored(room)
            .map(|stored| stored.marks.as_slice())
            .unwrap_or_default();
        let others = || marks.iter().filter(|mark| mark.member != author);
        if others().any(|mark| mark.read >= seq) {
            Tick::Read
        } else if others().any(|mark| mark.delivered >= seq) {
            Tick::Delivered
        } else {
            Tick::Sent
        }
    }
}

/// The person behind a client: the first one is the visitor.
pub(crate) fn who(client: usize) -> Person {
    let role = if client == 0 {
        Role::Visitor
    } else {
        Role::Agent
    };
    Person {
        id: Id([client as u8 + 10; 16]),
        role,
        name: String::new(),
    }
}

fn state(stored: &Stored, full: bool) -> RoomState {
    RoomState {
        room: stored.id,
        kind: RoomKind::Public,
        position: stored.events.len() as u64,
        ticket: Some(TicketState::Open),
        marks: if full {
            stored.marks.clone()
        } else {
            Vec::new()
        },
        people: Vec::new(),
    }
}

pub(crate) fn refused(
    code: ErrorCode,
    retry: bool,
    after: u32,
    room: Id,
    cid: Option<Id>,
) -> ServerFrame {
    ServerFrame::Error {
        code,
        message: String::new(),
        retry,
        after,
        room: Some(room),
        cid,
    }
}
