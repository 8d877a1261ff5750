//! A set of what waits: read, given its places, and written.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::json;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::postings::{BLOCK, Places};
use super::{CHUNK, Key, texts};
use crate::store::sql::{Target, query};
use crate::store::{Connection, Database, Result, StoreError};

/// Texts, and terms, of one statement. Whoever writes a message has her turn between two of them.
const PIECE: usize = 128;

/// What is indexed together, and where.
#[derive(Default)]
pub(super) struct Set {
    /// What has a text, with the time of it, in the order of what waits.
    found: Vec<(Key, i64)>,
    /// Which of `found` have a term.
    terms: HashMap<String, Vec<usize>>,
    /// Rows of places, as they will be.
    chunks: Vec<Chunk>,
    /// Of a block at most [`PIECE`] terms in their order, with all their places.
    postings: Vec<(i64, Rows)>,
}

/// Terms and their places, as the database takes them.
enum Rows {
    Json(String),
    Arrays(Vec<String>, Vec<Vec<u8>>),
}

impl Rows {
    fn of(database: Database, terms: Vec<(String, Places)>) -> Self {
        let rows = terms
            .into_iter()
            .map(|(term, places)| (term, places.bytes()));
        match database {
            Database::Sqlite => {
                let rows: Vec<_> = rows
                    .map(|(term, places)| json!([term, crate::hex(&places)]))
                    .collect();
                Self::Json(json!(rows).to_string())
            }
            Database::Postgres => {
                let (terms, places) = rows.unzip();
                Self::Arrays(terms, places)
            }
        }
    }

    /// Writes them as those of `block`.
    async fn write(self, connection: &mut Connection, block: i64) -> Result<()> {
        match (self, connection) {
            (Self::Arrays(terms, places), Connection::Postgres(connection)) => {
                sqlx::query(
                    "insert into found_postings (term, block, places)
                     select term, $1, places from unnest($2::text[], $3::bytea[]) as new (term, places)
                     on conflict (block, term) do update set places = excluded.places",
                )
                .bind(block)
                .bind(terms)
                .bind(places)
                .execute(&mut **connection)
                .await?;
            }
            (Self::Json(rows), connection) => {
                query(
                    "insert into found_postings (term, block, places)
                     select value ->> 0, $1, unhex(value ->> 1) from json_each($2) where true
                     on conflict (block, term) do update set places = excluded.places",
                )
                .bind(block)
                .bind(rows)
                .execute(connection)
                .await?;
            }
            (Self::Arrays(..), Connection::Sqlite(_)) => {
                return Err(StoreError::Failed("these rows are of PostgreSQL".into()));
            }
        }
        Ok(())
    }
}

impl Set {
    /// Reads all that is needed to index `keys`, in pieces with a pause behind each. Nobody else may
    /// index before it is written.
    pub(super) async fn read(
        target: impl Into<Target<'_>>,
        keys: &[Key],
        pause: Duration,
    ) -> Result<Self> {
        let mut target = target.into();
        let mut set = Self::default();
        for piece in keys.chunks(PIECE) {
            for text in texts(target.database(), target.again(), piece).await? {
                for term in text.terms() {
                    set.terms.entry(term).or_default().push(set.found.len());
                }
                set.found.push((text.key, text.at));
            }
            rest(pause).await;
        }
        let places = set.give_places(target.again()).await?;
        for (block, mut terms) in set.spread(&places) {
            add_stored(target.again(), block, &mut terms).await?;
            let rows = Rows::of(target.database(), terms);
            set.postings.push((block, rows));
            rest(pause).await;
        }
        Ok(set)
    }

    /// Puts what is new behind all that have a place, in its order. What was edited stays where it is;
    /// if it was deleted before it was indexed it has no place, and needs none.
    async fn give_places(&mut self, mut target: Target<'_>) -> Result<Vec<Option<i64>>> {
        let last = query(
            "select chunk, oldest, newest, keys from found_places order by chunk desc limit 1",
        )
        .fetch_optional(target.again())
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
        let mut places = Vec::with_capacity(self.found.len());
        let mut given = HashMap::with_capacity(self.found.len());
        for (key, at) in &self.found {
            if matches!(key, Key::Edited(..)) {
                let key = key.plain();
                places.push(match given.get(&key) {
                    Some(place) => Some(*place),
                    None => place_of(target.again(), key, *at).await?,
                });
                continue;
            }
            if chunk.keys.len() >= CHUNK * Key::LENGTH {
                let next = Chunk::empty(chunk.number + 1);
                self.chunks.push(std::mem::replace(&mut chunk, next));
            }
            given.insert(*key, chunk.end());
            places.push(Some(chunk.end()));
            chunk.add(*key, *at);
        }
        self.chunks.push(chunk);
        Ok(places)
    }

