//! The index of search: what messages and visitors are found by.
//!
//! A row of `found` is a message or a visitor; its number grows, so that newest first is by it.
//! SQLite keeps the terms in an FTS5 table beside it and walks that backwards. PostgreSQL's GIN
//! index knows no order, so that a row has terms of the blocks that it lies in as well, and
//! [`super::search`] asks block by block. Rows go with their messages by the schema, and an edited
//! text is found no more until [`again`] is called.

use serde_json::{Value, json};
use uuid::Uuid;

use super::messages::{Kind, Stored};
use super::rooms::Kind as RoomKind;
use super::sql::{Row, query, query_built, query_scalar};
use super::{Connection, Database, Pool, Result, Store};
use crate::words;

/// The scope of tickets' rooms, which every agent may read.
pub(super) const TICKETS: &str = "@t";
/// The scope of visitors.
pub(super) const VISITORS: &str = "@v";

/// The blocks of PostgreSQL: a letter, and how many rows lie in one, as a power of two.
pub(super) const BLOCKS: [(char, u32); 2] = [('f', 12), ('c', 16)];

/// Rows of one transaction while the index is made anew.
const CHUNK: usize = 1_000;

/// The scope of a room: a term that all its messages have, so that what an agent may not read is
/// never looked at.
pub(super) fn scope(room: Uuid, kind: RoomKind) -> String {
    if kind.is_private() {
        format!("@{}", room.simple())
    } else {
        TICKETS.to_owned()
    }
}

/// What is found, and by which text.
pub(super) struct Entry<'a> {
    subject: Subject,
    scope: String,
    text: &'a str,
}

#[derive(Clone, Copy)]
enum Subject {
    Message(Uuid, i64),
    Visitor(Uuid),
}

impl<'a> Entry<'a> {
    /// A message, if it has a text.
    pub(super) fn message(stored: &'a Stored, room: RoomKind) -> Option<Self> {
        matches!(stored.kind, Kind::Text | Kind::Note).then(|| Self {
            subject: Subject::Message(stored.room, stored.seq),
            scope: scope(stored.room, room),
            text: &stored.text,
        })
    }

    /// The terms, with spaces between them.
    fn terms(&self) -> String {
        let mut terms = self.scope.clone();
        for term in words::terms(self.text) {
            terms.push(' ');
            terms.push_str(&term);
        }
        terms
    }

    fn row(&self) -> [Value; 4] {
        let id = |id: Uuid| Value::from(id.simple().to_string());
        let (room, seq, visitor) = match self.subject {
            Subject::Message(room, seq) => (id(room), Value::from(seq), Value::Null),
            Subject::Visitor(visitor) => (Value::Null, Value::Null, id(visitor)),
        };
        [room, seq, visitor, Value::from(self.terms())]
    }
}

