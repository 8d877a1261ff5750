//! What every part of the brain may use: the queue of outputs, jitter, and the server's limits.

use super::rng::Rng;
use super::types::{Change, Output, Pending};
use crate::Id;
use crate::frame::{ClientFrame, Limits};
use crate::limits;

pub(super) struct Port {
    /// Short, so that taking the first away costs little; a ring would weigh more.
    queue: Vec<Output>,
    pub(super) rng: Rng,
    pub(super) limits: Limits,
    /// Whether frames may be sent: the server has welcomed this connection.
    pub(super) live: bool,
}

impl Port {
    pub(super) fn new(seed: u64) -> Self {
        let limits = Limits {
            frame: limits::MAX_FRAME as u32,
            text: limits::MAX_TEXT as u32,
            batch: limits::MAX_BATCH as u32,
        };
        Self {
            queue: Vec::new(),
            rng: Rng::new(seed),
            limits,
            live: false,
        }
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        (!self.queue.is_empty()).then(|| self.queue.remove(0))
    }

    pub(super) fn push(&mut self, output: Output) {
        self.queue.push(output);
    }

    pub(super) fn transmit(&mut self, frame: ClientFrame) {
        self.push(Output::Transmit(frame));
    }

    pub(super) fn change(&mut self, change: Change) {
        self.push(Output::Changed(change));
    }

    pub(super) fn room_changed(&mut self, room: Id) {
        self.change(Change::Room(room));
    }

    pub(super) fn save(&mut self, pending: &Pending) {
        self.push(Output::Save(pending.clone()));
    }

    pub(super) fn unsave(&mut self, cid: Id) {
        self.push(Output::Unsave(cid));
    }

    /// A back-off with full jitter after `tries` failures, in milliseconds.
    pub(super) fn back_off(&mut self, tries: u32) -> u64 {
        let (shortest, longest) = limits::BACK_OFF;
        let base = (shortest << tries.min(16)).min(longest);
        // Jitter may come out as nothing; a floor keeps a broken server from being hammered.
        self.rng.up_to(base).max(FLOOR)
    }
}

/// The shortest wait between two attempts, in milliseconds.
const FLOOR: u64 = 50;
