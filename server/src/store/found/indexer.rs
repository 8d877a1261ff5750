//! What waits for the index, read in sets.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Key;
use super::set::{End, PIECE, Set, rest};
use super::waiting::{MANY, Waiting};
use crate::clock;
use crate::store::postgres::{self, ONE_PLAN};
use crate::store::sql::{Target, query, query_built};
use crate::store::{Connection, Pool, Result, Store};

/// How long fewer wait for others: a term that is there already is written once for a set.
const GATHER: Duration = Duration::from_secs(3);
/// Messages of one set: all that wait after [`MANY`], with those that have come meanwhile.
const SET: usize = 2 * MANY;
/// From one statement to the next, unless more waits than can be indexed with pauses.
const PAUSE: Duration = Duration::from_millis(10);
/// How often it is looked for what another node has left behind.
const LOOK: Duration = Duration::from_secs(30);
/// Rows of waiting keys that are read at once.
const ROWS: i64 = 64;
/// Who may index, of all nodes.
const LOCK: i64 = 0x7061_726c_6f75_7201;

impl Store {
    /// Indexes what waits, until the server stops. One node does it at a time.
    pub async fn index_waiting(&self, mut stop: watch::Receiver<bool>) {
        let waiting = &self.waiting;
        let mut failed = false;
        let mut end = None;
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
                outcome = self.index_all(&mut end) => outcome,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            if let Err(error) = &outcome {
                // The first time; whatever ails the database is told elsewhere as well.
                if !failed {
                    tracing::warn!(%error, "search does not get on with its index; it is tried again");
                }
                waiting.count(1);
                sleep(GATHER).await;
            }
            failed = outcome.is_err();
        }
    }

    /// Indexes all that waits. `end` is what was kept of the end of the index, unless this fails.
    async fn index_all(&self, end: &mut Option<End>) -> Result<()> {
        let mut waiting = 0;
        loop {
            waiting += self.waiting.counted();
            let pause = if waiting > 2 * MANY {
                Duration::ZERO
            } else {
                PAUSE
            };
            let (kept, began) = (end.take(), clock::now());
            let indexed = match self.reader() {
                Pool::Sqlite(_) => self.index_set(kept, pause).await?,
                Pool::Postgres(pool) => {
                    let texts = &self.waiting;
                    postgres::with(pool, async |to| set_of_all(to, texts, kept, pause).await)
                        .await?
                }
            };
            *end = indexed.end;
            if !indexed.more {
                self.waiting.forget(began);
                return Ok(());
            }
            waiting = waiting.saturating_sub(indexed.count);
            rest(pause).await;
        }
    }

    /// Indexes a set in SQLite. Its writer gets a piece at a time, for whatever it does holds up others.
    async fn index_set(&self, kept: Option<End>, pause: Duration) -> Result<Indexed> {
        let reader = self.reader();
        let read = Read::of(reader, &self.waiting, kept, pause).await?;
        let Some(set) = read.set else {
            return Ok(read.indexed);
        };
        let pause = set.pause(pause);
        let rows = set.rows(reader, pause).await?;
        for postings in rows.postings {
            self.write(|to| Box::pin(async move { Ok(postings.execute(to).await?) }))
                .await?;
            rest(pause).await;
        }
        self.write(|to| {
            Box::pin(async move {
                rows.places.execute(&mut *to).await?;
                done(to, read.rows).await
            })
        })
        .await?;
        Ok(read.indexed.with(rows.end))
    }
}

/// Indexes a set in PostgreSQL, if no other node does.
async fn set_of_all(
    connection: &mut Connection,
    texts: &Waiting,
    kept: Option<End>,
    pause: Duration,
) -> Result<Indexed> {
    if !locks(connection, "select pg_try_advisory_lock($1)").await? {
        return Ok(Indexed::default());
    }
    let indexed = locked_set(connection, texts, kept, pause).await;
    if indexed.is_err() {
        connection.control("rollback").await?;
    }
    // Whatever came of it, or the connection would keep the lock.
    locks(connection, "select pg_advisory_unlock($1)").await?;
    indexed
}