/// Adds entries that are new, in their order.
///
/// # Errors
/// What the database reports.
pub(super) async fn add(connection: &mut Connection, entries: &[Entry<'_>]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let database = connection.database();
    let (each, room, visitor) = (
        database.each("$1"),
        database.id("new.value ->> 0"),
        database.id("new.value ->> 2"),
    );
    if database == Database::Postgres {
        let rows: Vec<_> = entries.iter().map(Entry::row).collect();
        let terms = tsvector("n.terms", "n.id");
        query_built(format!(
            "insert into found (id, room, seq, visitor, terms) select n.id, n.room, n.seq, n.visitor, {terms}
             from (select nextval('found_id') as id, {room} as room, cast(new.value ->> 1 as bigint) as seq,
                          {visitor} as visitor, new.value ->> 3 as terms from {each} offset 0) n"
        ))
        .bind(json!(rows).to_string())
        .execute(connection)
        .await?;
        return Ok(());
    }
    let last: i64 = query_scalar("select coalesce(max(id), 0) from found")
        .fetch_one(&mut *connection)
        .await?;
    let rows: Vec<_> = (last + 1..)
        .zip(entries)
        .map(|(id, entry)| {
            let [room, seq, visitor, terms] = entry.row();
            json!([room, seq, visitor, id, terms])
        })
        .collect();
    let rows = json!(rows).to_string();
    for sql in [
        format!(
            "insert into found (id, room, seq, visitor) select new.value ->> 3, {room}, new.value ->> 1, {visitor} from {each}"
        ),
        format!(
            "insert into found_terms (rowid, terms) select new.value ->> 3, new.value ->> 4 from {each}"
        ),
    ] {
        query_built(sql)
            .bind(&rows)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The terms of PostgreSQL from those of an entry, and from its number the blocks.
fn tsvector(terms: &str, id: &str) -> String {
    let blocks: String = BLOCKS
        .iter()
        .map(|(letter, bits)| format!(" || ' ~{letter}' || ({id} >> {bits})"))
        .collect();
    format!("array_to_tsvector(string_to_array({terms}{blocks}, ' '))")
}

/// Reads a message's text once more, after it was edited, in the transaction that edits. It stays
/// where it was in the order; one without a text is found no more.
///
/// # Errors
/// [`super::StoreError::NotFound`] if there is no such message, and what the database reports.
pub async fn again(connection: &mut Connection, room: Uuid, seq: i64) -> Result<()> {
    let row = query(
        "select m.text, r.kind, f.id from messages m join rooms r on r.id = m.room
         join found f on f.room = m.room and f.seq = m.seq where m.room = $1 and m.seq = $2",
    )
    .bind(room)
    .bind(seq)
    .fetch_one(&mut *connection)
    .await?;
    let text: String = row.try_get("text")?;
    let entry = Entry {
        subject: Subject::Message(room, seq),
        scope: scope(room, RoomKind::parse(row.try_get("kind")?)?),
        text: &text,
    };
    let sql = match connection.database() {
        Database::Sqlite => {
            "insert or replace into found_terms (rowid, terms) values ($1, $2)".to_owned()
        }
        Database::Postgres => format!(
            "update found set terms = {} where id = $1",
            tsvector("$2", "id")
        ),
    };
    query_built(sql)
        .bind(row.try_get::<i64, _>("id")?)
        .bind(entry.terms())
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads a visitor's name and address again, after one of them has changed, in the transaction
/// that changes them.
///
/// # Errors
/// What the database reports.
pub async fn visitor(connection: &mut Connection, id: Uuid) -> Result<()> {
    query("delete from found where visitor = $1")
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let rows =
        query("select id, name, email from visitors where id = $1 and (name <> '' or email <> '')")
            .bind(id)
            .fetch_all(&mut *connection)
            .await?;
    visitors(connection, &rows).await
}

async fn visitors(connection: &mut Connection, rows: &[Row]) -> Result<()> {
    let named = rows
        .iter()
        .map(|row| {
            let (name, email): (&str, &str) = (row.try_get("name")?, row.try_get("email")?);
            Ok((row.try_get("id")?, format!("{name}\n{email}")))
        })
        .collect::<Result<Vec<(Uuid, String)>>>()?;
    let entries: Vec<_> = named
        .iter()
        .map(|(id, text)| Entry {
            subject: Subject::Visitor(*id),
            scope: VISITORS.to_owned(),
            text,
        })
        .collect();
    add(connection, &entries).await
}

impl Store {
    /// Makes the index anew from what is stored, a part at a time; how many entries it has.
    /// Nothing else may write meanwhile, or the order would not be that of time.
    ///
    /// # Errors
    /// What the database reports; what was done until then stays, and can be done again.
    pub async fn index(&self) -> Result<usize> {
        self.write(|connection| {
            Box::pin(async move {
                query(match connection.database() {
                    Database::Sqlite => "delete from found",
                    Database::Postgres => "truncate found",
                })
                .execute(connection)
                .await?;
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
    let database = connection.database();
    let (each, room) = (database.each("$1"), database.id("new.value ->> 0"));
    let rows = query_built(format!(
        "select m.room, m.seq, m.text, r.kind from {each}
         join messages m on m.room = {room} and m.seq = cast(new.value ->> 1 as bigint)
         join rooms r on r.id = m.room order by cast(new.value ->> 2 as bigint)"
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
