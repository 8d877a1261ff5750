//! Down to what gets through, and up again.

use crate::rig::{Rig, id, welcome};
use parlour_protocol::client::{Link, Output, Transport};
use parlour_protocol::{ServerFrame, close};
use proptest::prelude::*;

const MINUTE: u64 = 60_000;

/// What the network makes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Passage {
    Opens,
    Refuses,
    /// Neither answers nor refuses.
    Hangs,
    /// Opens, and holds back what comes.
    HoldsBack,
}

/// A client on a network, and the transports that it has tried, with the times.
struct World {
    rig: Rig,
    network: [Passage; 3],
    tried: Vec<(u64, Transport)>,
}

impl World {
    fn new(network: [Passage; 3]) -> Self {
        let mut world = Self {
            rig: Rig::new(),
            network,
            tried: Vec::new(),
        };
        world.rig.client.start(world.rig.now);
        world.settle();
        world
    }

    /// Does what the brain wants, until it waits.
    fn settle(&mut self) {
        loop {
            self.rig.drain();
            self.rig.sent.clear();
            self.rig.changes.clear();
            let connects = std::mem::take(&mut self.rig.rest);
            if !connects.contains(&Output::Connect) {
                return;
            }
            let transport = self.rig.client.dial(self.rig.now);
            self.tried.push((self.rig.now, transport));
            let now = self.rig.now;
            match self.network[transport as usize] {
                Passage::Opens => {
                    self.rig.client.opened(now);
                    self.rig.client.frame(now, welcome(id(9), Vec::new()));
                }
                Passage::Refuses => self.rig.client.closed(now, close::LOST),
                Passage::HoldsBack => self.rig.client.opened(now),
                Passage::Hangs => {}
            }
        }
    }

    /// Lets time pass; a connection that is there is heard of every second.
    fn advance(&mut self, ms: u64) {
        let end = self.rig.now + ms;
        while self.rig.now < end {
            let next = self.rig.client.next_timer().unwrap_or(end);
            self.rig.now = next.clamp(self.rig.now, end).min(self.rig.now + 1_000);
            if self.is_live() {
                let beat = ServerFrame::Beat {
                    n: 0,
                    time: 0,
                    rooms: Vec::new(),
                    digest: None,
                };
                self.rig.client.frame(self.rig.now, beat);
            }
            self.rig.client.tick(self.rig.now);
            self.settle();
        }
    }

    fn is_live(&self) -> bool {
        self.rig.client.link() == Link::Live
    }

    /// What carries the connection.
    fn carried(&self) -> Option<Transport> {
        let last = self.tried.last().map(|(_, transport)| *transport);
        last.filter(|_| self.is_live())
    }

    fn lose(&mut self) {
        self.rig.client.closed(self.rig.now, close::LOST);
        self.settle();
    }

    fn tries(&self, transport: Transport) -> usize {
        let tried = self.tried.iter();
        tried.filter(|(_, tried)| *tried == transport).count()
    }
}

#[test]
fn what_is_refused_is_left_at_once_and_what_hangs_after_five_seconds() {
    let mut world = World::new([Passage::Refuses, Passage::Opens, Passage::Opens]);
    world.advance(500);
    assert_eq!(world.carried(), Some(Transport::Stream));
    for held in [Passage::Hangs, Passage::HoldsBack] {
        let mut world = World::new([Passage::Refuses, held, Passage::Opens]);
        world.advance(5_000);
        assert!(!world.is_live());
        world.advance(2_000);
        assert_eq!(world.carried(), Some(Transport::Poll));
    }
}

#[test]
fn better_is_tried_after_a_minute_and_then_half_as_often_each_time() {
    let mut world = World::new([Passage::Refuses, Passage::Opens, Passage::Opens]);
    world.advance(90 * MINUTE);
    let sockets = world.tried.iter().skip(1);
    let sockets = sockets.filter(|(_, transport)| *transport == Transport::WebSocket);
    let times: Vec<u64> = sockets.map(|(at, _)| at / MINUTE).collect();
    assert_eq!(times, [1, 3, 7, 15, 31, 47, 63, 79]);
    assert_eq!(world.carried(), Some(Transport::Stream));
    world.network[0] = Passage::Opens;
    world.advance(16 * MINUTE);
    assert_eq!(world.carried(), Some(Transport::WebSocket));
    let before = world.tried.len();
    world.advance(60 * MINUTE);
    assert_eq!(world.tried.len(), before, "the best is not left");
}

