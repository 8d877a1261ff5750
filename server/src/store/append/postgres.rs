//! Sets of messages in PostgreSQL: one function that reads, one statement that writes.

use serde::Deserialize;
use sqlx::PgConnection;
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

/// Writes what was numbered, if the rooms and tickets of it still stand as they were loaded, and says
/// so; otherwise it fails with [`STALE`] and nothing is written. Rooms are raised before tickets, each in
/// the order of their ids: on these connections an update is one loop over its arrays.
const STORE: &str =
    "with raised as materialized (
             update rooms set seq = new.seq, at = new.at
             from unnest($11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[]) as new (id, was, seq, at)
             where rooms.id = new.id and rooms.seq = new.was
             returning 1
         ), moved as materialized (
             update tickets set rev = rev + 1, at = new.at,
                 preview = coalesce(new.preview, tickets.preview),
                 preview_by = coalesce(new.preview_by, tickets.preview_by),
                 preview_name = coalesce(new.preview_name, tickets.preview_name),
                 state = case when new.opens then 'open' else state end,
                 snoozed_until = case when new.opens then null else snoozed_until end
             from unnest($15::uuid[], $16::bigint[], $17::bigint[], $18::text[], $19::text[], $20::text[], $21::boolean[])
                 as new (id, was, at, preview, preview_by, preview_name, opens)
             where tickets.id = new.id and tickets.at = new.was
               and (select count(*) from raised) = cardinality($11)
             returning 1
         ), stored as (
             insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
             select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[],
                                  $6::uuid[], $7::text[], $8::text[], $9::text[], $10::uuid[])
             where (select count(*) from raised) = cardinality($11)
         ), noted as (
             insert into found_waiting (keys) select unnest($22::bytea[])
         )
         select case when (select count(*) from raised) = cardinality($11)
                      and (select count(*) from moved) = cardinality($15) then 1 else append_stale() end";

/// What `append_stale` fails with.
const STALE: &str = "PL001";

/// Writes what was numbered; whether all of it still stood as it was loaded and no id of it was known,
/// without which nothing is written.
pub(super) async fn store(connection: &mut PgConnection, batch: &Batch) -> Result<bool> {
    let new = &batch.new;
    let mut rooms: Vec<_> = batch.changed_rooms().collect();
    rooms.sort_unstable_by_key(|room| room.id);
    let mut tickets: Vec<_> = batch.changed_tickets().collect();
    tickets.sort_unstable_by_key(|ticket| ticket.id);
    let stored = sqlx::query(STORE)
        .bind(new.iter().map(|new| new.room).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.seq).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.cid).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.at).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.kind.text()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.author).collect::<Vec<_>>())
        .bind(
            new.iter()
                .map(|new| role_text(new.author_role))
                .collect::<Vec<_>>(),
        )
        .bind(new.iter().map(|new| new.text.as_str()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.what.as_str()).collect::<Vec<_>>())
        .bind(new.iter().map(|new| new.whom).collect::<Vec<_>>())
        .bind(rooms.iter().map(|room| room.id).collect::<Vec<_>>())
        .bind(rooms.iter().map(|room| room.was).collect::<Vec<_>>())
        .bind(rooms.iter().map(|room| room.seq).collect::<Vec<_>>())
        .bind(rooms.iter().map(|room| room.at).collect::<Vec<_>>())
        .bind(tickets.iter().map(|new| new.id).collect::<Vec<_>>())
        .bind(tickets.iter().map(|new| new.was).collect::<Vec<_>>())
        .bind(tickets.iter().map(|new| new.at).collect::<Vec<_>>())
        .bind(tickets.iter().map(|new| new.preview).collect::<Vec<_>>())
        .bind(tickets.iter().map(|new| new.preview_by).collect::<Vec<_>>())
        .bind(
            tickets
                .iter()
                .map(|new| new.preview_name)
                .collect::<Vec<_>>(),
        )
        .bind(tickets.iter().map(|new| new.opens).collect::<Vec<_>>())
        .bind(found::waiting(new))
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
