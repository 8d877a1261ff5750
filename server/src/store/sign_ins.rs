//! Sign-ins: the server's side of agents' cookies.

use std::time::Duration;

use uuid::Uuid;

use super::agents::{Agent, AgentRole};
use super::sql::{Row, query, query_built, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;

/// A sign-in, as its agent sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub agent: Uuid,
    /// When it began.
    pub created_at: Micros,
    /// When it was last used, to within a minute.
    pub used_at: Micros,
    /// When it ends at the latest.
    pub ends_at: Micros,
    /// The address that it began from.
    pub address: String,
    /// Such as "Firefox on Linux".
    pub browser: String,
}

/// A sign-in that is good, with its agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alive {
    /// The sign-in.
    pub id: Uuid,
    /// When it was last used, to within a minute.
    pub used_at: Micros,
    /// Who has signed in.
    pub agent: Agent,
}

/// What makes a sign-in good: not ended, not idle for too long, its agent not disabled.
const ALIVE: &str = "select s.id, s.used_at, a.id, a.email, a.name, a.role, a.created_at
    from sign_ins s join agents a on a.id = s.agent
    where s.ends_at > $1 and s.used_at > $2 and a.disabled_at is null";

fn idle_since(now: Micros, idle: Duration) -> Micros {
    now.saturating_sub(Micros::try_from(idle.as_micros()).unwrap_or(Micros::MAX))
}

impl Store {
    /// The sign-in behind a cookie, if it is good.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_in_by_token(
        &self,
        token_hash: Vec<u8>,
        now: Micros,
        idle: Duration,
    ) -> Result<Option<Alive>> {
        let row = query_built(format!("{ALIVE} and s.token_hash = $3"))
            .bind(now)
            .bind(idle_since(now, idle))
            .bind(token_hash)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(alive).transpose()
    }

    /// A sign-in by its id, if it is good.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_in(&self, id: Uuid, now: Micros, idle: Duration) -> Result<Option<Alive>> {
        let row = query_built(format!("{ALIVE} and s.id = $3"))
            .bind(now)
            .bind(idle_since(now, idle))
            .bind(id)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(alive).transpose()
    }

    /// Every sign-in that is good: its id, its agent, and what she may do.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_ins_alive(&self, now: Micros, idle: Duration) -> Result<Vec<Alive>> {
        let rows = query_built(ALIVE.to_owned())
            .bind(now)
            .bind(idle_since(now, idle))
            .fetch_all(self.reader())
            .await?;
        rows.iter().map(alive).collect()
    }

    /// The good sign-ins of an agent, the one used last first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_ins_of(
        &self,
        agent: Uuid,
        now: Micros,
        idle: Duration,
    ) -> Result<Vec<SignIn>> {
        let rows = query(
            "select id, agent, created_at, used_at, ends_at, address, browser from sign_ins
             where agent = $1 and ends_at > $2 and used_at > $3 order by used_at desc, id",
        )
        .bind(agent)
        .bind(now)
        .bind(idle_since(now, idle))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(SignIn {
                    id: row.try_get(0)?,
                    agent: row.try_get(1)?,
                    created_at: row.try_get(2)?,
                    used_at: row.try_get(3)?,
                    ends_at: row.try_get(4)?,
                    address: row.try_get(5)?,
                    browser: row.try_get(6)?,
                })
            })
            .collect()
    }

    /// Queues a note that a sign-in was used, and does not wait for it: if it is lost, the next one makes it good.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full.
    pub async fn sign_in_used(&self, id: Uuid, now: Micros) -> Result<()> {
        self.write_then(
            move |connection| {
                Box::pin(async move {
                    query("update sign_ins set used_at = $1 where id = $2 and used_at < $1")
                        .bind(now)
                        .bind(id)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            },
            |result| {
                if let Err(error) = result {
                    tracing::debug!(%error, "the use of a sign-in was not noted");
                }
            },
        )
        .await
    }
}

fn alive(row: &Row) -> Result<Alive> {
    let role: String = row.try_get(5)?;
    Ok(Alive {
        id: row.try_get(0)?,
        used_at: row.try_get(1)?,
        agent: Agent {
            id: row.try_get(2)?,
            email: row.try_get(3)?,
            name: row.try_get(4)?,
            role: AgentRole::parse(&role)
                .ok_or_else(|| StoreError::Failed("an agent of an unknown role".into()))?,
            created_at: row.try_get(6)?,
            disabled_at: None,
        },
    })
}

/// Stores a sign-in, and forgets those that have ended.
pub(crate) async fn insert(
    connection: &mut Connection,
    sign_in: &SignIn,
    token_hash: &[u8],
    idle: Duration,
) -> Result<()> {
    query("delete from sign_ins where ends_at <= $1 or used_at <= $2")
        .bind(sign_in.created_at)
        .bind(idle_since(sign_in.created_at, idle))
        .execute(&mut *connection)
        .await?;
    query(
        "insert into sign_ins (id, agent, token_hash, created_at, used_at, ends_at, address, browser)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(sign_in.id)
    .bind(sign_in.agent)
    .bind(token_hash)
    .bind(sign_in.created_at)
    .bind(sign_in.used_at)
    .bind(sign_in.ends_at)
    .bind(&sign_in.address)
    .bind(&sign_in.browser)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends one sign-in of an agent. [`StoreError::NotFound`] if it is not hers.
pub(crate) async fn end(connection: &mut Connection, agent: Uuid, id: Uuid) -> Result<()> {
    let done = query("delete from sign_ins where id = $1 and agent = $2")
        .bind(id)
        .bind(agent)
        .execute(connection)
        .await?;
    if done == 1 {
        Ok(())
    } else {
        Err(StoreError::NotFound)
    }
}

/// Ends all sign-ins of an agent but one; those that were ended.
pub(crate) async fn end_others(
    connection: &mut Connection,
    agent: Uuid,
    but: Option<Uuid>,
) -> Result<Vec<Uuid>> {
    Ok(
        query_scalar("delete from sign_ins where agent = $1 and id <> $2 returning id")
            .bind(agent)
            .bind(but.unwrap_or_default())
            .fetch_all(connection)
            .await?,
    )
}
