//! Storing messages: sets of them, numbered in the transaction that stores them.
//!
//! SQLite has one writer, so positions are read, raised in memory and written back inside
//! the one transaction; PostgreSQL does the same under row locks, in a function of its own.

use std::collections::HashMap;

use serde_json::json;
use sqlx::Row as _;
use uuid::Uuid;

use super::messages::{Kind, Stored};
use super::rooms::Kind as RoomKind;
use super::{Connection, Result, StoreError};
use crate::clock::{self, Micros};
use parlour_protocol::frame::Role;

/// Who writes.
#[derive(Clone, Debug)]
pub struct Author {
    /// The person; zeros for the system.
    pub id: Uuid,
    /// On which side she stands.
    pub role: Role,
    /// Her name, as the others see it.
    pub name: String,
}

/// A message to store.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id, unique in the room.
    pub cid: Uuid,
    /// What was typed; already checked for its length.
    pub text: String,
}

/// What opens a ticket.
#[derive(Clone, Debug)]
pub struct Open {
    /// The visitor's site.
    pub site: Uuid,
    /// Where she was.
    pub page: String,
    /// Its title.
    pub title: String,
}

/// Messages of one author for one room: all of them are stored, or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// The room; with `open` the id of the ticket.
    pub room: Uuid,
    /// Who writes.
    pub author: Author,
    /// The messages, oldest first.
    pub drafts: Vec<Draft>,
    /// Opens the ticket if it is not there.
    pub open: Option<Open>,
}

/// What was stored.
#[derive(Clone, Debug, Default)]
pub struct Appended {
    /// New entries, in order; the visitor's message to a resolved ticket puts a `reopened` before it.
    pub stored: Vec<Stored>,
    /// For each draft: its number, its time, and whether it had been stored before.
    pub numbers: Vec<Number>,
    /// The ticket that changed.
    pub ticket: Option<Uuid>,
    /// Whether the ticket was opened by this.
    pub opened: bool,
}

/// The number that a message got.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The message.
    pub cid: Uuid,
    /// Its number.
    pub seq: i64,
    /// When it was stored.
    pub at: Micros,
    /// Whether it had been stored before.
    pub duplicate: bool,
}

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
    preview: Option<(String, Author)>,
    changed: bool,
}

struct Known {
    seq: i64,
    at: Micros,
    author: Uuid,
    text: String,
}

/// Stores `appends` in order. The outer error concerns the whole set, an inner one its append.
pub(super) async fn append(
    connection: &mut Connection,
    appends: &[&Append],
) -> Result<Vec<Result<Appended>>> {
    let mut opened = Vec::with_capacity(appends.len());
    for append in appends {
        opened.push(open(connection, append).await?);
    }
    let mut batch = Batch::load(connection, appends).await?;
    let results = appends
        .iter()
        .zip(opened)
        .map(|(append, opened)| batch.take(append, opened))
        .collect();
    batch.store(connection).await?;
    Ok(results)
}

/// Opens the ticket of `append` if it asks for it; whether it was new.
async fn open(connection: &mut Connection, append: &Append) -> Result<bool> {
    let Some(open) = &append.open else {
        return Ok(false);
    };
    let now = clock::now();
    let made = sqlx::query(
        "insert into rooms (id, kind, created_at) values ($1, 'public', $2) on conflict do nothing",
    )
    .bind(append.room)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    let staff = clock::id();
    sqlx::query("insert into rooms (id, kind, created_at) values ($1, 'staff', $2)")
        .bind(staff)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into tickets (id, staff_room, site, visitor, state, at, page, title, created_at)
         values ($1, $2, $3, $4, 'open', $5, $6, $7, $5)",
    )
    .bind(append.room)
    .bind(staff)
    .bind(open.site)
    .bind(append.author.id)
    .bind(now)
    .bind(&open.page)
    .bind(&open.title)
    .execute(&mut *connection)
    .await?;
    Ok(true)
}

struct Batch {
    now: Micros,
    rooms: HashMap<Uuid, Position>,
    tickets: HashMap<Uuid, Ticket>,
    known: HashMap<(Uuid, Uuid), Known>,
    members: Vec<(Uuid, Uuid)>,
    new: Vec<Stored>,
}

