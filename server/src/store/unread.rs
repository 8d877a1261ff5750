//! What an agent has not read yet.

use std::collections::HashMap;

use uuid::Uuid;

use super::sql::query_built;
use super::{Result, Store};
use parlour_protocol::limits::{MOST_COUNTED, MOST_UNREAD};

/// How far an agent has read in a ticket's public room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Her read mark.
    pub read: i64,
    /// How many of the visitor's messages stand above it, up to [`MOST_UNREAD`].
    pub count: i64,
    /// Whose messages they are.
    pub visitor: Uuid,
}

/// What is new in a direct or team room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomNews {
    /// How many messages of others stand above the agent's read mark, up to [`MOST_UNREAD`].
    pub unread: i64,
    /// The newest text, as it was typed; empty if there is none.
    pub newest: String,
}

impl Store {
    /// How far `agent` has read in each of `tickets`.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn unread_tickets(
        &self,
        agent: Uuid,
        tickets: &[Uuid],
    ) -> Result<HashMap<Uuid, Unread>> {
        let asked = self.database().ids("$1");
        let rows = query_built(format!(
            "select t.id, coalesce(m.read, 0) as read,
                    (select count(*) from (select 1 from messages x
                         where x.room = t.id and x.seq > coalesce(m.read, 0) and x.author_role = 'visitor' and x.kind = 'text'
                         limit {MOST_UNREAD}) few) as count, t.visitor
             from {asked} asked join tickets t on t.id = asked.id
             left join members m on m.room = t.id and m.person = $2",
        ))
        .bind(tickets)
        .bind(agent)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get(0)?,
                    Unread {
                        read: row.try_get(1)?,
                        count: row.try_get(2)?,
                        visitor: row.try_get(3)?,
                    },
                ))
            })
            .collect()
    }

    /// How many tickets wait for `agent`, up to [`MOST_UNREAD`]: open, hers or nobody's, and with a
    /// message of the visitor above her read mark. The newest thousand of hers and of nobody's are
    /// looked at, so that no heap of open tickets makes each page slow.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn waiting(&self, agent: Uuid) -> Result<i64> {
        let order = self.database().newest_tickets();
        let newest = |whose: &str| {
            format!(
                "select id from (select t.id from tickets t where {whose} and t.state = 'open'
                                 order by {order} limit {MOST_COUNTED}) newest"
            )
        };
        // By a value and not by `exists`, which PostgreSQL may turn into a join with all messages.
        let row = query_built(format!(
            "select count(*) from (
                 select 1 from ({} union all {}) t
                 where (select x.seq from messages x
                        where x.room = t.id and x.author_role = 'visitor' and x.kind = 'text'
                          and x.seq > coalesce((select m.read from members m where m.room = t.id and m.person = $1), 0)
                        order by x.seq limit 1) is not null
                 limit {MOST_UNREAD}) few",
            newest("t.assignee = $1"),
            newest("t.assignee is null"),
        ))
        .bind(agent)
        .fetch_one(self.reader())
        .await?;
        Ok(row.try_get(0)?)
    }

    /// The read marks of `person` in those of `rooms` where she has one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn read_marks(&self, person: Uuid, rooms: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
        let asked = self.database().ids("$1");
        let rows = query_built(format!(
            "select m.room, m.read from {asked} asked join members m on m.room = asked.id and m.person = $2",
        ))
        .bind(rooms)
        .bind(person)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// What is new in each direct and team room of `agent`. It reads those rooms alone.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn room_news(&self, agent: Uuid) -> Result<HashMap<Uuid, RoomNews>> {
        let rows = query_built(format!(
            "select m.room,
                    (select count(*) from (select 1 from messages x
                         where x.room = m.room and x.seq > m.read and x.author <> m.person and x.kind = 'text'
                         limit {MOST_UNREAD}) few) as unread,
                    coalesce((select x.text from messages x where x.room = m.room and x.kind = 'text' order by x.seq desc limit 1), '')
             from members m join rooms r on r.id = m.room
             where m.person = $1 and m.left_at is null and r.kind in ('direct', 'team')",
        ))
        .bind(agent)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get(0)?,
                    RoomNews {
                        unread: row.try_get(1)?,
                        newest: row.try_get(2)?,
                    },
                ))
            })
            .collect()
    }
}
