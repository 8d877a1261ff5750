//! The index of search: which messages and visitors have which terms.
//!
//! Whatever stores a message notes its [`Key`] as waiting, in the same transaction and for a whole
//! set at once; [`indexer`] reads what waits a little later, in larger sets. It gives each a place,
//! a number that grows, so that newest first is by it, and adds the place to the [`postings`] of
//! its terms. What waits is searched as well, by its text. Both databases hold the same three
//! tables, and all reading of them is ours, so that they cannot disagree.
//!
//! Nothing is taken out of the index: what was deleted or edited away is still looked up, and then
//! seen not to be there. An edited text, and a visitor with another name, are noted once more by
//! the schema's triggers.

use std::borrow::Cow;
use std::fmt::Write as _;

use uuid::Uuid;

use super::messages::{Kind, Stored};
use super::rooms::Kind as RoomKind;
use super::sql::{Query, Target, array, query_built};
use super::{Database, Result};
use crate::words;

mod block;
mod index;
pub mod indexer;
mod places;
pub(super) mod postings;
mod set;
pub(super) mod waiting;

/// The scope of tickets' rooms, which every agent may read.
pub(super) const TICKETS: &str = "@t";
/// The scope of visitors.
pub(super) const VISITORS: &str = "@v";

/// Keys in one row, of waiting ones at most and of those that have a place.
pub(super) const CHUNK: usize = 128;

/// The scope of a room: a term that all its messages have, so that what an agent may not read is
/// never looked at.
pub(super) fn scope(room: Uuid, kind: RoomKind) -> Cow<'static, str> {
    if kind.is_private() {
        private_scope(room)
    } else {
        Cow::Borrowed(TICKETS)
    }
}

fn private_scope(room: Uuid) -> Cow<'static, str> {
    Cow::Owned(format!("@{}", room.simple()))
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A message: its room and number.
    Message(Uuid, i64),
    /// The same, after its text was changed. It stays where it was in the order.
    Edited(Uuid, i64),
    /// A visitor.
    Visitor(Uuid),
}

impl Key {
    /// Bytes of a key: an id and a number, which is below zero of what was edited, and zero of a visitor.
    pub(super) const LENGTH: usize = 24;

    /// A message, if it has a text.
    pub(super) fn of(stored: &Stored) -> Option<Self> {
        matches!(stored.kind, Kind::Text | Kind::Note)
            .then_some(Self::Message(stored.room, stored.seq))
    }

    /// The same without a difference between what is new and what was edited.
    pub(super) fn plain(self) -> Self {
        match self {
            Self::Edited(room, seq) => Self::Message(room, seq),
            other => other,
        }
    }

    fn write(self, to: &mut Vec<u8>) {
        let (id, seq) = match self {
            Self::Message(room, seq) => (room, seq),
            Self::Edited(room, seq) => (room, -seq),
            Self::Visitor(visitor) => (visitor, 0),
        };
        to.extend_from_slice(id.as_bytes());
        to.extend_from_slice(&seq.to_be_bytes());
    }

    /// Keys one behind the other.
    pub(super) fn row(keys: impl IntoIterator<Item = Self>) -> Vec<u8> {
        let mut row = Vec::new();
        for key in keys {
            key.write(&mut row);
        }
        row
    }

    /// Keys of a row; a part of one at its end is left out.
    pub(super) fn read(row: &[u8]) -> impl DoubleEndedIterator<Item = Self> {
        let (keys, _) = row.as_chunks::<{ Self::LENGTH }>();
        keys.iter().map(|key| {
            let (mut id, mut seq) = ([0; 16], [0; 8]);
            id.copy_from_slice(&key[..16]);
            seq.copy_from_slice(&key[16..]);
            let (id, seq) = (Uuid::from_bytes(id), i64::from_be_bytes(seq));
            match seq {
                0 => Self::Visitor(id),
                1.. => Self::Message(id, seq),
                _ => Self::Edited(id, -seq),
            }
        })
    }
}

