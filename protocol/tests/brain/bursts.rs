//! However quickly somebody writes, types and reads: what can go together does, and no sooner
//! than it may.

use std::collections::VecDeque;

use crate::rig::{OTHER, ROOM, Rig, ack, beat, own, text};
use parlour_protocol::limits::{MAX_BATCH, RECEIPT_DELAY, TYPING_EXPIRY, TYPING_INTERVAL};
use parlour_protocol::{ClientFrame, Id, ServerFrame};
use proptest::prelude::*;

/// What happens on one connection.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A message is written.
    Write,
    /// A key is struck.
    Strike,
    /// The composer is empty again.
    Stop,
    /// Somebody else's message arrives.
    Hear,
    /// Everything that is there is on screen.
    See,
    /// The server answers what is with it.
    Ack,
    /// Hundredths of a second.
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Write),
        6 => Just(Step::Strike),
        1 => Just(Step::Stop),
        4 => Just(Step::Hear),
        3 => Just(Step::See),
        2 => Just(Step::Ack),
        4 => (0..60_u64).prop_map(Step::Pass),
    ]
}

/// A client, what may be heard of it next, and when it was heard last.
struct Watch {
    rig: Rig,
    top: u64,
    waiting: VecDeque<Id>,
    flight: Vec<Id>,
    flown_at: u64,
    written: u64,
    receipt_at: Option<u64>,
    told: (u64, u64),
    typing_at: Option<u64>,
    typing: bool,
    struck_at: u64,
}

impl Watch {
    fn new() -> Self {
        let mut rig = Rig::joined(1);
        rig.clear();
        Self {
            rig,
            top: 1,
            waiting: VecDeque::new(),
            flight: Vec::new(),
            flown_at: 0,
            written: 0,
            receipt_at: None,
            told: (0, 0),
            typing_at: None,
            typing: false,
            struck_at: 0,
        }
    }

    fn take(&mut self, step: Step) {
        let now = self.rig.now;
        match step {
            // More than the outbox holds is refused, which is another story.
            Step::Write if self.waiting.len() + self.flight.len() < 50 => {
                self.written += 1;
                let mut cid = [0xdd; 16];
                cid[..8].copy_from_slice(&self.written.to_be_bytes());
                self.waiting.push_back(Id(cid));
                self.rig.say(Id(cid), "hi");
            }
            Step::Write => {}
            Step::Strike => {
                self.struck_at = now;
                self.rig.client.typing(ROOM, true, now);
            }
            Step::Stop => self.rig.client.typing(ROOM, false, now),
            Step::Hear => {
                self.top += 1;
                self.rig.frame(ServerFrame::Event(text(self.top, OTHER)));
            }
            Step::See => self.rig.client.seen(ROOM, self.top, now),
            Step::Ack => self.acknowledge(),
            Step::Pass(hundredths) => {
                for _ in 0..hundredths {
                    self.rig.advance(10);
                    self.listen();
                }
                self.rig.frame(beat(0, self.top));
                // Without an answer for long, the connection would count as dead.
                if self.rig.now > self.flown_at + 5_000 {
                    self.acknowledge();
                }
            }
        }
        self.listen();
        assert!(
            self.waiting.is_empty() || !self.flight.is_empty(),
            "nothing waits without a reason"
        );
    }

    fn acknowledge(&mut self) {
        let first = self.top + 1;
        let acks: Vec<(Id, u64)> = self.flight.drain(..).zip(first..).collect();
        self.top += acks.len() as u64;
        self.rig.frame(ack(&acks));
        for (cid, seq) in acks {
            self.rig.frame(ServerFrame::Event(own(seq, cid)));
        }
    }

    /// Holds what was sent to the rules.
    fn listen(&mut self) {
        let now = self.rig.now;
        for frame in self.rig.sent() {
            match frame {
                ClientFrame::Send { messages, .. } => {
                    assert!(self.flight.is_empty(), "one at a time");
                    let all = self.waiting.len().min(MAX_BATCH);
                    let together: Vec<Id> = self.waiting.drain(..all).collect();
                    let sent: Vec<Id> = messages.iter().map(|draft| draft.cid).collect();
                    assert_eq!(sent, together, "all that waits goes together, in order");
                    (self.flight, self.flown_at) = (sent, now);
                }
                ClientFrame::Receipt {
                    delivered, read, ..
                } => {
                    let soon = |at| now < at + RECEIPT_DELAY;
                    assert!(!self.receipt_at.is_some_and(soon), "gathered for a while");
                    self.receipt_at = Some(now);
                    assert!(delivered > self.told.0 || read > self.told.1, "nothing new");
                    self.told = (self.told.0.max(delivered), self.told.1.max(read));
                }
                ClientFrame::Typing { on: true, .. } => {
                    let soon = |at| now < at + TYPING_INTERVAL;
                    assert!(!self.typing_at.is_some_and(soon), "not so often");
                    (self.typing, self.typing_at) = (true, Some(now));
                }
                ClientFrame::Typing { on: false, .. } => {
                    assert!(self.typing, "said once");
                    self.typing = false;
                }
                _ => {}
            }
        }
        assert!(
            !self.typing || now < self.struck_at + TYPING_EXPIRY,
            "it ends"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_can_go_together_does(steps in prop::collection::vec(step(), 1..200)) {
        let mut watch = Watch::new();
        for step in steps {
            watch.take(step);
        }
        // Whatever was held back has come by the end.
        for step in [Step::Ack, Step::Ack, Step::Ack, Step::Ack, Step::See, Step::Pass(30)] {
            watch.take(step);
        }
        prop_assert!(watch.waiting.is_empty() && watch.flight.is_empty());
        prop_assert_eq!(watch.told.1, watch.top);
        watch.take(Step::Pass(TYPING_EXPIRY / 10));
        prop_assert!(!watch.typing);
    }
}
