//! The writer: whatever is queued is one transaction.
//!
//! SQLite has one connection that writes, and every write is queued for it. Of PostgreSQL only
//! messages are queued; everything else is a transaction of its own, beside the others.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::postgres::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::append::{Append, Appended, Kept};
use super::postgres::Lent;
use super::{Connection, Result, StoreError, postgres, sqlite};
use crate::clock;

mod pace;
mod set;

use pace::Pace;
use set::Set;

/// Jobs that wait at most; beyond it a writer waits for room, and then is refused.
const QUEUE: usize = 1_024;
/// How long anybody waits for a write, from the request to the commit. What still stands in the
/// queue by then is not begun any more: whoever sent it has been told to try again.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// A continuation, called after the commit.
pub(super) type Then<T> = Box<dyn FnOnce(Result<T>) + Send>;

enum Job {
    Append(Append, Then<Appended>, Instant),
    Run(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

/// A piece of work, and what is to be done with its result.
trait Work: Send {
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<()>>;
    fn fail(&mut self, error: StoreError);
    fn finish(self: Box<Self>);
}

struct Task<T, W, F> {
    work: Option<W>,
    then: Option<F>,
    result: Option<Result<T>>,
}

impl<T, W, F> Work for Task<T, W, F>
where
    T: Send,
    W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send,
    F: FnOnce(Result<T>) + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Ok(());
            };
            let result = work(connection).await;
            let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
            self.result = Some(result);
            outcome
        })
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error));
    }

    fn finish(mut self: Box<Self>) {
        if let (Some(then), Some(result)) = (self.then.take(), self.result.take()) {
            then(result);
        }
    }
}

/// Where the connections that write come from.
enum Source {
    Own(Connection),
    Pool(Lent),
}

/// The writer's queue.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    /// Of PostgreSQL: transactions that stand on their own, and how many there may be.
    alone: Option<(PgPool, Arc<Semaphore>)>,
}

impl Writer {
    pub(super) fn of_sqlite(connection: Connection) -> Self {
        Self::start(Source::Own(connection), None)
    }

    /// Messages have connections of their own.
    pub(super) fn of_postgres(pool: PgPool, messages: Lent) -> Self {
        let alone = (pool, Arc::new(Semaphore::new(QUEUE)));
        Self::start(Source::Pool(messages), Some(alone))
    }

    fn start(source: Source, alone: Option<(PgPool, Arc<Semaphore>)>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(serve(source, jobs));
        Self { queue, alone }
    }

    pub(super) async fn run<T, W, F>(&self, work: W, then: F) -> Result<()>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
        F: FnOnce(Result<T>) + Send + 'static,
    {
        let Some((pool, permits)) = &self.alone else {
            return self
                .push(Job::Run(Box::new(Task {
                    work: Some(work),
                    then: Some(then),
                    result: None,
                })))
                .await;
        };
        let waiting = tokio::time::timeout(PATIENCE, Arc::clone(permits).acquire_owned());
        let Ok(Ok(permit)) = waiting.await else {
            return Err(full());
        };
        let pool = pool.clone();
        // A task of its own: what was begun is finished, also if nobody waits any more.
        tokio::spawn(async move {
            then(postgres::transaction(&pool, work).await);
            drop(permit);
        });
        Ok(())
    }

    pub(super) async fn append(&self, append: Append, then: Then<Appended>) -> Result<()> {
        self.push(Job::Append(append, then, clock::instant())).await
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Job::Close(done)).await.is_ok() {
            // An error means that the writer is gone, which is what is wanted.
            let _ = closed.await;
        }
        if let Some((_, permits)) = &self.alone {
            // All of them are free once every transaction has ended; each has its deadline.
            let all = u32::try_from(QUEUE).unwrap_or(u32::MAX);
            let _ = permits.acquire_many(all).await;
            permits.close();
        }
    }

    async fn push(&self, job: Job) -> Result<()> {
        match self.queue.send_timeout(job, PATIENCE).await {
            Ok(()) => Ok(()),
            Err(_) => Err(full()),
        }
    }
}

fn full() -> StoreError {
    StoreError::Unavailable("too many writes are waiting".into())
}

async fn serve(mut source: Source, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(pace::JOBS);
    let mut kept = Kept::default();
    let mut pace = Pace::start();
    let mut written = Set::default();
    loop {
        // Those of the last set are told while the next one is under way, or at once if it is still to come.
        if !pace.is_due(&jobs) {
            std::mem::take(&mut written).tell();
        }
        if !pace.take(&mut jobs, &mut batch).await {
            return;
        }
        let mut closing = None;
        let mut work = Vec::with_capacity(batch.len());
        for job in batch.drain(..) {
            match job {
                Job::Close(done) => closing = Some(done),
                Job::Append(_, then, since) if since.elapsed() > PATIENCE => {
                    then(Err(StoreError::Unavailable(
                        "it waited for too long".into(),
                    )));
                }
                other => work.push(other),
            }
        }
        let mut set = Set::of(work);
        {
            let mut writing = pin!(set.write(&mut source, &mut kept));
            let begun = poll_fn(|context| Poll::Ready(writing.as_mut().poll(context))).await;
            std::mem::take(&mut written).tell();
            if begun.is_pending() {
                writing.await;
            }
        }
        written = set;
        if let Some(done) = closing {
            written.tell();
            jobs.close();
            // What was queued behind the request to close is still written.
            let mut rest = Vec::new();
            while let Some(job) = jobs.recv().await {
                rest.push(job);
            }
            let mut set = Set::of(rest);
            set.write(&mut source, &mut kept).await;
            set.tell();
            source.close().await;
            let _ = done.send(());
            return;
        }
    }
}

impl Source {
    async fn close(self) {
        match self {
            Self::Own(connection) => {
                if let Err(error) = sqlite::close(connection).await {
                    tracing::warn!(%error, "the database did not close cleanly");
                }
            }
            Self::Pool(lent) => lent.close().await,
        }
    }
}
