//! What is found: by terms, newest first, and only what an agent may read.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::found::{BLOCKS, TICKETS, VISITORS, scope};
use super::messages::{self, COLUMNS, NAMES, Stored};
use super::rooms::Kind;
use super::sql::{query, query_built, query_scalar};
use super::{Database, Result, Store};
use crate::words::Term;

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

/// A row of the index.
struct Hit {
    place: i64,
    room: Option<Uuid>,
    seq: Option<i64>,
    visitor: Option<Uuid>,
}

/// A part of the index, from the newest to the oldest: PostgreSQL sorts what it finds, so it is
/// asked for little at first.
struct Part {
    /// Terms of the blocks, one of which a row has; none: all rows.
    blocks: Vec<String>,
    /// Rows below this.
    before: i64,
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
        limit: i64,
    ) -> Result<Vec<Message>> {
        let mut scopes = vec![TICKETS.to_owned()];
        let rooms: Vec<Uuid> = query_scalar(
            "select r.id from members m join rooms r on r.id = m.room
             where m.person = $1 and m.left_at is null and r.kind in ('direct', 'team')
             order by r.at desc limit $2",
        )
        .bind(agent)
        .bind(MAX_ROOMS)
        .fetch_all(self.reader())
        .await?;
        scopes.extend(rooms.into_iter().map(|room| scope(room, Kind::Direct)));
        let hits = self.hits(agent, &scopes, terms, before, limit).await?;
        self.messages_of(agent, &hits).await
    }

    /// Visitors with all `terms` in name and address, those who were named last first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn search_visitors(
        &self,
        agent: Uuid,
        terms: &[Term],
        limit: i64,
    ) -> Result<Vec<Visitor>> {
        let scopes = [VISITORS.to_owned()];
        let hits = self.hits(agent, &scopes, terms, None, limit).await?;
        let ids: Vec<Uuid> = hits.iter().filter_map(|hit| hit.visitor).collect();
        let asked = self.database().ids("$1");
        let rows = query_built(format!(
            "select v.id, v.name, v.email,
                    (select t.id from tickets t where t.visitor = v.id order by t.at desc limit 1) as ticket
             from visitors v where v.id in {asked}"
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

    /// The newest rows that have one of `scopes` and all `terms`, and that `agent` may read.
    async fn hits(
        &self,
        agent: Uuid,
        scopes: &[String],
        terms: &[Term],
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Hit>> {
        let before = match (before, self.database()) {
            (Some(before), _) => before,
            (None, Database::Sqlite) => i64::MAX,
            (None, Database::Postgres) => {
                query_scalar("select coalesce(max(id), 0) + 1 from found")
                    .fetch_one(self.reader())
                    .await?
            }
        };
        let mut hits = Vec::new();
        for part in parts(self.database(), before) {
            let rows = query_built(sql(self.database()))
                .bind(expression(self.database(), scopes, terms, &part.blocks))
                .bind(part.before)
                .bind(agent)
                .bind(limit - i64::try_from(hits.len()).unwrap_or(limit))
                .planned_anew()
                .fetch_all(self.reader())
                .await?;
            for row in rows {
                hits.push(Hit {
                    place: row.try_get(0)?,
                    room: row.try_get(1)?,
                    seq: row.try_get(2)?,
                    visitor: row.try_get(3)?,
                });
            }
            if i64::try_from(hits.len()).unwrap_or(limit) >= limit {
                break;
            }
        }
        Ok(hits)
    }

    async fn messages_of(&self, agent: Uuid, hits: &[Hit]) -> Result<Vec<Message>> {
        let keys: Vec<_> = hits
            .iter()
            .filter_map(|hit| Some(json!([hit.room?.simple().to_string(), hit.seq?, hit.place])))
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (each, room) = (
            self.database().each("$1"),
            self.database().id("new.value ->> 0"),
        );
        let rows = query_built(format!(
            "select cast(new.value ->> 2 as bigint) as place, {COLUMNS}, r.kind as room_kind,
                    coalesce(t.id, s.id) as ticket,
                    case r.kind when 'team' then r.name
                        when 'direct' then (select o.name from members om join agents o on o.id = om.person
                                            where om.room = r.id and om.person <> $2 limit 1)
                        else (select x.name from visitors x where x.id = coalesce(t.visitor, s.visitor)) end as title
             from {each} join messages m on m.room = {room} and m.seq = cast(new.value ->> 1 as bigint)
             join rooms r on r.id = m.room left join tickets t on t.id = r.id left join tickets s on s.staff_room = r.id
             {NAMES} where m.kind in ('text', 'note') order by 1 desc"
        ))
        .bind(json!(keys).to_string())
        .bind(agent)
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

/// Which parts of the index are asked, until enough is found.
fn parts(database: Database, before: i64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut before = before;
    if database == Database::Postgres {
        for (letter, bits) in BLOCKS {
            if before <= 1 {
                break;
            }
            // The block that is being filled, and the one before it.
            let newest = (before - 1) >> bits;
            let oldest = (newest - 1).max(0);
            let blocks = (oldest..=newest).map(|block| format!("~{letter}{block}"));
            parts.push(Part {
                blocks: blocks.collect(),
                before,
            });
            before = oldest << bits;
        }
        if before <= 1 {
            return parts;
        }
    }
    parts.push(Part {
        blocks: Vec::new(),
        before,
    });
    parts
}

/// The question in the database's own language. Terms hold letters, digits and our own marks
/// alone, so that quotes around them are all that they need.
fn expression(database: Database, scopes: &[String], terms: &[Term], blocks: &[String]) -> String {
    let (quote, and, or, star) = match database {
        Database::Sqlite => ('"', " AND ", " OR ", " *"),
        Database::Postgres => ('\'', " & ", " | ", ":*"),
    };
    let quoted = |term: &str| format!("{quote}{term}{quote}");
    let any = |terms: &[String]| {
        let terms: Vec<_> = terms.iter().map(|term| quoted(term)).collect();
        format!("({})", terms.join(or))
    };
    let mut all = vec![any(scopes)];
    if !blocks.is_empty() {
        all.push(any(blocks));
    }
    all.extend(terms.iter().map(|term| match term {
        Term::Exact(text) => quoted(text),
        Term::Beginning(text) => format!("{}{star}", quoted(text)),
    }));
    all.join(and)
}

/// The newest rows. The scope is a part of the question already; membership is asked once more,
/// of what is true now.
fn sql(database: Database) -> String {
    let rows = match database {
        Database::Sqlite => {
            "found_terms x join found f on f.id = x.rowid where x.found_terms match $1 and x.rowid < $2"
        }
        // By the GIN index, whatever the planner expects: the order must not lure it into walking
        // the primary key. Who may read is asked behind the sorting, for as many as are needed.
        Database::Postgres => {
            "(select id, room, seq, visitor from found where terms @@ cast($1 as tsquery) and id < $2 order by id + 0 desc offset 0) f where true"
        }
    };
    let order = match database {
        Database::Sqlite => "order by x.rowid desc",
        Database::Postgres => "",
    };
    format!(
        "select f.id, f.room, f.seq, f.visitor from {rows}
         and (f.room is null or (select r.kind from rooms r where r.id = f.room) in ('public', 'staff')
              or exists (select 1 from members p where p.room = f.room and p.person = $3 and p.left_at is null))
         {order} limit $4"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once() {
        for before in [1, 2, 4_096, 4_097, 70_000, 1_000_001] {
            let parts = parts(Database::Postgres, before);
            let mut end = before;
            for (part, (letter, bits)) in parts.iter().zip(BLOCKS) {
                assert_eq!(part.before, end);
                let oldest = part.blocks.first().expect("a block");
                let oldest: i64 = oldest[2..].parse().expect("a number");
                assert!(
                    part.blocks
                        .iter()
                        .all(|block| block.as_bytes()[1] == letter as u8)
                );
                end = oldest << bits;
            }
            let whole = parts.iter().any(|part| part.blocks.is_empty());
            assert_eq!(whole, end > 1, "{before}");
        }
    }

    #[test]
    fn a_question_is_quoted() {
        let scopes = ["@t".to_owned()];
        let terms = [Term::Exact("near".into()), Term::Beginning("order".into())];
        assert_eq!(
            expression(Database::Sqlite, &scopes, &terms, &[]),
            "(\"@t\") AND \"near\" AND \"order\" *"
        );
        assert_eq!(
            expression(Database::Postgres, &scopes, &terms, &["~f1".into()]),
            "('@t') & ('~f1') & 'near' & 'order':*"
        );
    }
}
