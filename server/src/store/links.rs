//! One-time links: set-up, invitation, reset of a password.

use uuid::Uuid;

use super::agents::AgentRole;
use super::sql::{Row, query, query_scalar};
use super::{Connection, Result, Store, StoreError};
use crate::clock::Micros;

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creates the owner.
    Setup,
    /// Creates an agent with this address and role.
    Invite {
        /// Who is invited.
        email: String,
        /// What she will be.
        role: AgentRole,
    },
    /// Sets a new password for this agent.
    Reset {
        /// Whose password.
        agent: Uuid,
    },
}

impl Purpose {
    /// The word in the schema and in the link's address.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Invite { .. } => "invite",
            Self::Reset { .. } => "reset",
        }
    }
}

/// What becomes of unused links for the same thing when a new one is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay good.
    Stay,
    /// They become void.
    Void,
}

/// An invitation that waits to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Who is invited.
    pub email: String,
    /// What she will be.
    pub role: AgentRole,
    /// When it was made.
    pub created_at: Micros,
    /// When it ends.
    pub ends_at: Micros,
}

impl Store {
    /// What a link is for, if it is good now. With an owner there is nothing to set up any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not, or what the database reports.
    pub async fn link(&self, token_hash: Vec<u8>, now: Micros) -> Result<Purpose> {
        let row = query(
            "select purpose, agent, email, role from links where token_hash = $1 and used_at is null and ends_at > $2
                and (purpose <> 'setup' or not exists (select 1 from agents where role = 'owner'))",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_one(self.reader())
        .await?;
        read(&row)
    }

    /// The name of the agent who made a link, if she is known.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn link_maker(&self, token_hash: Vec<u8>) -> Result<Option<String>> {
        let name = query_scalar(
            "select a.name from links l join agents a on a.id = l.made_by where l.token_hash = $1",
        )
        .bind(token_hash)
        .fetch_optional(self.reader())
        .await?;
        Ok(name)
    }

    /// Invitations that are good now, newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn invitations(&self, now: Micros) -> Result<Vec<Invitation>> {
        let rows = query(
            "select email, role, created_at, ends_at from links
             where purpose = 'invite' and used_at is null and ends_at > $1 order by created_at desc limit 200",
        )
        .bind(now)
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let role: String = row.try_get(1)?;
                Ok(Invitation {
                    email: row.try_get(0)?,
                    role: role_of(&role)?,
                    created_at: row.try_get(2)?,
                    ends_at: row.try_get(3)?,
                })
            })
            .collect()
    }
}

fn role_of(text: &str) -> Result<AgentRole> {
    AgentRole::parse(text).ok_or_else(|| StoreError::Failed("a link of an unknown role".into()))
}

fn read(row: &Row) -> Result<Purpose> {
    let incomplete = || StoreError::Failed("a link that lacks a column".into());
    match row.try_get::<String, _>(0)?.as_str() {
        "setup" => Ok(Purpose::Setup),
        "invite" => {
            let role: Option<String> = row.try_get(3)?;
            Ok(Purpose::Invite {
                email: row
                    .try_get::<Option<String>, _>(2)?
                    .ok_or_else(incomplete)?,
                role: role_of(&role.ok_or_else(incomplete)?)?,
            })
        }
        "reset" => Ok(Purpose::Reset {
            agent: row.try_get::<Option<Uuid>, _>(1)?.ok_or_else(incomplete)?,
        }),
        _ => Err(StoreError::Failed("a link of an unknown purpose".into())),
    }
}

impl Purpose {
    /// The columns `agent`, `email` and `role`.
    fn columns(&self) -> (Option<Uuid>, Option<&str>, Option<&'static str>) {
        match self {
            Self::Setup => (None, None, None),
            Self::Invite { email, role } => (None, Some(email), Some(role.text())),
            Self::Reset { agent } => (Some(*agent), None, None),
        }
    }
}

/// Makes room for a link: ended ones are forgotten, and the others for the same thing are treated
/// as asked.
pub(crate) async fn clear(
    connection: &mut Connection,
    purpose: &Purpose,
    others: Others,
    now: Micros,
) -> Result<()> {
    let (agent, email, _) = purpose.columns();
    query(
        "delete from links where ends_at <= $1 or ($6 and purpose = $2 and used_at is null
            and coalesce(agent, $5) = coalesce($3, $5) and coalesce(lower(email), '') = coalesce(lower($4), ''))",
    )
    .bind(now)
    .bind(purpose.word())
    .bind(agent)
    .bind(email)
    .bind(Uuid::nil())
    .bind(others == Others::Void)
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores a link.
pub(crate) async fn insert(
    connection: &mut Connection,
    token_hash: &[u8],
    purpose: &Purpose,
    made_by: Option<Uuid>,
    now: Micros,
    ends_at: Micros,
) -> Result<()> {
    let (agent, email, role) = purpose.columns();
    query(
        "insert into links (token_hash, purpose, agent, email, role, made_by, created_at, ends_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(token_hash)
    .bind(purpose.word())
    .bind(agent)
    .bind(email)
    .bind(role)
    .bind(made_by)
    .bind(now)
    .bind(ends_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a link up; what it was for. [`StoreError::NotFound`] if it was not good.
pub(crate) async fn consume(
    connection: &mut Connection,
    token_hash: &[u8],
    now: Micros,
) -> Result<Purpose> {
    let row = query(
        "update links set used_at = $1 where token_hash = $2 and used_at is null and ends_at > $1
         returning purpose, agent, email, role",
    )
    .bind(now)
    .bind(token_hash)
    .fetch_one(connection)
    .await?;
    read(&row)
}

/// Withdraws the unused reset links of an agent.
pub(crate) async fn withdraw_resets(connection: &mut Connection, agent: Uuid) -> Result<()> {
    query("delete from links where purpose = 'reset' and agent = $1 and used_at is null")
        .bind(agent)
        .execute(connection)
        .await?;
    Ok(())
}