#[test]
fn a_socket_that_has_worked_is_believed_in() {
    let mut world = World::new([Passage::Opens; 3]);
    world.network = [Passage::Refuses; 3];
    world.lose();
    while world.tried.len() < 4 {
        world.advance(100);
    }
    world.network = [Passage::Opens; 3];
    world.advance(30_000);
    assert_eq!(world.carried(), Some(Transport::WebSocket));
    assert_eq!(world.tries(Transport::WebSocket), world.tried.len());
    // Somebody has carried her laptop into an office.
    world.network[0] = Passage::Refuses;
    world.lose();
    world.advance(60_000);
    assert_eq!(world.carried(), Some(Transport::Stream));
}

#[test]
fn what_the_server_says_is_no_fault_of_the_way() {
    for code in [close::UNAUTHORIZED, close::OVER_LIMIT, close::RESTART] {
        let mut rig = Rig::new();
        rig.client.start(rig.now);
        for _ in 0..3 {
            assert_eq!(rig.client.dial(rig.now), Transport::WebSocket);
            rig.client.opened(rig.now);
            rig.client.closed(rig.now, code);
            if let Link::Waiting { until } = rig.client.link() {
                rig.now = until;
                rig.client.tick(rig.now);
            }
        }
    }
    // Nor is a token that cannot be had.
    let mut rig = Rig::new();
    rig.client.start(rig.now);
    rig.client.closed(rig.now, close::LOST);
    rig.advance(1_000);
    assert_eq!(rig.client.dial(rig.now), Transport::WebSocket);
}

#[test]
fn what_got_through_a_moment_ago_is_tried_first() {
    let mut rig = Rig::new();
    rig.client.prefer(Transport::Poll);
    rig.client.start(rig.now);
    assert_eq!(rig.client.dial(rig.now), Transport::Poll);
    rig.client.closed(rig.now, close::LOST);
    assert_eq!(rig.client.transport(), Transport::WebSocket);
}

fn passage() -> impl Strategy<Value = Passage> {
    prop_oneof![
        Just(Passage::Opens),
        Just(Passage::Refuses),
        Just(Passage::Hangs),
        Just(Passage::HoldsBack),
    ]
}

fn network() -> impl Strategy<Value = [Passage; 3]> {
    [passage(), passage(), passage()].prop_filter("something gets through", |network| {
        network.contains(&Passage::Opens)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lets something through is found, in the time that two others may take.
    #[test]
    fn what_gets_through_is_found(network in network()) {
        let mut world = World::new(network);
        world.advance(12_000);
        let carried = world.carried();
        prop_assert!(carried.is_some_and(|it| network[it as usize] == Passage::Opens), "{:?}", world.tried);
        let best = [Transport::WebSocket, Transport::Stream, Transport::Poll];
        prop_assert_eq!(carried, best.into_iter().find(|it| network[*it as usize] == Passage::Opens));
    }

    /// Networks change, and connections are cut: what gets through is found again, and where
    /// WebSockets do, they carry the connection in the end.
    #[test]
    fn changes_are_followed(
        changes in prop::collection::vec((network(), 0u64..20 * MINUTE, any::<bool>()), 1..6),
    ) {
        let mut world = World::new([Passage::Opens; 3]);
        for (network, time, cut) in changes {
            world.network = network;
            let goes_on = world.carried().is_some_and(|it| network[it as usize] == Passage::Opens);
            if cut || !goes_on {
                world.lose();
            }
            world.advance(time);
            let before = world.tried.len();
            // The longest back-off, and the ways that are tried in vain.
            world.advance(2 * MINUTE);
            if !world.is_live() {
                // A better one is being tried.
                world.advance(6_000);
            }
            prop_assert!(world.is_live(), "{network:?} {:?}", &world.tried[before..]);
            prop_assert!(world.tried.len() - before < 20);
        }
        world.network[0] = Passage::Opens;
        world.advance(18 * MINUTE);
        prop_assert_eq!(world.carried(), Some(Transport::WebSocket));
    }
}
