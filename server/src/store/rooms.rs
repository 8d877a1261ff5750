//! Rooms, and who may enter them.

use uuid::Uuid;

use super::append::{self, Author};
use super::messages::Stored;
use super::sql::{query, query_built, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock;
use parlour_protocol::frame::Role;

/// What kind of room it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A ticket's room with the visitor in it.
    Public,
    /// A ticket's room for agents.
    Staff,
    /// Two agents.
    Direct,
    /// Many agents.
    Team,
}

impl Kind {
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text {
            "public" => Ok(Self::Public),
            "staff" => Ok(Self::Staff),
            "direct" => Ok(Self::Direct),
            "team" => Ok(Self::Team),
            _ => Err(StoreError::Failed("a room of an unknown kind".into())),
        }
    }

    /// Whether only its members may enter, whatever their role.
    #[must_use]
    pub fn is_private(self) -> bool {
        matches!(self, Self::Direct | Self::Team)
    }
}

/// A room, as its access is decided.
#[derive(Clone, Debug)]
pub struct Room {
    /// The room.
    pub id: Uuid,
    /// What kind it is.
    pub kind: Kind,
    /// The newest number.
    pub position: i64,
    /// The ticket that it belongs to, its visitor and its state.
    pub ticket: Option<(Uuid, Uuid, String)>,
    /// Whether the person who asked is a member: of direct and team rooms.
    pub member: bool,
}

/// A direct or team room, in an agent's list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The room.
    pub id: Uuid,
    /// Direct or team.
    pub kind: Kind,
    /// The team's name; of a direct room the other agent's.
    pub name: String,
    /// Of a direct room: the other agent.
    pub other: Option<Uuid>,
    /// The newest number.
    pub position: i64,
    /// When something was last written; 0: never.
    pub at: i64,
    /// The own read mark.
    pub read: i64,
}

/// A member of a direct or team room.
#[derive(Clone, Debug)]
pub struct Member {
    /// The agent.
    pub id: Uuid,
    /// Her name.
    pub name: String,
}

impl Store {
    /// The newest number of a room.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such room.
    pub async fn position(&self, room: Uuid) -> Result<i64> {
        Ok(query_scalar("select seq from rooms where id = $1")
            .bind(room)
            .fetch_one(self.reader())
            .await?)
    }

    /// The newest numbers of those of these rooms that exist.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn positions(&self, rooms: &[Uuid]) -> Result<Vec<(Uuid, i64)>> {
        let asked = self.database().ids("$1");
        let rows = query_built(format!("select id, seq from rooms where id in {asked}"))
            .bind(rooms)
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// A room, as `person` stands to it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such room.
    pub async fn room(&self, room: Uuid, person: Uuid) -> Result<Room> {
        let row = query(
            "select r.kind, r.seq, t.id as ticket, t.visitor, t.state,
                    exists (select 1 from members m where m.room = r.id and m.person = $2 and m.left_at is null) as member
             from rooms r left join tickets t on t.id = r.id or t.staff_room = r.id where r.id = $1",
        )
        .bind(room)
        .bind(person)
        .fetch_one(self.reader())
        .await?;
        let ticket = match row.try_get::<Option<Uuid>, _>("ticket")? {
            Some(ticket) => Some((ticket, row.try_get("visitor")?, row.try_get("state")?)),
            None => None,
        };
        Ok(Room {
            id: room,
            kind: Kind::parse(row.try_get("kind")?)?,
            position: row.try_get("seq")?,
            ticket,
            member: row.try_get("member")?,
        })
    }

    /// The direct and team rooms of an agent, the newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn rooms_of(&self, agent: Uuid) -> Result<Vec<Listed>> {
        let (_, greatest) = self.database().least_greatest();
        let rows = query_built(format!(
            "select r.id, r.kind, r.seq, r.at, m.read, o.id as other,
                    case r.kind when 'direct' then coalesce(o.name, '') else r.name end as name
             from members m join rooms r on r.id = m.room
             left join members om on r.kind = 'direct' and om.room = r.id and om.person <> m.person
             left join agents o on o.id = om.person
             where m.person = $1 and m.left_at is null and r.kind in ('direct', 'team')
             order by {greatest}(r.at, r.created_at) desc, r.id",
        ))
        .bind(agent)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Listed {
                    id: row.try_get("id")?,
                    kind: Kind::parse(row.try_get("kind")?)?,
                    name: row.try_get("name")?,
                    other: row.try_get("other")?,
                    position: row.try_get("seq")?,
                    at: row.try_get("at")?,
                    read: row.try_get("read")?,
                })
            })
            .collect()
    }

    /// The members of a direct or team room, by name.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn members_of(&self, room: Uuid) -> Result<Vec<Member>> {
        let rows = query(
            "select a.id, a.name from members m join agents a on a.id = m.person
             where m.room = $1 and m.left_at is null order by a.name, a.id",
        )
        .bind(room)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Member {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                })
            })
            .collect()
    }
}

