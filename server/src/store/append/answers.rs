//! What agents have answered in tickets, above what those who write now had on screen.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::Append;
use crate::store::sql::query_built;
use crate::store::{Connection, Result};

/// The newest text of each agent in each public room, as far as it may matter.
#[derive(Default)]
pub(super) struct Answers(HashMap<(Uuid, Uuid), i64>);

impl Answers {
    /// Loads what stands above `seen` of each of `appends`. It reads those entries alone.
    pub(super) async fn load<'a>(
        connection: &mut Connection,
        appends: impl Iterator<Item = &'a &'a Append>,
    ) -> Result<Self> {
        let asked: Vec<_> = appends
            .map(|append| json!([append.room.simple().to_string(), append.seen]))
            .collect();
        if asked.is_empty() {
            return Ok(Self::default());
        }
        let (each, room) = (
            connection.database().each("$1"),
            connection.database().id("new.value ->> 0"),
        );
        let rows = query_built(format!(
            "select m.room, m.author, max(m.seq) from {each}
             join messages m on m.room = {room} and m.seq > cast(new.value ->> 1 as bigint)
             where m.author_role = 'agent' and m.kind = 'text' group by m.room, m.author",
        ))
        .bind(json!(asked).to_string())
        .fetch_all(connection)
        .await?;
        let answers = rows
            .iter()
            .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)));
        Ok(Self(answers.collect::<sqlx::Result<_>>()?))
    }

    /// An agent has answered.
    pub(super) fn note(&mut self, room: Uuid, agent: Uuid, seq: i64) {
        self.0.insert((room, agent), seq);
    }

    /// Whether another agent than `author` has answered above `seen`.
    pub(super) fn above(&self, room: Uuid, seen: i64, author: Uuid) -> bool {
        self.0
            .iter()
            .any(|((of, by), seq)| *of == room && *by != author && *seq > seen)
    }
}
