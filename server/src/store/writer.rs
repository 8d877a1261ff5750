//! The writer: whatever is queued is one transaction.
//!
//! SQLite has one connection that writes, and every write is queued for it. Of PostgreSQL only
//! messages are queued; everything else is a transaction of its own, beside the others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::postgres::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::append::{self, Append, Appended, Kept};
use super::postgres::Lent;
use super::{Connection, Result, StoreError, postgres, sqlite};
use crate::clock;

mod pace;

use pace::Pace;

/// Jobs that wait at most; beyond it a writer waits for room, and then is refused.
const QUEUE: usize = 1_024;
/// Jobs in one transaction.
const BATCH: usize = 256;
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
        let until = clock::instant() + PATIENCE;
        self.push(Job::Append(append, then, until)).await
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
    let mut batch = Vec::with_capacity(BATCH);
    let mut kept = Kept::default();
    let mut pace = Pace::start();
    while pace.take(&mut jobs, &mut batch).await {
        let mut closing = None;
        let mut work = Vec::with_capacity(batch.len());
        for job in batch.drain(..) {
            match job {
                Job::Close(done) => closing = Some(done),
                Job::Append(_, then, until) if until < clock::instant() => {
                    then(Err(StoreError::Unavailable(
                        "it waited for too long".into(),
                    )));
                }
                other => work.push(other),
            }
        }
        commit(&mut source, &mut kept, work).await;
        if let Some(done) = closing {
            jobs.close();
            // What was queued behind the request to close is still written.
            let mut rest = Vec::new();
            while let Some(job) = jobs.recv().await {
                rest.push(job);
            }
            commit(&mut source, &mut kept, rest).await;
            match source {
                Source::Own(connection) => {
                    if let Err(error) = sqlite::close(connection).await {
                        tracing::warn!(%error, "the database did not close cleanly");
                    }
                }
                Source::Pool(lent) => lent.close().await,
            }
            let _ = done.send(());
            return;
        }
    }
}

/// What one transaction holds, in the order of the queue.
enum Step {
    Append(Vec<(Append, Then<Appended>)>, Vec<Result<Appended>>),
    Run(Box<dyn Work>),
}

async fn commit(source: &mut Source, kept: &mut Kept, jobs: Vec<Job>) {
    let mut steps = group(jobs);
    if steps.is_empty() {
        return;
    }
    let outcome = match source {
        Source::Own(connection) => {
            let outcome = transaction(connection, kept, &mut steps).await;
            if outcome.is_err() {
                // A failed commit may leave the transaction open.
                let _ = connection.control("rollback").await;
            }
            outcome
        }
        Source::Pool(lent) => {
            for step in &mut steps {
                if let Step::Append(set, results) = step {
                    *results = postgres_set(lent, kept, appends(set)).await;
                }
            }
            Ok(())
        }
    };
    finish(steps, outcome.err());
}

/// A set in one transaction; if that is not possible for all of them, each in its own.
async fn postgres_set(
    lent: &mut Lent,
    kept: &mut Kept,
    appends: Vec<&Append>,
) -> Vec<Result<Appended>> {
    let error = match lent.append(kept, &appends).await {
        Ok(results) => return results,
        Err(error) => error,
    };
    tracing::warn!(%error, count = appends.len(), "a set of messages failed");
    if matches!(error, StoreError::Unavailable(_)) {
        return appends.iter().map(|_| Err(error.clone())).collect();
    }
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        let one = lent.append(kept, &[append]).await;
        let none = || StoreError::Failed("an append had no result".into());
        results.push(one.and_then(|mut all| all.pop().unwrap_or_else(|| Err(none()))));
    }
    results
}

fn group(jobs: Vec<Job>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for job in jobs {
        match job {
            Job::Append(append, then, _) => match steps.last_mut() {
                Some(Step::Append(set, _)) => set.push((append, then)),
                _ => steps.push(Step::Append(vec![(append, then)], Vec::new())),
            },
            Job::Run(work) => steps.push(Step::Run(work)),
            Job::Close(done) => drop(done),
        }
    }
    steps
}

async fn transaction(
    connection: &mut Connection,
    kept: &mut Kept,
    steps: &mut [Step],
) -> Result<()> {
    if let [Step::Append(set, results)] = steps {
        // Without a savepoint, for which every page that is changed would be copied.
        connection.control("begin immediate").await?;
        let appends = appends(set);
        *results = append_set(connection, kept, &appends, "rollback; begin immediate").await?;
        connection.control("commit").await?;
        return Ok(());
    }
    // Two in one text: each text costs a turn of the connection's thread.
    connection
        .control("begin immediate; savepoint step")
        .await?;
    let mut clean = true;
    for step in steps.iter_mut() {
        if !clean {
            connection.control("release step; savepoint step").await?;
        }
        clean = false;
        match step {
            Step::Run(work) => {
                if work.run(connection).await.is_err() {
                    connection.control("rollback to step").await?;
                    clean = true;
                }
            }
            Step::Append(set, results) => {
                let appends = appends(set);
                *results = append_set(connection, kept, &appends, "rollback to step").await?;
            }
        }
    }
    connection.control("commit").await?;
    Ok(())
}

fn appends(set: &[(Append, Then<Appended>)]) -> Vec<&Append> {
    set.iter().map(|(append, _)| append).collect()
}

/// By what is kept, or else by reading; if that is not possible for all together, each on its own.
/// `undo` is how the transaction gets back to where this began.
async fn append_set(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
    undo: &'static str,
) -> Result<Vec<Result<Appended>>> {
    let count = appends.len();
    match append::append_at_once(connection, kept, appends).await {
        Ok(Some(results)) => return Ok(results),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, count, "a set of messages failed"),
    }
    connection.control(undo).await?;
    match append::append(connection, kept, appends).await {
        Ok(results) => return Ok(results),
        Err(error) => {
            tracing::warn!(%error, count, "a set of messages failed; trying them one by one");
        }
    }
    connection.control(undo).await?;
    one_by_one(connection, kept, appends).await
}

async fn one_by_one(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
) -> Result<Vec<Result<Appended>>> {
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        connection.control("savepoint one").await?;
        let result = append::append(connection, kept, &[append])
            .await
            .map(|mut all| all.pop());
        let result = match result {
            Ok(Some(result)) => result,
            Ok(None) => Err(StoreError::Failed("an append had no result".into())),
            Err(error) => {
                connection.control("rollback to one").await?;
                Err(error)
            }
        };
        connection.control("release one").await?;
        results.push(result);
    }
    Ok(results)
}

fn finish(steps: Vec<Step>, error: Option<StoreError>) {
    if let Some(error) = &error {
        tracing::error!(%error, "a transaction failed; nothing of it was acknowledged");
    }
    // The client may send again: nothing was stored.
    let error = error.map(|error| StoreError::Unavailable(error.to_string().into()));
    for step in steps {
        match step {
            Step::Run(mut work) => {
                if let Some(error) = &error {
                    work.fail(error.clone());
                }
                work.finish();
            }
            Step::Append(set, mut results) => {
                if let Some(error) = &error {
                    results = set.iter().map(|_| Err(error.clone())).collect();
                }
                for ((_, then), result) in set.into_iter().zip(results) {
                    then(result);
                }
            }
        }
    }
}
