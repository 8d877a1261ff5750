//! What agents may do to each other's accounts.

use uuid::Uuid;

use super::{AgentIdentity, AgentRole, Identity};
use crate::clock;
use crate::error::Error;
use crate::store::agents::{self, Agent};
use crate::store::sign_ins;

/// Who manages.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// An agent, within her role.
    Agent(&'a AgentIdentity),
    /// Whoever has a shell on the server may do what the owner may, and reset the owner's password.
    CommandLine,
}

impl Actor<'_> {
    pub(super) fn id(&self) -> Option<Uuid> {
        match self {
            Self::Agent(agent) => Some(agent.id),
            Self::CommandLine => None,
        }
    }

    fn role(&self) -> AgentRole {
        match self {
            Self::Agent(agent) => agent.role,
            Self::CommandLine => AgentRole::Owner,
        }
    }

    /// Whether the actor manages sites and agents.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_manage(&self) -> Result<(), Error> {
        if self.role().manages() {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }

    /// Whether the actor may invite somebody with this role: only the owner makes admins, and nobody a second owner.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_invite(&self, role: AgentRole) -> Result<(), Error> {
        self.may_manage()?;
        match role {
            AgentRole::Agent => Ok(()),
            AgentRole::Admin if self.role() == AgentRole::Owner => Ok(()),
            AgentRole::Admin | AgentRole::Owner => Err(Error::Forbidden),
        }
    }

    /// Whether the actor may disable, enable or change this agent: never herself nor the owner; an admin only by the owner.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_change(&self, agent: &Agent) -> Result<(), Error> {
        self.may_manage()?;
        let own = self.id() == Some(agent.id);
        let over = match agent.role {
            AgentRole::Owner => false,
            AgentRole::Admin => self.role() == AgentRole::Owner,
            AgentRole::Agent => true,
        };
        if over && !own {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }

    /// Whether the actor may make a reset link for this agent: whoever holds it can sign in as her.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn may_reset(&self, agent: &Agent) -> Result<(), Error> {
        match self {
            Self::CommandLine => Ok(()),
            Self::Agent(_) => self.may_change(agent),
        }
    }
}

impl Identity {
    /// Changes an agent's role; her sign-ins end, so that nothing goes on with the old one.
    ///
    /// # Errors
    /// [`Error::Forbidden`] or [`Error::NotFound`].
    pub async fn set_role(
        &self,
        actor: &Actor<'_>,
        agent: Uuid,
        role: AgentRole,
    ) -> Result<(), Error> {
        let agent = self.store.agent(agent).await?;
        actor.may_change(&agent)?;
        actor.may_invite(role)?;
        if agent.role == role {
            return Ok(());
        }
        let id = agent.id;
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    agents::set_role(connection, id, role).await?;
                    sign_ins::end_others(connection, id, None).await
                })
            })
            .await?;
        self.revoked(id, None);
        tracing::info!(agent.id = %id, agent.role = role.text(), by = ?actor.id(), "a role was changed");
        Ok(())
    }

    /// Disables an agent: her sign-ins end and her sockets close. What she wrote stays.
    ///
    /// # Errors
    /// [`Error::Forbidden`] or [`Error::NotFound`].
    pub async fn disable(&self, actor: &Actor<'_>, agent: Uuid) -> Result<(), Error> {
        let agent = self.store.agent(agent).await?;
        actor.may_change(&agent)?;
        let id = agent.id;
        let at = agent.disabled_at.unwrap_or_else(clock::now);
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    agents::set_disabled(connection, id, Some(at)).await?;
                    crate::store::links::withdraw_resets(connection, id).await?;
                    sign_ins::end_others(connection, id, None).await
                })
            })
            .await?;
        self.store.changed();
        self.revoked(id, None);
        tracing::info!(agent.id = %id, by = ?actor.id(), "an agent was disabled");
        Ok(())
    }

    /// Lets a disabled agent sign in again.
    ///
    /// # Errors
    /// [`Error::Forbidden`] or [`Error::NotFound`].
    pub async fn enable(&self, actor: &Actor<'_>, agent: Uuid) -> Result<(), Error> {
        let agent = self.store.agent(agent).await?;
        actor.may_change(&agent)?;
        let id = agent.id;
        self.store
            .write(move |connection| Box::pin(agents::set_disabled(connection, id, None)))
            .await?;
        self.store.changed();
        tracing::info!(agent.id = %id, by = ?actor.id(), "an agent was enabled");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: u128, role: AgentRole) -> AgentIdentity {
        AgentIdentity {
            id: Uuid::from_u128(id),
            name: String::new(),
            email: String::new(),
            role,
        }
    }

    fn account(id: u128, role: AgentRole) -> Agent {
        Agent {
            id: Uuid::from_u128(id),
            email: String::new(),
            name: String::new(),
            role,
            created_at: 0,
            disabled_at: None,
        }
    }

    #[test]
    fn roles_bound_what_may_be_done_to_others() {
        use AgentRole::{Admin, Agent, Owner};
        for (actor, other, change) in [
            (Owner, Owner, false),
            (Owner, Admin, true),
            (Owner, Agent, true),
            (Admin, Owner, false),
            (Admin, Admin, false),
            (Admin, Agent, true),
            (Agent, Owner, false),
            (Agent, Admin, false),
            (Agent, Agent, false),
        ] {
            let own = identity(1, actor);
            let actor = Actor::Agent(&own);
            assert_eq!(
                actor.may_change(&account(2, other)).is_ok(),
                change,
                "{own:?} {other:?}"
            );
            assert_eq!(
                actor.may_reset(&account(2, other)).is_ok(),
                change,
                "{own:?} {other:?}"
            );
            // Only the owner makes admins, and nobody an owner.
            assert_eq!(actor.may_invite(other).is_ok(), change, "{own:?} {other:?}");
            assert!(
                actor.may_change(&account(1, own.role)).is_err(),
                "nobody changes herself"
            );
        }
        assert!(Actor::CommandLine.may_change(&account(2, Owner)).is_err());
        assert!(Actor::CommandLine.may_reset(&account(2, Owner)).is_ok());
    }
}
