//! Signing in and out.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Actor, AgentIdentity, Claims, Identity, Subject, fields, passwords, secret};
use crate::clock::{self, Micros, SECOND};
use crate::error::Error;
use crate::store::sign_ins::{self, SignIn};
use crate::store::{Connection, StoreError};

/// The use of a sign-in is noted at most once in this time.
const USE_NOTED: Micros = 60 * SECOND;

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address, after trusted proxies.
    pub address: IpAddr,
    /// Such as "Firefox on Linux"; may be empty.
    pub browser: String,
}

/// An agent who has signed in, and by which sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub agent: AgentIdentity,
    /// The sign-in behind her cookie.
    pub sign_in: Uuid,
}

impl SignedIn {
    /// She, as one who manages accounts and sites.
    #[must_use]
    pub fn actor(&self) -> Actor<'_> {
        Actor::Agent(&self.agent)
    }
}

/// A sign-in that has just begun.
pub struct Started {
    /// Who has signed in.
    pub agent: AgentIdentity,
    /// What the cookie carries. It appears in no body, address or log.
    pub cookie: String,
    /// How long the cookie may be kept, in seconds.
    pub seconds: i64,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started")
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
}

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, another password, or a disabled account: they look alike.
    #[error("the e-mail address or the password is wrong")]
    Wrong,
    /// Too many failed attempts.
    #[error("too many failed attempts; try again in {} min", .after_seconds.div_ceil(60))]
    TooFast {
        /// When an attempt may succeed, in seconds.
        after_seconds: u64,
    },
    /// A browser would drop the cookie.
    #[error(
        "a browser keeps the sign-in cookie only over https, or on this machine itself; \
         put a proxy with TLS in front of Parlour and set PARLOUR_PUBLIC_URL to its https address"
    )]
    NoCookies,
    /// It could not be checked.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Identity {
    /// Signs in. Whether the account exists can be told neither by the answer nor by its time.
    ///
    /// # Errors
    /// A [`SignInError`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<Started, SignInError> {
        if !self.public_url.keeps_cookies() {
            return Err(SignInError::NoCookies);
        }
        let attempt = self.throttle.admit(client.address, email, clock::now()).map_err(|after_seconds| {
            tracing::warn!(client.address = %client.address, agent.email = ?email, "too many failed sign-ins");
            SignInError::TooFast { after_seconds }
        })?;
        let found = self.store.agent_by_email(email).await?;
        let (agent, hash) = found.map_or((None, None), |(agent, hash)| (Some(agent), Some(hash)));
        let right = self.passwords.verify(password.to_owned(), hash).await?;
        let Some(agent) = agent.filter(|agent| right && agent.disabled_at.is_none()) else {
            tracing::warn!(client.address = %client.address, agent.email = ?email, "a sign-in failed");
            return Err(SignInError::Wrong);
        };
        attempt.forgive();
        let started = self.begin(agent.into(), client)?;
        let idle = self.idle();
        let Begun {
            started,
            sign_in,
            token_hash,
        } = started;
        self.store
            .write(move |connection| {
                Box::pin(
                    async move { sign_ins::insert(connection, &sign_in, &token_hash, idle).await },
                )
            })
            .await?;
        tracing::info!(client.address = %client.address, agent.id = %started.agent.id, "signed in");
        Ok(started)
    }

    /// A new sign-in, not stored yet: the id and the cookie are new each time.
    pub(super) fn begin(&self, agent: AgentIdentity, client: &Client) -> Result<Begun, Error> {
        let token = secret::Secret::new()?;
        let now = clock::now();
        let seconds = i64::try_from(self.times.lifetime.as_secs()).unwrap_or(i64::MAX / SECOND);
        let sign_in = SignIn {
            id: clock::id(),
            agent: agent.id,
            created_at: now,
            used_at: now,
            ends_at: now.saturating_add(seconds.saturating_mul(SECOND)),
            address: client.address.to_string(),
            browser: client.browser.clone(),
        };
        let token_hash = token.hash();
        Ok(Begun {
            started: Started {
                agent,
                cookie: token.reveal(),
                seconds,
            },
            sign_in,
            token_hash,
        })
    }

    /// Who is behind a cookie; nobody if it is not good.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, Error> {
        if !secret::is_plausible(cookie) {
            return Ok(None);
        }
        let now = clock::now();
        let Some(alive) = self
            .store
            .sign_in_by_token(secret::hash(cookie), now, self.idle())
            .await?
        else {
            return Ok(None);
        };
        let interval =
            USE_NOTED.min(Micros::try_from(self.idle().as_micros() / 2).unwrap_or(USE_NOTED));
        if now - alive.used_at > interval {
            self.store.sign_in_used(alive.id, now).await?;
        }
        Ok(Some(SignedIn {
            agent: alive.agent.into(),
            sign_in: alive.id,
        }))
    }

    /// Whom a cookie lets connect without a token, if its sign-in is alive. An open tab that
    /// connects by itself is no use of the sign-in.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn connects(&self, cookie: &str) -> Result<Option<Claims>, Error> {
        if !secret::is_plausible(cookie) {
            return Ok(None);
        }
        let hash = secret::hash(cookie);
        let alive = self
            .store
            .sign_in_by_token(hash, clock::now(), self.idle())
            .await?;
        Ok(alive.map(|alive| {
            self.opened(alive.agent.id, alive.id);
            Claims {
                subject: Subject::Agent {
                    agent: alive.agent.id,
                    sign_in: alive.id,
                },
                expires_at: Micros::MAX,
                jti: alive.id,
            }
        }))
    }

    /// Ends the caller's own sign-in and closes its sockets.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_out(&self, caller: &SignedIn) -> Result<(), Error> {
        match self.end_sign_in(caller, caller.sign_in).await {
            // Another tab was faster.
            Ok(()) | Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The caller's sign-ins, the one used last first.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_ins(&self, caller: &SignedIn) -> Result<Vec<SignIn>, Error> {
        Ok(self
            .store
            .sign_ins_of(caller.agent.id, clock::now(), self.idle())
            .await?)
    }

    /// Ends one of the caller's sign-ins and closes its sockets.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not hers, or what the database reports.
    pub async fn end_sign_in(&self, caller: &SignedIn, sign_in: Uuid) -> Result<(), Error> {
        let agent = caller.agent.id;
        self.store
            .write(move |connection| Box::pin(sign_ins::end(connection, agent, sign_in)))
            .await?;
        self.revoked(agent, Some(sign_in));
        Ok(())
    }

    /// Ends all of the caller's sign-ins but the one she uses.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn end_other_sign_ins(&self, caller: &SignedIn) -> Result<(), Error> {
        let (agent, own) = (caller.agent.id, caller.sign_in);
        let ended = self
            .store
            .write(move |connection| Box::pin(sign_ins::end_others(connection, agent, Some(own))))
            .await?;
        for sign_in in ended {
            self.revoked(agent, Some(sign_in));
        }
        Ok(())
    }

    /// Changes the caller's password; her other sign-ins end.
    ///
    /// # Errors
    /// [`SignInError::Wrong`] if `current` is not her password; [`Error::Invalid`] within if the new one is not good.
    pub async fn change_password(
        &self,
        caller: &SignedIn,
        current: &str,
        new: &str,
        client: &Client,
    ) -> Result<(), SignInError> {
        passwords::check(new, &caller.agent.name, &caller.agent.email)?;
        let attempt = self
            .throttle
            .admit(client.address, &caller.agent.email, clock::now())
            .map_err(|after_seconds| SignInError::TooFast { after_seconds })?;
        let hash = self.store.agent_password(caller.agent.id).await?;
        if !self
            .passwords
            .verify(current.to_owned(), Some(hash))
            .await?
        {
            tracing::warn!(client.address = %client.address, agent.id = %caller.agent.id, "a change of password failed");
            return Err(SignInError::Wrong);
        }
        attempt.forgive();
        let (agent, own) = (caller.agent.id, caller.sign_in);
        let ended = self
            .store_password(agent, self.passwords.hash(new.to_owned()).await?, Some(own))
            .await?;
        for sign_in in ended {
            self.revoked(agent, Some(sign_in));
        }
        tracing::info!(agent.id = %agent, "a password was changed");
        Ok(())
    }

    /// Stores a password, and ends the agent's sign-ins but one; those that ended.
    pub(super) async fn store_password(
        &self,
        agent: Uuid,
        hash: String,
        but: Option<Uuid>,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.store
            .write(move |connection| {
                Box::pin(async move { replace_password(connection, agent, &hash, but).await })
            })
            .await
    }

    /// Changes the caller's own name.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the name is not good.
    pub async fn rename(&self, caller: &SignedIn, name: &str) -> Result<(), Error> {
        let name = fields::name("name", name, 60)?;
        Ok(self.store.rename_agent(caller.agent.id, name).await?)
    }
}

/// A sign-in that is to be stored, and what the browser gets.
pub(super) struct Begun {
    pub(super) started: Started,
    pub(super) sign_in: SignIn,
    pub(super) token_hash: Vec<u8>,
}

/// Within a transaction: the new password, no old reset link, no other sign-in.
pub(super) async fn replace_password(
    connection: &mut Connection,
    agent: Uuid,
    hash: &str,
    but: Option<Uuid>,
) -> crate::store::Result<Vec<Uuid>> {
    crate::store::agents::set_password(connection, agent, hash).await?;
    crate::store::links::withdraw_resets(connection, agent).await?;
    sign_ins::end_others(connection, agent, but).await
}
