//! What agents have answered in tickets, above what those who write now had on screen.

use std::collections::HashMap;

use uuid::Uuid;

use super::Append;
use crate::store::sql::{array, query};
use crate::store::{Connection, Result};
use parlour_protocol::frame::Role;

/// The newest text of each agent in each public room, as far as it may matter.
#[derive(Default)]
pub(super) struct Answers(HashMap<(Uuid, Uuid), i64>);

impl Answers {
    /// Loads from SQLite what stands above `seen` of each of `appends` by agents. It reads those
    /// entries alone.
    pub(super) async fn load(
        &mut self,
        connection: &mut Connection,
        appends: &[&Append],
    ) -> Result<()> {
        let by_agents = appends
            .iter()
            .filter(|append| append.author.role == Role::Agent);
        let asked: Vec<_> = by_agents
            .map(|append| (append.room.simple(), append.seen))
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        let rows = query(
            "select m.room, m.author, max(m.seq) from jsonb_each($1) asked
             join messages m on m.room = unhex(asked.value ->> 0) and m.seq > asked.value ->> 1
             where m.author_role = 'agent' and m.kind = 'text' group by m.room, m.author",
        )
        .bind(array(asked))
        .fetch_all(connection)
        .await?;
        for row in rows {
            self.note(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        }
        Ok(())
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
