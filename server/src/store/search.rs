//! What is found: by terms, newest first, and only what an agent may read.

use std::collections::HashMap;

use uuid::Uuid;

use super::found::{self, Key, TICKETS, VISITORS, scope};
use super::messages::{self, COLUMNS, NAMES, Stored};
use super::rooms::Kind;
use super::sql::{query, query_built, query_scalar};
use super::{Result, Store};
use crate::words::Term;

mod walk;

use walk::{Asked, Walk};

/// Private rooms of one agent that are searched, those with the newest messages.
const MAX_ROOMS: i64 = 500;

/// A message that was found.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its place: older ones have smaller numbers.
    pub place: i64,
    /// The message.
    pub stored: Stored,
    /// The kind of its room.
    pub kind: Kind,
    /// The ticket that its room belongs to.
    pub ticket: Option<Uuid>,
    /// A team room's name, the other of a direct room, a ticket's visitor.
    pub title: String,
}

/// A visitor who was found.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Her id.
    pub id: Uuid,
    /// Her name; empty if she gave none.
    pub name: String,
    /// Her e-mail address, or empty.
    pub email: String,
    /// Her newest ticket.
    pub ticket: Option<Uuid>,
}

impl Store {
    /// Messages with all `terms` that `agent` may read, the newest first, older than `before`;
    /// fewer than `limit`: there are no more.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn search_messages(
        &self,
        agent: Uuid,
        terms: &[Term],
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let rooms: Vec<Uuid> = query_scalar(
            "select r.id from members m join rooms r on r.id = m.room
             where m.person = $1 and m.left_at is null and r.kind in ('direct', 'team')
             order by r.at desc limit $2",
        )
        .bind(agent)
        .bind(MAX_ROOMS)
        .fetch_all(self.reader())
        .await?;
        let rooms = rooms
            .into_iter()
            .map(|room| scope(room, Kind::Direct).into_owned());
        let scopes = std::iter::once(TICKETS.to_owned()).chain(rooms).collect();
        let mut walk = Walk::begin(self, asked(terms, scopes), before).await?;
        let mut found = Vec::new();
        while found.len() < limit {
            let keys = walk.next(limit - found.len()).await?;
            if keys.is_empty() {
                break;
            }
            found.extend(self.messages_of(agent, keys).await?);
        }
        Ok(found)
    }

    /// Visitors with all `terms` in name and address, those who were named last first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn search_visitors(&self, terms: &[Term], limit: usize) -> Result<Vec<Visitor>> {
        let mut walk = Walk::begin(self, asked(terms, vec![VISITORS.to_owned()]), None).await?;
        let mut ids: Vec<Uuid> = Vec::new();
        for (_, key) in walk.next(limit).await? {
            if let Key::Visitor(id) = key
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        let those = self.database().ids("$1");
        let rows = query_built(format!(
            "select v.id, v.name, v.email,
                    (select t.id from tickets t where t.visitor = v.id order by t.at desc limit 1) as ticket
             from visitors v where v.id in {those}"
        ))
        .bind(ids.as_slice())
        .fetch_all(self.reader())
        .await?;
        let mut found = HashMap::new();
        for row in &rows {
            let visitor = Visitor {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                email: row.try_get("email")?,
                ticket: row.try_get("ticket")?,
            };
            found.insert(visitor.id, visitor);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Those of the messages that are still there and that `agent` may read now: a membership may
    /// have ended after the question was asked by it.
    async fn messages_of(&self, agent: Uuid, keys: Vec<(i64, Key)>) -> Result<Vec<Message>> {
        let asked = found::asked(self.database(), 2);
        let sql = format!(
            "select asked.nr as place, {COLUMNS}, r.kind as room_kind,
                    coalesce(t.id, s.id) as ticket,
                    case r.kind when 'team' then r.name
                        when 'direct' then (select o.name from members om join agents o on o.id = om.person
                                            where om.room = r.id and om.person <> $1 limit 1)
                        else (select x.name from visitors x where x.id = coalesce(t.visitor, s.visitor)) end as title
             from {asked} cross join messages m cross join rooms r left join tickets t on t.id = r.id left join tickets s on s.staff_room = r.id
             {NAMES} where m.room = asked.id and m.seq = asked.seq and r.id = m.room and m.kind in ('text', 'note')
                 and (r.kind in ('public', 'staff')
                      or exists (select 1 from members p where p.room = r.id and p.person = $1 and p.left_at is null))
             order by 1 desc"
        );
        let rows = found::bind(query_built(sql).bind(agent), self.database(), keys)
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Message {
                    place: row.try_get("place")?,
                    stored: messages::stored(row)?,
                    kind: Kind::parse(row.try_get("room_kind")?)?,
                    ticket: row.try_get("ticket")?,
                    title: row
                        .try_get::<Option<String>, _>("title")?
                        .unwrap_or_default(),
                })
            })
            .collect()
    }

    /// The newest tickets of visitors.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn newest_tickets_of(&self, visitors: &[Uuid], limit: i64) -> Result<Vec<Uuid>> {
        let asked = self.database().ids("$1");
        Ok(query_built(format!(
            "select id from tickets where visitor in {asked} order by at desc, id desc limit $2"
        ))
        .bind(visitors)
        .bind(limit)
        .fetch_all(self.reader())
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<sqlx::Result<_>>()?)
    }

    /// The id of an entry, and up to which numbers its room and the other one are to be read, so
    /// that it stands on the page with `limit` newer ones behind it; no numbers if there are fewer.
    ///
    /// # Errors
    /// [`super::StoreError::NotFound`] if there is no such entry, and what the database reports.
    pub async fn around(
        &self,
        room: Uuid,
        other: Option<Uuid>,
        seq: i64,
        limit: i64,
    ) -> Result<(Uuid, Option<(i64, i64)>)> {
        let row = query("select at, cid from messages where room = $1 and seq = $2")
            .bind(room)
            .bind(seq)
            .fetch_one(self.reader())
            .await?;
        let (at, cid): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let older: i64 = match other {
            Some(other) => {
                query_scalar(
                    "select coalesce(max(seq), 0) from messages where room = $1 and at <= $2",
                )
                .bind(other)
                .bind(at)
                .fetch_one(self.reader())
                .await?
            }
            None => 0,
        };
        let newer = query(
            "select room, seq from messages where (room = $1 and seq > $2) or (room = $3 and seq > $4)
             order by at limit $5",
        )
        .bind(room)
        .bind(seq)
        .bind(other)
        .bind(older)
        .bind(limit + 1)
        .fetch_all(self.reader())
        .await?;
        if i64::try_from(newer.len()).unwrap_or(limit) <= limit {
            return Ok((cid, None));
        }
        let mut ends = (seq + 1, older + 1);
        for row in newer.iter().take(usize::try_from(limit).unwrap_or(0)) {
            let end = row.try_get::<i64, _>(1)? + 1;
            if row.try_get::<Uuid, _>(0)? == room {
                ends.0 = end;
            } else {
                ends.1 = end;
            }
        }
        Ok((cid, Some(ends)))
    }
}

/// Terms and, since most have one of them, scopes last.
fn asked(terms: &[Term], scopes: Vec<String>) -> Vec<Asked> {
    let terms = terms.iter().map(|term| match term {
        Term::Exact(term) => Asked::Any(vec![term.clone()]),
        Term::Beginning(start) => Asked::Beginning(start.clone()),
    });
    terms.chain([Asked::Any(scopes)]).collect()
}
