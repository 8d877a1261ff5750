//! The index of search: what messages and visitors are found by.
//!
//! A row of `found` is a message or a visitor; its number grows, so that newest first is by it.
//! SQLite keeps the terms in an FTS5 table beside it and walks that backwards. PostgreSQL's GIN
//! index knows no order, so that a row has terms of the blocks that it lies in as well, and
//! [`super::search`] asks block by block. Rows go with their messages by the schema, and an edited
//! text is found no more until [`again`] is called.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::messages::{Kind, Stored};
use super::rooms::Kind as RoomKind;
use super::sql::{Row, query, query_built};
use super::{Connection, Database, Result};
use crate::words;

mod index;

/// The scope of tickets' rooms, which every agent may read.
pub(super) const TICKETS: &str = "@t";
/// The scope of visitors.
pub(super) const VISITORS: &str = "@v";

/// The blocks of PostgreSQL: a letter, and how many rows lie in one, as a power of two.
pub(super) const BLOCKS: [(char, u32); 2] = [('f', 12), ('c', 16)];

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

impl Subject {
    fn columns(self) -> (Option<Uuid>, Option<i64>, Option<Uuid>) {
        match self {
            Self::Message(room, seq) => (Some(room), Some(seq), None),
            Self::Visitor(visitor) => (None, None, Some(visitor)),
        }
    }
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
}

/// Adds entries that are new, in their order.
///
/// # Errors
/// What the database reports.
pub(super) async fn add(connection: &mut Connection, entries: &[Entry<'_>]) -> Result<()> {
    match connection {
        _ if entries.is_empty() => Ok(()),
        Connection::Sqlite(_) => add_sqlite(connection, entries).await,
        Connection::Postgres(connection) => add_postgres(connection, entries).await,
    }
}

async fn add_sqlite(connection: &mut Connection, entries: &[Entry<'_>]) -> Result<()> {
    let hex = |id: Option<Uuid>| id.map(|id| id.simple().to_string());
    let rows = entries.iter().map(|entry| {
        let (room, seq, visitor) = entry.subject.columns();
        json!([hex(room), seq, hex(visitor), entry.terms()])
    });
    let rows: Vec<_> = rows.collect();
    let words = long_words(rows.iter().filter_map(|row| row[3].as_str()));
    // One text: each costs a turn of the connection's thread.
    query(
        "insert into found (id, room, seq, visitor)
         select (select coalesce(max(id), 0) from found) + key + 1, unhex(value ->> 0), value ->> 1, unhex(value ->> 2)
         from json_each($1);
         insert into found_terms (rowid, terms)
         select (select max(id) from found) - json_array_length($1) + key + 1, value ->> 3 from json_each($1);
         insert or ignore into found_words (word) select value from json_each($2)",
    )
    .bind(json!(rows).to_string())
    .bind(json!(words).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The words that a beginning may be of, in their order, so that no two nodes wait for each other.
fn long_words<'a>(terms: impl Iterator<Item = &'a str>) -> Vec<String> {
    let words = words::long(terms.flat_map(|terms| terms.split(' ')));
    words.into_iter().map(str::to_owned).collect()
}

/// Entries as PostgreSQL takes them.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) rooms: Vec<Option<Uuid>>,
    pub(super) seqs: Vec<Option<i64>>,
    pub(super) visitors: Vec<Option<Uuid>>,
    pub(super) terms: Vec<String>,
    pub(super) words: Vec<String>,
}

impl Columns {
    pub(super) fn of(entries: &[Entry<'_>]) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            let (room, seq, visitor) = entry.subject.columns();
            columns.rooms.push(room);
            columns.seqs.push(seq);
            columns.visitors.push(visitor);
            columns.terms.push(entry.terms());
        }
        columns.words = long_words(columns.terms.iter().map(String::as_str));
        columns
    }
}

/// PostgreSQL's statement that inserts `rows` of `room`, `seq`, `visitor` and `terms`, in their order.
pub(super) fn insert(rows: &str) -> String {
    format!(
        "insert into found (id, room, seq, visitor, terms) select n.id, n.room, n.seq, n.visitor, {}
         from (select nextval('found_id') as id, new.* from {rows} as new (room, seq, visitor, terms) offset 0) n",
        tsvector("n.terms", "n.id")
    )
}

/// PostgreSQL's statement that notes the words of `rows` that are new. It does not look for them
/// first: a plan made while there are few would read all of them.
pub(super) fn insert_words(rows: &str) -> String {
    format!(
        "insert into found_words (word) select word from {rows} order by word on conflict do nothing"
    )
}

async fn add_postgres(connection: &mut PgConnection, entries: &[Entry<'_>]) -> Result<()> {
    let columns = Columns::of(entries);
    let sql = format!(
        "with worded as ({}) {}",
        insert_words("unnest($5::text[]) as row (word)"),
        insert("unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[])")
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(columns.rooms)
        .bind(columns.seqs)
        .bind(columns.visitors)
        .bind(columns.terms)
        .bind(columns.words)
        .execute(connection)
        .await?;
    Ok(())
}

/// Rows of `room`, `seq` and `place`, from JSON of them with ids in hexadecimal.
pub(super) fn keys(database: Database) -> &'static str {
    match database {
        Database::Sqlite => {
            "(select unhex(value ->> 0) as room, value ->> 1 as seq, value ->> 2 as place from json_each($1))"
        }
        Database::Postgres => {
            "(select cast(value ->> 0 as uuid) as room, cast(value ->> 1 as bigint) as seq, cast(value ->> 2 as bigint) as place
              from json_array_elements(cast($1 as json)))"
        }
    }
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
    let terms = entry.terms();
    for word in long_words(std::iter::once(terms.as_str())) {
        query("insert into found_words (word) values ($1) on conflict do nothing")
            .bind(word)
            .execute(&mut *connection)
            .await?;
    }
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
        .bind(terms)
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
