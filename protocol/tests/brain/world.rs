//! Clients, their drivers and the wires between them and the server, each frame in the
//! hands of the test. After every step it checks what must hold at any time.

use crate::model::{HEARTBEAT, Server};
use parlour_protocol::client::{Client, Options, Output, Pending, PendingState, Saved};
use parlour_protocol::frame::{Mark, Open, View};
use parlour_protocol::{ClientFrame, Id, ServerFrame};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One client with its driver.
pub(crate) struct Peer {
    pub(crate) client: Client,
    connecting: bool,
    connected: bool,
    /// The connection is half open: nothing passes any more, in either direction.
    stalled: bool,
    up: VecDeque<ClientFrame>,
    /// What the driver keeps over a reload.
    pub(crate) storage: Vec<Pending>,
    pub(crate) epoch: Option<Id>,
    /// Rooms in which a `send` is without an answer.
    unanswered: BTreeSet<Id>,
    /// The highest marks that were shown.
    pub(crate) marks: BTreeMap<(Id, Id), Mark>,
    /// The highest revisions that were shown.
    pub(crate) revs: BTreeMap<(Id, u64), u32>,
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) peers: Vec<Peer>,
    pub(crate) now: u64,
    pub(crate) rooms: Vec<Id>,
    /// Messages that their authors still want to be sent.
    pub(crate) wanted: BTreeSet<Id>,
    pub(crate) discarded: BTreeSet<Id>,
    next_beat: u64,
    next_cid: u16,
    seed: u64,
}

/// The ticket that the visitor opens with her first message.
pub(crate) const TICKET: Id = Id([7; 16]);
/// A room that is there from the start.
pub(crate) const TEAM: Id = Id([8; 16]);

impl World {
    pub(crate) fn new(clients: usize, seed: u64) -> Self {
        let mut world = Self {
            server: Server::new(&[TEAM], clients),
            peers: Vec::new(),
            now: 1_000,
            rooms: vec![TICKET, TEAM],
            wanted: BTreeSet::new(),
            discarded: BTreeSet::new(),
            next_beat: 1_000 + HEARTBEAT,
            next_cid: 0,
            seed,
        };
        for _ in 0..clients {
            world.peers.push(Peer::new(world.seed));
            world.seed += 1;
        }
        for client in 0..clients {
            world.peers[client].client.join(TEAM, world.now);
            world.peers[client].client.start(world.now);
            world.settle(client);
        }
        world
    }

    /// The author writes a message.
    pub(crate) fn write(&mut self, client: usize, room: Id) {
        self.next_cid += 1;
        let [high, low] = self.next_cid.to_be_bytes();
        let mut cid = Id([0xcc; 16]);
        cid.0[..2].copy_from_slice(&[high, low]);
        // The visitor opens the ticket; who else writes there without it is refused.
        let open = (client == 0 && room == TICKET).then(Open::default);
        if self.peers[client]
            .client
            .send(room, cid, "text".into(), open, self.now)
            .is_ok()
        {
            self.wanted.insert(cid);
        }
        self.settle(client);
    }

    pub(crate) fn discard(&mut self, client: usize, nth: usize) {
        let Some(cid) = self.pending(client, |state| state != PendingState::Sending, nth) else {
            return;
        };
        if self.peers[client].client.discard(cid).is_some() {
            self.wanted.remove(&cid);
            self.discarded.insert(cid);
        }
        self.settle(client);
    }

    pub(crate) fn retry(&mut self, client: usize, nth: usize) {
        if let Some(cid) = self.pending(
            client,
            |state| matches!(state, PendingState::Failed(_)),
            nth,
        ) {
            self.peers[client].client.retry(cid, self.now);
            self.settle(client);
        }
    }

