//! What waits for the index, read in sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::postings::{BLOCK, Places};
use super::{CHUNK, Key, Text, texts};
use crate::store::sql::{query, query_built};
use crate::store::{Connection, Database, Result, Store};

/// Messages that are read as soon as they wait.
const MANY: usize = 1_024;
/// How long fewer wait for others: a term that is there already is written once for a set.
const GATHER: Duration = Duration::from_secs(1);
/// In how many transactions what waits is indexed.
const PARTS: usize = 16;
/// Messages of one of them at least.
const FEW: usize = 32;
/// From one to the next.
const PAUSE: Duration = Duration::from_millis(20);
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

    /// In parts with pauses between them, in which messages are stored; the more there is, the larger
    /// the parts, since a large one costs less for each message.
    async fn index_all(&self) -> Result<()> {
        let mut waiting = 0;
        loop {
            waiting += self.waiting.take();
            let most = (waiting / PARTS).clamp(FEW, self.database().most());
            let count = self.write(move |to| Box::pin(next(to, most))).await?;
            if count < most {
                return Ok(());
            }
            waiting = waiting.saturating_sub(count);
            sleep(PAUSE).await;
        }
    }
}

impl Database {
    /// Messages of one transaction. SQLite has one writer, so that they hold up others.
    fn most(self) -> usize {
        match self {
            Self::Sqlite => MANY / 4,
            Self::Postgres => MANY,
        }
    }
}

/// Indexes at least `most` of what waits, if there is as much; how many it were.
async fn next(connection: &mut Connection, most: usize) -> Result<usize> {
    if let Connection::Postgres(connection) = connection {
        // What is lost in a crash still waits afterwards. Plans are made once, and by indexes.
        sqlx::raw_sql(
            "set local synchronous_commit = off; set local plan_cache_mode = force_generic_plan;
             set local enable_seqscan = off; set local enable_bitmapscan = off",
        )
        .execute(&mut **connection)
        .await?;
        let mine = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)").bind(LOCK);
        if !mine.fetch_one(&mut **connection).await? {
            return Ok(0);
        }
    }
    let (mut rows, mut keys, mut last) = (Vec::new(), Vec::new(), 0);
    while keys.len() < most {
        let more = query("select id, keys from found_waiting where id > $1 order by id limit $2")
            .bind(last)
            .bind(ROWS)
            .fetch_all(&mut *connection)
            .await?;
        let Some(end) = more.last() else { break };
        last = end.try_get(0)?;
        for row in &more {
            rows.push(row.try_get::<i64, _>(0)?);
            keys.extend(Key::read(row.try_get(1)?));
        }
    }
    if rows.is_empty() {
        return Ok(0);
    }
    add(connection, &keys).await?;
    let those = connection.database().among("$1");
    query_built(format!("delete from found_waiting where id {those}"))
        .bind(rows)
        .execute(connection)
        .await?;
    Ok(keys.len())
}

/// Gives `keys` their places, in their order, and indexes what they stand for.
pub(super) async fn add(connection: &mut Connection, keys: &[Key]) -> Result<()> {
    if let Connection::Postgres(connection) = connection {
        // Whoever makes the index anew beside a server waits for it, and it for her.
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut **connection)
            .await?;
    }
    let texts = texts(connection.database(), &mut *connection, keys).await?;
    let (edited, new): (Vec<_>, Vec<_>) = texts
        .iter()
        .partition(|text| matches!(text.key, Key::Edited(..)));
    let mut placed = give_places(connection, &new).await?;
    for text in edited {
        // One that was deleted before it was indexed has no place, and needs none.
        if let Some(place) = place_of(connection, text).await? {
            placed.push((place, text));
        }
    }
    let mut blocks: BTreeMap<i64, BTreeMap<String, Places>> = BTreeMap::new();
    for (place, text) in placed {
        let block = blocks.entry(place / BLOCK).or_default();
        for term in text.terms() {
            let places = block.entry(term).or_insert(Places::NONE);
            places.add(u16::try_from(place % BLOCK).unwrap_or(0));
        }
    }
    for (block, terms) in blocks {
        write_postings(connection, block, terms).await?;
    }
    Ok(())
}

