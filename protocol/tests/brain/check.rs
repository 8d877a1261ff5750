//! What must hold at any time, and in the end.

use crate::model::who;
use crate::world::{TICKET, World};
use parlour_protocol::Id;
use parlour_protocol::client::Link;
use parlour_protocol::frame::Event;
use std::collections::BTreeSet;

impl World {
    /// What must hold at any time.
    pub(crate) fn check(&mut self, client: usize) {
        let peer = &mut self.peers[client];
        for room in self.rooms.iter().filter_map(|room| peer.client.room(*room)) {
            let entries = room.entries();
            for (before, after) in entries.iter().zip(entries.iter().skip(1)) {
                assert_eq!(before.seq + 1, after.seq, "a hole");
            }
            let mut shown = BTreeSet::new();
            let cids = entries
                .iter()
                .map(|event| event.cid)
                .chain(room.pending().iter().map(|pending| pending.cid));
            for cid in cids {
                assert!(shown.insert(cid), "shown twice: {cid}");
                assert!(
                    !room.pending().iter().any(|pending| pending.cid == cid)
                        || !entries.iter().any(|event| event.cid == cid)
                );
            }
            for event in entries {
                let rev = peer.revs.entry((room.id(), event.seq)).or_default();
                assert!(event.rev >= *rev, "an older revision");
                *rev = event.rev;
            }
            for mark in room.marks() {
                let shown = peer.marks.entry((room.id(), mark.member)).or_insert(*mark);
                assert!(
                    mark.read >= shown.read && mark.delivered >= shown.delivered,
                    "a mark went back"
                );
                *shown = *mark;
            }
        }
    }

    /// No more faults: everything is delivered until all is quiet, at most for `ms`.
    pub(crate) fn heal(&mut self, ms: u64) {
        self.server.refusal = None;
        let end = self.now + ms;
        while self.now < end {
            let opening = self.peers[0]
                .client
                .room(TICKET)
                .is_some_and(|room| !room.pending().is_empty());
            if self.server.stored(TICKET).is_none() && !opening {
                self.write(0, TICKET);
            }
            for client in 0..self.peers.len() {
                // A failed message is tried again: the reason is gone.
                for _ in 0..20 {
                    self.retry(client, 0);
                }
                self.open(client);
                while self.up(client) | self.down(client) {}
                for room in self.rooms.clone() {
                    if self.server.stored(room).is_some() {
                        self.peers[client].client.join(room, self.now);
                    }
                    self.peers[client].client.older(room, self.now);
                    self.settle(client);
                }
                while self.up(client) | self.down(client) {}
            }
            if self.difference().is_none() {
                return;
            }
            self.pass(200);
        }
    }

    /// What still differs between the clients and the server.
    pub(crate) fn difference(&self) -> Option<String> {
        for (client, peer) in self.peers.iter().enumerate() {
            if peer.client.link() != Link::Live {
                return Some(format!("client {client} is {:?}", peer.client.link()));
            }
            if !peer.storage.is_empty() {
                return Some(format!("client {client} still keeps {:?}", peer.storage));
            }
            for room in &self.rooms {
                let Some(stored) = self.server.stored(*room) else {
                    continue;
                };
                let Some(found) = peer.client.room(*room) else {
                    return Some(format!("client {client} has not joined {room}"));
                };
                if transcript(found.entries()) != transcript(&stored.events) || !found.live() {
                    let (ours, theirs) = (transcript(found.entries()), transcript(&stored.events));
                    return Some(format!("client {client} in {room}:\n{ours:?}\n{theirs:?}"));
                }
                if !found.pending().is_empty() {
                    return Some(format!("client {client} still has {:?}", found.pending()));
                }
            }
        }
        None
    }

    /// Every message that its author wants is stored once; a discarded one at most once.
    pub(crate) fn check_messages(&self) {
        for cid in self.wanted.iter().chain(&self.discarded) {
            let times = self
                .server
                .rooms
                .iter()
                .flat_map(|stored| &stored.events)
                .filter(|event| event.cid == *cid);
            match times.count() {
                0 => assert!(self.discarded.contains(cid), "{cid} is lost"),
                1 => {}
                _ => panic!("{cid} is doubled"),
            }
        }
    }

    /// The ticks of own messages say what the server knows.
    pub(crate) fn check_ticks(&self) {
        for (client, peer) in self.peers.iter().enumerate() {
            let me = who(client).id;
            for room in self.rooms.iter().filter_map(|room| peer.client.room(*room)) {
                for event in room.entries().iter().filter(|event| event.author.id == me) {
                    assert!(
                        room.tick_of(event, me) <= self.server.tick_of(room.id(), event.seq, me)
                    );
                }
            }
        }
    }
}

fn transcript(events: &[Event]) -> Vec<(u64, Id)> {
    events.iter().map(|event| (event.seq, event.cid)).collect()
}
