//! Storing messages: sets of them, numbered in the transaction that stores them.
//!
//! Positions are read, raised in memory and written back, if they still stand as they were read. Of
//! rooms that this node wrote to last they are kept, and nothing is read at all.

use uuid::Uuid;

use super::messages::{Kind, Stored};
use super::sql::query;
use super::{Connection, Database, Result, StoreError};
use crate::clock::{self, Micros};
use parlour_protocol::frame::Role;

mod answers;
mod batch;
mod kept;
mod postgres;
mod sqlite;

use batch::Batch;
pub(super) use kept::Kept;
use postgres::Hold;

/// Who writes.
#[derive(Clone, Debug)]
pub struct Author {
    /// The person; zeros for the system.
    pub id: Uuid,
    /// On which side she stands.
    pub role: Role,
    /// Her name, as the others see it.
    pub name: String,
}

/// A message to store.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id, unique in the room.
    pub cid: Uuid,
    /// What was typed; already checked for its length.
    pub text: String,
}

/// What opens a ticket.
#[derive(Clone, Debug)]
pub struct Open {
    /// The visitor's site.
    pub site: Uuid,
    /// Where she was.
    pub page: String,
    /// Its title.
    pub title: String,
}

/// Messages of one author for one room: all of them are stored, or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// The room; with `open` the id of the ticket.
    pub room: Uuid,
    /// Who writes.
    pub author: Author,
    /// The newest number of the room that the author had on screen.
    pub seen: i64,
    /// The messages, oldest first.
    pub drafts: Vec<Draft>,
    /// Opens the ticket if it is not there.
    pub open: Option<Open>,
}

/// What was stored.
#[derive(Clone, Debug, Default)]
pub struct Appended {
    /// New entries, in order; the visitor's message to a resolved ticket puts a `reopened` before it.
    pub stored: Vec<Stored>,
    /// For each draft: its number, its time, and whether it had been stored before.
    pub numbers: Vec<Number>,
    /// The ticket that changed.
    pub ticket: Option<Uuid>,
    /// Whether the ticket was opened by this.
    pub opened: bool,
}

/// The number that a message got.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The message.
    pub cid: Uuid,
    /// Its number.
    pub seq: i64,
    /// When it was stored.
    pub at: Micros,
    /// Whether it had been stored before.
    pub duplicate: bool,
}

/// Stores `appends` in order, inside the caller's transaction, which is undone if this fails. The outer
/// error concerns the whole set, an inner one its append.
pub(super) async fn append(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
) -> Result<Vec<Result<Appended>>> {
    let mut opened = Vec::with_capacity(appends.len());
    for append in appends {
        opened.push(open(connection, append).await?);
    }
    let mut batch = load(connection, appends, Hold::Yes).await?;
    let results = batch.take_all(appends, &opened);
    store_held(connection, &batch).await?;
    kept.keep(batch);
    Ok(results)
}

/// How what is stored stands to its transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// It is all of it.
    Whole,
    /// It begins it, and the caller ends it.
    Beginning,
    /// It is in the caller's.
    Within,
}

/// The same by what is kept, as far as that goes, and without holding anything before it is written.
/// Nothing if a ticket is to be opened, or somebody wrote in between, or a message was stored before:
/// then nothing may stay of it, so that on SQLite the caller undoes the transaction, whose ever it is.
pub(super) async fn append_at_once(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
    scope: Scope,
) -> Result<Option<Vec<Result<Appended>>>> {
    if appends
        .iter()
        .any(|append| append.open.is_some() && !kept.knows(append))
    {
        return Ok(None);
    }
    let unknown = appends.iter().filter(|append| !kept.suffices(append));
    let unknown: Vec<&Append> = unknown.copied().collect();
    let mut batch = if unknown.is_empty() {
        Batch::empty()
    } else {
        load(connection, &unknown, Hold::No).await?
    };
    kept.lend(&mut batch, appends);
    let results = batch.take_all(appends, &[]);
    if !store(connection, &batch, scope).await? {
        return Ok(None);
    }
    kept.keep(batch);
    Ok(Some(results))
}

async fn load(connection: &mut Connection, appends: &[&Append], hold: Hold) -> Result<Batch> {
    match connection {
        Connection::Sqlite(_) => sqlite::load(connection, appends).await,
        Connection::Postgres(connection) => postgres::load(connection, appends, hold).await,
    }
}

