//! Who somebody is: tokens, passwords, sign-ins, one-time links, and what roles may do.
//!
//! The dashboard's forms and the REST routes call the same functions here.

use std::time::Duration;

use uuid::Uuid;

use crate::bus::{Bus, News, Publication};
use crate::clock;
use crate::config::{Config, PublicUrl, SignInConfig};
use crate::hub::Topic;
use crate::store::agents::Agent;
use crate::store::{Store, StoreError};

mod agents;
mod browser;
mod common;
mod fields;
mod links;
mod origin;
mod passwords;
mod secret;
mod sign_ins;
mod sites;
mod throttle;
mod tokens;
mod visitors;
pub mod watch;

pub use crate::store::agents::AgentRole;
pub use crate::store::links::{Invitation, Purpose};
pub use agents::Actor;
pub use browser::browser_label;
pub use links::OneTimeLink;
pub use origin::{Origin, OriginError};
pub use sign_ins::{Client, SignInError, SignedIn, Started};
pub use sites::SiteDraft;
pub(crate) use tokens::AGENT_TOKEN;
pub use tokens::{Claims, Subject, TokenError};
pub use visitors::VisitorSession;

use passwords::Passwords;
use throttle::Throttle;
use tokens::{Keys, Redeemed};

/// An agent, as far as the rest of the program needs to know her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// Her id.
    pub id: Uuid,
    /// Her name.
    pub name: String,
    /// Her e-mail address.
    pub email: String,
    /// What she may do.
    pub role: AgentRole,
}

impl From<Agent> for AgentIdentity {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
            email: agent.email,
            role: agent.role,
        }
    }
}

/// Everything about who somebody is.
pub struct Identity {
    store: Store,
    bus: Bus,
    public_url: PublicUrl,
    times: SignInConfig,
    keys: Keys,
    redeemed: Redeemed,
    /// Sign-ins that opened a socket since the last look, and their agents.
    opened: std::sync::Mutex<std::collections::HashMap<Uuid, Uuid>>,
    passwords: Passwords,
    throttle: Throttle,
}

impl Identity {
    /// Reads the signing keys, and makes the first one if there is none.
    ///
    /// # Errors
    /// What the database reports, or that the system gives no random numbers.
    pub async fn start(store: Store, bus: Bus, config: &Config) -> Result<Self, StoreError> {
        let identity = Self {
            keys: Keys::default(),
            redeemed: Redeemed::new(clock::now()),
            opened: std::sync::Mutex::default(),
            passwords: Passwords::new()
                .map_err(|error| StoreError::Unavailable(error.to_string().into()))?,
            throttle: Throttle::new(config.limits.sign_in_failures, bus.clone()),
            public_url: config.public_url.clone(),
            times: config.sign_in.clone(),
            store,
            bus,
        };
        identity.throttle.follow();
        identity.refresh_keys(clock::now()).await?;
        Ok(identity)
    }

    /// How long a sign-in may lie idle.
    fn idle(&self) -> Duration {
        self.times.idle
    }

    /// The agent behind a sign-in, if it was not ended, is not too old or idle for too long, and
    /// the agent is not disabled.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn sign_in_alive(&self, sign_in: Uuid) -> Result<Option<AgentIdentity>, StoreError> {
        let alive = self
            .store
            .sign_in(sign_in, clock::now(), self.idle())
            .await?;
        Ok(alive.map(|alive| alive.agent.into()))
    }

    /// Closes the connections of one sign-in of an agent, or of all.
    fn revoked(&self, agent: Uuid, sign_in: Option<Uuid>) {
        self.bus.publish(&Publication::new(
            Topic::Person(agent),
            News::Revoked(sign_in),
        ));
    }
}
