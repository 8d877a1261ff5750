//! Sets of messages in PostgreSQL: one function that reads, one statement that writes.

use std::sync::LazyLock;

use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use uuid::Uuid;

use super::Append;
use super::batch::{Batch, ChangedRoom, ChangedTicket, Known, PREVIEW, TicketRow};
use crate::clock::Micros;
use crate::store::messages::{Kind, Stored, role_text};
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

/// So many texts are few.
const FEW: usize = 8;
/// What `append_stale` fails with.
const STALE: &str = "PL001";

/// What a set writes; rooms and tickets in the order of their ids.
struct Rows<'b> {
    waiting: Vec<Vec<u8>>,
    new: Vec<&'b Stored>,
    tickets: Vec<ChangedTicket<'b>>,
    rooms: Vec<ChangedRoom>,
}

type Statement = Query<'static, Postgres, PgArguments>;

impl<'b> Rows<'b> {
    fn of(batch: &'b Batch) -> Self {
        let mut new: Vec<_> = batch.new.iter().collect();
        // Of one room they keep their order.
        new.sort_by_key(|new| new.room);
        let mut tickets: Vec<_> = batch.changed_tickets().collect();
        tickets.sort_unstable_by_key(|ticket| ticket.id);
        let mut rooms: Vec<_> = batch.changed_rooms().collect();
        rooms.sort_unstable_by_key(|room| room.id);
        Self {
            waiting: found::waiting_rows(&batch.new),
            new,
            tickets,
            rooms,
        }
    }

    /// The statement. It fails with [`STALE`] if a room or ticket is not as it was loaded, and then
    /// nothing is written. None of them is missing, because nothing deletes rooms or tickets. PostgreSQL does
    /// the last part first and then those before it, backwards: so rooms are held before tickets, each in the
    /// order of their ids, for on these connections an update is one loop over its rows.
    fn statement(&self) -> Statement {
        match self.role() {
            Some(role) => self.texts(role),
            None => self.arrays(),
        }
    }

    /// On which side those stand who wrote the set, if it is few texts, each in a ticket of its own, and
    /// they all stand on one side.
    fn role(&self) -> Option<Role> {
        let role = self.new.first()?.author_role;
        let few = self.new.len() <= FEW && self.waiting.len() == 1;
        let texts = self
            .new
            .iter()
            .all(|new| new.kind == Kind::Text && new.author_role == role);
        let rooms = self.new.iter().map(|new| new.room);
        let own = rooms.clone().eq(self.rooms.iter().map(|room| room.id))
            && rooms.eq(self.tickets.iter().map(|ticket| ticket.id));
        (few && texts && own && role != Role::System).then_some(role)
    }

    /// Few texts as values, each bound once. To set up and run this takes less than arrays of few do.
    fn texts(&self, role: Role) -> Statement {
        static BY_VISITORS: LazyLock<[String; FEW]> =
            LazyLock::new(|| std::array::from_fn(|index| texts_by(Role::Visitor, index + 1)));
        static BY_AGENTS: LazyLock<[String; FEW]> =
            LazyLock::new(|| std::array::from_fn(|index| texts_by(Role::Agent, index + 1)));
        let by: &'static [String; FEW] = match role {
            Role::Visitor => &BY_VISITORS,
            _ => &BY_AGENTS,
        };
        let mut query = sqlx::query(by[self.new.len() - 1].as_str());
        for keys in &self.waiting {
            query = query.bind(keys);
        }
        for (new, ticket) in self.new.iter().zip(&self.tickets) {
            query = query
                .bind(new.room)
                .bind(new.seq)
                .bind(new.cid)
                .bind(new.author)
                .bind(&new.text)
                .bind(new.at)
                .bind(ticket.was)
                .bind(ticket.preview_name);
        }
        query
    }

    /// Any number of rows of each table, as arrays.
    fn arrays(&self) -> Statement {
        let (new, tickets, rooms) = (&self.new, &self.tickets, &self.rooms);
        sqlx::query(ARRAYS)
            .bind(&self.waiting)
            .bind(column(new, |new| new.room))
            .bind(column(new, |new| new.seq))
            .bind(column(new, |new| new.cid))
            .bind(column(new, |new| new.at))
            .bind(column(new, |new| new.kind.text()))
            .bind(column(new, |new| new.author))
            .bind(column(new, |new| role_text(new.author_role)))
            .bind(column(new, |new| new.text.as_str()))
            .bind(column(new, |new| new.what.as_str()))
            .bind(column(new, |new| new.whom))
            .bind(column(tickets, |ticket| ticket.id))
            .bind(column(tickets, |ticket| ticket.was))
            .bind(column(tickets, |ticket| ticket.at))
            .bind(column(tickets, |ticket| ticket.preview))
            .bind(column(tickets, |ticket| ticket.preview_by))
            .bind(column(tickets, |ticket| ticket.preview_name))
            .bind(column(tickets, |ticket| ticket.opens))
            .bind(column(rooms, |room| room.id))
            .bind(column(rooms, |room| room.was))
            .bind(column(rooms, |room| room.seq))
            .bind(column(rooms, |room| room.at))
    }
}

