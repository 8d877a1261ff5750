//! What hardly changes and is asked for by every connection: read once for all that ask within a
//! second. What this node changes is read anew at once; what another one does, within that second.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Result;
use super::gather::Gather;
use super::sql::Pool;
use crate::clock;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// Whether what is kept still holds: each change has a new number.
#[derive(Clone, Default)]
pub(super) struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Something was changed and committed.
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

struct Known<T> {
    value: Arc<T>,
    changes: u64,
    until: Instant,
}

/// One answer, for everybody.
pub(super) struct Kept<T> {
    known: Arc<Mutex<Option<Known<T>>>>,
    changes: Changes,
    reading: Gather<(), Arc<T>>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            known: Arc::clone(&self.known),
            changes: self.changes.clone(),
            reading: self.reading.clone(),
        }
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// Keeps what `read` answers.
    pub(super) fn start<F>(readers: &Pool, changes: &Changes, read: fn(Pool) -> F) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let readers = readers.clone();
        let reading = Gather::start(move |asked: Vec<()>| {
            let reading = read(readers.clone());
            async move {
                let answer = Arc::new(reading.await?);
                Ok(vec![answer; asked.len()])
            }
        });
        Self {
            known: Arc::default(),
            changes: changes.clone(),
            reading,
        }
    }

    /// What is known, or is read now.
    pub(super) async fn ask(&self) -> Result<Arc<T>> {
        let changes = self.changes.count();
        if let Some(known) = &*self.lock()
            && known.changes == changes
            && clock::instant() < known.until
        {
            return Ok(Arc::clone(&known.value));
        }
        // What changes while it is read may be in it or not: then it is not kept for long.
        let value = self.reading.ask(()).await?;
        *self.lock() = Some(Known {
            value: Arc::clone(&value),
            changes,
            until: clock::instant() + HOLDS,
        });
        Ok(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Known<T>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
