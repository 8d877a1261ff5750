//! Entries of rooms.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql::{Row, query_built};
use super::{Result, Store, StoreError};
use crate::clock::Micros;
use parlour_protocol::frame::Role;

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    Text,
    /// A note, in a staff room.
    Note,
    /// Something that happened.
    Happened,
    /// Its text was deleted.
    Deleted,
}

impl Kind {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Note => "note",
            Self::Happened => "happened",
            Self::Deleted => "deleted",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "text" => Ok(Self::Text),
            "note" => Ok(Self::Note),
            "happened" => Ok(Self::Happened),
            "deleted" => Ok(Self::Deleted),
            _ => Err(StoreError::Failed("a message of an unknown kind".into())),
        }
    }
}

pub(super) fn role_text(role: Role) -> &'static str {
    match role {
        Role::Visitor => "visitor",
        Role::Agent => "agent",
        Role::System => "system",
    }
}

fn role_parse(text: &str) -> Result<Role> {
    match text {
        "visitor" => Ok(Role::Visitor),
        "agent" => Ok(Role::Agent),
        "system" => Ok(Role::System),
        _ => Err(StoreError::Failed("a message by an unknown role".into())),
    }
}

/// An entry, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The room.
    pub room: Uuid,
    /// Its number in the room.
    pub seq: i64,
    /// Its id.
    pub cid: Uuid,
    /// When it was stored.
    pub at: Micros,
    /// Its revision.
    pub rev: i64,
    /// What kind it is.
    pub kind: Kind,
    /// Who wrote it; zeros: the system.
    pub author: Uuid,
    /// On which side she stands.
    pub author_role: Role,
    /// Her name.
    pub author_name: String,
    /// What was typed.
    pub text: String,
    /// What happened.
    pub what: String,
    /// To whom.
    pub whom: Option<Uuid>,
    /// Her name.
    pub whom_name: String,
}

/// A page of a room.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries, oldest first.
    pub entries: Vec<Stored>,
    /// Whether older ones exist than the first of these.
    pub more: bool,
    /// The newest number of the room.
    pub position: i64,
}

pub(super) const COLUMNS: &str =
    "m.room, m.seq, m.cid, m.at, m.rev, m.kind, m.author, m.author_role, m.text, m.what, m.whom,
     coalesce(a.name, v.name, '') as author_name, coalesce(w.name, '') as whom_name";
pub(super) const NAMES: &str = "left join agents a on a.id = m.author left join visitors v on v.id = m.author left join agents w on w.id = m.whom";

pub(super) fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored {
        room: row.try_get("room")?,
        seq: row.try_get("seq")?,
        cid: row.try_get("cid")?,
        at: row.try_get("at")?,
        rev: row.try_get("rev")?,
        kind: Kind::parse(row.try_get("kind")?)?,
        author: row.try_get("author")?,
        author_role: role_parse(row.try_get("author_role")?)?,
        author_name: row.try_get("author_name")?,
        text: row.try_get("text")?,
        what: row.try_get("what")?,
        whom: row.try_get("whom")?,
        whom_name: row.try_get("whom_name")?,
    })
}

impl Store {
    /// The newest `limit` entries below `before` (0: no bound), oldest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such room, and what the database reports.
    pub async fn messages_before(&self, room: Uuid, before: i64, limit: i64) -> Result<Page> {
        let before = if before <= 0 { i64::MAX } else { before };
        let sql = format!(
            "select {COLUMNS} from messages m {NAMES} where m.room = $1 and m.seq < $2 order by m.seq desc limit $3"
        );
        let rows = query_built(sql)
            .bind(room)
            .bind(before)
            .bind(limit + 1)
            .fetch_all(self.reader())
            .await?;
        let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
        let mut entries = rows.iter().map(stored).collect::<Result<Vec<_>>>()?;
        entries.truncate(usize::try_from(limit).unwrap_or(0));
        entries.reverse();
        Ok(Page {
            entries,
            more,
            position: self.position(room).await?,
        })
    }

    /// The oldest `limit` entries above `after`, oldest first; `more` says whether newer ones follow.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such room, and what the database reports.
    pub async fn messages_after(&self, room: Uuid, after: i64, limit: i64) -> Result<Page> {
        let sql = format!(
            "select {COLUMNS} from messages m {NAMES} where m.room = $1 and m.seq > $2 order by m.seq limit $3"
        );
        let rows = query_built(sql)
            .bind(room)
            .bind(after)
            .bind(limit + 1)
            .fetch_all(self.reader())
            .await?;
        let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
        let mut entries = rows.iter().map(stored).collect::<Result<Vec<_>>>()?;
        entries.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(Page {
            entries,
            more,
            position: self.position(room).await?,
        })
    }
}