/// Puts what is new behind all that have a place.
async fn give_places<'t>(
    connection: &mut Connection,
    texts: &[&'t Text],
) -> Result<Vec<(i64, &'t Text)>> {
    let last =
        query("select chunk, oldest, newest, keys from found_places order by chunk desc limit 1")
            .fetch_optional(&mut *connection)
            .await?;
    let mut chunk = match &last {
        Some(row) => Chunk {
            number: row.try_get(0)?,
            oldest: row.try_get(1)?,
            newest: row.try_get(2)?,
            keys: row.try_get(3)?,
        },
        None => Chunk::empty(0),
    };
    let mut placed = Vec::with_capacity(texts.len());
    for text in texts {
        if chunk.keys.len() >= CHUNK * Key::LENGTH {
            chunk.write(connection).await?;
            chunk = Chunk::empty(chunk.number + 1);
        }
        placed.push((chunk.end(), *text));
        chunk.add(text);
    }
    chunk.write(connection).await?;
    Ok(placed)
}

/// A row of `found_places`: the keys of [`CHUNK`] places, and from when to when they were stored.
struct Chunk {
    number: i64,
    oldest: i64,
    newest: i64,
    keys: Vec<u8>,
}

impl Chunk {
    fn empty(number: i64) -> Self {
        Self {
            number,
            oldest: i64::MAX,
            newest: 0,
            keys: Vec::new(),
        }
    }

    /// The place of what is added next.
    fn end(&self) -> i64 {
        let used = i64::try_from(self.keys.len() / Key::LENGTH).unwrap_or(0);
        self.number * CHUNK as i64 + used
    }

    fn add(&mut self, text: &Text) {
        text.key.write(&mut self.keys);
        // A visitor's name has no time, and is never looked for by it.
        if text.at > 0 {
            self.oldest = self.oldest.min(text.at);
            self.newest = self.newest.max(text.at);
        }
    }

    async fn write(&self, connection: &mut Connection) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        query(
            "insert into found_places (chunk, oldest, newest, keys) values ($1, $2, $3, $4)
             on conflict (chunk) do update
             set oldest = excluded.oldest, newest = excluded.newest, keys = excluded.keys",
        )
        .bind(self.number)
        .bind(self.oldest)
        .bind(self.newest)
        .bind(&self.keys)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Where a message is, by its time.
async fn place_of(connection: &mut Connection, text: &Text) -> Result<Option<i64>> {
    let key = text.key.plain();
    let chunks = query(
        "select chunk, keys from found_places where newest >= $1 and oldest <= $1 order by newest",
    )
    .bind(text.at)
    .fetch_all(connection)
    .await?;
    for row in &chunks {
        if let Some(index) = Key::read(row.try_get(1)?).position(|at| at == key) {
            let index = i64::try_from(index).unwrap_or(0);
            return Ok(Some(row.try_get::<i64, _>(0)? * CHUNK as i64 + index));
        }
    }
    Ok(None)
}

/// Adds places to those that the terms have in a block.
async fn write_postings(
    connection: &mut Connection,
    block: i64,
    mut terms: BTreeMap<String, Places>,
) -> Result<()> {
    let names: Vec<&str> = terms.keys().map(String::as_str).collect();
    let there: Vec<(String, Vec<u8>)> = match connection {
        Connection::Postgres(connection) => {
            sqlx::query_as("select term, places from found_postings where block = $1 and term = any($2)")
                .bind(block)
                .bind(&names)
                .fetch_all(&mut **connection)
                .await?
        }
        Connection::Sqlite(connection) => {
            sqlx::query_as(
                "select term, places from json_each($2) cross join found_postings where term = value and block = $1",
            )
            .bind(block)
            .bind(json!(names).to_string())
            .fetch_all(connection)
            .await?
        }
    };
    for (term, places) in there {
        if let Some(all) = terms.get_mut(&term) {
            all.add_all(&places);
        }
    }
    // In the order of the index.
    match connection {
        Connection::Postgres(connection) => {
            let (terms, places): (Vec<_>, Vec<_>) = terms
                .into_iter()
                .map(|(term, places)| (term, places.bytes()))
                .unzip();
            sqlx::query(
                "insert into found_postings (term, block, places)
                 select term, $1, places from unnest($2::text[], $3::bytea[]) as new (term, places)
                 on conflict (term, block) do update set places = excluded.places",
            )
            .bind(block)
            .bind(terms)
            .bind(places)
            .execute(&mut **connection)
            .await?;
        }
        Connection::Sqlite(connection) => {
            let rows: Vec<_> = terms
                .iter()
                .map(|(term, places)| json!([term, crate::hex(&places.bytes())]))
                .collect();
            sqlx::query(
                "insert into found_postings (term, block, places)
                 select value ->> 0, $1, unhex(value ->> 1) from json_each($2) where true
                 on conflict (term, block) do update set places = excluded.places",
            )
            .bind(block)
            .bind(json!(rows).to_string())
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}
