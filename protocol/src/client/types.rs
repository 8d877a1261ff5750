//! What goes into the brain and what comes out of it.

use crate::Id;
use crate::frame::{ClientFrame, ErrorCode, Open, Presence, View};
#[cfg(feature = "agents")]
use crate::frame::{ListCounts, TicketRow};

/// What a client is made with.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How events are wanted.
    pub view: View,
    /// Seeds the jitter of the back-off; any number that differs between clients.
    pub seed: u64,
    /// Messages that may wait in the outbox, over all rooms.
    pub outbox_limit: usize,
}

/// What a driver keeps in storage, and gives back before [`super::Client::start`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The epoch of the server's data, from [`Output::SaveEpoch`].
    pub epoch: Option<Id>,
    /// The messages from [`Output::Save`], oldest first.
    pub outbox: Vec<Pending>,
}

/// A message that is not in its room's window yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The room.
    pub room: Id,
    /// The message's id; the entry will carry the same.
    pub cid: Id,
    /// What was typed.
    pub text: String,
    /// Opens the room's ticket if it is not there yet.
    pub open: Option<Open>,
    /// The newest sequence number that its author had on screen.
    pub seen: u64,
    /// How far it has come.
    pub state: PendingState,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// Waits for a connection, or for those before it.
    Waiting,
    /// Was sent; its entry has not arrived yet.
    Sending,
    /// Was refused for good, unless the person tries again.
    Failed(ErrorCode),
}

/// Why a message was not taken into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing but white space.
    Empty,
    /// Longer than the server's limit.
    TooLong,
    /// Too many messages wait.
    Full,
}

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not started.
    Idle,
    /// A connection is being made, up to the server's welcome.
    Connecting,
    /// Welcomed.
    Live,
    /// The next attempt is made at this time.
    Waiting {
        /// In the milliseconds of `now`.
        until: u64,
    },
    /// Given up, until the next [`super::Client::start`]: coming back would fail in the same way.
    Stopped {
        /// The close code that ended it.
        code: u16,
    },
}

/// How far an own message has come at the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tick {
    /// Stored by the server.
    Sent,
    /// Received by somebody else.
    Delivered,
    /// Seen by somebody else.
    Read,
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Get a token and open a socket, then call `opened` or `closed`. An earlier
    /// attempt or socket must be dropped: its events are not for the brain any more.
    Connect,
    /// Send a frame over the socket.
    Transmit(ClientFrame),
    /// Close the socket and drop its events; no `closed` is awaited. A browser lets a
    /// script send only 1000 and 3000–4999: close without a code for the others.
    Close(u16),
    /// The token was refused or is about to expire: forget the cached one. The next
    /// `Connect` must get a new one; while connected, get one and call `renewed`.
    Renew,
    /// Keep this message in storage, in the place of one with the same id.
    Save(Pending),
    /// Forget this message: it is stored by the server, or was discarded.
    Unsave(Id),
    /// Keep the epoch in storage.
    SaveEpoch(Id),
    /// Something that is shown has changed.
    Changed(Change),
}

/// What has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// [`super::Client::link`].
    Link,
    /// The server has welcomed the client: who it is, limits, rooms and people.
    Welcome,
    /// A room's window, pending messages or state.
    Room(Id),
    /// One entry was appended or replaced while live; a pending message of the same id is gone.
    Event {
        /// The room.
        room: Id,
        /// The entry.
        cid: Id,
    },
    /// A room's marks.
    Marks(Id),
    /// Who types in a room.
    Typing(Id),
    /// Whether a person is there: of the team, or, for agents, any visitor.
    Presence(Presence),
    /// [`super::Client::rooms`]: one came, went, or changed its state.
    Rooms,
    /// The ticket list, for the driver to merge: `order` is the whole page, `rows` are those
    /// that it lacks or has in an older revision.
    #[cfg(feature = "agents")]
    List {
        /// The tickets of the page, in order.
        order: Vec<Id>,
        /// The rows that changed.
        rows: Vec<TicketRow>,
        /// How many tickets there are.
        counts: ListCounts,
    },
    /// A ticket changed.
    #[cfg(feature = "agents")]
    Row(TicketRow),
    /// The server refused something.
    Error {
        /// What kind.
        code: ErrorCode,
        /// The room that it refers to.
        room: Option<Id>,
        /// The message that it refers to.
        cid: Option<Id>,
    },
}
