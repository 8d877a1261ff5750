//! Which transport is tried next: down where none gets through, and up again now and then.

use crate::limits;

/// What carries a connection, the best one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Requests, and beside them a stream of events.
    Stream,
    /// Requests, and beside them one after the other that waits for news.
    Poll,
}

/// The way to the server, as far as it is known.
pub(super) struct Way {
    /// What is in use, or is tried.
    pub(super) transport: Transport,
    /// What has led to a welcome, until it fails again and again.
    worked: Option<Transport>,
    /// How long what works is used before the best one is tried again.
    patience: u64,
    /// When that is.
    pub(super) better_at: u64,
}

impl Way {
    pub(super) fn new() -> Self {
        Self {
            transport: Transport::WebSocket,
            worked: None,
            patience: limits::TRY_BETTER.0,
            better_at: u64::MAX,
        }
    }

    /// There was no welcome, this often in a row.
    pub(super) fn failed(&mut self, tries: u32) {
        self.transport = match self.worked {
            // What works was left for something better, in vain.
            Some(worked) if worked != self.transport => worked,
            // A server that restarts lets nobody in for a while, whatever the way.
            Some(worked) if tries < limits::FAITH => worked,
            _ => {
                self.worked = None;
                match self.transport {
                    Transport::WebSocket => Transport::Stream,
                    Transport::Stream => Transport::Poll,
                    Transport::Poll => Transport::WebSocket,
                }
            }
        };
    }

    pub(super) fn welcomed(&mut self, now: u64) {
        self.worked = Some(self.transport);
        self.better_at = now + self.patience;
        if self.transport == Transport::WebSocket {
            *self = Self {
                worked: self.worked,
                ..Self::new()
            };
        }
    }

    /// The time has come to try the best one.
    pub(super) fn climb(&mut self) {
        self.patience = (2 * self.patience).min(limits::TRY_BETTER.1);
        self.transport = Transport::WebSocket;
    }
}
