//! Sets of messages in PostgreSQL: one function that locks and reads, one statement that writes.

use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Append;
use super::batch::{Batch, Known, TicketRow};
use crate::clock::Micros;
use crate::store::Result;
use crate::store::StoreError;
use crate::store::messages::role_text;
use parlour_protocol::frame::Role;

/// What `append_load` answers: rows in the order of these fields.
#[derive(Deserialize)]
struct Loaded {
    rooms: Vec<(Uuid, String, i64, Micros)>,
    tickets: Vec<(Uuid, Uuid, Uuid, Micros, String, String)>,
    known: Vec<(Uuid, Uuid, i64, Micros, Uuid, String)>,
    answers: Vec<(Uuid, Uuid, i64)>,
    members: Vec<(Uuid, Uuid)>,
}

/// Locks rooms and tickets in the order of their ids, and loads what numbering a set needs: those
/// rooms, the ids that are known, answers and members.
pub(super) async fn load(connection: &mut PgConnection, appends: &[&Append]) -> Result<Batch> {
    let rooms: Vec<Uuid> = appends.iter().map(|append| append.room).collect();
    // A visitor is not stopped by what agents have answered.
    let seen = appends.iter().map(|append| match append.author.role {
        Role::Agent => append.seen,
        _ => i64::MAX,
    });
    let seen = seen.collect();
    let (mut of, mut cids) = (Vec::new(), Vec::new());
    for append in appends {
        for draft in &append.drafts {
            of.push(append.room);
            cids.push(draft.cid);
        }
    }
    batch(connection, rooms, seen, of, cids).await
}

/// The same, of rooms that record something of themselves.
pub(super) async fn rooms(connection: &mut PgConnection, asked: &[Uuid]) -> Result<Batch> {
    let seen = vec![i64::MAX; asked.len()];
    batch(connection, asked.to_vec(), seen, Vec::new(), Vec::new()).await
}

async fn batch(
    connection: &mut PgConnection,
    rooms: Vec<Uuid>,
    seen: Vec<i64>,
    of: Vec<Uuid>,
    cids: Vec<Uuid>,
) -> Result<Batch> {
    let text: String = sqlx::query_scalar("select append_load($1, $2, $3, $4)")
        .bind(rooms)
        .bind(seen)
        .bind(of)
        .bind(cids)
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

/// Writes what was numbered.
pub(super) async fn store(connection: &mut PgConnection, batch: &Batch) -> Result<()> {
    let new = &batch.new;
    let rooms: Vec<_> = batch.changed_rooms().collect();
    let tickets: Vec<_> = batch.changed_tickets().collect();
    sqlx::query(
        "with stored as (
             insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
             select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[],
                                  $6::uuid[], $7::text[], $8::text[], $9::text[], $10::uuid[])
         ), raised as (
             update rooms set seq = new.seq, at = new.at
             from unnest($11::uuid[], $12::bigint[], $13::bigint[]) as new(id, seq, at)
             where rooms.id = new.id
         )
         update tickets set rev = rev + 1, at = new.at,
             preview = coalesce(new.preview, tickets.preview),
             preview_by = coalesce(new.preview_by, tickets.preview_by),
             preview_name = coalesce(new.preview_name, tickets.preview_name),
             state = case when new.opens then 'open' else state end,
             snoozed_until = case when new.opens then null else snoozed_until end
         from unnest($14::uuid[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::boolean[])
             as new(id, at, preview, preview_by, preview_name, opens)
         where tickets.id = new.id",
    )
    .bind(new.iter().map(|new| new.room).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.seq).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.cid).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.at).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.kind.text()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.author).collect::<Vec<_>>())
    .bind(new.iter().map(|new| role_text(new.author_role)).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.text.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.what.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.whom).collect::<Vec<_>>())
    .bind(rooms.iter().map(|room| room.0).collect::<Vec<_>>())
    .bind(rooms.iter().map(|room| room.1).collect::<Vec<_>>())
    .bind(rooms.iter().map(|room| room.2).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.id).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.at).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.preview).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.preview_by).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.preview_name).collect::<Vec<_>>())
    .bind(tickets.iter().map(|new| new.opens).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