/// Each piece is a transaction of its own: while one that has written is open, PostgreSQL keeps all that
/// others leave behind, and a row that is written again and again has no room in its page any more.
async fn locked_set(
    connection: &mut Connection,
    texts: &Waiting,
    kept: Option<End>,
    pause: Duration,
) -> Result<Indexed> {
    begin(connection).await?;
    let read = Read::of(&mut *connection, texts, kept, pause).await?;
    let Some(set) = read.set else {
        connection.control("commit").await?;
        return Ok(read.indexed);
    };
    let pause = set.pause(pause);
    let rows = set.rows(&mut *connection, pause).await?;
    for postings in rows.postings {
        postings.execute(&mut *connection).await?;
        connection.control("commit").await?;
        rest(pause).await;
        begin(connection).await?;
    }
    rows.places.execute(&mut *connection).await?;
    done(connection, read.rows).await?;
    connection.control("commit").await?;
    Ok(read.indexed.with(rows.end))
}

/// Whether a function of the lock says yes.
async fn locks(connection: &mut Connection, sql: &'static str) -> Result<bool> {
    let Connection::Postgres(connection) = connection else {
        return Ok(true);
    };
    let answer = sqlx::query_scalar(sql).bind(LOCK);
    Ok(answer.fetch_one(&mut **connection).await?)
}

/// Begins a transaction. What is lost in a crash still waits afterwards.
async fn begin(connection: &mut Connection) -> Result<()> {
    static BEGIN: LazyLock<String> = LazyLock::new(|| {
        format!(
            "begin; set local synchronous_commit = off; {}",
            *PLANNED_ONCE
        )
    });
    Ok(connection.control(&BEGIN).await?)
}

/// Statements of a set are planned once on PostgreSQL, by indexes, however young the tables are.
static PLANNED_ONCE: LazyLock<String> = LazyLock::new(|| {
    ONE_PLAN
        .map(|(name, value)| format!("set local {name} = {value}"))
        .join("; ")
});

/// What was done.
#[derive(Default)]
struct Indexed {
    /// How many messages.
    count: usize,
    /// Whether more may wait.
    more: bool,
    /// The end of the index, to be kept after the commit.
    end: Option<End>,
}

impl Indexed {
    fn with(self, end: End) -> Self {
        Self {
            end: Some(end),
            ..self
        }
    }
}

/// What waits, read.
struct Read {
    /// Nothing if nothing waits.
    set: Option<Set>,
    /// Rows of `found_waiting` that are in the set.
    rows: Vec<i64>,
    indexed: Indexed,
}

impl Read {
    /// Reads a set of what waits, in pieces.
    async fn of(
        target: impl Into<Target<'_>>,
        texts: &Waiting,
        kept: Option<End>,
        pause: Duration,
    ) -> Result<Self> {
        let mut target = target.into();
        let waiting = waiting(target.again()).await?;
        let mut read = Self {
            set: None,
            rows: Vec::with_capacity(waiting.len()),
            indexed: Indexed::default(),
        };
        if waiting.is_empty() {
            read.indexed.end = kept;
            return Ok(read);
        }
        let mut set = Set::begin(target.again(), kept).await?;
        let mut keys = Vec::with_capacity(2 * PIECE);
        for (index, (row, more)) in waiting.iter().enumerate() {
            read.rows.push(*row);
            keys.extend(Key::read(more));
            if keys.len() < PIECE && index + 1 < waiting.len() {
                continue;
            }
            let piece = texts.texts(target.again(), &keys, pause).await?;
            set.add(target.again(), &piece).await?;
            read.indexed.count += keys.len();
            keys.clear();
            if set.is_full() {
                break;
            }
        }
        read.indexed.more = read.rows.len() < waiting.len() || read.indexed.count >= SET;
        read.set = Some(set);
        Ok(read)
    }
}

/// Rows of keys that wait, the first ones: of at least a set, if there are as many.
async fn waiting(mut target: Target<'_>) -> Result<Vec<(i64, Vec<u8>)>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while bytes < SET * Key::LENGTH {
        let more = query("select id, keys from found_waiting where id > $1 order by id limit $2")
            .bind(rows.last().map_or(0, |(id, _)| *id))
            .bind(ROWS)
            .fetch_all(target.again())
            .await?;
        if more.is_empty() {
            break;
        }
        for row in &more {
            let keys: Vec<u8> = row.try_get(1)?;
            bytes += keys.len();
            rows.push((row.try_get(0)?, keys));
        }
    }
    Ok(rows)
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
    if let Connection::Postgres(inner) = connection {
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut **inner)
            .await?;
        connection.control(&PLANNED_ONCE).await?;
    }
    Ok(())
}