/// Rows of `found_waiting` for messages that are stored.
pub(super) fn waiting_rows(stored: &[Stored]) -> Vec<Vec<u8>> {
    let keys: Vec<Key> = stored.iter().filter_map(Key::of).collect();
    let rows = keys.chunks(CHUNK);
    rows.map(|keys| Key::row(keys.iter().copied())).collect()
}

/// What is found by its text, as it stands now.
pub(super) struct Text {
    pub(super) key: Key,
    scope: Cow<'static, str>,
    text: String,
    /// When it was stored; of visitors nothing.
    pub(super) at: i64,
}

impl Text {
    /// Calls `each` with what it is found by, some of it several times.
    pub(super) fn each_term(&self, mut each: impl FnMut(&str)) {
        each(&self.scope);
        words::each_term(&self.text, each);
    }
}

/// The texts of `keys` in their order. What was deleted has none.
///
/// # Errors
/// What the database reports.
pub(super) async fn texts(
    database: Database,
    target: impl Into<Target<'_>>,
    keys: &[Key],
) -> Result<Vec<Text>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let asked = asked(database, 1);
    // Cross joins have SQLite go by what is asked for, whatever it believes of a young table.
    let mut sql = format!(
        "select asked.nr, m.text, r.kind, m.at from {asked} cross join messages m cross join rooms r
         where m.room = asked.id and m.seq = asked.seq and r.id = m.room and m.kind in ('text', 'note')"
    );
    if keys.iter().any(|key| matches!(key, Key::Visitor(_))) {
        let _ = write!(
            sql,
            " union all
             select asked.nr, v.name || '\n' || v.email, 'visitor', 0 from {asked} cross join visitors v
             where v.id = asked.id and asked.seq = 0 and (v.name <> '' or v.email <> '')"
        );
    }
    sql.push_str(" order by 1");
    let keys_by_number = keys.iter().copied().zip(0..).map(|(key, nr)| (nr, key));
    let rows = bind(query_built(sql), database, keys_by_number)
        .fetch_all(target)
        .await?;
    let mut texts = Vec::with_capacity(rows.len());
    for row in &rows {
        let nr = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        let Some(key) = keys.get(nr).copied() else {
            continue;
        };
        texts.push(Text {
            key,
            scope: match key {
                Key::Visitor(_) => Cow::Borrowed(VISITORS),
                Key::Message(room, _) | Key::Edited(room, _) => {
                    scope(room, RoomKind::parse(row.try_get(2)?)?)
                }
            },
            text: row.try_get(1)?,
            at: row.try_get(3)?,
        });
    }
    Ok(texts)
}

/// Rows of `id`, `seq` and `nr`, which [`bind`] binds from `$first` on, behind everything else.
pub(super) fn asked(database: Database, first: usize) -> String {
    match database {
        Database::Sqlite => format!(
            "(select unhex(value ->> 0) as id, value ->> 1 as seq, value ->> 2 as nr
              from jsonb_each(${first})) asked"
        ),
        Database::Postgres => format!(
            "unnest(${first}::uuid[], ${}::bigint[], ${}::bigint[]) as asked (id, seq, nr)",
            first + 1,
            first + 2
        ),
    }
}

/// Binds keys with numbers of any meaning for [`asked`].
pub(super) fn bind(
    query: Query,
    database: Database,
    keys: impl IntoIterator<Item = (i64, Key)>,
) -> Query {
    let keys = keys.into_iter().map(|(nr, key)| match key {
        Key::Message(room, seq) | Key::Edited(room, seq) => (room, (seq, nr)),
        Key::Visitor(visitor) => (visitor, (0, nr)),
    });
    match database {
        Database::Sqlite => query.bind(array(keys.map(|(id, (seq, nr))| (id.simple(), seq, nr)))),
        Database::Postgres => {
            let (ids, numbers): (Vec<Uuid>, Vec<(i64, i64)>) = keys.unzip();
            let (seqs, nrs): (Vec<i64>, Vec<i64>) = numbers.into_iter().unzip();
            query.bind(ids).bind(seqs).bind(nrs)
        }
    }
}
