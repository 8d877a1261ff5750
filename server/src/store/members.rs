//! Marks of members.

use serde::Deserialize;
use uuid::Uuid;

use super::sql::{query, query_built};
use super::{Connection, Result, Store};
use crate::clock;
use parlour_protocol::frame::Role;

/// A member's two high-water marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Marks {
    /// The member.
    pub person: Uuid,
    /// Delivered up to.
    pub delivered: i64,
    /// Read up to.
    pub read: i64,
}

/// Marks that a room's state carries at most.
pub(super) const MARKS: i64 = 20;

impl Store {
    /// The marks of those in a room who have read most.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn marks(&self, room: Uuid) -> Result<Vec<Marks>> {
        let rows = query("select person, delivered, read from members where room = $1 order by read desc, person limit $2")
            .bind(room)
            .bind(MARKS)
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Marks {
                    person: row.try_get(0)?,
                    delivered: row.try_get(1)?,
                    read: row.try_get(2)?,
                })
            })
            .collect()
    }
}

/// Moves the marks of a member forward, never beyond the room's position; the marks if they moved.
pub(crate) async fn mark(
    connection: &mut Connection,
    room: Uuid,
    person: Uuid,
    role: Role,
    delivered: i64,
    read: i64,
) -> Result<Option<Marks>> {
    // Read implies delivered.
    let (least, greatest) = connection.database().least_greatest();
    let row = query_built(format!(
        "insert into members (room, person, role, delivered, read, joined_at)
         select r.id, $2, $3, {least}({greatest}($4, $5), r.seq), {least}($5, r.seq), $6 from rooms r where r.id = $1
         on conflict (room, person) do update
             set delivered = {greatest}(members.delivered, excluded.delivered), read = {greatest}(members.read, excluded.read)
             where excluded.delivered > members.delivered or excluded.read > members.read
         returning members.delivered, members.read",
    ))
    .bind(room)
    .bind(person)
    .bind(super::messages::role_text(role))
    .bind(delivered)
    .bind(read)
    .bind(clock::now())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Marks {
            person,
            delivered: row.try_get(0)?,
            read: row.try_get(1)?,
        })
    })
    .transpose()
}
