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
//! - `room`: a room's window of entries, without holes
//! - `rng`: jitter

mod rng;
mod room;
mod types;

pub use room::Room;
pub use types::{Change, Link, Options, Output, Pending, PendingState, Saved, SendError, Tick};

use crate::Id;
use crate::frame::{ListQuery, Limits, Open, Person, Presence, RoomState, RowRev, ServerFrame};
use crate::limits;
use rng::Rng;
use std::collections::VecDeque;

/// The state machine. See the module's text for how it is driven.
pub struct Client {
    options: Options,
    rng: Rng,
    out: VecDeque<Output>,
    link: Link,
    me: Option<Person>,
    rooms: Vec<Room>,
    listed: Vec<RoomState>,
    people: Vec<Presence>,
    limits: Limits,
    /// The server's microseconds at `now` 0.
    offset: i64,
}

impl Client {
    /// A client that is idle.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            rng: Rng::new(options.seed),
            out: VecDeque::new(),
            link: Link::Idle,
            me: None,
            rooms: Vec::new(),
            listed: Vec::new(),
            people: Vec::new(),
            limits: Limits {
                frame: limits::MAX_FRAME as u32,
                text: limits::MAX_TEXT as u32,
                batch: limits::MAX_BATCH as u32,
            },
            offset: 0,
        }
    }

    /// Takes over what an earlier page has stored. Before `start`.
    pub fn restore(&mut self, saved: Saved, now: u64) {}

    /// Asks for the first connection; also after `stop` or a final close.
    pub fn start(&mut self, now: u64) {}

    /// Closes the connection, and makes no other until `start`. Windows and outbox stay.
    pub fn stop(&mut self, now: u64) {}

    /// The socket that [`Output::Connect`] asked for is open.
    pub fn opened(&mut self, now: u64) {}

    /// The socket was closed with this code, or the attempt failed ([`crate::close::LOST`]).
    pub fn closed(&mut self, now: u64, code: u16) {}

    /// A frame has arrived.
    pub fn frame(&mut self, now: u64, frame: ServerFrame) {}

    /// The time of `next_timer` has come. Calling it early does no harm.
    pub fn tick(&mut self, now: u64) {}

    /// The browser says that it is online or visible again: tries at once, and probes a connection that seems open.
    pub fn online(&mut self, now: u64) {}

    /// Joins a room, and keeps it joined over reconnections.
    pub fn join(&mut self, room: Id, now: u64) {}

    /// Leaves a room. Its window is dropped; its messages in the outbox are still sent.
    pub fn leave(&mut self, room: Id, now: u64) {}

    /// Puts a message into the outbox, and sends it as soon as its turn comes.
    ///
    /// With `open`, the room may be a ticket that is not there yet: it counts as joined once it is.
    ///
    /// # Errors
    /// The message was not taken: empty, too long, or too many wait.
    pub fn send(&mut self, room: Id, cid: Id, text: String, open: Option<Open>, now: u64) -> Result<(), SendError> {
        Ok(())
    }

    /// Sends a failed message again, under the same id.
    pub fn retry(&mut self, cid: Id, now: u64) {}

    /// Takes a failed or waiting message out of the outbox; gives its text back.
    pub fn discard(&mut self, cid: Id) -> Option<String> {
        None
    }

    /// The person types in a room, or has stopped. To be called at each key stroke.
    pub fn typing(&mut self, room: Id, on: bool, now: u64) {}

    /// Entries up to `seq` are on screen in a visible, focused window.
    pub fn seen(&mut self, room: Id, seq: u64, now: u64) {}

    /// Entries up to `seq` have arrived, of a room that is not joined (a row of a list).
    pub fn delivered(&mut self, room: Id, seq: u64, now: u64) {}

    /// Loads the page before the window. Does nothing if one is under way, or if there is none.
    pub fn older(&mut self, room: Id, now: u64) {}

    /// The list that is on screen; `None` for none. Compared with the server's now, after
    /// each reconnection, and when the heartbeat's digest differs.
    pub fn list(&mut self, query: Option<ListQuery>, rows: Vec<RowRev>, now: u64) {}

    /// What is on screen after the driver has merged a change.
    pub fn list_rows(&mut self, rows: Vec<RowRev>) {}

    /// Whether the person is there: the page is visible and was used in the last 5 minutes.
    pub fn active(&mut self, active: bool, now: u64) {}

    /// A new token, while connected.
    pub fn renewed(&mut self, token: String, now: u64) {}

    /// What the driver has to do next; to be drained after every call.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When `tick` is wanted.
    #[must_use]
    pub fn next_timer(&self) -> Option<u64> {
        None
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

    /// The rooms of the welcome, kept up to date.
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

    /// What may be sent.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The server's time in microseconds since 1970; counts from 0 before the first welcome.
    #[must_use]
    pub fn server_time(&self, now: u64) -> i64 {
        self.offset.saturating_add(i64::try_from(now.saturating_mul(1000)).unwrap_or(i64::MAX))
    }
}
