//! Topic → local subscribers: the only map from rooms to connections.
//!
//! A room's entries leave it in their order and once, whichever node they come from, and
//! however: [`line`] holds what came too early, [`repair`] reads what is missing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::bus::{Link, Publication};

mod changes;
pub mod crowd;
mod late;
mod line;
pub mod repair;

use changes::Changes;
use crowd::Due;
use late::Late;
use line::Line;

/// Publications that wait for one connection at most.
pub const QUEUE: usize = 256;
/// Above this many, what may be lost is not queued any more.
const DROPPABLE: usize = QUEUE / 2;
const SHARDS: usize = 16;
/// How long a subscriber waits until other nodes' publications reach it. Beyond it the
/// database is looked at instead, as whenever something was missed.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a connection can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A room's entries, receipts and typing.
    Room(Uuid),
    /// The agents' lists: rows of tickets, and visitors' presence.
    Inbox,
    /// Agents' presence, for everybody.
    Team,
    /// What nodes tell one another.
    Nodes,
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

    fn send(&self, publication: &Arc<Publication>) {
        if publication.skips(self.id)
            || (publication.droppable() && self.queue.capacity() < QUEUE - DROPPABLE)
        {
            return;
        }
        if self.queue.try_send(Arc::clone(publication)).is_err() {
            self.lagged.store(true, Ordering::Release);
        }
    }
}

/// Says when a subscription also holds for what other nodes publish.
#[must_use = "history may be read only after it"]
pub struct InForce(Option<oneshot::Receiver<()>>);

impl InForce {
    /// Waits for it, but not for long.
    pub async fn wait(self) {
        if let Some(confirmed) = self.0 {
            // Neither way of failing is one: the room is compared with the database later.
            let _ = tokio::time::timeout(PATIENCE, confirmed).await;
        }
    }
}

#[derive(Default)]
struct Listeners {
    /// In the order of their ids: some topics have all connections, and each comes and goes.
    subscribers: Vec<Subscriber>,
    /// Of a room: its entries.
    line: Line,
    /// What all of a crowd get in one go.
    due: Due,
    /// Whether the bus delivers what other nodes publish.
    in_force: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Listeners {
    fn place(&self, subscriber: &Subscriber) -> Result<usize, usize> {
        self.subscribers
            .binary_search_by_key(&subscriber.id, |known| known.id)
    }

    fn add(&mut self, subscriber: &Subscriber) {
        if let Err(place) = self.place(subscriber) {
            if self.subscribers.is_empty() {
                // Most topics never have more.
                self.subscribers.reserve_exact(1);
            }
            self.subscribers.insert(place, subscriber.clone());
        }
    }

    fn remove(&mut self, subscriber: &Subscriber) {
        if let Ok(place) = self.place(subscriber) {
            self.subscribers.remove(place);
        }
    }
}

/// The map.
pub struct Hub {
    shards: Vec<Mutex<HashMap<Topic, Listeners>>>,
    next: AtomicU64,
    changes: Changes,
    /// Crowds that something waits for.
    crowds: Arc<Late<Topic>>,
    /// Rooms that something is missing of.
    late: Late<Uuid>,
    link: watch::Sender<Link>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            next: AtomicU64::new(1),
            changes: Changes::default(),
            crowds: Arc::default(),
            late: Late::default(),
            link: watch::Sender::new(Link::Alone),
        }
    }
}

/// For connections.
impl Hub {
    /// A new connection, and where its publications arrive.
    #[must_use]
    pub fn connect(&self) -> (Subscriber, mpsc::Receiver<Arc<Publication>>) {
        let (queue, publications) = mpsc::channel(QUEUE);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let lagged = Arc::default();
        (Subscriber { id, queue, lagged }, publications)
    }

    /// From here on the connection gets what is published to `topic`. Twice is once.
    pub fn subscribe(&self, topic: Topic, subscriber: &Subscriber) -> InForce {
        self.listen(topic, 0, subscriber)
    }

    /// The same for a room's entries above `position`, which the database had before.
    pub fn join(&self, room: Uuid, position: i64, subscriber: &Subscriber) -> InForce {
        self.listen(Topic::Room(room), position, subscriber)
    }

