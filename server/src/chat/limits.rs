//! How much one person may do: frames, messages, connections.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

use crate::bus::{Allowance, Bus};
use crate::config::LimitsConfig;

/// Above this many people the limiters forget those who have been quiet; if more than that were
/// not, above twice as many as they are: looking through all of them must not be the rule.
const KEEP: usize = 10_000;

/// The limits of this node, and one that holds on all nodes together: of messages.
pub struct Limits {
    frames: Rate,
    messages: Rate,
    people: Arc<Counter<Uuid>>,
    addresses: Arc<Counter<IpAddr>>,
    clock: DefaultClock,
    /// Of messages, on all nodes.
    allowance: Allowance,
    bus: Bus,
}

impl Limits {
    /// Limits as the owner has configured them.
    #[must_use]
    pub fn new(config: &LimitsConfig, bus: Bus) -> Self {
        Self {
            frames: Rate::new(config.frames_per_second, config.frame_burst),
            messages: Rate::new(config.send_per_second, config.send_burst),
            people: Counter::new(config.connections_per_person),
            addresses: Counter::new(config.connections_per_address),
            clock: DefaultClock::default(),
            allowance: Allowance {
                per_second: config.send_per_second,
                burst: config.send_burst,
            },
            bus,
        }
    }

    /// Counts a frame of a person.
    ///
    /// # Errors
    /// How long she must wait.
    pub fn frame(&self, person: Uuid) -> Result<(), Duration> {
        self.frames
            .people()
            .check_key(&person)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Counts messages of a person.
    ///
    /// # Errors
    /// How long she must wait.
    pub async fn messages(&self, person: Uuid, count: usize) -> Result<(), Duration> {
        let count = u32::try_from(count)
            .ok()
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MIN);
        match self.messages.people().check_key_n(&person, count) {
            Ok(Ok(())) => {}
            Ok(Err(until)) => return Err(until.wait_time_from(self.clock.now())),
            // More in one frame than a whole burst.
            Err(_) => return Err(Duration::from_secs(1)),
        }
        let who = person.simple().to_string();
        let spent = self
            .bus
            .spend("messages", &who, count.get(), self.allowance);
        spent.await.map_or(Ok(()), Err)
    }

    /// Counts a connection, as long as what is returned lives; nothing if there are too many.
    #[must_use]
    pub fn connection(&self, person: Uuid, address: IpAddr) -> Option<(Held<Uuid>, Held<IpAddr>)> {
        Some((self.people.take(person)?, self.addresses.take(address)?))
    }
}

/// A rate that each person has for herself.
struct Rate {
    people: DefaultKeyedRateLimiter<Uuid>,
    most: AtomicUsize,
}

impl Rate {
    fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        Self {
            people: RateLimiter::keyed(quota),
            most: AtomicUsize::new(KEEP),
        }
    }

    /// The limiter, after those who have been quiet were forgotten if they are many.
    fn people(&self) -> &DefaultKeyedRateLimiter<Uuid> {
        if self.people.len() > self.most.load(Ordering::Relaxed) {
            self.people.retain_recent();
            let most = KEEP.max(2 * self.people.len());
            self.most.store(most, Ordering::Relaxed);
        }
        &self.people
    }
}

struct Counter<K> {
    most: usize,
    counts: Mutex<HashMap<K, usize>>,
}

impl<K: Copy + Eq + Hash> Counter<K> {
    fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            counts: Mutex::default(),
        })
    }

    fn take(self: &Arc<Self>, key: K) -> Option<Held<K>> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held {
            key,
            counter: Arc::clone(self),
        })
    }
}

/// One that counts, until it is dropped.
pub struct Held<K: Copy + Eq + Hash> {
    key: K,
    counter: Arc<Counter<K>>,
}

impl<K: Copy + Eq + Hash> Drop for Held<K> {
    fn drop(&mut self) {
        let mut counts = self
            .counter
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
