//! Sets of messages in SQLite: read and written through JSON.

use sqlx::error::ErrorKind;
use uuid::Uuid;

use super::batch::{Batch, Known, TicketRow};
use super::{Append, Scope};
use crate::hex;
use crate::store::messages::role_text;
use crate::store::sql::{array, query};
use crate::store::{Connection, Result, found};

/// Loads what numbering a set needs: its rooms, the ids that are known, answers and members.
pub(super) async fn load(connection: &mut Connection, appends: &[&Append]) -> Result<Batch> {
    let asked: Vec<Uuid> = appends.iter().map(|append| append.room).collect();
    let mut batch = rooms(connection, &asked).await?;
    known(connection, &mut batch, appends).await?;
    batch.answers.load(connection, appends).await?;
    if batch.has_private_rooms() {
        let rows = query(
            "select room, person from members
             where room in (select unhex(value) from json_each($1)) and left_at is null",
        )
        .bind(asked)
        .fetch_all(connection)
        .await?;
        let members = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        batch.members = members.collect::<sqlx::Result<_>>()?;
    }
    Ok(batch)
}

/// Loads rooms and their tickets.
pub(super) async fn rooms(connection: &mut Connection, asked: &[Uuid]) -> Result<Batch> {
    let mut batch = Batch::empty();
    let rows = query(
        "select r.id, r.kind, r.seq, r.at, t.id, t.staff_room, t.visitor, t.at, t.state, v.name from rooms r
         left join tickets t on t.id = r.id or t.staff_room = r.id left join visitors v on v.id = t.visitor
         where r.id in (select unhex(value) from json_each($1))",
    )
    .bind(asked)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let (id, kind, seq, at) = (
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
        );
        batch.room(id, kind, seq, at)?;
        if let Some(id) = row.try_get(4)? {
            batch.ticket(&TicketRow {
                id,
                staff_room: row.try_get(5)?,
                visitor: row.try_get(6)?,
                at: row.try_get(7)?,
                state: row.try_get(8)?,
                visitor_name: row.try_get(9)?,
            });
        }
    }
    Ok(batch)
}

async fn known(connection: &mut Connection, batch: &mut Batch, appends: &[&Append]) -> Result<()> {
    let pairs = appends.iter().flat_map(|append| {
        let drafts = append.drafts.iter();
        drafts.map(|draft| (append.room.simple(), draft.cid.simple()))
    });
    let rows = query(
        "select m.room, m.cid, m.seq, m.at, m.author, m.text from jsonb_each($1) asked
         join messages m on m.room = unhex(asked.value ->> 0) and m.cid = unhex(asked.value ->> 1)",
    )
    .bind(array(pairs))
    .fetch_all(connection)
    .await?;
    for row in rows {
        let known = Known {
            seq: row.try_get(2)?,
            at: row.try_get(3)?,
            author: row.try_get(4)?,
            text: row.try_get(5)?,
        };
        batch.known(row.try_get(0)?, row.try_get(1)?, known);
    }
    Ok(())
}

/// What a set is written by. Nothing of a statement needs to be undone by itself (`or fail`), for which every
/// page that it changes would be copied first: its transaction is undone with it. Rooms and tickets that
/// are not as they were loaded would lose a column that must not be null, so that it fails.
macro_rules! writes {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "insert or fail into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
             select unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, unhex(value ->> 5), value ->> 6,
                    value ->> 7, value ->> 8, unhex(value ->> 9)
             from jsonb_each($1);
             update or fail rooms set at = new.value ->> 2,
                 seq = case when rooms.seq = new.value ->> 3 then new.value ->> 1 end
             from jsonb_each($2) new where rooms.id = unhex(new.value ->> 0);
             update or fail tickets set rev = rev + 1,
                 at = case when tickets.at = new.value ->> 6 then new.value ->> 1 end,
                 preview = coalesce(new.value ->> 2, preview), preview_by = coalesce(new.value ->> 3, preview_by),
                 preview_name = coalesce(new.value ->> 4, preview_name),
                 state = coalesce(new.value ->> 5, state),
                 snoozed_until = case when new.value ->> 5 = 'open' then null else snoozed_until end
             from jsonb_each($3) new where tickets.id = unhex(new.value ->> 0);
             insert into found_waiting (keys) select unhex(value) from json_each($4)",
            $after
        )
    };
}

/// Writes what was numbered; whether the rooms and tickets of it stood as they were loaded, and no id of
/// it was known. The statements are one text, since each text costs a turn of the connection's thread.
pub(super) async fn store(
    connection: &mut Connection,
    batch: &Batch,
    scope: Scope,
) -> Result<bool> {
    let messages = batch.new.iter().map(|stored| {
        (
            stored.room.simple(),
            stored.seq,
            stored.cid.simple(),
            stored.at,
            stored.kind.text(),
            stored.author.simple(),
            role_text(stored.author_role),
            &stored.text,
            &stored.what,
            stored.whom.map(Uuid::simple),
        )
    });
    let rooms = batch
        .changed_rooms()
        .map(|room| (room.id.simple(), room.seq, room.at, room.was));
    let tickets = batch.changed_tickets().map(|ticket| {
        (
            ticket.id.simple(),
            ticket.at,
            ticket.preview,
            ticket.preview_by,
            ticket.preview_name,
            ticket.opens.then_some("open"),
            ticket.was,
        )
    });
    let waiting = found::waiting_rows(&batch.new);
    let stored = query(match scope {
        Scope::Whole => writes!("begin immediate; ", "; commit"),
        Scope::Beginning => writes!("begin immediate; ", ""),
        Scope::Within => writes!("", ""),
    })
    .bind(array(messages))
    .bind(array(rooms))
    .bind(array(tickets))
    .bind(array(waiting.iter().map(|row| hex(row))))
    .execute(connection)
    .await;
    match stored {
        Err(sqlx::Error::Database(error))
            if error.is_unique_violation() || error.kind() == ErrorKind::NotNullViolation =>
        {
            Ok(false)
        }
        stored => Ok(stored.map(|_| true)?),
    }
}