async fn of_room(connection: &mut Connection, room: Uuid) -> Result<Batch> {
    match connection {
        Connection::Sqlite(_) => sqlite::rooms(connection, &[room]).await,
        Connection::Postgres(connection) => postgres::rooms(connection, &[room]).await,
    }
}

/// Writes what was numbered; whether the rooms and tickets of it stood as they were loaded, and no id of
/// it was known. If not, the caller's transaction is to be undone.
async fn store(connection: &mut Connection, batch: &Batch, scope: Scope) -> Result<bool> {
    if batch.new.is_empty() {
        if scope == Scope::Beginning {
            connection.control("begin immediate").await?;
        }
        return Ok(true);
    }
    match connection {
        Connection::Sqlite(_) => sqlite::store(connection, batch, scope).await,
        // It is one statement, and as such a transaction if there is none.
        Connection::Postgres(connection) => postgres::store(connection, batch).await,
    }
}

/// The same of a room that this transaction holds.
async fn store_held(connection: &mut Connection, batch: &Batch) -> Result<()> {
    if store(connection, batch, Scope::Within).await? {
        return Ok(());
    }
    Err(StoreError::Failed(
        "a room changed while it was held".into(),
    ))
}

/// Opens the ticket of `append` if it asks for it; whether it was new.
async fn open(connection: &mut Connection, append: &Append) -> Result<bool> {
    let Some(open) = &append.open else {
        return Ok(false);
    };
    let now = clock::now();
    let made = query(
        "insert into rooms (id, kind, created_at) values ($1, 'public', $2) on conflict do nothing",
    )
    .bind(append.room)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if made == 0 {
        return Ok(false);
    }
    let staff = clock::id();
    query("insert into rooms (id, kind, created_at) values ($1, 'staff', $2)")
        .bind(staff)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    query(
        "insert into tickets (id, staff_room, site, visitor, state, at, page, title, created_at)
         values ($1, $2, $3, $4, 'open', $5, $6, $7, $5)",
    )
    .bind(append.room)
    .bind(staff)
    .bind(open.site)
    .bind(append.author.id)
    .bind(now)
    .bind(&open.page)
    .bind(&open.title)
    .execute(&mut *connection)
    .await?;
    Ok(true)
}

/// Holds a ticket and its rooms until the commit, in the order in which a set of messages does.
///
/// # Errors
/// What the database reports.
pub(super) async fn lock(connection: &mut Connection, ticket: Uuid) -> Result<()> {
    if connection.database() == Database::Sqlite {
        return Ok(());
    }
    for sql in [
        "select id from rooms where id = $1 or id = (select staff_room from tickets where id = $1)
         order by id for no key update",
        "select id from tickets where id = $1 for no key update",
    ] {
        query(sql).bind(ticket).fetch_all(&mut *connection).await?;
    }
    Ok(())
}

/// Stores one thing that happened, inside the caller's transaction: what tickets and rooms record of themselves.
///
/// # Errors
/// [`super::StoreError::NotFound`] if there is no such room.
pub async fn happened(
    connection: &mut Connection,
    room: Uuid,
    author: &Author,
    what: &str,
    whom: Option<(Uuid, String)>,
) -> Result<Stored> {
    let mut batch = of_room(connection, room).await?;
    let mut stored = batch.push(room, author, clock::id(), Kind::Happened, "", what)?;
    if let Some((id, name)) = whom {
        stored.whom = Some(id);
        stored.whom_name = name;
    }
    batch.new = vec![stored.clone()];
    store_held(connection, &batch).await?;
    Ok(stored)
}

/// The same for a ticket that is put aside, `until` a time if it is a snooze, or taken up again.
///
/// # Errors
/// As [`happened`].
pub(super) async fn set_aside(
    connection: &mut Connection,
    staff_room: Uuid,
    author: &Author,
    what: &str,
    until: Option<Micros>,
) -> Result<Stored> {
    let mut batch = of_room(connection, staff_room).await?;
    // What happened has no text of its own, so the time stands there.
    let text = until.map(|until| until.to_string()).unwrap_or_default();
    let stored = batch.push(staff_room, author, clock::id(), Kind::Happened, &text, what)?;
    store_held(connection, &batch).await?;
    Ok(stored)
}
