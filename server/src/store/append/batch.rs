//! A set of messages inside its transaction: loaded, numbered in memory, written back.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::answers::Answers;
use super::{Append, Appended, Author, Draft, Number};
use crate::clock::{self, Micros};
use crate::store::messages::{Kind, Stored, role_text};
use crate::store::rooms::Kind as RoomKind;
use crate::store::sql::query_built;
use crate::store::{Connection, Result, StoreError};
use parlour_protocol::frame::Role;

/// A room while the transaction runs.
struct Position {
    kind: RoomKind,
    seq: i64,
    at: Micros,
    ticket: Option<Uuid>,
    visitor: Option<Uuid>,
    visitor_name: String,
    changed: bool,
}

/// A ticket while the transaction runs.
struct Ticket {
    at: Micros,
    resolved: bool,
    /// Whether the visitor wrote: then it is open, whatever it was.
    opens: bool,
    preview: Option<(String, Author)>,
    changed: bool,
}

struct Known {
    seq: i64,
    at: Micros,
    author: Uuid,
    text: String,
}

/// The set, while the transaction runs.
pub(super) struct Batch {
    now: Micros,
    rooms: HashMap<Uuid, Position>,
    tickets: HashMap<Uuid, Ticket>,
    known: HashMap<(Uuid, Uuid), Known>,
    members: Vec<(Uuid, Uuid)>,
    answers: Answers,
    /// What was numbered, in order.
    pub(super) new: Vec<Stored>,
}

impl Batch {
    fn empty() -> Self {
        Self {
            now: clock::now(),
            rooms: HashMap::new(),
            tickets: HashMap::new(),
            known: HashMap::new(),
            members: Vec::new(),
            answers: Answers::default(),
            new: Vec::new(),
        }
    }

    /// Loads what numbering a set needs: its rooms, the ids that are known, and members.
    pub(super) async fn load(connection: &mut Connection, appends: &[&Append]) -> Result<Self> {
        let mut batch = Self::empty();
        let asked: Vec<Uuid> = appends.iter().map(|append| append.room).collect();
        batch.load_rooms(connection, &asked).await?;
        batch.load_known(connection, appends).await?;
        let by_agents = appends.iter().filter(|append| {
            append.author.role == Role::Agent
                && batch
                    .rooms
                    .get(&append.room)
                    .is_some_and(|room| room.kind == RoomKind::Public)
        });
        batch.answers = Answers::load(connection, by_agents).await?;
        let private = batch.rooms.values().any(|room| room.kind.is_private());
        if private {
            let rooms = connection.database().ids("$1");
            let rows = query_built(format!(
                "select room, person from members where room in {rooms} and left_at is null"
            ))
            .bind(asked)
            .fetch_all(connection)
            .await?;
            batch.members = rows
                .iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<sqlx::Result<_>>()?;
        }
        Ok(batch)
    }

    /// Loads one room, for an entry that the room records of itself.
    pub(super) async fn of_room(connection: &mut Connection, room: Uuid) -> Result<Self> {
        let mut batch = Self::empty();
        batch.load_rooms(connection, &[room]).await?;
        Ok(batch)
    }