    fn pending(
        &self,
        client: usize,
        which: impl Fn(PendingState) -> bool,
        nth: usize,
    ) -> Option<Id> {
        let client = &self.peers[client].client;
        let all = self
            .rooms
            .iter()
            .filter_map(|room| client.room(*room))
            .flat_map(|room| room.pending());
        let found: Vec<Id> = all
            .filter(|pending| which(pending.state))
            .map(|pending| pending.cid)
            .collect();
        found.get(nth % found.len().max(1)).copied()
    }

    /// The page is reloaded: everything but the storage is gone, and no handshake is made.
    pub(crate) fn reload(&mut self, client: usize) {
        let joined: Vec<Id> = self
            .rooms
            .iter()
            .copied()
            .filter(|room| self.is_joined(client, *room))
            .collect();
        self.server.sessions[client] = Default::default();
        let old = std::mem::replace(&mut self.peers[client], Peer::new(self.seed));
        self.seed += 1;
        let peer = &mut self.peers[client];
        peer.storage = old.storage;
        peer.epoch = old.epoch;
        peer.client.restore(
            Saved {
                epoch: peer.epoch,
                outbox: peer.storage.clone(),
            },
            self.now,
        );
        for room in joined {
            peer.client.join(room, self.now);
        }
        peer.client.start(self.now);
        self.settle(client);
    }

    fn is_joined(&self, client: usize, room: Id) -> bool {
        self.peers[client]
            .client
            .room(room)
            .is_some_and(|room| !room.entries().is_empty())
            || room == TEAM
    }

    /// The connection is lost; the server has still read what was on its way, if `read`.
    pub(crate) fn cut(&mut self, client: usize, code: u16, read: bool) {
        if !self.peers[client].connected {
            return;
        }
        if read {
            while self.up(client) {}
        }
        self.drop_connection(client);
        self.peers[client].client.closed(self.now, code);
        self.settle(client);
    }

    fn drop_connection(&mut self, client: usize) {
        let peer = &mut self.peers[client];
        peer.connected = false;
        peer.connecting = false;
        peer.stalled = false;
        peer.up.clear();
        peer.unanswered.clear();
        self.server.sessions[client] = Default::default();
    }

    /// An attempt to connect succeeds.
    pub(crate) fn open(&mut self, client: usize) {
        if std::mem::take(&mut self.peers[client].connecting) {
            self.peers[client].connected = true;
            self.server.sessions[client] = Default::default();
            self.peers[client].client.opened(self.now);
            self.settle(client);
        }
    }

    /// The connection dies without a word.
    pub(crate) fn stall(&mut self, client: usize) {
        self.peers[client].stalled = self.peers[client].connected;
    }

    /// One frame reaches the server.
    pub(crate) fn up(&mut self, client: usize) -> bool {
        if self.peers[client].stalled {
            return false;
        }
        let Some(frame) = self.peers[client].up.pop_front() else {
            return false;
        };
        self.server.take(client, frame, self.now);
        true
    }

    /// One frame on its way to the server is lost, or comes twice.
    pub(crate) fn lose_up(&mut self, client: usize) {
        self.peers[client].up.pop_front();
    }

    pub(crate) fn repeat_up(&mut self, client: usize) {
        if let Some(frame @ ClientFrame::Send { .. }) = self.peers[client].up.front().cloned() {
            self.server.take(client, frame, self.now);
        }
    }

    /// One frame reaches the client.
    pub(crate) fn down(&mut self, client: usize) -> bool {
        if self.peers[client].stalled {
            return false;
        }
        let Some(frame) = self.server.sessions[client].down.pop_front() else {
            return false;
        };
        let peer = &mut self.peers[client];
        match &frame {
            ServerFrame::Ack { room, .. } => drop(peer.unanswered.remove(room)),
            ServerFrame::Error {
                room: Some(room),
                cid: Some(_),
                ..
            } => drop(peer.unanswered.remove(room)),
            _ => {}
        }
        peer.client.frame(self.now, frame);
        self.settle(client);
        true
    }

    /// One frame on its way to the client is lost, comes twice, or after the next one.
    pub(crate) fn lose_down(&mut self, client: usize) {
        self.server.sessions[client].down.pop_front();
    }

