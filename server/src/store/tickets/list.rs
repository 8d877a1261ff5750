//! Lists of tickets: by state, newest first, page by page; and how long they are.

use uuid::Uuid;

use super::{SELECT, Ticket, state_text, ticket};
use crate::clock::Micros;
use crate::store::sql::{Database, Query, query_built};
use crate::store::{Result, Store};
use parlour_protocol::frame::TicketState;
use parlour_protocol::limits::MOST_COUNTED;

/// Which tickets a list has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: TicketState,
    /// Of this agent; nobody's; or all.
    pub assigned: Assigned,
    /// Of this site.
    pub site: Option<Uuid>,
}

/// Whose tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// Everybody's.
    All,
    /// One agent's.
    To(Uuid),
    /// Nobody's.
    Nobody,
}

/// A place in a list: below this row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Below {
    /// Its time.
    pub at: Micros,
    /// Its ticket.
    pub id: Uuid,
}

/// How many tickets there are, each up to [`MOST_COUNTED`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Open, and assigned to the agent who asks.
    pub mine: i64,
    /// Open, and nobody's.
    pub unassigned: i64,
    /// Open.
    pub open: i64,
    /// Pending.
    pub pending: i64,
    /// Snoozed.
    pub snoozed: i64,
    /// Resolved.
    pub resolved: i64,
}

/// The query of a page of a list. The page is found before anything is joined to it.
fn page(
    database: Database,
    columns: &str,
    filter: &Filter,
    below: Option<Below>,
    limit: i64,
) -> Query {
    let assigned = match filter.assigned {
        Assigned::All => "",
        Assigned::To(_) => " and t.assignee = $2",
        Assigned::Nobody => " and t.assignee is null and $2 is null",
    };
    let site = if filter.site.is_some() {
        " and t.site = $3"
    } else {
        ""
    };
    let keyset = match (below, database) {
        (None, _) => "",
        (Some(_), Database::Sqlite) => " and (t.at, t.id) < ($4, $5)",
        (Some(_), Database::Postgres) => " and t.period <= $4 >> 21 and (t.at, t.id) < ($4, $5)",
    };
    let newest = database.newest_tickets();
    query_built(format!(
        "{columns} where t.id in (
             select t.id from tickets t where t.state = $1{assigned}{site}{keyset} order by {newest} limit $6)
         order by t.at desc, t.id desc"
    ))
    .bind(state_text(filter.state))
    .bind(if let Assigned::To(agent) = filter.assigned {
        Some(agent)
    } else {
        None
    })
    .bind(filter.site)
    .bind(below.map(|below| below.at))
    .bind(below.map(|below| below.id))
    .bind(limit)
}

impl Store {
    /// A page of a list, the newest first, at most `limit` rows below `below`.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ticket_list(
        &self,
        filter: &Filter,
        below: Option<Below>,
        limit: i64,
    ) -> Result<Vec<Ticket>> {
        let rows = page(self.database(), SELECT, filter, below, limit)
            .fetch_all(self.reader())
            .await?;
        rows.iter().map(ticket).collect()
    }

    /// The ids and revisions of the first page of a list: all that tells whether it has changed.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ticket_revisions(&self, filter: &Filter, limit: i64) -> Result<Vec<(Uuid, i64)>> {
        let rows = page(
            self.database(),
            "select t.id, t.rev from tickets t",
            filter,
            None,
            limit,
        )
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect()
    }

    /// How many tickets there are, as `agent` sees them; each up to [`MOST_COUNTED`], so that
    /// years of resolved tickets cost no more than that.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ticket_counts(&self, agent: Uuid) -> Result<Counts> {
        let count = |which: &str| {
            format!(
                "(select count(*) from (select 1 from tickets where {which} limit {MOST_COUNTED}) few)"
            )
        };
        let row = query_built(format!(
            "select {} as mine, {} as unassigned, {} as open, {} as pending, {} as snoozed, {} as resolved",
            count("assignee = $1 and state = 'open'"),
            count("assignee is null and state = 'open'"),
            count("state = 'open'"),
            count("state = 'pending'"),
            count("state = 'snoozed'"),
            count("state = 'resolved'"),
        ))
        .bind(agent)
        .fetch_one(self.reader())
        .await?;
        Ok(Counts {
            mine: row.try_get("mine")?,
            unassigned: row.try_get("unassigned")?,
            open: row.try_get("open")?,
            pending: row.try_get("pending")?,
            snoozed: row.try_get("snoozed")?,
            resolved: row.try_get("resolved")?,
        })
    }
}