    fn listen(&self, topic: Topic, position: i64, subscriber: &Subscriber) -> InForce {
        let alone = *self.link.borrow() == Link::Alone;
        let mut shard = self.shard(topic);
        let listeners = shard.entry(topic).or_insert_with(|| {
            if !alone {
                self.changes.add(topic);
            }
            Listeners {
                line: Line::after(position),
                ..Listeners::default()
            }
        });
        listeners.add(subscriber);
        if listeners.in_force || !self.is_up() {
            return InForce(None);
        }
        let (confirm, confirmed) = oneshot::channel();
        listeners.waiting.push(confirm);
        InForce(Some(confirmed))
    }

    /// Ends a subscription; the topic is forgotten with its last one.
    pub fn unsubscribe(&self, topic: Topic, subscriber: &Subscriber) {
        let mut shard = self.shard(topic);
        let Some(listeners) = shard.get_mut(&topic) else {
            return;
        };
        listeners.remove(subscriber);
        if listeners.subscribers.is_empty() {
            shard.remove(&topic);
            if *self.link.borrow() != Link::Alone {
                self.changes.add(topic);
            }
        }
    }

    /// The newest number that is known of a room with listeners, but for what waits for a crowd:
    /// nobody is to ask for it.
    #[must_use]
    pub fn position(&self, room: Uuid) -> i64 {
        self.shard(Topic::Room(room))
            .get(&Topic::Room(room))
            .map_or(0, |listeners| match listeners.due.first() {
                Some(waiting) => waiting - 1,
                None => listeners.line.known(),
            })
    }
}

/// For the buses.
impl Hub {
    /// Hands a publication to everybody who listens, or keeps an entry until those before it
    /// have come.
    pub fn deliver(&self, publication: &Arc<Publication>) {
        let topic = publication.topic();
        let mut shard = self.shard(topic);
        let Some(listeners) = shard.get_mut(&topic) else {
            return;
        };
        let (Some(seq), Topic::Room(room)) = (publication.seq(), topic) else {
            return self.send(topic, listeners, Arc::clone(publication));
        };
        for due in listeners.line.take(seq, publication) {
            self.send(topic, listeners, due);
        }
        self.look_at(room, &mut listeners.line);
    }

    /// Whether anybody may hear what is published to a topic: here, or on another node.
    #[must_use]
    pub fn may_be_heard(&self, topic: Topic) -> bool {
        *self.link.borrow() != Link::Alone || self.has(topic)
    }

    /// How this node stands to the others.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// Whether the other nodes can be reached.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(*self.link.borrow(), Link::Up(_))
    }

    /// A bus says how this node stands to the others.
    pub fn set_link(&self, link: Link) {
        self.link.send_replace(link);
    }

    /// Topics that have got their first subscriber or lost their last one since the last call.
    pub fn changes(&self) -> Vec<Topic> {
        self.changes.take()
    }

    /// Waits until there are such.
    pub async fn changed(&self) {
        self.changes.wait().await;
    }

    /// All topics that have subscribers.
    #[must_use]
    pub fn topics(&self) -> Vec<Topic> {
        let all = self.shards.iter().flat_map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.keys().copied().collect::<Vec<_>>()
        });
        all.collect()
    }

    /// Whether a topic has subscribers.
    #[must_use]
    pub fn has(&self, topic: Topic) -> bool {
        self.shard(topic).contains_key(&topic)
    }

    /// The bus delivers what other nodes publish to this topic.
    pub fn in_force(&self, topic: Topic) {
        if let Some(listeners) = self.shard(topic).get_mut(&topic) {
            listeners.in_force = true;
            for waiting in listeners.waiting.drain(..) {
                // Whoever waited may have lost patience.
                let _ = waiting.send(());
            }
        }
    }

    fn shard(&self, topic: Topic) -> MutexGuard<'_, HashMap<Topic, Listeners>> {
        let index = match topic {
            Topic::Room(id) | Topic::Person(id) => usize::from(id.as_bytes()[15]) % SHARDS,
            Topic::Inbox => 0,
            Topic::Team => 1,
            Topic::Nodes => 2,
        };
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
