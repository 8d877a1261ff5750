//! What is to be looked at, and when: rooms that something is missing of, crowds that something
//! waits for.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock;

pub(super) struct Late<T> {
    waiting: Mutex<BTreeSet<(Instant, T)>>,
    bell: Notify,
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            bell: Notify::default(),
        }
    }
}

impl<T: Copy + Ord> Late<T> {
    /// Something is to be looked at after this time. The caller adds it once.
    pub(super) fn add(&self, one: T, after: Duration) {
        self.lock().insert((clock::instant() + after, one));
        self.bell.notify_one();
    }

    /// Waits for those whose time has come.
    pub(super) async fn due(&self) -> Vec<T> {
        loop {
            let first = {
                let (now, mut due) = (clock::instant(), Vec::new());
                let mut waiting = self.lock();
                while let Some((at, one)) = waiting.first().copied()
                    && at <= now
                {
                    waiting.pop_first();
                    due.push(one);
                }
                if !due.is_empty() {
                    return due;
                }
                waiting.first().map(|(at, _)| *at)
            };
            match first {
                None => self.bell.notified().await,
                Some(at) => {
                    // An earlier one may come meanwhile.
                    let _ = tokio::time::timeout_at(at.into(), self.bell.notified()).await;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(Instant, T)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
