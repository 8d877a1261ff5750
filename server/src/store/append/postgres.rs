//! Sets of messages in PostgreSQL: one function that reads, one statement that writes.

use std::sync::LazyLock;

use serde::Deserialize;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{Encode, PgConnection, Type};
use uuid::Uuid;

use super::Append;
use super::batch::{Batch, Known, TicketRow};
use crate::clock::Micros;
use crate::store::messages::role_text;
use crate::store::{Result, StoreError, found};
use parlour_protocol::frame::Role;

/// Whether rooms and tickets are held, in the order of their ids, from the reading on until the
/// end of the transaction. Otherwise it is seen while writing whether they still stand as they were read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Yes,
    No,
}

/// What `append_load` answers: rows in the order of these fields.
#[derive(Deserialize)]
struct Loaded {
    rooms: Vec<(Uuid, String, i64, Micros)>,
    tickets: Vec<(Uuid, Uuid, Uuid, Micros, String, String)>,
    known: Vec<(Uuid, Uuid, i64, Micros, Uuid, String)>,
    answers: Vec<(Uuid, Uuid, i64)>,
    members: Vec<(Uuid, Uuid)>,
}

/// Loads what numbering a set needs: its rooms and tickets, the ids that are known, answers and members.
pub(super) async fn load(
    connection: &mut PgConnection,
    appends: &[&Append],
    hold: Hold,
) -> Result<Batch> {
    let rooms = appends.iter().map(|append| append.room).collect();
    // A visitor is not stopped by what agents have answered.
    let by_agents = appends
        .iter()
        .filter(|append| append.author.role == Role::Agent);
    let answered = by_agents.map(|append| (append.room, append.seen)).unzip();
    let drafts = appends.iter().flat_map(|append| {
        let room = append.room;
        append.drafts.iter().map(move |draft| (room, draft.cid))
    });
    batch(connection, rooms, answered, drafts.unzip(), hold).await
}

/// The same, of rooms that record something of themselves, and held.
pub(super) async fn rooms(connection: &mut PgConnection, asked: &[Uuid]) -> Result<Batch> {
    let none = (Vec::new(), Vec::new());
    batch(
        connection,
        asked.to_vec(),
        none,
        (Vec::new(), Vec::new()),
        Hold::Yes,
    )
    .await
}

async fn batch(
    connection: &mut PgConnection,
    rooms: Vec<Uuid>,
    answered: (Vec<Uuid>, Vec<i64>),
    drafts: (Vec<Uuid>, Vec<Uuid>),
    hold: Hold,
) -> Result<Batch> {
    let text: String = sqlx::query_scalar("select append_load($1, $2, $3, $4, $5, $6)")
        .bind(rooms)
        .bind(answered.0)
        .bind(answered.1)
        .bind(drafts.0)
        .bind(drafts.1)
        .bind(hold == Hold::Yes)
        .fetch_one(connection)
        .await?;
    let loaded: Loaded = serde_json::from_str(&text)
        .map_err(|error| StoreError::Failed(error.to_string().into()))?;
    let mut batch = Batch::empty();
    for (id, kind, seq, at) in loaded.rooms {
        batch.room(id, &kind, seq, at)?;
    }
    for (id, staff_room, visitor, at, state, visitor_name) in loaded.tickets {
        batch.ticket(&TicketRow {
            id,
            staff_room,
            visitor,
            visitor_name,
            at,
            state,
        });
    }
    for (room, cid, seq, at, author, text) in loaded.known {
        let known = Known {
            seq,
            at,
            author,
            text,
        };
        batch.known(room, cid, known);
    }
    for (room, agent, seq) in loaded.answers {
        batch.answers.note(room, agent, seq);
    }
    batch.members = loaded.members;
    Ok(batch)
}

/// How the rows of a set are given to the statement that writes them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Any number of rows of each table, as arrays.
    Arrays,
    /// So many messages, each in a ticket of its own, and one row for the index of search, as values: to
    /// set up and run this takes less than arrays of few do.
    Values(usize),
}

/// So many messages are few.
const FEW: usize = 8;

impl Shape {
    fn of(rows: [usize; 3], waiting: usize) -> Self {
        let [count, ..] = rows;
        if rows == [count; 3] && waiting == 1 && (1..=FEW).contains(&count) {
            Self::Values(count)
        } else {
            Self::Arrays
        }
    }

