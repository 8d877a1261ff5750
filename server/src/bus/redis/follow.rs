//! What is subscribed in Redis: the topics that have subscribers on this node.

use std::collections::HashSet;

use ::redis::aio::MultiplexedConnection;
use ::redis::{RedisError, RedisResult};

use super::{COMMAND, Shared, envelope, within};
use crate::hub::Topic;

/// Channels in one command.
const CHUNK: usize = 256;

/// The subscriptions of one connection.
pub(super) struct Followed<'a> {
    shared: &'a Shared,
    connection: MultiplexedConnection,
    topics: HashSet<Topic>,
}

impl<'a> Followed<'a> {
    pub(super) fn new(shared: &'a Shared, connection: MultiplexedConnection) -> Self {
        Self {
            shared,
            connection,
            topics: HashSet::new(),
        }
    }

    /// Subscribes to all topics that have subscribers now.
    pub(super) async fn renew(&mut self) -> RedisResult<()> {
        // Before the look at the topics: what changes after it is a change again.
        self.shared.hub.changes();
        let topics = self.shared.hub.topics();
        self.follow(topics).await
    }

    /// Follows every change, until the connection fails.
    pub(super) async fn run(&mut self) -> RedisError {
        loop {
            self.shared.hub.changed().await;
            if let Err(fault) = self.change().await {
                return fault;
            }
        }
    }

    async fn change(&mut self) -> RedisResult<()> {
        let (mut wanted, mut left) = (Vec::new(), Vec::new());
        for topic in self.shared.hub.changes() {
            match (self.shared.hub.has(topic), self.topics.contains(&topic)) {
                (true, false) => wanted.push(topic),
                (false, true) => left.push(topic),
                // Left and come back before it was noticed.
                (true, true) => self.shared.hub.in_force(topic),
                (false, false) => {}
            }
        }
        self.follow(wanted).await?;
        for chunk in left.chunks(CHUNK) {
            let channels = self.channels(chunk);
            within(COMMAND, self.connection.unsubscribe(channels)).await?;
            for topic in chunk {
                self.topics.remove(topic);
            }
        }
        Ok(())
    }

    async fn follow(&mut self, topics: Vec<Topic>) -> RedisResult<()> {
        for chunk in topics.chunks(CHUNK) {
            let channels = self.channels(chunk);
            within(COMMAND, self.connection.subscribe(channels)).await?;
            for topic in chunk {
                self.topics.insert(*topic);
                self.shared.hub.in_force(*topic);
            }
        }
        Ok(())
    }

    fn channels(&self, topics: &[Topic]) -> Vec<String> {
        topics
            .iter()
            .map(|topic| envelope::channel(&self.shared.prefix, *topic))
            .collect()
    }
}
