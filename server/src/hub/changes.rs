//! Topics whose subscribers have come or gone: what the bus has to follow.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::Topic;

#[derive(Default)]
pub(super) struct Changes {
    topics: Mutex<HashSet<Topic>>,
    bell: Notify,
}

impl Changes {
    pub(super) fn add(&self, topic: Topic) {
        self.topics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(topic);
        self.bell.notify_one();
    }

    pub(super) fn take(&self) -> Vec<Topic> {
        self.topics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .collect()
    }

    pub(super) async fn wait(&self) {
        self.bell.notified().await;
    }
}