    /// The statement. It fails with [`STALE`] if a room or ticket is not as it was loaded, and then
    /// nothing is written. None of them is missing, because nothing deletes rooms or tickets. PostgreSQL does
    /// the last part first and then those before it, backwards: so rooms are held before tickets, each in the
    /// order of their ids, for on these connections an update is one loop over its rows.
    fn statement(self) -> &'static str {
        static ARRAYS: LazyLock<String> = LazyLock::new(|| Shape::Arrays.text());
        static VALUES: LazyLock<[String; FEW]> =
            LazyLock::new(|| std::array::from_fn(|index| Shape::Values(index + 1).text()));
        match self {
            Self::Arrays => &ARRAYS,
            Self::Values(count) => &VALUES[count - 1],
        }
    }

    fn text(self) -> String {
        let each = match self {
            Self::Arrays => 1,
            Self::Values(count) => count,
        };
        let mut before = 0;
        // Columns are bound one after the other, whatever the shape.
        let mut rows = |types: &str, count: usize| {
            let types: Vec<&str> = types.split(' ').collect();
            let rows = match self {
                Self::Arrays => {
                    let columns = (before + 1..).zip(&types);
                    let columns = columns.map(|(bind, kind)| format!("${bind}::{kind}[]"));
                    format!("unnest({})", columns.collect::<Vec<_>>().join(", "))
                }
                Self::Values(_) => {
                    let row = |row| {
                        let columns = (before + row..).step_by(count).zip(&types);
                        let columns = columns.map(|(bind, kind)| format!("${bind}::{kind}"));
                        format!("({})", columns.collect::<Vec<_>>().join(", "))
                    };
                    let rows: Vec<_> = (1..=count).map(row).collect();
                    format!("(values {})", rows.join(", "))
                }
            };
            before += types.len() * count;
            rows
        };
        let waiting = rows("bytea", 1);
        let messages = rows(
            "uuid bigint uuid bigint text uuid text text text uuid",
            each,
        );
        let tickets = rows("uuid bigint bigint text text text boolean", each);
        let rooms = rows("uuid bigint bigint bigint", each);
        format!(
            "with noted as (
                 insert into found_waiting (keys) select * from {waiting} as new
             ), stored as (
                 insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
                 select * from {messages} as new
             ), moved as (
                 update tickets set rev = rev + 1,
                     at = case when tickets.at = new.was then new.at else append_stale() end,
                     preview = coalesce(new.preview, tickets.preview),
                     preview_by = coalesce(new.preview_by, tickets.preview_by),
                     preview_name = coalesce(new.preview_name, tickets.preview_name),
                     state = case when new.opens then 'open' else state end,
                     snoozed_until = case when new.opens then null else snoozed_until end
                 from {tickets} as new (id, was, at, preview, preview_by, preview_name, opens)
                 where tickets.id = new.id
             )
             update rooms set at = new.at,
                 seq = case when rooms.seq = new.was then new.seq else append_stale() end
             from {rooms} as new (id, was, seq, at)
             where rooms.id = new.id"
        )
    }
}

/// What `append_stale` fails with.
const STALE: &str = "PL001";

/// The statement, and its columns in the order of its text.
struct Columns {
    shape: Shape,
    query: Query<'static, Postgres, PgArguments>,
}

impl Columns {
    fn of(shape: Shape) -> Self {
        let query = sqlx::query(shape.statement());
        Self { shape, query }
    }

    fn add<'t, T>(self, values: impl Iterator<Item = T>) -> Self
    where
        T: Encode<'t, Postgres> + Type<Postgres> + 't,
        Vec<T>: Encode<'t, Postgres> + Type<Postgres>,
    {
        let query = match self.shape {
            Shape::Arrays => self.query.bind(values.collect::<Vec<_>>()),
            Shape::Values(_) => values.fold(self.query, Query::bind),
        };
        Self { query, ..self }
    }
}

/// Writes what was numbered; whether all of it still stood as it was loaded and no id of it was known,
/// without which nothing is written.
pub(super) async fn store(connection: &mut PgConnection, batch: &Batch) -> Result<bool> {
    let mut rooms: Vec<_> = batch.changed_rooms().collect();
    rooms.sort_unstable_by_key(|room| room.id);
    let mut tickets: Vec<_> = batch.changed_tickets().collect();
    tickets.sort_unstable_by_key(|ticket| ticket.id);
    let waiting = found::waiting_rows(&batch.new);
    let written = [batch.new.len(), rooms.len(), tickets.len()];
    let shape = Shape::of(written, waiting.len());
    let (new, rooms, tickets) = (|| batch.new.iter(), || rooms.iter(), || tickets.iter());
    let stored = Columns::of(shape)
        .add(waiting.into_iter())
        .add(new().map(|new| new.room))
        .add(new().map(|new| new.seq))
        .add(new().map(|new| new.cid))
        .add(new().map(|new| new.at))
        .add(new().map(|new| new.kind.text()))
        .add(new().map(|new| new.author))
        .add(new().map(|new| role_text(new.author_role)))
        .add(new().map(|new| new.text.as_str()))
        .add(new().map(|new| new.what.as_str()))
        .add(new().map(|new| new.whom))
        .add(tickets().map(|ticket| ticket.id))
        .add(tickets().map(|ticket| ticket.was))
        .add(tickets().map(|ticket| ticket.at))
        .add(tickets().map(|ticket| ticket.preview))
        .add(tickets().map(|ticket| ticket.preview_by))
        .add(tickets().map(|ticket| ticket.preview_name))
        .add(tickets().map(|ticket| ticket.opens))
        .add(rooms().map(|room| room.id))
        .add(rooms().map(|room| room.was))
        .add(rooms().map(|room| room.seq))
        .add(rooms().map(|room| room.at))
        .query
        .execute(connection)
        .await;
    match stored {
        Err(sqlx::Error::Database(error))
            if error.is_unique_violation() || error.code().as_deref() == Some(STALE) =>
        {
            Ok(false)
        }
        stored => Ok(stored.map(|_| true)?),
    }
}
