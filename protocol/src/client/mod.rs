//! The client's brain: a state machine without I/O.
//!
//! Typed frames, commands and the time go in; frames, changes and timers come out.
//! The widget, the dashboard's script, the test harness and the load generator all
//! run this one brain; only their sockets differ.
//!
//! A driver calls a method, then drains [`Client::poll`], then arms one timer for
//! [`Client::next_timer`]. `now` is a monotonic time in milliseconds, of any origin,
//! that never goes back; the wall time comes from the server alone.
//!
//! In reading order:
//! - `types`: what goes in and what comes out
//! - `link`: the life of a connection, heartbeats, back-off
//! - `transport`: what carries it, where not every one gets through
//! - `incoming`: what the server sends, one arm per frame
//! - `room`: a room, as it is read
//! - `intake`: events and pages, and what follows from them
//! - `repair`: joins, holes and older pages: what is asked, when, and when again
//! - `window`: a room's entries, without holes
//! - `outbox`: messages that the server has not stored yet
//! - `receipts`, `typing`, `list`: each what its name says
//! - `port`, `rng`: outputs, limits, jitter

mod incoming;
mod intake;
mod link;
#[cfg_attr(not(feature = "agents"), path = "no_list.rs")]
mod list;
mod outbox;
mod port;
mod receipts;
mod repair;
mod rng;
mod room;
mod transport;
mod types;
mod typing;
mod window;

pub use room::Room;
pub use transport::Transport;
pub use types::{Change, Link, Options, Output, Pending, PendingState, Saved, SendError, Tick};

use crate::Id;
use crate::frame::{ClientFrame, ErrorCode, Limits, Person, Presence, RoomState};
use crate::limits;
use link::Wire;
#[cfg(feature = "agents")]
use list::Lists;
use port::Port;
use room::Stage;
use transport::Way;
use typing::Typist;

/// The state machine. See the module's text for how it is driven.
pub struct Client {
    options: Options,
    port: Port,
    link: Link,
    wire: Wire,
    way: Way,
    epoch: Option<Id>,
    me: Option<Person>,
    /// Whether the person is there.
    active: bool,
    /// Rooms that are kept joined, and those with messages in the outbox.
    rooms: Vec<Room>,
    /// The rooms of the welcome.
    listed: Vec<RoomState>,
    people: Vec<Presence>,
    receipts_at: Option<u64>,
    typist: Option<Typist>,
    #[cfg(feature = "agents")]
    lists: Lists,
    /// The server's microseconds at `now` 0.
    offset: i64,
}

