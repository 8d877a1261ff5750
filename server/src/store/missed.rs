//! What a node looks up that other nodes could not tell it.

use std::collections::HashMap;

use uuid::Uuid;

use super::sql::{query, query_built};
use super::{Result, Store};
use crate::clock::Micros;

impl Store {
    /// The direct and team rooms among these, and their members.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn private_rooms(&self, rooms: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
        let asked = self.database().ids("$1");
        let sql = format!(
            "select r.id, m.person from rooms r
             left join members m on m.room = r.id and m.left_at is null
             where r.kind in ('direct', 'team') and r.id in {asked}"
        );
        let rows = query_built(sql)
            .bind(rooms)
            .fetch_all(self.reader())
            .await?;
        let mut private: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for row in &rows {
            let members = private.entry(row.try_get(0)?).or_default();
            members.extend(row.try_get::<Option<Uuid>, _>(1)?);
        }
        Ok(private)
    }

    /// Open tickets that were opened since then, and their visitors.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn tickets_opened(&self, since: Micros) -> Result<Vec<(Uuid, Uuid)>> {
        // By the newest entry first: that is in an index.
        let rows = query(
            "select id, visitor from tickets where state = 'open' and at > $1 and created_at > $1",
        )
        .bind(since)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }
}
