//! One client and its clock, and frames to feed it.

use parlour_protocol::client::{Change, Client, Link, Options, Output, Room};
use parlour_protocol::frame::{
    Ack, Body, ErrorCode, Event, Limits, Mark, Person, Role, RoomKind, RoomState, TicketState, View,
};
use parlour_protocol::text::Run;
use parlour_protocol::{ClientFrame, Id, ServerFrame};

pub(crate) const HEARTBEAT: u32 = 20_000;
pub(crate) const ROOM: Id = id(100);
pub(crate) const ME: Id = id(1);
pub(crate) const OTHER: Id = id(2);

/// An id that is easy to read in a failure.
pub(crate) const fn id(n: u8) -> Id {
    let mut bytes = [0; 16];
    bytes[15] = n;
    Id(bytes)
}

pub(crate) fn person(id: Id) -> Person {
    let role = if id == ME { Role::Visitor } else { Role::Agent };
    Person {
        id,
        role,
        name: String::new(),
    }
}

/// A text of `author`, with an id of its own for each number.
pub(crate) fn text(seq: u64, author: Id) -> Event {
    let mut cid = [0xcc; 16];
    cid[..8].copy_from_slice(&seq.to_be_bytes());
    let cid = Id(cid);
    let body = Body::Text {
        runs: vec![Run::plain("hello")],
    };
    Event {
        room: ROOM,
        seq,
        cid,
        at: 0,
        rev: 0,
        author: person(author),
        body,
        html: None,
    }
}

pub(crate) fn own(seq: u64, cid: Id) -> Event {
    Event {
        cid,
        ..text(seq, ME)
    }
}

pub(crate) fn state(position: u64, marks: Vec<Mark>) -> RoomState {
    let ticket = Some(TicketState::Open);
    RoomState {
        room: ROOM,
        kind: RoomKind::Public,
        position,
        ticket,
        marks,
        people: Vec::new(),
    }
}

pub(crate) fn mark(member: Id, delivered: u64, read: u64) -> Mark {
    Mark {
        member,
        delivered,
        read,
    }
}

pub(crate) fn texts(seqs: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    seqs.map(|seq| text(seq, OTHER)).collect()
}

pub(crate) fn page(events: Vec<Event>, more: bool, position: u64) -> ServerFrame {
    ServerFrame::Page {
        room: ROOM,
        events,
        more,
        position,
        reset: false,
        live: None,
    }
}

pub(crate) fn live_page(events: Vec<Event>, more: bool, position: u64) -> ServerFrame {
    let live = Some(state(position, Vec::new()));
    ServerFrame::Page {
        room: ROOM,
        events,
        more,
        position,
        reset: false,
        live,
    }
}

pub(crate) fn reset_page(events: Vec<Event>, more: bool, position: u64) -> ServerFrame {
    let live = Some(state(position, Vec::new()));
    ServerFrame::Page {
        room: ROOM,
        events,
        more,
        position,
        reset: true,
        live,
    }
}

pub(crate) fn ack(acks: &[(Id, u64)]) -> ServerFrame {
    let acks = acks.iter().map(|&(cid, seq)| Ack {
        cid,
        seq,
        at: 0,
        dup: false,
    });
    ServerFrame::Ack {
        room: ROOM,
        acks: acks.collect(),
    }
}

pub(crate) fn error(
    code: ErrorCode,
    retry: bool,
    after: u32,
    room: Option<Id>,
    cid: Option<Id>,
) -> ServerFrame {
    ServerFrame::Error {
        code,
        message: String::new(),
        retry,
        after,
        room,
        cid,
    }
}

pub(crate) fn welcome(epoch: Id, rooms: Vec<RoomState>) -> ServerFrame {
    let limits = Limits {
        frame: 65_536,
        text: 8_000,
        batch: 16,
    };
    let me = person(ME);
    ServerFrame::Welcome {
        v: 1,
        time: 1_000_000,
        heartbeat: HEARTBEAT,
        epoch,
        me,
        limits,
        rooms,
        people: Vec::new(),
    }
}

