//! Topic → local subscribers: the only map from rooms to connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::bus::Publication;

/// Publications that wait for one connection at most.
pub const QUEUE: usize = 256;
/// Above this many, what may be lost is not queued any more.
const DROPPABLE: usize = QUEUE / 2;
const SHARDS: usize = 16;

/// What a connection can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A room's entries, receipts and typing.
    Room(Uuid),
    /// The agents' lists: rows of tickets, and visitors' presence.
    Inbox,
    /// Agents' presence, for everybody.
    Team,
    /// What concerns one person: rooms that she enters or loses, sign-ins that end.
    Person(Uuid),
}

/// One connection's end of the hub.
#[derive(Clone)]
pub struct Subscriber {
    id: u64,
    queue: mpsc::Sender<Arc<Publication>>,
    lagged: Arc<AtomicBool>,
}

impl Subscriber {
    /// Names the connection on this node.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether something was lost that may not be lost: the connection must resume.
    #[must_use]
    pub fn lagged(&self) -> bool {
        self.lagged.load(Ordering::Acquire)
    }
}

#[derive(Default)]
struct Listeners {
    subscribers: Vec<Subscriber>,
    /// Of a room: the newest number that was delivered here.
    position: i64,
}

/// The map.
pub struct Hub {
    shards: Vec<Mutex<HashMap<Topic, Listeners>>>,
    next: AtomicU64,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            next: AtomicU64::new(1),
        }
    }
}

impl Hub {
    /// A new connection, and where its publications arrive.
    #[must_use]
    pub fn connect(&self) -> (Subscriber, mpsc::Receiver<Arc<Publication>>) {
        let (queue, publications) = mpsc::channel(QUEUE);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        (
            Subscriber {
                id,
                queue,
                lagged: Arc::default(),
            },
            publications,
        )
    }

    /// From here on the connection gets what is published to `topic`. Twice is once.
    pub fn subscribe(&self, topic: Topic, subscriber: &Subscriber) {
        let mut shard = self.shard(topic);
        let listeners = shard.entry(topic).or_default();
        if listeners
            .subscribers
            .iter()
            .all(|known| known.id != subscriber.id)
        {
            listeners.subscribers.push(subscriber.clone());
        }
    }

    /// Ends a subscription; the topic is forgotten with its last one.
    pub fn unsubscribe(&self, topic: Topic, subscriber: &Subscriber) {
        let mut shard = self.shard(topic);
        if let Some(listeners) = shard.get_mut(&topic) {
            listeners
                .subscribers
                .retain(|known| known.id != subscriber.id);
            if listeners.subscribers.is_empty() {
                shard.remove(&topic);
            }
        }
    }

    /// Tells the hub a room's position as the database has it, so that heartbeats carry it.
    pub fn observe(&self, room: Uuid, position: i64) {
        if let Some(listeners) = self.shard(Topic::Room(room)).get_mut(&Topic::Room(room)) {
            listeners.position = listeners.position.max(position);
        }
    }

    /// The newest number that is known of a room with listeners.
    #[must_use]
    pub fn position(&self, room: Uuid) -> i64 {
        self.shard(Topic::Room(room))
            .get(&Topic::Room(room))
            .map_or(0, |listeners| listeners.position)
    }

    /// Hands a publication to everybody who listens. The buses call this, and nobody else.
    pub fn deliver(&self, publication: &Arc<Publication>) {
        let mut shard = self.shard(publication.topic());
        let Some(listeners) = shard.get_mut(&publication.topic()) else {
            return;
        };
        if let Some(seq) = publication.seq() {
            listeners.position = listeners.position.max(seq);
        }
        for subscriber in &listeners.subscribers {
            if publication.skips(subscriber.id)
                || (publication.droppable() && subscriber.queue.capacity() < QUEUE - DROPPABLE)
            {
                continue;
            }
            if subscriber.queue.try_send(Arc::clone(publication)).is_err() {
                subscriber.lagged.store(true, Ordering::Release);
            }
        }
    }

    fn shard(&self, topic: Topic) -> MutexGuard<'_, HashMap<Topic, Listeners>> {
        let index = match topic {
            Topic::Room(id) | Topic::Person(id) => usize::from(id.as_bytes()[15]) % SHARDS,
            Topic::Inbox => 0,
            Topic::Team => 1,
        };
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
