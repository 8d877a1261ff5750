//! The rules, by noun. Nothing here knows HTTP, sockets or pages.
//!
//! - [`messages`]: who may write where, and what an entry looks like on the wire
//! - [`text`]: what was typed, as runs
//! - [`rooms`]: who may enter, direct and team rooms
//! - [`tickets`]: lists, states, assignment, and the rows that agents see change;
//!   [`waking`]: the end of a snooze
//! - [`search`]: what is found, and which parts of it were asked for
//! - [`receipts`], [`typing`], [`presence`]: what passes
//! - [`missed`]: what other nodes could not tell
//! - [`limits`]: how much one person may do

use std::sync::Arc;

use uuid::Uuid;

use crate::bus::Bus;
use crate::store::Store;
use crate::store::append::Author;
use parlour_protocol::frame::{Person, Role};

pub mod limits;
pub mod messages;
mod missed;
pub mod presence;
pub mod receipts;
pub mod rooms;
pub mod search;
pub mod text;
pub mod tickets;
pub mod typing;
pub mod waking;

/// Who acts: the person behind a connection, a form or a REST call.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Her id.
    pub id: Uuid,
    /// On which side she stands.
    pub role: Role,
    /// Her name, as others see it.
    pub name: String,
    /// A visitor's site.
    pub site: Option<Uuid>,
    /// Her connection to this node; 0 for a form or a REST call.
    pub connection: u64,
}

impl Actor {
    /// An agent, by a form or a REST call.
    #[must_use]
    pub fn agent(id: Uuid, name: String) -> Self {
        Self {
            id,
            role: Role::Agent,
            name,
            site: None,
            connection: 0,
        }
    }

    /// A visitor, by a REST call.
    #[must_use]
    pub fn visitor(id: Uuid, site: Uuid, name: String) -> Self {
        Self {
            id,
            role: Role::Visitor,
            name,
            site: Some(site),
            connection: 0,
        }
    }

    /// How others see her.
    #[must_use]
    pub fn person(&self) -> Person {
        Person {
            id: crate::wire(self.id),
            role: self.role,
            name: self.name.clone(),
        }
    }

    pub(crate) fn author(&self) -> Author {
        Author {
            id: self.id,
            role: self.role,
            name: self.name.clone(),
        }
    }
}

/// The rules, over the store and the bus.
#[derive(Clone)]
pub struct Chat {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    /// Who is there.
    pub presence: Arc<presence::Presences>,
    announcer: tickets::Announcer,
}

impl Chat {
    /// Starts the rules, and the tasks that announce changed tickets and people who are gone, and
    /// look up what other nodes could not tell.
    #[must_use]
    pub fn start(store: Store, bus: Bus) -> Self {
        let presence = presence::Presences::start(bus.clone());
        let announcer =
            tickets::Announcer::start(store.clone(), bus.clone(), Arc::clone(&presence));
        let chat = Self {
            store,
            bus,
            presence,
            announcer,
        };
        missed::start(&chat);
        chat
    }
}
