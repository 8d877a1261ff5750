//! Between nodes.
//!
//! A node always hands its own publications to its own [`Hub`] at once; what other nodes
//! publish comes through Redis and ends in the same [`Hub::deliver`]. The database is the
//! truth and the bus a doorbell: what it loses is found by [`crate::hub::repair`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::RedisConfig;
use crate::hub::Hub;

mod envelope;
mod frame;
mod publication;
mod redis;

pub use frame::{Encoded, FLUSHED, WINDOW_BITS};
pub use publication::{News, Publication};

/// How this node stands to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There are no others.
    Alone,
    /// They cannot be heard now.
    Down,
    /// They are heard. The number grows each time they are heard again: what was published in
    /// between was missed.
    Up(u64),
}

/// How much of something somebody may do on all nodes together.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// In a second, over time.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

/// The way between nodes.
#[derive(Clone)]
pub enum Bus {
    /// There is one node.
    Local(Arc<Hub>),
    /// There may be others.
    Redis(Arc<redis::Redis>),
}

impl Bus {
    /// The bus that the owner has set up.
    ///
    /// # Errors
    /// What is wrong with the address of Redis. That it does not answer is no error.
    pub fn start(config: Option<&RedisConfig>, hub: Arc<Hub>) -> Result<Self, String> {
        match config {
            None => Ok(Self::Local(hub)),
            Some(config) => redis::Redis::start(config, hub)
                .map(Self::Redis)
                .map_err(|error| error.to_string()),
        }
    }

    /// Publishes; never waits, so it is off the path of an acknowledgement.
    pub fn publish(&self, publication: &Arc<Publication>) {
        self.hub().deliver(publication);
        if let Self::Redis(redis) = self {
            redis.publish(publication);
        }
    }

    /// Spends of somebody's allowance on all nodes; how long to wait if it does not suffice.
    /// Where other nodes cannot be reached, the count of this one has to do.
    pub async fn spend(
        &self,
        what: &str,
        who: &str,
        count: u32,
        allowance: Allowance,
    ) -> Option<Duration> {
        match self {
            Self::Local(_) => None,
            Self::Redis(redis) => redis.spend(what, who, count, allowance).await,
        }
    }

    /// The node's own subscribers.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        match self {
            Self::Local(hub) => hub,
            Self::Redis(redis) => redis.hub(),
        }
    }

    /// How this node stands to the others, and when that changes.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.hub().link()
    }
}