    pub(crate) fn repeat_down(&mut self, client: usize) {
        let down = &mut self.server.sessions[client].down;
        if let Some(frame) = down.front().cloned() {
            let at = down.len();
            // A repeated answer is a late one of the same kind; events repeat between nodes.
            if let ServerFrame::Event(_) | ServerFrame::Page { .. } | ServerFrame::Receipt { .. } =
                frame
            {
                down.insert(at.min(3), frame);
            }
        }
    }

    pub(crate) fn swap_down(&mut self, client: usize, nth: usize) {
        let down = &mut self.server.sessions[client].down;
        let events: Vec<usize> = (0..down.len())
            .filter(|at| matches!(down[*at], ServerFrame::Event(_)))
            .collect();
        if events.len() > 1 {
            let at = nth % (events.len() - 1);
            down.swap(events[at], events[at + 1]);
        }
    }

    /// The client leaves a room, and forgets what it knew of it.
    pub(crate) fn leave(&mut self, client: usize, room: Id) {
        let peer = &mut self.peers[client];
        peer.client.leave(room, self.now);
        peer.marks.retain(|(marked, _), _| *marked != room);
        self.settle(client);
    }

    /// Time passes, with all timers and heartbeats on the way.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let timers = self
                .peers
                .iter()
                .filter_map(|peer| peer.client.next_timer());
            let next = timers.chain([self.next_beat]).min().unwrap_or(end);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if self.next_beat <= self.now {
                self.next_beat = self.now + HEARTBEAT;
                (0..self.peers.len()).for_each(|client| self.server.beat(client, 0, self.now));
            }
            for client in 0..self.peers.len() {
                let peer = &mut self.peers[client].client;
                if peer.next_timer().is_some_and(|at| at <= self.now) {
                    peer.tick(self.now);
                    let next = peer.next_timer();
                    assert!(
                        next.is_none_or(|next| next > self.now),
                        "a timer that is never done, client {client}"
                    );
                }
                self.settle(client);
            }
        }
        self.now = end;
    }

    /// Does what the client asks for, then checks it.
    pub(crate) fn settle(&mut self, client: usize) {
        while let Some(output) = self.peers[client].client.poll() {
            let peer = &mut self.peers[client];
            match output {
                Output::Connect => {
                    self.drop_connection(client);
                    self.peers[client].connecting = true;
                }
                Output::Transmit(frame) => {
                    assert!(peer.connected, "a frame without a connection: {frame:?}");
                    if let ClientFrame::Send { room, .. } = frame {
                        assert!(
                            peer.unanswered.insert(room),
                            "a second send before the answer to the first"
                        );
                    }
                    peer.up.push_back(frame);
                }
                Output::Close(_) => self.drop_connection(client),
                Output::Save(pending) => match peer
                    .storage
                    .iter_mut()
                    .find(|stored| stored.cid == pending.cid)
                {
                    Some(stored) => *stored = pending,
                    None => peer.storage.push(pending),
                },
                Output::Unsave(cid) => {
                    let length = peer.storage.len();
                    peer.storage.retain(|stored| stored.cid != cid);
                    assert_eq!(
                        peer.storage.len() + 1,
                        length,
                        "forgotten without having been kept"
                    );
                }
                Output::SaveEpoch(epoch) => {
                    peer.epoch = Some(epoch);
                    peer.marks.clear();
                    peer.revs.clear();
                }
                Output::Renew | Output::Changed(_) => {}
            }
        }
        self.check(client);
    }
}

impl Peer {
    fn new(seed: u64) -> Self {
        Self {
            client: Client::new(Options {
                view: View::Runs,
                seed,
                outbox_limit: 30,
            }),
            connecting: false,
            connected: false,
            stalled: false,
            up: VecDeque::new(),
            storage: Vec::new(),
            epoch: None,
            unanswered: BTreeSet::new(),
            marks: BTreeMap::new(),
            revs: BTreeMap::new(),
        }
    }
}