impl Batch {
    async fn load(connection: &mut Connection, appends: &[&Append]) -> Result<Self> {
        let mut batch = Self {
            now: clock::now(),
            rooms: HashMap::new(),
            tickets: HashMap::new(),
            known: HashMap::new(),
            members: Vec::new(),
            new: Vec::new(),
        };
        let asked = json!(
            appends
                .iter()
                .map(|append| append.room.simple().to_string())
                .collect::<Vec<_>>()
        )
        .to_string();
        batch.load_rooms(connection, &asked).await?;
        batch.load_known(connection, appends).await?;
        let private = appends.iter().any(|append| {
            batch
                .rooms
                .get(&append.room)
                .is_some_and(|room| room.kind.is_private())
        });
        if private {
            let rows = sqlx::query(
                "select m.room, m.person from members m
                 join (select distinct unhex(value) as id from json_each($1)) asked on asked.id = m.room
                 where m.left_at is null",
            )
            .bind(&asked)
            .fetch_all(connection)
            .await?;
            batch.members = rows
                .iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<sqlx::Result<_>>()?;
        }
        Ok(batch)
    }

    async fn load_rooms(&mut self, connection: &mut Connection, asked: &str) -> Result<()> {
        let rows = sqlx::query(
            "select r.id, r.kind, r.seq, r.at, t.id as ticket, t.visitor, t.at as ticket_at, t.state, coalesce(v.name, '') as visitor_name
             from (select distinct unhex(value) as id from json_each($1)) asked
             join rooms r on r.id = asked.id
             left join tickets t on t.id = r.id or t.staff_room = r.id
             left join visitors v on v.id = t.visitor",
        )
        .bind(asked)
        .fetch_all(connection)
        .await?;
        for row in rows {
            let ticket: Option<Uuid> = row.try_get("ticket")?;
            if let Some(ticket) = ticket {
                let state: &str = row.try_get("state")?;
                self.tickets.entry(ticket).or_insert(Ticket {
                    at: row.try_get("ticket_at")?,
                    resolved: state == "resolved",
                    preview: None,
                    changed: false,
                });
            }
            let position = Position {
                kind: RoomKind::parse(row.try_get("kind")?)?,
                seq: row.try_get("seq")?,
                at: row.try_get("at")?,
                ticket,
                visitor: row.try_get("visitor")?,
                visitor_name: row.try_get("visitor_name")?,
                changed: false,
            };
            self.rooms.insert(row.try_get("id")?, position);
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
        let rows = sqlx::query(
            "select m.room, m.cid, m.seq, m.at, m.author, m.text from json_each($1) asked
             join messages m on m.room = unhex(asked.value ->> 0) and m.cid = unhex(asked.value ->> 1)",
        )
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
    fn take(&mut self, append: &Append, opened: bool) -> Result<Appended> {
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

    fn push(
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
    async fn store(self, connection: &mut Connection) -> Result<()> {
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
        sqlx::query(
            "update rooms set seq = new.value ->> 1, at = new.value ->> 2 from json_each($1) new where rooms.id = unhex(new.value ->> 0)",
        )
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
                    preview.map(|(_, by)| super::messages::role_text(by.role)),
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
                    ticket.resolved
                ])
            })
            .collect();
        if !tickets.is_empty() {
            sqlx::query(
                "update tickets set rev = rev + 1, at = new.value ->> 1,
                     preview = coalesce(new.value ->> 2, preview), preview_by = coalesce(new.value ->> 3, preview_by),
                     preview_name = coalesce(new.value ->> 4, preview_name),
                     state = case when state = 'resolved' and not (new.value ->> 5) then 'open' else state end
                 from json_each($1) new where tickets.id = unhex(new.value ->> 0)",
            )
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
                super::messages::role_text(stored.author_role),
                stored.text,
                stored.what,
                stored.whom.map(|whom| whom.simple().to_string()),
            ])
        })
        .collect();
    sqlx::query(
        "insert into messages (room, seq, cid, at, kind, author, author_role, text, what, whom)
         select unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, unhex(value ->> 5), value ->> 6,
                value ->> 7, value ->> 8, unhex(value ->> 9)
         from json_each($1)",
    )
    .bind(json!(rows).to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores one thing that happened, inside the caller's transaction: what tickets and rooms record of themselves.
///
/// # Errors
/// [`StoreError::NotFound`] if there is no such room.
pub async fn happened(
    connection: &mut Connection,
    room: Uuid,
    author: &Author,
    what: &str,
    whom: Option<(Uuid, String)>,
) -> Result<Stored> {
    let asked = json!([room.simple().to_string()]).to_string();
    let mut batch = Batch {
        now: clock::now(),
        rooms: HashMap::new(),
        tickets: HashMap::new(),
        known: HashMap::new(),
        members: Vec::new(),
        new: Vec::new(),
    };
    batch.load_rooms(connection, &asked).await?;
    let mut stored = batch.push(room, author, clock::id(), Kind::Happened, "", what)?;
    if let Some((id, name)) = whom {
        stored.whom = Some(id);
        stored.whom_name = name;
    }
    batch.new = vec![stored.clone()];
    batch.store(connection).await?;
    Ok(stored)
}