impl Client {
    /// A client that is idle.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            port: Port::new(options.seed),
            link: Link::Idle,
            wire: Wire::default(),
            way: Way::new(),
            epoch: None,
            me: None,
            active: true,
            rooms: Vec::new(),
            listed: Vec::new(),
            people: Vec::new(),
            receipts_at: None,
            typist: None,
            #[cfg(feature = "agents")]
            lists: Lists::default(),
            offset: 0,
        }
    }

    /// Joins a room, and keeps it joined over reconnections. Over [`limits::MAX_ROOMS`] it is
    /// refused with a [`Change::Error`].
    pub fn join(&mut self, room: Id, now: u64) {
        let may = self.may_join();
        if let Some(found) = find(&mut self.rooms, room)
            && found.wanted
        {
            if core::mem::take(&mut found.gone) {
                found.ask_join(&mut self.port, now);
            }
            return;
        }
        if !may {
            self.port.change(Change::Error {
                code: ErrorCode::Unavailable,
                room: Some(room),
                cid: None,
            });
            return;
        }
        let found = self.ensure(room);
        found.wanted = true;
        self.ask_join(room, now);
    }

    /// Leaves a room, after its marks were told. Its window is dropped; its messages in the outbox are still sent.
    pub fn leave(&mut self, room: Id, _now: u64) {
        if self
            .typist
            .as_ref()
            .is_some_and(|typist| typist.is_in(room))
        {
            self.stop_typing();
            self.typist = None;
        }
        let Some(found) = find(&mut self.rooms, room).filter(|found| found.wanted) else {
            return;
        };
        found.send_receipt(&mut self.port);
        found.wanted = false;
        found.gone = false;
        if self.port.live && found.stage != Stage::Out {
            self.port.transmit(ClientFrame::Leave { room });
        }
        found.stage = Stage::Out;
        found.forget();
        self.port.room_changed(room);
        self.sweep();
    }

    /// Loads the page before the window. Does nothing if one is under way, if there is none,
    /// or while the room is not live.
    pub fn older(&mut self, room: Id, now: u64) {
        if let Some(found) = find(&mut self.rooms, room) {
            found.want_older(&mut self.port, now);
        }
    }

    /// The time of `next_timer` has come. Calling it early does no harm.
    pub fn tick(&mut self, now: u64) {
        self.tick_link(now);
        for room in &mut self.rooms {
            room.tick(&mut self.port, now);
        }
        self.tick_typing(now);
        self.send_receipts(now);
    }

    /// What the driver has to do next; to be drained after every call.
    pub fn poll(&mut self) -> Option<Output> {
        self.port.pop()
    }

    /// When `tick` is wanted.
    #[must_use]
    pub fn next_timer(&self) -> Option<u64> {
        let mut first = self.link_timer();
        if self.port.live {
            first = earliest(&[first, self.receipts_at, self.typing_timer()]);
            for room in &self.rooms {
                first = earliest(&[first, room.timer()]);
            }
        }
        first
    }

    /// How the connection is.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// Who the client is; `None` before the first welcome.
    #[must_use]
    pub fn me(&self) -> Option<&Person> {
        self.me.as_ref()
    }

    /// The rooms of the welcome, kept up to date as far as they are joined; new ones come first.
    #[must_use]
    pub fn rooms(&self) -> &[RoomState] {
        &self.listed
    }

    /// The agents, and whether they are there.
    #[must_use]
    pub fn people(&self) -> &[Presence] {
        &self.people
    }

    /// A room that was joined or written to.
    #[must_use]
    pub fn room(&self, id: Id) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    /// What may be sent; this version's own bounds before the first welcome.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.port.limits
    }

    /// The server's time in microseconds since 1970; counts from 0 before the first welcome.
    #[must_use]
    pub fn server_time(&self, now: u64) -> i64 {
        self.offset.saturating_add(incoming::micros(now))
    }

    fn me_id(&self) -> Id {
        self.me.as_ref().map_or(Id::NIL, |me| me.id)
    }

    fn may_join(&self) -> bool {
        self.rooms.iter().filter(|room| room.wanted).count() < limits::MAX_ROOMS
    }

    /// The room, made if it is not there.
    fn ensure(&mut self, id: Id) -> &mut Room {
        let index = self
            .rooms
            .iter()
            .position(|room| room.id == id)
            .unwrap_or_else(|| {
                self.rooms.push(Room::new(id));
                self.rooms.len() - 1
            });
        &mut self.rooms[index]
    }

    fn ask_join(&mut self, id: Id, now: u64) {
        if let Some(room) = find(&mut self.rooms, id) {
            room.ask_join(&mut self.port, now);
        }
    }

    /// Forgets rooms that are neither joined nor have anything to send.
    fn sweep(&mut self) {
        self.rooms.retain(|room| !room.idle());
    }
}

/// The first of times that may not be set. (`flatten` and `min` are larger in the widget.)
fn earliest(times: &[Option<u64>]) -> Option<u64> {
    let mut first = None;
    for time in times {
        if first.is_none() || (time.is_some() && *time < first) {
            first = *time;
        }
    }
    first
}

fn find(rooms: &mut [Room], id: Id) -> Option<&mut Room> {
    rooms.iter_mut().find(|room| room.id == id)
}