/// The direct room of two agents, made if it is not there yet.
pub(crate) async fn direct(connection: &mut Connection, one: Uuid, other: Uuid) -> Result<Uuid> {
    let (first, second) = if one.as_bytes() < other.as_bytes() {
        (one, other)
    } else {
        (other, one)
    };
    let pair: Vec<u8> = [first.as_bytes().as_slice(), second.as_bytes()].concat();
    let known: i64 =
        query_scalar("select count(*) from agents where id in ($1, $2) and disabled_at is null")
            .bind(one)
            .bind(other)
            .fetch_one(&mut *connection)
            .await?;
    if known != 2 {
        return Err(StoreError::NotFound);
    }
    let now = clock::now();
    query("insert into rooms (id, kind, pair, created_at) values ($1, 'direct', $2, $3) on conflict (pair) do nothing")
        .bind(clock::id())
        .bind(&pair)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    let room: Uuid = query_scalar("select id from rooms where pair = $1")
        .bind(&pair)
        .fetch_one(&mut *connection)
        .await?;
    for person in [first, second] {
        join(connection, room, person).await?;
    }
    Ok(room)
}

/// A new team room with `members`.
pub(crate) async fn team(
    connection: &mut Connection,
    name: &str,
    members: &[Uuid],
) -> Result<Uuid> {
    let room = clock::id();
    query("insert into rooms (id, kind, name, created_at) values ($1, 'team', $2, $3)")
        .bind(room)
        .bind(name)
        .bind(clock::now())
        .execute(&mut *connection)
        .await?;
    for person in members {
        join(connection, room, *person).await?;
    }
    Ok(room)
}

/// Makes an agent a member; whether she was not one before.
async fn join(connection: &mut Connection, room: Uuid, person: Uuid) -> Result<bool> {
    let known: Option<i64> =
        query_scalar("select cast(1 as bigint) from agents where id = $1 and disabled_at is null")
            .bind(person)
            .fetch_optional(&mut *connection)
            .await?;
    if known.is_none() {
        return Err(StoreError::NotFound);
    }
    let made = query(
        "insert into members (room, person, role, joined_at) values ($1, $2, 'agent', $3)
         on conflict (room, person) do update set left_at = null where members.left_at is not null",
    )
    .bind(room)
    .bind(person)
    .bind(clock::now())
    .execute(connection)
    .await?;
    Ok(made > 0)
}

/// Adds or removes a member of a team room; the entry that says so, if anything changed.
pub(crate) async fn change_member(
    connection: &mut Connection,
    room: Uuid,
    author: &Author,
    person: Uuid,
    add: bool,
) -> Result<Option<Stored>> {
    let kind: String = query_scalar(
        "select r.kind from rooms r join members m on m.room = r.id where r.id = $1 and m.person = $2 and m.left_at is null",
    )
    .bind(room)
    .bind(author.id)
    .fetch_one(&mut *connection)
    .await?;
    if kind != "team" {
        return Err(StoreError::Refused(
            "only a team room has members that change",
        ));
    }
    let name: String = query_scalar("select name from agents where id = $1")
        .bind(person)
        .fetch_one(&mut *connection)
        .await?;
    let changed = if add {
        join(connection, room, person).await?
    } else {
        let left = query(
            "update members set left_at = $3 where room = $1 and person = $2 and left_at is null",
        )
        .bind(room)
        .bind(person)
        .bind(clock::now())
        .execute(&mut *connection)
        .await?;
        left > 0
    };
    if !changed {
        return Ok(None);
    }
    debug_assert_eq!(author.role, Role::Agent);
    let what = if add { "added" } else { "removed" };
    append::happened(connection, room, author, what, Some((person, name)))
        .await
        .map(Some)
}