fn column<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

const ARRAYS: &str = "with noted as (
         insert into found_waiting (keys) select * from unnest($1::bytea[]) as new
     ), stored as (
         insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
         select * from unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[],
             $8::text[], $9::text[], $10::text[], $11::uuid[]) as new
     ), moved as (
         update tickets set rev = rev + 1,
             at = case when tickets.at = new.was then new.at else append_stale() end,
             preview = coalesce(new.preview, tickets.preview),
             preview_by = coalesce(new.preview_by, tickets.preview_by),
             preview_name = coalesce(new.preview_name, tickets.preview_name),
             state = case when new.opens then 'open' else state end,
             snoozed_until = case when new.opens then null else snoozed_until end
         from unnest($12::uuid[], $13::bigint[], $14::bigint[], $15::text[], $16::text[], $17::text[],
             $18::boolean[]) as new (id, was, at, preview, preview_by, preview_name, opens)
         where tickets.id = new.id
     )
     update rooms set at = new.at,
         seq = case when rooms.seq = new.was then new.seq else append_stale() end
     from unnest($19::uuid[], $20::bigint[], $21::bigint[], $22::bigint[]) as new (id, was, seq, at)
     where rooms.id = new.id";

/// The same of so many texts: a visitor's opens her ticket, whatever it was.
fn texts_by(role: Role, count: usize) -> String {
    let opens = match role {
        Role::Visitor => ", state = 'open', snoozed_until = null",
        _ => "",
    };
    let role = role_text(role);
    // $1 is what search is to index; of a text: room, seq, cid, author, text, at, was, name.
    let rows = |columns: &[(usize, &str)]| {
        let row = |row| {
            let bind = |(column, kind)| format!("${}::{kind}", 2 + row * 8 + column);
            let columns: Vec<_> = columns.iter().copied().map(bind).collect();
            format!("({})", columns.join(", "))
        };
        (0..count).map(row).collect::<Vec<_>>().join(", ")
    };
    let (room, seq, cid, author) = ((0, "uuid"), (1, "bigint"), (2, "uuid"), (3, "uuid"));
    let (text, at, was, name) = ((4, "text"), (5, "bigint"), (6, "bigint"), (7, "text"));
    format!(
        "with noted as (
             insert into found_waiting (keys) values ($1)
         ), stored as (
             insert into messages (room, seq, cid, at, kind, author, author_role, text)
             select room, seq, cid, at, 'text', author, '{role}', text
             from (values {}) as new (room, seq, cid, author, text, at)
         ), moved as (
             update tickets set rev = rev + 1,
                 at = case when tickets.at = new.was then new.at else append_stale() end,
                 preview = left(new.text, {PREVIEW}), preview_by = '{role}', preview_name = new.name{opens}
             from (values {}) as new (id, text, at, was, name) where tickets.id = new.id
         )
         update rooms set at = new.at,
             seq = case when rooms.seq = new.seq - 1 then new.seq else append_stale() end
         from (values {}) as new (id, seq, at) where rooms.id = new.id",
        rows(&[room, seq, cid, author, text, at]),
        rows(&[room, text, at, was, name]),
        rows(&[room, seq, at]),
    )
}

/// Writes what was numbered; whether all of it still stood as it was loaded and no id of it was known,
/// without which nothing is written.
pub(super) async fn store(connection: &mut PgConnection, batch: &Batch) -> Result<bool> {
    let statement = Rows::of(batch).statement();
    match statement.execute(connection).await {
        Err(sqlx::Error::Database(error))
            if error.is_unique_violation() || error.code().as_deref() == Some(STALE) =>
        {
            Ok(false)
        }
        stored => Ok(stored.map(|_| true)?),
    }
}