    /// The places of the terms, by blocks, in pieces.
    fn spread(&mut self, places: &[Option<i64>]) -> Vec<(i64, Vec<(String, Places)>)> {
        let mut terms: Vec<_> = std::mem::take(&mut self.terms).into_iter().collect();
        terms.sort_unstable();
        let mut blocks: BTreeMap<i64, Vec<(String, Places)>> = BTreeMap::new();
        for (term, those) in terms {
            for place in those.iter().filter_map(|index| *places.get(*index)?) {
                let block = blocks.entry(place / BLOCK).or_default();
                if block.last().is_none_or(|(last, _)| *last != term) {
                    block.push((term.clone(), Places::NONE));
                }
                if let Some((_, places)) = block.last_mut() {
                    places.add(u16::try_from(place % BLOCK).unwrap_or(0));
                }
            }
        }
        let pieces = blocks.into_iter().flat_map(|(block, terms)| {
            let pieces = terms.chunks(PIECE);
            pieces
                .map(|piece| (block, piece.to_vec()))
                .collect::<Vec<_>>()
        });
        pieces.collect()
    }

    /// Writes what was read, with a pause behind each piece.
    pub(super) async fn write(self, connection: &mut Connection, pause: Duration) -> Result<()> {
        for chunk in self.chunks {
            chunk.write(connection).await?;
        }
        for (block, rows) in self.postings {
            rows.write(connection, block).await?;
            rest(pause).await;
        }
        Ok(())
    }
}

/// A pause, or a turn for others. No sleep is shorter than a millisecond.
pub(super) async fn rest(pause: Duration) {
    if pause.is_zero() {
        yield_now().await;
    } else {
        sleep(pause).await;
    }
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

    fn add(&mut self, key: Key, at: i64) {
        key.write(&mut self.keys);
        // A visitor's name has no time, and is never looked for by it.
        if at > 0 {
            self.oldest = self.oldest.min(at);
            self.newest = self.newest.max(at);
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
async fn place_of(target: Target<'_>, key: Key, at: i64) -> Result<Option<i64>> {
    let chunks = query(
        "select chunk, keys from found_places where newest >= $1 and oldest <= $1 order by newest",
    )
    .bind(at)
    .fetch_all(target)
    .await?;
    for row in &chunks {
        if let Some(index) = Key::read(row.try_get(1)?).position(|at| at == key) {
            let index = i64::try_from(index).unwrap_or(0);
            return Ok(Some(row.try_get::<i64, _>(0)? * CHUNK as i64 + index));
        }
    }
    Ok(None)
}

/// Adds the places that are stored of the terms, which are in their order.
async fn add_stored(target: Target<'_>, block: i64, terms: &mut [(String, Places)]) -> Result<()> {
    let sql = match target.database() {
        Database::Sqlite => {
            "select p.term, p.places from json_each($2) asked cross join found_postings p
             where p.block = $1 and p.term = asked.value"
        }
        Database::Postgres => {
            "select p.term, p.places from unnest($2::text[]) as asked (term)
             join found_postings p on p.block = $1 and p.term = asked.term"
        }
    };
    let names: Vec<String> = terms.iter().map(|(term, _)| term.clone()).collect();
    let rows = query(sql)
        .bind(block)
        .bind(names.as_slice())
        .fetch_all(target)
        .await?;
    for row in &rows {
        let term: &str = row.try_get(0)?;
        if let Ok(index) = terms.binary_search_by(|(other, _)| other.as_str().cmp(term))
            && let Some((_, places)) = terms.get_mut(index)
        {
            places.add_all(row.try_get(1)?);
        }
    }
    Ok(())
}
