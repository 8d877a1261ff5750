//! Which message or visitor is at which place.

use uuid::Uuid;

use super::{CHUNK, Key};
use crate::store::sql::{Query, Target, array, query};
use crate::store::{Database, Result};

/// A row of `found_places`: the keys of [`CHUNK`] places, and from when to when they were stored.
pub(super) struct Chunk {
    number: i64,
    oldest: i64,
    newest: i64,
    keys: Vec<u8>,
}

impl Chunk {
    pub(super) fn empty(number: i64) -> Self {
        Self {
            number,
            oldest: i64::MAX,
            newest: 0,
            keys: Vec::new(),
        }
    }

    /// The last one, with the stamp of whoever has written it.
    pub(super) async fn last(target: Target<'_>) -> Result<Option<(Self, Uuid)>> {
        let last = query(
            "select chunk, oldest, newest, keys, stamp from found_places order by chunk desc limit 1",
        )
        .fetch_optional(target)
        .await?;
        let Some(row) = last else {
            return Ok(None);
        };
        let chunk = Self {
            number: row.try_get(0)?,
            oldest: row.try_get(1)?,
            newest: row.try_get(2)?,
            keys: row.try_get(3)?,
        };
        Ok(Some((chunk, row.try_get(4)?)))
    }

    /// The place of what is added next.
    pub(super) fn end(&self) -> i64 {
        self.place(self.keys.len() / Key::LENGTH)
    }

    /// The one behind it, if nothing can be added.
    pub(super) fn next(&self) -> Option<Self> {
        (self.keys.len() >= CHUNK * Key::LENGTH).then(|| Self::empty(self.number + 1))
    }

    pub(super) fn add(&mut self, key: Key, at: i64) {
        key.write(&mut self.keys);
        // A visitor's name has no time, and is never looked for by it.
        if at > 0 {
            self.oldest = self.oldest.min(at);
            self.newest = self.newest.max(at);
        }
    }

    /// Where `key` is, if it is here.
    pub(super) fn find(&self, key: Key) -> Option<i64> {
        let index = Key::read(&self.keys).position(|at| at == key)?;
        Some(self.place(index))
    }

    fn place(&self, index: usize) -> i64 {
        self.number * CHUNK as i64 + i64::try_from(index).unwrap_or(0)
    }
}

/// Writes chunks, with a stamp.
pub(super) fn write(database: Database, chunks: &[&Chunk], stamp: Uuid) -> Query {
    let rows = match database {
        Database::Sqlite => {
            "select value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), $1
             from jsonb_each($2) where true"
        }
        Database::Postgres => {
            "select chunk, oldest, newest, keys, $1
             from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
                 as new (chunk, oldest, newest, keys)"
        }
    };
    let sql = format!(
        "insert into found_places (chunk, oldest, newest, keys, stamp) {rows}
         on conflict (chunk) do update set oldest = excluded.oldest, newest = excluded.newest,
             keys = excluded.keys, stamp = excluded.stamp"
    );
    let query = crate::store::sql::query_built(sql).bind(stamp);
    match database {
        Database::Sqlite => {
            let rows = chunks.iter().map(|chunk| {
                let Chunk {
                    number,
                    oldest,
                    newest,
                    keys,
                } = chunk;
                (number, oldest, newest, crate::hex(keys))
            });
            query.bind(array(rows))
        }
        Database::Postgres => {
            let column = |of: fn(&Chunk) -> i64| chunks.iter().map(|chunk| of(chunk)).collect();
            let keys: Vec<Vec<u8>> = chunks.iter().map(|chunk| chunk.keys.clone()).collect();
            let numbers: [Vec<i64>; 3] = [
                column(|chunk| chunk.number),
                column(|chunk| chunk.oldest),
                column(|chunk| chunk.newest),
            ];
            numbers.into_iter().fold(query, Query::bind).bind(keys)
        }
    }
}

/// Where a message is that was stored at `at`.
pub(super) async fn place_of(target: Target<'_>, key: Key, at: i64) -> Result<Option<i64>> {
    let chunks = query(
        "select chunk, oldest, newest, keys from found_places
         where newest >= $1 and oldest <= $1 order by newest",
    )
    .bind(at)
    .fetch_all(target)
    .await?;
    for row in &chunks {
        let chunk = Chunk {
            number: row.try_get(0)?,
            oldest: row.try_get(1)?,
            newest: row.try_get(2)?,
            keys: row.try_get(3)?,
        };
        if let Some(place) = chunk.find(key) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}
