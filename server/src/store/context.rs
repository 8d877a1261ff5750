//! What stands around a ticket: who answered, what else the visitor asked;
//! and what lists of sites and agents say beside their names.

use std::collections::HashMap;

use uuid::Uuid;

use super::sql::{query, query_scalar};
use super::tickets::state_parse;
use super::{Result, Store, StoreError};
use crate::clock::Micros;
use parlour_protocol::frame::TicketState;

/// Another ticket of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The ticket.
    pub id: Uuid,
    /// Its state.
    pub state: TicketState,
    /// When something was last written in it.
    pub at: Micros,
    /// Its first text, as it was typed.
    pub first: String,
}

impl Store {
    /// The tickets of `visitor` but `except`, the newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn others_of(&self, visitor: Uuid, except: Uuid, limit: i64) -> Result<Vec<Other>> {
        let rows = query(
            "select t.id, t.state, t.at,
                    coalesce((select m.text from messages m where m.room = t.id and m.kind = 'text' order by m.seq limit 1), '')
             from tickets t where t.visitor = $1 and t.id <> $2 order by t.at desc, t.id desc limit $3",
        )
        .bind(visitor)
        .bind(except)
        .bind(limit)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Other {
                    id: row.try_get(0)?,
                    state: state_parse(row.try_get(1)?)
                        .ok_or_else(|| StoreError::Failed("a ticket in an unknown state".into()))?,
                    at: row.try_get(2)?,
                    first: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// The agents who wrote in a ticket's public room, by their first message: id and name.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn participants(&self, ticket: Uuid) -> Result<Vec<(Uuid, String)>> {
        let rows = query(
            "select a.id, a.name from messages m join agents a on a.id = m.author
             where m.room = $1 and m.kind in ('text', 'deleted') group by a.id order by min(m.seq) limit 20",
        )
        .bind(ticket)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// The ticket that was opened first on a site.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn first_ticket(&self, site: Uuid) -> Result<Option<Uuid>> {
        Ok(
            query_scalar("select id from tickets where site = $1 order by created_at, id limit 1")
                .bind(site)
                .fetch_optional(self.reader())
                .await?,
        )
    }

    /// How many tickets are open on each site that has any.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn open_by_site(&self) -> Result<HashMap<Uuid, i64>> {
        let rows = query("select site, count(*) from tickets where state = 'open' group by site")
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// When each agent's browser was last there, by the sign-ins that were not ended.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn agents_last_seen(&self) -> Result<HashMap<Uuid, Micros>> {
        let rows = query("select agent, max(used_at) from sign_ins group by agent")
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }
}