    /// Rooms before tickets, each in the order of their ids: so that no two nodes wait for each other.
    async fn load_rooms(&mut self, connection: &mut Connection, asked: &[Uuid]) -> Result<()> {
        let (ids, lock) = (
            connection.database().ids("$1"),
            connection.database().lock(),
        );
        let rows = query_built(format!(
            "select id, kind, seq, at from rooms where id in {ids} order by id{lock}"
        ))
        .bind(asked)
        .fetch_all(&mut *connection)
        .await?;
        for row in rows {
            let position = Position {
                kind: RoomKind::parse(row.try_get("kind")?)?,
                seq: row.try_get("seq")?,
                at: row.try_get("at")?,
                ticket: None,
                visitor: None,
                visitor_name: String::new(),
                changed: false,
            };
            self.rooms.insert(row.try_get("id")?, position);
        }
        if self.rooms.values().all(|room| room.kind.is_private()) {
            return Ok(());
        }
        let lock = if lock.is_empty() {
            ""
        } else {
            " for no key update of t"
        };
        let rows = query_built(format!(
            "select t.id, t.staff_room, t.visitor, t.at, t.state, v.name
             from tickets t join visitors v on v.id = t.visitor
             where t.id in {ids} or t.staff_room in {ids} order by t.id{lock}"
        ))
        .bind(asked)
        .fetch_all(connection)
        .await?;
        for row in rows {
            let id: Uuid = row.try_get("id")?;
            let state: &str = row.try_get("state")?;
            let ticket = Ticket {
                at: row.try_get("at")?,
                resolved: state == "resolved",
                opens: false,
                preview: None,
                changed: false,
            };
            self.tickets.insert(id, ticket);
            for room in [id, row.try_get("staff_room")?] {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.ticket = Some(id);
                    room.visitor = Some(row.try_get("visitor")?);
                    room.visitor_name = row.try_get("name")?;
                }
            }
        }
        Ok(())
    }

    async fn load_known(&mut self, connection: &mut Connection, appends: &[&Append]) -> Result<()> {
        let pairs: Vec<_> = appends
            .iter()
            .flat_map(|append| {
                append.drafts.iter().map(|draft| {
                    json!([
                        append.room.simple().to_string(),
                        draft.cid.simple().to_string()
                    ])
                })
            })
            .collect();
        let database = connection.database();
        let (each, room, cid) = (
            database.each("$1"),
            database.id("new.value ->> 0"),
            database.id("new.value ->> 1"),
        );
        let rows = query_built(format!(
            "select m.room, m.cid, m.seq, m.at, m.author, m.text from {each}
             join messages m on m.room = {room} and m.cid = {cid}",
        ))
        .bind(json!(pairs).to_string())
        .fetch_all(connection)
        .await?;
        for row in rows {
            let known = Known {
                seq: row.try_get("seq")?,
                at: row.try_get("at")?,
                author: row.try_get("author")?,
                text: row.try_get("text")?,
            };
            self.known
                .insert((row.try_get("room")?, row.try_get("cid")?), known);
        }
        Ok(())
    }

    /// Numbers the messages of one append, in memory.
    pub(super) fn take(&mut self, append: &Append, opened: bool) -> Result<Appended> {
        let room = self.rooms.get(&append.room).ok_or(StoreError::NotFound)?;
        let allowed = match (room.kind, append.author.role) {
            (RoomKind::Public, Role::Visitor) => room.visitor == Some(append.author.id),
            (RoomKind::Public | RoomKind::Staff, Role::Agent) => true,
            (RoomKind::Direct | RoomKind::Team, Role::Agent) => {
                self.members.contains(&(append.room, append.author.id))
            }
            _ => false,
        };
        if !allowed {
            return Err(StoreError::NotFound);
        }
        // Before anything is numbered, so that a conflict leaves no part behind.
        for draft in &append.drafts {
            if let Some(known) = self.known.get(&(append.room, draft.cid))
                && (known.author != append.author.id || known.text != draft.text)
            {
                return Err(StoreError::Conflict(draft.cid));
            }
        }
        // A repeated message is acknowledged, whatever was answered since.
        let fresh = |draft: &&Draft| !self.known.contains_key(&(append.room, draft.cid));
        if let Some(draft) = append.drafts.iter().find(fresh)
            && room.kind == RoomKind::Public
            && append.author.role == Role::Agent
            && self
                .answers
                .above(append.room, append.seen, append.author.id)
        {
            return Err(StoreError::Unseen(draft.cid));
        }
        let mut appended = Appended {
            opened,
            ticket: room.ticket,
            ..Appended::default()
        };
        for draft in &append.drafts {
            self.number(append, draft, &mut appended)?;
        }
        Ok(appended)
    }

    fn number(&mut self, append: &Append, draft: &Draft, appended: &mut Appended) -> Result<()> {
        let key = (append.room, draft.cid);
        if let Some(known) = self.known.get(&key) {
            appended.numbers.push(Number {
                cid: draft.cid,
                seq: known.seq,
                at: known.at,
                duplicate: true,
            });
            return Ok(());
        }
        let room = self.rooms.get(&append.room).ok_or(StoreError::NotFound)?;
        let kind = if room.kind == RoomKind::Staff {
            Kind::Note
        } else {
            Kind::Text
        };
        let reopens = append.author.role == Role::Visitor
            && room
                .ticket
                .and_then(|ticket| self.tickets.get(&ticket))
                .is_some_and(|ticket| ticket.resolved);
        if reopens {
            let happened = self.push(
                append.room,
                &append.author,
                clock::id(),
                Kind::Happened,
                "",
                "reopened",
            )?;
            appended.stored.push(happened);
        }
        let stored = self.push(
            append.room,
            &append.author,
            draft.cid,
            kind,
            &draft.text,
            "",
        )?;
        appended.numbers.push(Number {
            cid: draft.cid,
            seq: stored.seq,
            at: stored.at,
            duplicate: false,
        });
        let known = Known {
            seq: stored.seq,
            at: stored.at,
            author: append.author.id,
            text: draft.text.clone(),
        };
        self.known.insert(key, known);
        appended.stored.push(stored);
        Ok(())
    }

    /// Gives an entry the next number of its room.
    pub(super) fn push(
        &mut self,
        room: Uuid,
        author: &Author,
        cid: Uuid,
        kind: Kind,
        text: &str,
        what: &str,
    ) -> Result<Stored> {
        let position = self.rooms.get_mut(&room).ok_or(StoreError::NotFound)?;
        let ticket = position
            .ticket
            .and_then(|ticket| self.tickets.get_mut(&ticket));
        let last = ticket.as_ref().map_or(position.at, |ticket| ticket.at);
        let at = self.now.max(last + 1);
        position.seq += 1;
        position.at = at;
        position.changed = true;
        if let Some(ticket) = ticket {
            ticket.at = at;
            ticket.changed = true;
            if what == "reopened" {
                ticket.resolved = false;
            }
            if kind == Kind::Text {
                ticket.opens |= author.role == Role::Visitor;
                if author.role == Role::Agent {
                    self.answers.note(room, author.id, position.seq);
                }
                ticket.preview = Some((text.chars().take(200).collect(), author.clone()));
            }
        }
        let name = if author.role == Role::Visitor {
            position.visitor_name.clone()
        } else {
            author.name.clone()
        };
        let stored = Stored {
            room,
            seq: position.seq,
            cid,
            at,
            rev: 0,
            kind,
            author: author.id,
            author_role: author.role,
            author_name: name,
            text: text.to_owned(),
            what: what.to_owned(),
            whom: None,
            whom_name: String::new(),
        };
        self.new.push(stored.clone());
        Ok(stored)
    }

    /// Writes everything by sets.
    pub(super) async fn store(self, connection: &mut Connection) -> Result<()> {
        if self.new.is_empty() {
            return Ok(());
        }
        insert(connection, &self.new).await?;
        let rooms: Vec<_> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.changed)
            .map(|(id, room)| json!([id.simple().to_string(), room.seq, room.at]))
            .collect();
        let (each, id) = (
            connection.database().each("$1"),
            connection.database().id("new.value ->> 0"),
        );
        query_built(format!(
            "update rooms set seq = cast(new.value ->> 1 as bigint), at = cast(new.value ->> 2 as bigint)
             from {each} where rooms.id = {id}",
        ))
        .bind(json!(rooms).to_string())
        .execute(&mut *connection)
        .await?;
        let tickets: Vec<_> = self
            .tickets
            .iter()
            .filter(|(_, ticket)| ticket.changed)
            .map(|(id, ticket)| {
                let preview = ticket.preview.as_ref();
                let (text, by) = (
                    preview.map(|(text, _)| text),
                    preview.map(|(_, by)| role_text(by.role)),
                );
                let name = preview.map(|(_, by)| {
                    if by.role == Role::Agent {
                        by.name.as_str()
                    } else {
                        ""
                    }
                });
                json!([
                    id.simple().to_string(),
                    ticket.at,
                    text,
                    by,
                    name,
                    ticket.opens.then_some("open"),
                ])
            })
            .collect();
        if !tickets.is_empty() {
            query_built(format!(
                "update tickets set rev = rev + 1, at = cast(new.value ->> 1 as bigint),
                     preview = coalesce(new.value ->> 2, preview), preview_by = coalesce(new.value ->> 3, preview_by),
                     preview_name = coalesce(new.value ->> 4, preview_name),
                     state = coalesce(new.value ->> 5, state),
                     snoozed_until = case when new.value ->> 5 = 'open' then null else snoozed_until end
                 from {each} where tickets.id = {id}",
            ))
            .bind(json!(tickets).to_string())
            .execute(connection)
            .await?;
        }
        Ok(())
    }
}

async fn insert(connection: &mut Connection, new: &[Stored]) -> Result<()> {
    let rows: Vec<_> = new
        .iter()
        .map(|stored| {
            json!([
                stored.room.simple().to_string(),
                stored.seq,
                stored.cid.simple().to_string(),
                stored.at,
                stored.kind.text(),
                stored.author.simple().to_string(),
                role_text(stored.author_role),
                stored.text,
                stored.what,
                stored.whom.map(|whom| whom.simple().to_string()),
            ])
        })
        .collect();
    let each = connection.database().each("$1");
    let [room, cid, author, whom] =
        [0, 2, 5, 9].map(|field| connection.database().id(&format!("new.value ->> {field}")));
    query_built(format!(
        "insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
         select {room}, cast(new.value ->> 1 as bigint), {cid}, cast(new.value ->> 3 as bigint), new.value ->> 4, {author},
                new.value ->> 6, new.value ->> 7, new.value ->> 8, {whom}
         from {each}",
    ))
    .bind(json!(rows).to_string())
    .execute(connection)
    .await?;
    Ok(())
}
