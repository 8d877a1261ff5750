//! What every part of the brain may use: the queue of outputs, jitter, and the server's limits.

use super::rng::Rng;
use super::types::{Change, Output};
use crate::frame::{ClientFrame, Limits};
use crate::limits;
use std::collections::VecDeque;

pub(super) struct Port {
    queue: VecDeque<Output>,
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
            queue: VecDeque::new(),
            rng: Rng::new(seed),
            limits,
            live: false,
        }
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    pub(super) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(super) fn transmit(&mut self, frame: ClientFrame) {
        self.queue.push_back(Output::Transmit(frame));
    }

    pub(super) fn change(&mut self, change: Change) {
        self.queue.push_back(Output::Changed(change));
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
