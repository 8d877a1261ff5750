//! Rooms that something is missing of, and when they are to be looked at.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock;

#[derive(Default)]
pub(super) struct Late {
    rooms: Mutex<BTreeSet<(Instant, Uuid)>>,
    bell: Notify,
}

impl Late {
    /// A room is to be looked at after this time. The caller adds each room once.
    pub(super) fn add(&self, room: Uuid, after: Duration) {
        self.lock().insert((clock::instant() + after, room));
        self.bell.notify_one();
    }

    /// Waits for rooms whose time has come.
    pub(super) async fn due(&self) -> Vec<Uuid> {
        loop {
            let first = {
                let mut rooms = self.lock();
                let later = rooms.split_off(&(clock::instant(), Uuid::max()));
                let due = std::mem::replace(&mut *rooms, later);
                if !due.is_empty() {
                    return due.into_iter().map(|(_, room)| room).collect();
                }
                rooms.first().map(|(at, _)| *at)
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

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(Instant, Uuid)>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
