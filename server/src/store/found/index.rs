//! The index made anew from what is stored.

use serde_json::json;
use uuid::Uuid;

use super::{Entry, Subject, add, scope, visitors};
use crate::store::rooms::Kind as RoomKind;
use crate::store::sql::{query, query_built};
use crate::store::{Connection, Database, Pool, Result, Store};

/// Rows of one transaction.
const CHUNK: usize = 1_000;

impl Store {
    /// Makes the index anew from what is stored, a part at a time; how many entries it has.
    /// Nothing else may write meanwhile, or the order would not be that of time.
    ///
    /// # Errors
    /// What the database reports; what was done until then stays, and can be done again.
    pub async fn index(&self) -> Result<usize> {
        self.write(|connection| {
            Box::pin(async move {
                let sql = match connection.database() {
                    Database::Sqlite => ["delete from found", "delete from found_words"],
                    Database::Postgres => ["truncate found", "truncate found_words"],
                };
                for sql in sql {
                    query(sql).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await?;
        let (mut count, mut after) = (0, (i64::MIN, Uuid::nil()));
        loop {
            let (done, last) = self
                .write(move |connection| Box::pin(next_visitors(connection, after)))
                .await?;
            count += done;
            let Some(last) = last else { break };
            after = last;
        }
        for part in self.message_keys().await?.chunks(CHUNK) {
            let part = part.to_vec();
            count += self
                .write(move |connection| Box::pin(index_messages(connection, part)))
                .await?;
        }
        Ok(count)
    }

    /// All messages with a text, the oldest first.
    async fn message_keys(&self) -> Result<Vec<(Uuid, i64)>> {
        let all = query(
            "select room, seq from messages where kind in ('text', 'note') order by at, room, seq",
        );
        let rows = match self.reader() {
            reader @ Pool::Sqlite(_) => all.fetch_all(reader).await?,
            Pool::Postgres(pool) => {
                let mut connection = Connection::Postgres(pool.acquire().await?);
                // This may take longer than anything that somebody waits for.
                connection.control("set statement_timeout = 0").await?;
                let rows = all.fetch_all(&mut connection).await;
                connection.control("reset statement_timeout").await?;
                rows?
            }
        };
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }
}

/// Indexes the visitors after a place in time: how many, and the last of them if there was one.
async fn next_visitors(
    connection: &mut Connection,
    (at, id): (i64, Uuid),
) -> Result<(usize, Option<(i64, Uuid)>)> {
    let rows = query(
        "select id, name, email, seen_at from visitors
         where (name <> '' or email <> '') and (seen_at, id) > ($1, $2) order by seen_at, id limit 1000",
    )
    .bind(at)
    .bind(id)
    .fetch_all(&mut *connection)
    .await?;
    visitors(connection, &rows).await?;
    let last = match rows.last() {
        Some(row) => Some((row.try_get("seen_at")?, row.try_get("id")?)),
        None => None,
    };
    Ok((rows.len(), last))
}

async fn index_messages(connection: &mut Connection, keys: Vec<(Uuid, i64)>) -> Result<usize> {
    let keys: Vec<_> = keys
        .iter()
        .enumerate()
        .map(|(place, (room, seq))| json!([room.simple().to_string(), seq, place]))
        .collect();
    let asked = super::keys(connection.database());
    let rows = query_built(format!(
        "select m.room, m.seq, m.text, r.kind from {asked} asked
         join messages m on m.room = asked.room and m.seq = asked.seq
         join rooms r on r.id = m.room order by asked.place"
    ))
    .bind(json!(keys).to_string())
    .fetch_all(&mut *connection)
    .await?;
    let entries = rows
        .iter()
        .map(|row| {
            let room = row.try_get("room")?;
            Ok(Entry {
                subject: Subject::Message(room, row.try_get("seq")?),
                scope: scope(room, RoomKind::parse(row.try_get("kind")?)?),
                text: row.try_get("text")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    add(connection, &entries).await?;
    Ok(entries.len())
}
