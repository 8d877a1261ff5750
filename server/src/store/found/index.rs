//! The index made anew from what is stored.

use std::collections::HashSet;
use std::time::Duration;

use super::set::{PIECE, Set};
use super::{Key, indexer, texts};
use crate::store::sql::{Target, query, query_built};
use crate::store::{Connection, Database, Pool, Result, Store};

/// Keys of one transaction.
const SET: usize = 5_000;

impl Store {
    /// Makes the index anew from what is stored, a part at a time; how many entries it has.
    /// What is written meanwhile is found as well, but not in the order of time.
    ///
    /// # Errors
    /// What the database reports; what was done until then stays, and can be done again.
    pub async fn index(&self) -> Result<usize> {
        self.write(|connection| {
            Box::pin(async move {
                // A server that is in the middle of a set finishes it.
                indexer::lock(&mut *connection).await?;
                let empty = match connection.database() {
                    Database::Sqlite => "delete from",
                    Database::Postgres => "truncate",
                };
                for table in ["found_waiting", "found_places", "found_postings"] {
                    query_built(format!("{empty} {table}"))
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
        .await?;
        let keys = self.keys().await?;
        let mut end = None;
        for part in keys.chunks(SET) {
            let (part, kept) = (part.to_vec(), end.take());
            let written = self.write(move |connection| {
                Box::pin(async move {
                    indexer::lock(connection).await?;
                    let mut set = Set::begin(&mut *connection, kept).await?;
                    for keys in part.chunks(PIECE) {
                        let texts = texts(connection.database(), &mut *connection, keys).await?;
                        set.add(&mut *connection, &texts).await?;
                    }
                    let rows = set.rows(&mut *connection, Duration::ZERO).await?;
                    for postings in rows.postings {
                        postings.execute(&mut *connection).await?;
                    }
                    rows.places.execute(connection).await?;
                    Ok(rows.end)
                })
            });
            end = Some(written.await?);
        }
        Ok(keys.len())
    }

    /// What is to be indexed, as it stands at one moment. What a server beside has stored since the tables were
    /// emptied it indexes itself.
    async fn keys(&self) -> Result<Vec<Key>> {
        match self.reader() {
            reader @ Pool::Sqlite(_) => all_keys(reader.into()).await,
            Pool::Postgres(pool) => {
                let mut connection = Connection::Postgres(pool.acquire().await?);
                connection.control(ONE_MOMENT).await?;
                let keys = keys_but_new(&mut connection).await;
                connection.control("rollback").await?;
                keys
            }
        }
    }
}

/// This may take longer than anything that somebody waits for.
const ONE_MOMENT: &str =
    "begin isolation level repeatable read, read only; set local statement_timeout = 0";

async fn keys_but_new(connection: &mut Connection) -> Result<Vec<Key>> {
    let mut keys = all_keys((&mut *connection).into()).await?;
    let new = query("select keys from found_waiting union all select keys from found_places");
    let mut indexed = HashSet::new();
    for row in new.fetch_all(connection).await? {
        let row: Vec<u8> = row.try_get(0)?;
        indexed.extend(Key::read(&row));
    }
    keys.retain(|key| !indexed.contains(key));
    Ok(keys)
}

/// All visitors with a name or an address, then all messages with a text, the oldest first.
async fn all_keys(target: Target<'_>) -> Result<Vec<Key>> {
    let all = query(
        "select id, 0 as seq, seen_at as at, 0 as nr from visitors where name <> '' or email <> ''
         union all select room, seq, at, 1 from messages where kind in ('text', 'note')
         order by 4, 3, 1, 2",
    );
    let keys = all.fetch_all(target).await?.into_iter().map(|row| {
        let id = row.try_get(0)?;
        Ok(match row.try_get(1)? {
            0_i64 => Key::Visitor(id),
            seq => Key::Message(id, seq),
        })
    });
    keys.collect()
}
