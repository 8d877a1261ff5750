//! What waits for the index, read in sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::Key;
use super::set::{Set, rest};
use crate::store::postgres::{self, ONE_PLAN};
use crate::store::sql::{Target, query, query_built};
use crate::store::{Connection, Database, Pool, Result, Store};

/// Messages that are read as soon as they wait.
const MANY: usize = 2_048;
/// How long fewer wait for others: a term that is there already is written once for a set.
const GATHER: Duration = Duration::from_secs(3);
/// From one to the next, unless more waits than can be indexed with pauses.
const PAUSE: Duration = Duration::from_millis(10);
/// How often it is looked for what another node has left behind.
const LOOK: Duration = Duration::from_secs(30);
/// Rows of waiting keys that are read at once.
const ROWS: i64 = 64;
/// Whose transaction may index, of all nodes.
const LOCK: i64 = 0x7061_726c_6f75_7201;

/// How many messages this node has left to the indexer.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Waiting(Arc<(AtomicUsize, Notify)>);

impl Waiting {
    /// Counts messages that were stored.
    pub(in crate::store) fn add(&self, count: usize) {
        let (waiting, notify) = &*self.0;
        let before = waiting.fetch_add(count, Ordering::Relaxed);
        if count > 0 && (before == 0 || (before < MANY && before + count >= MANY)) {
            notify.notify_one();
        }
    }

    /// What was counted since the last time.
    fn take(&self) -> usize {
        self.0.0.swap(0, Ordering::Relaxed)
    }

    async fn reached(&self, count: usize) {
        let (waiting, notify) = &*self.0;
        while waiting.load(Ordering::Relaxed) < count {
            notify.notified().await;
        }
    }
}

impl Store {
    /// Indexes what waits, until the server stops. One node does it at a time.
    pub async fn index_waiting(&self, mut stop: watch::Receiver<bool>) {
        let waiting = &self.waiting;
        let mut failed = false;
        loop {
            let work = async {
                // Whether it was reached or not makes no difference.
                let _ = timeout(LOOK, waiting.reached(1)).await;
                let _ = timeout(GATHER, waiting.reached(MANY)).await;
            };
            tokio::select! {
                () = work => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let outcome = tokio::select! {
                outcome = self.index_all() => outcome,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if let Err(error) = &outcome {
                // The first time; whatever ails the database is told elsewhere as well.
                if !failed {
                    tracing::warn!(%error, "search does not get on with its index; it is tried again");
                }
                waiting.add(1);
                sleep(GATHER).await;
            }
            failed = outcome.is_err();
        }
    }

    async fn index_all(&self) -> Result<()> {
        let mut waiting = 0;
        loop {
            waiting += self.waiting.take();
            let pause = if waiting > 2 * MANY {
                Duration::ZERO
            } else {
                PAUSE
            };
            let count = match self.reader() {
                Pool::Sqlite(_) => self.index_set(pause).await?,
                Pool::Postgres(pool) => {
                    postgres::transaction(pool, |to| Box::pin(set_of_all(to, pause))).await?
                }
            };
            if count < self.database().set() {
                return Ok(());
            }
            waiting = waiting.saturating_sub(count);
            rest(pause).await;
        }
    }

    /// Indexes a set in SQLite, of whose writer it takes no more time than it must; how many it were.
    async fn index_set(&self, pause: Duration) -> Result<usize> {
        let reader = self.reader();
        let (rows, keys) = waiting(reader, self.database().set()).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let set = Set::read(reader, &keys, pause).await?;
        self.write(move |to| {
            Box::pin(async move {
                set.write(to, Duration::ZERO).await?;
                done(to, rows).await
            })
        })
        .await?;
        Ok(keys.len())
    }
}

impl Database {
    /// Messages of one transaction. SQLite has one writer, so that they hold up others; while
    /// PostgreSQL writes them, it cannot clean up behind updates, which then take longer and longer.
    fn set(self) -> usize {
        match self {
            Self::Sqlite => MANY / 8,
            Self::Postgres => MANY / 4,
        }
    }
}

/// Indexes a set in PostgreSQL, if no other node does; how many it were.
async fn set_of_all(connection: &mut Connection, pause: Duration) -> Result<usize> {
    if let Connection::Postgres(connection) = connection {
        let mine = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)").bind(LOCK);
        if !mine.fetch_one(&mut **connection).await? {
            return Ok(0);
        }
    }
    // What is lost in a crash still waits afterwards.
    connection
        .control("set local synchronous_commit = off")
        .await?;
    one_plan(connection).await?;
    let set = connection.database().set();
    let (rows, keys) = waiting(&mut *connection, set).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let set = Set::read(&mut *connection, &keys, pause).await?;
    set.write(connection, pause).await?;
    done(connection, rows).await?;
    Ok(keys.len())
}

/// Rows of keys that wait, and the keys, the first ones: at least `most`, if there are as many.
async fn waiting(target: impl Into<Target<'_>>, most: usize) -> Result<(Vec<i64>, Vec<Key>)> {
    let mut target = target.into();
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    while keys.len() < most {
        let more = query("select id, keys from found_waiting where id > $1 order by id limit $2")
            .bind(rows.last().copied().unwrap_or(0))
            .bind(ROWS)
            .fetch_all(target.again())
            .await?;
        if more.is_empty() {
            break;
        }
        for row in &more {
            rows.push(row.try_get::<i64, _>(0)?);
            keys.extend(Key::read(row.try_get(1)?));
        }
    }
    Ok((rows, keys))
}

/// These do not wait any more.
async fn done(connection: &mut Connection, rows: Vec<i64>) -> Result<()> {
    let those = connection.database().among("$1");
    query_built(format!("delete from found_waiting where id {those}"))
        .bind(rows)
        .execute(connection)
        .await?;
    Ok(())
}

/// Before all is indexed anew. Whoever does that beside a server waits for it, and it for her, until
/// the commit.
pub(super) async fn lock(connection: &mut Connection) -> Result<()> {
    if let Connection::Postgres(connection) = connection {
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut **connection)
            .await?;
    }
    one_plan(connection).await
}

/// Statements of a set are planned once on PostgreSQL, by indexes, however young the tables are.
async fn one_plan(connection: &mut Connection) -> Result<()> {
    if let Connection::Postgres(connection) = connection {
        let (names, values): (Vec<_>, Vec<_>) = ONE_PLAN.into_iter().unzip();
        sqlx::query("select set_config(name, value, true) from unnest($1::text[], $2::text[]) as new (name, value)")
            .bind(names)
            .bind(values)
            .execute(&mut **connection)
            .await?;
    }
    Ok(())
}
