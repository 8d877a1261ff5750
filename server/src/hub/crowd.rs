//! Topics with many subscribers: what is published in a row reaches each of them in one go.
//!
//! What a reader is waked for and given alone costs several times what it costs within a set: for
//! nothing is as dear as the calls of the system. So a crowd is served at once after a silence, and
//! then only so often; what comes meanwhile waits. The more there are, the longer, but never for so
//! long that a person would see it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::late::Late;
use super::{Hub, Listeners, Topic};
use crate::bus::Publication;
use crate::clock;

/// A topic with so many subscribers has a crowd.
const CROWD: usize = 32;
/// Publications that wait for a crowd at most; a fraction of what each of it has room for.
const SET: usize = 32;
/// From one set to the next, for each subscriber.
const PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What waits for the subscribers of one topic.
#[derive(Default)]
pub(super) struct Due {
    publications: Vec<Arc<Publication>>,
    /// When a crowd was served last.
    served: Option<Instant>,
}

impl Due {
    /// The number of the first entry that waits.
    pub(super) fn first(&self) -> Option<i64> {
        self.publications.iter().find_map(|waiting| waiting.seq())
    }
}

/// Starts what serves crowds.
pub fn start(hub: &Arc<Hub>) {
    tokio::spawn(serve(Arc::downgrade(hub), Arc::clone(&hub.crowds)));
}

async fn serve(hub: Weak<Hub>, crowds: Arc<Late<Topic>>) {
    loop {
        let topics = crowds.due().await;
        // The publisher may not be done yet.
        tokio::task::yield_now().await;
        let Some(hub) = hub.upgrade() else { return };
        for topic in topics {
            if let Some(listeners) = hub.shard(topic).get_mut(&topic) {
                listeners.due.served = Some(clock::instant());
                listeners.send_due();
            }
        }
    }
}

impl Hub {
    /// Hands a publication to the subscribers of its topic: at once to a few, soon to a crowd.
    pub(super) fn send(
        &self,
        topic: Topic,
        listeners: &mut Listeners,
        publication: Arc<Publication>,
    ) {
        let count = listeners.subscribers.len();
        let due = &mut listeners.due;
        due.publications.push(publication);
        if count < CROWD || due.publications.len() >= SET {
            listeners.send_due();
        } else if due.publications.len() == 1 {
            let pause = u32::try_from(count).map_or(LONGEST_PAUSE, |count| PAUSE * count);
            let pause = pause.min(LONGEST_PAUSE);
            let passed = due.served.map(|served| clock::instant() - served);
            self.crowds
                .add(topic, pause.saturating_sub(passed.unwrap_or(pause)));
        }
    }
}

impl Listeners {
    fn send_due(&mut self) {
        // Between two sets it holds no memory.
        let due = std::mem::take(&mut self.due.publications);
        for subscriber in &self.subscribers {
            for publication in &due {
                subscriber.send(publication);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::News;
    use crate::store::messages::{Kind, Stored};
    use parlour_protocol::frame::Role;
    use uuid::Uuid;

    const ROOM: Uuid = Uuid::from_u128(1);

    fn entry(seq: i64) -> Arc<Publication> {
        let stored = Stored {
            room: ROOM,
            seq,
            cid: Uuid::from_u128(seq.unsigned_abs().into()),
            at: seq,
            rev: 0,
            kind: Kind::Text,
            author: Uuid::nil(),
            author_role: Role::Agent,
            author_name: String::new(),
            text: String::new(),
            what: String::new(),
            whom: None,
            whom_name: String::new(),
        };
        Publication::new(Topic::Room(ROOM), News::Event(stored))
    }

    #[tokio::test]
    async fn a_crowd_gets_what_was_published_in_a_row_in_one_go() {
        let hub = Arc::new(Hub::default());
        start(&hub);
        let mut readers: Vec<_> = (0..CROWD).map(|_| hub.connect()).collect();
        for (reader, _) in &readers {
            hub.join(ROOM, 0, reader).wait().await;
        }
        for seq in [1, 3, 2] {
            hub.deliver(&entry(seq));
        }
        for (_, queue) in &mut readers {
            assert!(queue.try_recv().is_err());
        }
        assert_eq!(hub.position(ROOM), 0);
        for (_, queue) in &mut readers {
            let mut news = Vec::new();
            queue.recv_many(&mut news, SET).await;
            let numbers: Vec<_> = news.iter().filter_map(|news| news.seq()).collect();
            assert_eq!(numbers, [1, 2, 3]);
        }
        assert_eq!(hub.position(ROOM), 3);
    }

    #[tokio::test]
    async fn what_waits_for_a_crowd_is_bounded_and_stays_in_order() {
        let hub = Hub::default();
        let mut readers: Vec<_> = (0..CROWD).map(|_| hub.connect()).collect();
        for (reader, _) in &readers {
            hub.join(ROOM, 0, reader).wait().await;
        }
        for seq in 1..=SET + 2 {
            hub.deliver(&entry(crate::signed(seq as u64)));
        }
        let (leaver, _) = readers.pop().expect("a reader");
        assert_eq!(readers[0].1.len(), SET);
        // Those who are left are no crowd any more.
        hub.unsubscribe(Topic::Room(ROOM), &leaver);
        hub.deliver(&entry(crate::signed(SET as u64 + 3)));
        let mut numbers = Vec::new();
        while let Ok(news) = readers[0].1.try_recv() {
            numbers.extend(news.seq());
        }
        assert!(numbers.into_iter().eq(1..=crate::signed(SET as u64 + 3)));
    }
}
