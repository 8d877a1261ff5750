//! Agents: the people who answer.

use uuid::Uuid;

use super::sql::{Row, query, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;

/// What an agent may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentRole {
    /// May do everything. There is one.
    Owner,
    /// Manages sites and agents.
    Admin,
    /// Answers.
    Agent,
}

impl AgentRole {
    /// As it is stored and shown in addresses: `owner`, `admin`, `agent`.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Agent => "agent",
        }
    }

    /// Reads what [`AgentRole::text`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "owner" => Some(Self::Owner),
            "admin" => Some(Self::Admin),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }

    /// Whether the role manages sites and agents.
    #[must_use]
    pub fn manages(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// An agent, without her password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Her id.
    pub id: Uuid,
    /// Her e-mail address, as typed.
    pub email: String,
    /// Her name.
    pub name: String,
    /// What she may do.
    pub role: AgentRole,
    /// When the account was made.
    pub created_at: Micros,
    /// Since when she may not sign in.
    pub disabled_at: Option<Micros>,
}

/// The form of an e-mail address that decides whether two are the same.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Store {
    /// All agents, by name; those that are disabled as well.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn agents(&self) -> Result<Vec<Agent>> {
        let rows = query(
            "select id, email, name, role, created_at, disabled_at from agents order by name, id",
        )
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(read).collect()
    }

    /// An agent by her id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn agent(&self, id: Uuid) -> Result<Agent> {
        let row = query(
            "select id, email, name, role, created_at, disabled_at from agents where id = $1",
        )
        .bind(id)
        .fetch_one(self.reader())
        .await?;
        read(&row)
    }

    /// An agent and the hash of her password, by her e-mail address in any case.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn agent_by_email(&self, email: &str) -> Result<Option<(Agent, String)>> {
        let row = query("select id, email, name, role, created_at, disabled_at, password from agents where email_key = $1")
            .bind(email_key(email))
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| Ok((read(&row)?, row.try_get(6)?)))
            .transpose()
    }

    /// The hash of an agent's password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn agent_password(&self, id: Uuid) -> Result<String> {
        Ok(query_scalar("select password from agents where id = $1")
            .bind(id)
            .fetch_one(self.reader())
            .await?)
    }

    /// Whether there is an owner: before that, there is nobody at all.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn has_owner(&self) -> Result<bool> {
        let found: Option<i64> =
            query_scalar("select cast(1 as bigint) from agents where role = 'owner'")
                .fetch_optional(self.reader())
                .await?;
        Ok(found.is_some())
    }

    /// Renames an agent.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or what the database reports.
    pub async fn rename_agent(&self, id: Uuid, name: String) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let done = query("update agents set name = $1 where id = $2")
                    .bind(name)
                    .bind(id)
                    .execute(connection)
                    .await?;
                one(done)
            })
        })
        .await?;
        self.changed();
        Ok(())
    }
}

fn read(row: &Row) -> Result<Agent> {
    let role: String = row.try_get(3)?;
    Ok(Agent {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        name: row.try_get(2)?,
        role: AgentRole::parse(&role)
            .ok_or_else(|| StoreError::Failed("an agent of an unknown role".into()))?,
        created_at: row.try_get(4)?,
        disabled_at: row.try_get(5)?,
    })
}

fn one(rows: u64) -> Result<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::NotFound)
    }
}

/// Stores a new agent with the hash of her password.
pub(crate) async fn insert(
    connection: &mut Connection,
    agent: &Agent,
    password: &str,
) -> Result<()> {
    query("insert into agents (id, email, email_key, name, role, password, created_at) values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(agent.id)
        .bind(&agent.email)
        .bind(email_key(&agent.email))
        .bind(&agent.name)
        .bind(agent.role.text())
        .bind(password)
        .bind(agent.created_at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces the hash of an agent's password.
pub(crate) async fn set_password(
    connection: &mut Connection,
    id: Uuid,
    password: &str,
) -> Result<()> {
    let done = query("update agents set password = $1 where id = $2")
        .bind(password)
        .bind(id)
        .execute(connection)
        .await?;
    one(done)
}

/// Changes a role; the owner's stays.
pub(crate) async fn set_role(connection: &mut Connection, id: Uuid, role: AgentRole) -> Result<()> {
    let done = query("update agents set role = $1 where id = $2 and role <> 'owner'")
        .bind(role.text())
        .bind(id)
        .execute(connection)
        .await?;
    one(done)
}

/// Disables an agent at a time, or enables her; never the owner.
pub(crate) async fn set_disabled(
    connection: &mut Connection,
    id: Uuid,
    at: Option<Micros>,
) -> Result<()> {
    let done = query("update agents set disabled_at = $1 where id = $2 and role <> 'owner'")
        .bind(at)
        .bind(id)
        .execute(connection)
        .await?;
    one(done)
}
