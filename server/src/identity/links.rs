//! One-time links: the owner's set-up, invitations, resets of passwords.

use uuid::Uuid;

use super::sign_ins::{Begun, replace_password};
use super::{
    Actor, AgentIdentity, AgentRole, Client, Identity, Purpose, SignInError, Started, fields,
    passwords, secret,
};
use crate::clock::{self, Micros, SECOND};
use crate::error::Error;
use crate::store::agents::{self, Agent};
use crate::store::links::{self, Invitation, Others};
use crate::store::sign_ins;

/// Every link ends after an hour.
const LIFETIME: Micros = 3_600 * SECOND;

/// A link to hand over. It is shown once; only its hash is stored.
pub struct OneTimeLink {
    /// The whole address, by the public URL and never by a request's `Host`.
    pub url: String,
    /// When it ends.
    pub ends_at: Micros,
}

impl std::fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneTimeLink")
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Whether there is an owner.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn has_owner(&self) -> Result<bool, Error> {
        Ok(self.store.has_owner().await?)
    }

    /// A link that creates the owner, for one server to print: what other nodes have printed stays
    /// good, until it ends or there is an owner.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is an owner.
    pub async fn setup_link(&self) -> Result<OneTimeLink, Error> {
        self.new_setup_link(Others::Stay).await
    }

    /// A link that creates the owner, and the only one: older ones become void.
    ///
    /// # Errors
    /// As [`Identity::setup_link`].
    pub async fn only_setup_link(&self) -> Result<OneTimeLink, Error> {
        self.new_setup_link(Others::Void).await
    }

    async fn new_setup_link(&self, others: Others) -> Result<OneTimeLink, Error> {
        if self.store.has_owner().await? {
            return Err(Error::Conflict(
                "there is an owner already; a set-up link is not needed any more".into(),
            ));
        }
        self.new_link(Purpose::Setup, None, others).await
    }

    /// A link by which somebody becomes an agent; an older one for the same address becomes void.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], or [`Error::Conflict`] if there is such an agent.
    pub async fn invite(
        &self,
        actor: &Actor<'_>,
        email: &str,
        role: AgentRole,
    ) -> Result<OneTimeLink, Error> {
        actor.may_invite(role)?;
        let email = fields::email(email)?;
        if self.store.agent_by_email(&email).await?.is_some() {
            return Err(Error::Conflict(
                "an agent with this e-mail address exists already".into(),
            ));
        }
        self.new_link(Purpose::Invite { email, role }, actor.id(), Others::Void)
            .await
    }

    /// Invitations that wait to be accepted.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or what the database reports.
    pub async fn invitations(&self, actor: &Actor<'_>) -> Result<Vec<Invitation>, Error> {
        actor.may_manage()?;
        Ok(self.store.invitations(clock::now()).await?)
    }

    /// A link by which an agent sets a new password; an older one becomes void.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], or [`Error::Conflict`] if the agent is disabled.
    pub async fn reset_link(&self, actor: &Actor<'_>, agent: Uuid) -> Result<OneTimeLink, Error> {
        let agent = self.store.agent(agent).await?;
        actor.may_reset(&agent)?;
        if agent.disabled_at.is_some() {
            return Err(Error::Conflict(
                "this agent is disabled; enable the account first".into(),
            ));
        }
        self.new_link(Purpose::Reset { agent: agent.id }, actor.id(), Others::Void)
            .await
    }

    async fn new_link(
        &self,
        purpose: Purpose,
        made_by: Option<Uuid>,
        others: Others,
    ) -> Result<OneTimeLink, Error> {
        let token = secret::Secret::new()?;
        let (hash, word) = (token.hash(), purpose.word());
        let now = clock::now();
        let ends_at = now + LIFETIME;
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    links::clear(connection, &purpose, others, now).await?;
                    links::insert(connection, &hash, &purpose, made_by, now, ends_at).await
                })
            })
            .await?;
        Ok(OneTimeLink {
            url: self.public_url.join(&format!("/{word}/{}", token.reveal())),
            ends_at,
        })
    }

    /// What a link is for, if it is good.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not: unknown, used, replaced or too old look alike.
    pub async fn link(&self, token: &str) -> Result<Purpose, Error> {
        if !secret::is_plausible(token) {
            return Err(Error::NotFound);
        }
        Ok(self.store.link(secret::hash(token), clock::now()).await?)
    }

    /// The name of the agent who made a link; none if the command line did, or the link is not good.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn inviter(&self, token: &str) -> Result<Option<String>, Error> {
        if !secret::is_plausible(token) {
            return Ok(None);
        }
        Ok(self.store.link_maker(secret::hash(token)).await?)
    }

    /// Uses a set-up link up: the owner is created and signed in.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that is not good, [`Error::Invalid`] for a field (the link stays
    /// good then), [`SignInError::NoCookies`].
    pub async fn create_owner(
        &self,
        token: &str,
        name: &str,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<Started, SignInError> {
        if self.link(token).await? != Purpose::Setup {
            return Err(Error::NotFound.into());
        }
        let email = fields::email(email)?;
        self.create_agent(token, name, email, AgentRole::Owner, password, client)
            .await
    }

    /// Uses an invitation up: the agent is created and signed in.
    ///
    /// # Errors
    /// As [`Identity::create_owner`].
    pub async fn accept_invitation(
        &self,
        token: &str,
        name: &str,
        password: &str,
        client: &Client,
    ) -> Result<Started, SignInError> {
        let Purpose::Invite { email, role } = self.link(token).await? else {
            return Err(Error::NotFound.into());
        };
        self.create_agent(token, name, email, role, password, client)
            .await
    }

    async fn create_agent(
        &self,
        token: &str,
        name: &str,
        email: String,
        role: AgentRole,
        password: &str,
        client: &Client,
    ) -> Result<Started, SignInError> {
        if !self.public_url.keeps_cookies() {
            return Err(SignInError::NoCookies);
        }
        let name = fields::name("name", name, 60)?;
        passwords::check(password, &name, &email)?;
        let hash = self.passwords.hash(password.to_owned()).await?;
        let now = clock::now();
        let agent = Agent {
            id: clock::id(),
            email,
            name,
            role,
            created_at: now,
            disabled_at: None,
        };
        let Begun {
            started,
            sign_in,
            token_hash,
        } = self.begin(AgentIdentity::from(agent.clone()), client)?;
        let (link, idle) = (secret::hash(token), self.idle());
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    links::consume(connection, &link, now).await?;
                    agents::insert(connection, &agent, &hash).await?;
                    sign_ins::insert(connection, &sign_in, &token_hash, idle).await
                })
            })
            .await?;
        self.store.changed();
        tracing::info!(client.address = %client.address, agent.id = %started.agent.id, agent.role = role.text(), "an agent was created");
        Ok(started)
    }

    /// Uses a reset link up: the password is replaced, every sign-in of the agent ends and their sockets close.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a link that is not good, [`Error::Invalid`] for the password (the link
    /// stays good then).
    pub async fn reset_password(&self, token: &str, password: &str) -> Result<(), Error> {
        let Purpose::Reset { agent } = self.link(token).await? else {
            return Err(Error::NotFound);
        };
        let agent = self.store.agent(agent).await?;
        if agent.disabled_at.is_some() {
            return Err(Error::NotFound);
        }
        passwords::check(password, &agent.name, &agent.email)?;
        let hash = self.passwords.hash(password.to_owned()).await?;
        let (link, id, now) = (secret::hash(token), agent.id, clock::now());
        self.store
            .write(move |connection| {
                Box::pin(async move {
                    links::consume(connection, &link, now).await?;
                    replace_password(connection, id, &hash, None).await
                })
            })
            .await?;
        self.revoked(id, None);
        tracing::info!(agent.id = %id, "a password was reset by a link");
        Ok(())
    }
}
