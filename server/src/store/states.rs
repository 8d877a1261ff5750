//! The states of tickets: set by agents, and by the end of a snooze.

use uuid::Uuid;

use super::append::{self, Author};
use super::messages::Stored;
use super::sql::{query, query_scalar};
use super::tickets::{state_parse, state_text};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;
use parlour_protocol::frame::{Role, TicketState};

/// A state to set. Only a snooze has a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody must answer.
    Open,
    /// It waits for the visitor.
    Pending,
    /// It is put aside until this time.
    Snoozed(Micros),
    /// It is done.
    Resolved,
}

impl Change {
    /// The state.
    #[must_use]
    pub fn state(self) -> TicketState {
        match self {
            Self::Open => TicketState::Open,
            Self::Pending => TicketState::Pending,
            Self::Snoozed(_) => TicketState::Snoozed,
            Self::Resolved => TicketState::Resolved,
        }
    }

    fn until(self) -> Option<Micros> {
        match self {
            Self::Snoozed(until) => Some(until),
            _ => None,
        }
    }
}

impl Store {
    /// Snoozed tickets whose time has come at `now`, the first ones first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn due(&self, now: Micros, limit: i64) -> Result<Vec<Uuid>> {
        Ok(query_scalar(
            "select id from tickets where snoozed_until <= $1 order by snoozed_until limit $2",
        )
        .bind(now)
        .bind(limit)
        .fetch_all(self.reader())
        .await?)
    }
}

/// Sets a ticket's state; what was recorded, or nothing if it was so already.
pub(crate) async fn set(
    connection: &mut Connection,
    id: Uuid,
    author: &Author,
    change: Change,
) -> Result<Vec<Stored>> {
    append::lock(connection, id).await?;
    let row = query("select state, snoozed_until, staff_room from tickets where id = $1")
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    let before = state_parse(row.try_get::<&str, _>(0)?)
        .ok_or_else(|| StoreError::Failed("a ticket in an unknown state".into()))?;
    let until: Option<Micros> = row.try_get(1)?;
    let staff: Uuid = row.try_get(2)?;
    let state = change.state();
    if before == state && until == change.until() {
        return Ok(Vec::new());
    }
    query("update tickets set state = $2, snoozed_until = $3, rev = rev + 1 where id = $1")
        .bind(id)
        .bind(state_text(state))
        .bind(change.until())
        .execute(&mut *connection)
        .await?;
    // The visitor is told of the end and of what comes after it; the rest is the agents' own.
    let public = match (before, state) {
        (_, TicketState::Resolved) => Some("resolved"),
        (TicketState::Resolved, _) => Some("reopened"),
        _ => None,
    };
    let own = match (before, state) {
        (_, TicketState::Pending) => Some("pending"),
        (_, TicketState::Snoozed) => Some("snoozed"),
        (TicketState::Pending | TicketState::Snoozed, TicketState::Open) => Some("woke"),
        _ => None,
    };
    let mut recorded = Vec::new();
    if let Some(what) = public {
        recorded.push(append::happened(connection, id, author, what, None).await?);
    }
    if let Some(what) = own {
        recorded.push(append::set_aside(connection, staff, author, what, change.until()).await?);
    }
    Ok(recorded)
}

/// Opens a snoozed ticket whose time has come at `now`; nothing if it has not, or another node,
/// an agent or the visitor was faster.
pub(crate) async fn wake(
    connection: &mut Connection,
    id: Uuid,
    now: Micros,
) -> Result<Option<Stored>> {
    append::lock(connection, id).await?;
    let staff: Option<Uuid> = query_scalar(
        "update tickets set state = 'open', snoozed_until = null, rev = rev + 1
         where id = $1 and state = 'snoozed' and snoozed_until <= $2 returning staff_room",
    )
    .bind(id)
    .bind(now)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(staff) = staff else {
        return Ok(None);
    };
    let system = Author {
        id: Uuid::nil(),
        role: Role::System,
        name: String::new(),
    };
    append::set_aside(connection, staff, &system, "woke", None)
        .await
        .map(Some)
}
