//! What this node has left to the indexer: how many messages, and the texts of the first ones.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::set::rest;
use super::{Key, TICKETS, Text, private_scope, texts};
use crate::clock::Micros;
use crate::store::Result;
use crate::store::append::Appended;
use crate::store::sql::Target;

/// Messages that are read as soon as they wait.
pub(super) const MANY: usize = 2_048;
/// Texts that are kept for the indexer, and their bytes. It reads others.
const MAX_KEPT: usize = 2 * MANY;
const MAX_BYTES: usize = 4 << 20;

/// What this node has stored and not indexed. What waits is what `found_waiting` says: a text that is
/// kept spares reading it, and one that has changed meanwhile waits once more.
#[derive(Clone, Default)]
pub(in crate::store) struct Waiting(Arc<Shared>);

#[derive(Default)]
struct Shared {
    count: AtomicUsize,
    many: Notify,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    texts: HashMap<Key, Text>,
    bytes: usize,
}

impl Waiting {
    /// Counts messages that were stored, and keeps their texts.
    pub(in crate::store) fn add(&self, appended: &Appended) {
        if appended.stored.is_empty() {
            return;
        }
        let mut kept = self.kept();
        for stored in &appended.stored {
            let Some(key) = Key::of(stored) else {
                continue;
            };
            if kept.texts.len() >= MAX_KEPT || kept.bytes + stored.text.len() > MAX_BYTES {
                break;
            }
            kept.bytes += stored.text.len();
            let text = Text {
                key,
                scope: match appended.ticket {
                    Some(_) => TICKETS.into(),
                    None => private_scope(stored.room),
                },
                text: stored.text.clone(),
                at: stored.at,
            };
            kept.texts.insert(key, text);
        }
        drop(kept);
        self.count(appended.stored.len());
    }

    /// Counts what waits, whoever has stored it.
    pub(super) fn count(&self, count: usize) {
        let before = self.0.count.fetch_add(count, Ordering::Relaxed);
        if before == 0 || (before < MANY && before + count >= MANY) {
            self.0.many.notify_one();
        }
    }

    /// What was counted since the last time.
    pub(super) fn counted(&self) -> usize {
        self.0.count.swap(0, Ordering::Relaxed)
    }

    pub(super) async fn reached(&self, count: usize) {
        while self.0.count.load(Ordering::Relaxed) < count {
            self.0.many.notified().await;
        }
    }

    /// The texts of `keys` in their order: those that were kept, which they are no more, and from the
    /// database the others, with a pause behind that.
    ///
    /// # Errors
    /// What the database reports.
    pub(super) async fn texts(
        &self,
        target: Target<'_>,
        keys: &[Key],
        pause: Duration,
    ) -> Result<Vec<Text>> {
        let kept: Vec<Option<Text>> = {
            let mut kept = self.kept();
            keys.iter().map(|key| kept.take(key)).collect()
        };
        let others = keys.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
        let others: Vec<Key> = others.map(|(key, _)| *key).collect();
        let read = texts(target.database(), target, &others).await?;
        if !others.is_empty() {
            rest(pause).await;
        }
        let mut read = read.into_iter().peekable();
        let all = keys.iter().zip(kept).filter_map(|(key, kept)| {
            let others = || read.next_if(|text| text.key == *key);
            kept.or_else(others)
        });
        Ok(all.collect())
    }

    /// Forgets what was stored before `time`: it does not wait any more.
    pub(super) fn forget(&self, time: Micros) {
        let mut kept = self.kept();
        kept.texts.retain(|_, text| text.at >= time);
        kept.bytes = kept.texts.values().map(|text| text.text.len()).sum();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, key: &Key) -> Option<Text> {
        let text = self.texts.remove(key)?;
        self.bytes -= text.text.len();
        Some(text)
    }
}
