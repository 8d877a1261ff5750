//! What this node says to the others: in the order in which it was published, and in a row to one topic together,
//! for Redis spends more on a publication than on what is in it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Pipeline, RedisError};
use tokio::sync::mpsc;

use super::{QUEUE, Shared, closed, envelope, within};
use crate::bus::Publication;

/// Publications in one write: all that wait, for its answer comes after all that other nodes say meanwhile.
const BATCH: usize = QUEUE;
/// Publications that travel together.
const TOGETHER: usize = 64;
/// A write that takes longer is given up.
const PATIENCE: Duration = Duration::from_millis(200);

/// Publishes what is queued, until the connection fails.
pub(super) async fn run(
    shared: &Shared,
    mut connection: MultiplexedConnection,
    publications: &mut mpsc::Receiver<Arc<Publication>>,
) -> RedisError {
    let mut batch = Vec::with_capacity(BATCH);
    while publications.recv_many(&mut batch, BATCH).await > 0 {
        match within(PATIENCE, pipe(shared, &batch).exec_async(&mut connection)).await {
            Ok(()) => {}
            // Busy, perhaps; whether it is dead the next ping shows.
            Err(fault) if fault.is_timeout() => {
                let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                shared.dropped.fetch_add(count, Ordering::Relaxed);
            }
            Err(fault) => return fault,
        }
        batch.clear();
        let dropped = shared.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "Redis is slow; other nodes find what was dropped in the database"
            );
        }
    }
    closed()
}

fn pipe(shared: &Shared, batch: &[Arc<Publication>]) -> Pipeline {
    let mut pipe = ::redis::pipe();
    let runs = batch.chunk_by(|one, next| one.topic() == next.topic());
    for together in runs.flat_map(|run| run.chunks(TOGETHER)) {
        let news = together.iter().map(|publication| publication.news());
        if let Some(text) = envelope::seal(shared.node, news) {
            let channel = envelope::channel(&shared.prefix, together[0].topic());
            pipe.cmd("PUBLISH").arg(channel).arg(text).ignore();
        }
    }
    pipe
}
