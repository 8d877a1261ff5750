//! What publications do not bring, the database does: once per node, not once per reader.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::line::Line;
use super::{Hub, Topic};
use crate::bus::{Link, News, Publication};
use crate::store::{self, Store};

/// How long an entry waits for an earlier one that another node has published.
const HOLD: Duration = Duration::from_millis(50);
/// How often the rooms are compared with the database if there are other nodes.
const COMPARE: Duration = Duration::from_secs(2);
/// After a database that did not answer.
const RETRY: Duration = Duration::from_millis(500);
/// Entries that are delivered to everybody; of a larger gap only the newest is, and each
/// reader reads the rest at its own pace.
const MOST: i64 = 128;
/// Entries that are read at once.
const PAGE: i64 = 64;
/// Rooms that are read at the same time.
const AT_ONCE: usize = 4;
/// Rooms in one question to the database.
const CHUNK: usize = 1_000;

/// Starts what repairs.
pub fn start(hub: &Arc<Hub>, store: &Store) {
    tokio::spawn(mend(Arc::downgrade(hub), store.clone()));
    tokio::spawn(compare(Arc::downgrade(hub), store.clone()));
}

impl Hub {
    /// Tells the hub a room's position as the database has it.
    pub fn observe(&self, room: Uuid, position: i64) {
        self.with_line(room, |line| {
            line.observe(position);
            self.look_at(room, line);
        });
    }

    /// The rooms that have subscribers.
    #[must_use]
    pub fn rooms(&self) -> Vec<Uuid> {
        let rooms = self.topics().into_iter().filter_map(|topic| match topic {
            Topic::Room(room) => Some(room),
            _ => None,
        });
        rooms.collect()
    }

    /// Has a room looked at if something is missing.
    pub(super) fn look_at(&self, room: Uuid, line: &mut Line) {
        if line.gap().is_some() && !line.looked_at {
            line.looked_at = true;
            // Only what another node has published can be under way.
            let hold = match *self.link.borrow() {
                Link::Up(_) => HOLD,
                Link::Alone | Link::Down => Duration::ZERO,
            };
            self.late.add(room, hold);
        }
    }

    fn with_line<T>(&self, room: Uuid, work: impl FnOnce(&mut Line) -> T) -> Option<T> {
        self.shard(Topic::Room(room))
            .get_mut(&Topic::Room(room))
            .map(|listeners| work(&mut listeners.line))
    }

    /// Delivers the entry that follows in the database.
    fn deliver_next(&self, room: Uuid, seq: i64, publication: &Arc<Publication>) {
        let topic = Topic::Room(room);
        if let Some(listeners) = self.shard(topic).get_mut(&topic) {
            for due in listeners.line.take_next(seq, publication) {
                self.send(topic, listeners, due);
            }
        }
    }

    async fn mend(&self, store: &Store, room: Uuid) -> store::Result<()> {
        let begin = |line: &mut Line| {
            line.looked_at = false;
            let (delivered, known) = line.gap()?;
            if known - delivered > MOST {
                line.skip(known - 1);
                return Some(known - 1);
            }
            Some(delivered)
        };
        let Some(mut after) = self.with_line(room, begin).flatten() else {
            return Ok(());
        };
        loop {
            let page = store.messages_after(room, after, PAGE).await?;
            if page.entries.is_empty() {
                self.with_line(room, |line| {
                    if line.gap().is_some_and(|(delivered, _)| delivered == after) {
                        line.settle();
                    }
                });
            }
            for entry in page.entries {
                after = entry.seq;
                let publication = Publication::new(Topic::Room(room), News::Event(entry));
                self.deliver_next(room, after, &publication);
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}

/// Reads what is missing, room by room as they fall due.
async fn mend(hub: Weak<Hub>, store: Store) {
    while let Some(hub) = hub.upgrade() {
        let Ok(due) = tokio::time::timeout(COMPARE, hub.late.due()).await else {
            continue;
        };
        let (hub, store) = (&*hub, &store);
        futures_util::stream::iter(due)
            .for_each_concurrent(AT_ONCE, |room| async move {
                if let Err(error) = hub.mend(store, room).await {
                    tracing::debug!(%error, %room, "a room could not be repaired yet");
                    hub.with_line(room, |line| line.looked_at = true);
                    hub.late.add(room, RETRY);
                }
            })
            .await;
    }
}

/// Compares the rooms with the database: every so often, and when the link is up again.
async fn compare(hub: Weak<Hub>, store: Store) {
    let Some(mut link) = hub.upgrade().map(|hub| hub.link()) else {
        return;
    };
    let mut ticks = tokio::time::interval(COMPARE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = link.changed() => if changed.is_err() { return },
        }
        let Some(hub) = hub.upgrade() else { return };
        if *link.borrow_and_update() == Link::Alone {
            continue;
        }
        for rooms in hub.rooms().chunks(CHUNK) {
            match store.positions(rooms).await {
                Ok(positions) => {
                    for (room, position) in positions {
                        hub.observe(room, position);
                    }
                }
                Err(error) => tracing::debug!(%error, "the rooms could not be compared"),
            }
        }
    }
}