pub(crate) fn beat(n: u32, position: u64) -> ServerFrame {
    let rooms = vec![parlour_protocol::frame::Cursor {
        room: ROOM,
        seq: position,
    }];
    ServerFrame::Beat {
        n,
        time: 2_000_000,
        rooms,
        digest: None,
    }
}

/// A client with its clock; what it puts out is sorted as it comes.
pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) now: u64,
    pub(crate) sent: Vec<ClientFrame>,
    pub(crate) changes: Vec<Change>,
    pub(crate) rest: Vec<Output>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let client = Client::new(Options {
            view: View::Runs,
            seed: 7,
            outbox_limit: 50,
        });
        Self {
            client,
            now: 1_000,
            sent: Vec::new(),
            changes: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Started, and welcomed without any rooms.
    pub(crate) fn live() -> Self {
        let mut rig = Self::new();
        rig.connect();
        rig.clear();
        rig
    }

    /// Welcomed, and [`ROOM`] is live with texts 1 to `position` of somebody else.
    pub(crate) fn joined(position: u64) -> Self {
        let mut rig = Self::live();
        rig.client.join(ROOM, rig.now);
        rig.frame(live_page(texts(1..=position), false, position));
        rig.advance(1_000);
        rig.clear();
        rig
    }

    /// From nothing or a wait to a welcome.
    pub(crate) fn connect(&mut self) {
        self.client.start(self.now);
        if let Link::Waiting { until } = self.client.link() {
            self.now = self.now.max(until);
            self.client.tick(self.now);
        }
        self.client.opened(self.now);
        self.frame(welcome(id(9), Vec::new()));
    }

    /// Loses the connection and comes back; gives the cursors of the hello.
    pub(crate) fn reconnect(&mut self) -> Vec<(Id, u64)> {
        self.client.closed(self.now, 1006);
        self.clear();
        self.connect();
        let hello = self.sent.iter().find_map(|frame| match frame {
            ClientFrame::Hello { cursors, .. } => Some(cursors.clone()),
            _ => None,
        });
        hello
            .unwrap_or_default()
            .into_iter()
            .map(|cursor| (cursor.room, cursor.seq))
            .collect()
    }

    pub(crate) fn frame(&mut self, frame: ServerFrame) {
        self.client.frame(self.now, frame);
        self.drain();
    }

    /// Lets time pass, with every timer on the way.
    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.client.next_timer().filter(|at| *at <= end) {
            assert!(
                at > self.now || self.client.next_timer() == Some(at),
                "a timer went back"
            );
            self.now = self.now.max(at);
            self.client.tick(self.now);
            self.drain();
            let next = self.client.next_timer();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a timer that is never done: {next:?} at {}",
                self.now
            );
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            match output {
                Output::Transmit(frame) => self.sent.push(frame),
                Output::Changed(change) => self.changes.push(change),
                other => self.rest.push(other),
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.drain();
        self.sent.clear();
        self.changes.clear();
        self.rest.clear();
    }

    /// What was sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<ClientFrame> {
        self.drain();
        std::mem::take(&mut self.sent)
    }

    pub(crate) fn say(&mut self, cid: Id, text: &str) {
        self.client
            .send(ROOM, cid, text.into(), None, self.now)
            .expect("a message that may be sent");
    }

    pub(crate) fn room(&self) -> &Room {
        self.client.room(ROOM).expect("the room")
    }

    pub(crate) fn seqs(&self) -> Vec<u64> {
        self.room()
            .entries()
            .iter()
            .map(|event| event.seq)
            .collect()
    }

    pub(crate) fn pending(&self) -> Vec<Id> {
        self.room()
            .pending()
            .iter()
            .map(|pending| pending.cid)
            .collect()
    }
}

/// The ids of the messages of each `send` among the frames.
pub(crate) fn sends(frames: &[ClientFrame]) -> Vec<Vec<Id>> {
    let ids = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Send { messages, .. } => {
            Some(messages.iter().map(|draft| draft.cid).collect())
        }
        _ => None,
    });
    ids.collect()
}
