//! Presence: any live connection is online; the last one's end is offline after a grace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use parlour_protocol::frame::{Availability, Person, Presence, Role};
use uuid::Uuid;

use crate::bus::{Bus, News, Publication};
use crate::clock;
use crate::hub::Topic;

/// From the last close to `offline`: a reload must not flicker.
const GRACE: Duration = Duration::from_secs(10);
/// How often those who are gone are looked for.
const SWEEP: Duration = Duration::from_secs(1);

struct Entry {
    who: Person,
    /// Connection → whether the person is there.
    connections: HashMap<u64, bool>,
    gone: Option<Instant>,
    announced: Availability,
}

impl Entry {
    fn state(&self) -> Availability {
        if self.connections.values().any(|active| *active) {
            Availability::Online
        } else if self.connections.is_empty() && self.gone.is_none() {
            Availability::Offline
        } else if self.connections.is_empty() {
            // In its grace, the last state stands.
            self.announced
        } else {
            Availability::Away
        }
    }
}

/// Who is there.
pub struct Presences {
    people: Mutex<HashMap<Uuid, Entry>>,
    bus: Bus,
}

impl Presences {
    pub(super) fn start(bus: Bus) -> Arc<Self> {
        let presences = Arc::new(Self {
            people: Mutex::default(),
            bus,
        });
        tokio::spawn(sweep(Arc::downgrade(&presences)));
        presences
    }

    /// A connection began.
    pub fn connected(&self, connection: u64, who: &Person) {
        self.change(who, |entry| {
            entry.connections.insert(connection, true);
            entry.gone = None;
        });
    }

    /// A connection says whether its person is there.
    pub fn active(&self, connection: u64, who: &Person, active: bool) {
        self.change(who, |entry| {
            if let Some(known) = entry.connections.get_mut(&connection) {
                *known = active;
            }
        });
    }

    /// A connection ended.
    pub fn disconnected(&self, connection: u64, who: &Person) {
        self.change(who, |entry| {
            entry.connections.remove(&connection);
            if entry.connections.is_empty() {
                entry.gone = Some(clock::instant());
            }
        });
    }

    /// Whether a person is there.
    #[must_use]
    pub fn state(&self, person: Uuid) -> Availability {
        self.lock()
            .get(&person)
            .map_or(Availability::Offline, |entry| entry.announced)
    }

    fn change(&self, who: &Person, change: impl FnOnce(&mut Entry)) {
        let mut people = self.lock();
        let entry = people
            .entry(Uuid::from_bytes(who.id.0))
            .or_insert_with(|| Entry {
                who: who.clone(),
                connections: HashMap::new(),
                gone: None,
                announced: Availability::Offline,
            });
        change(entry);
        let state = entry.state();
        if state != entry.announced {
            entry.announced = state;
            // Under the lock, so that two changes are announced in their order.
            self.announce(&entry.who, state);
        }
    }

    fn announce(&self, who: &Person, state: Availability) {
        let topic = if who.role == Role::Visitor {
            Topic::Inbox
        } else {
            Topic::Team
        };
        self.bus.publish(&Publication::new(
            topic,
            News::Presence(Presence {
                who: who.clone(),
                state,
            }),
        ));
    }

    fn expire(&self, now: Instant) {
        self.lock().retain(|_, entry| {
            let over = entry.connections.is_empty()
                && entry
                    .gone
                    .is_some_and(|gone| now.duration_since(gone) >= GRACE);
            if over {
                self.announce(&entry.who, Availability::Offline);
            }
            !over
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sweep(presences: Weak<Presences>) {
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        ticks.tick().await;
        let Some(presences) = presences.upgrade() else {
            return;
        };
        presences.expire(clock::instant());
    }
}
