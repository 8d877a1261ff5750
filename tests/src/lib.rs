//! The harness of the black-box tests. It starts the real binary, talks to it over real
//! sockets, and uses nothing of the server but what anybody can reach. In reading order:
//!
//! - [`node`]: a server process with a data folder of its own
//! - [`redis`]: a Redis of its own
//! - [`postgres`]: a PostgreSQL of its own
//! - [`cluster`]: several nodes
//! - [`log`]: what it wrote
//! - [`database`]: where it keeps its data
//! - [`command`]: the other commands of the binary
//! - [`http`]: requests and a browser's cookie
//! - [`office`]: the owner, a site, colleagues, made as people make them
//! - [`proxy`]: what networks do, between any two parties
//! - [`deflate`]: compression for sockets that know nothing of it
//! - [`wire`]: a socket that sends whatever it likes
//! - [`actor`]: a visitor or an agent: the brain, the widget's codec and a socket
//! - [`forge`]: tokens that the server must refuse
//! - [`load`]: writers that keep account of what was acknowledged
//! - [`reader`]: readers that note what they are shown, in the order in which they are
//! - [`stage`]: nodes under that load, to which something happens
//! - [`talk`]: a conversation to which something happens
//! - [`disk`]: what disks do
//! - [`findings`]: what must not have come of it
//! - [`transcript`]: who sent what to whom, printed when a test fails
//!
//! Everything waits for what it wants to see, until [`DEADLINE`]; only pacing, retries and the
//! moment of a kill are measured in time.

#![allow(
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a harness fails loudly"
)]

use std::time::Duration;

pub mod actor;
pub mod cluster;
pub mod command;
pub mod database;
pub mod deflate;
pub mod disk;
pub mod events;
pub mod findings;
pub mod forge;
pub mod http;
pub mod load;
pub mod log;
pub mod node;
pub mod office;
pub mod postgres;
pub mod proxy;
pub mod reader;
pub mod redis;
pub mod stage;
pub mod talk;
pub mod transcript;
pub mod wire;

pub use actor::{Agent, Visitor};
pub use cluster::Cluster;
pub use events::{Caller, Events, Told};
pub use http::{Answer, Browser, Request};
pub use node::Node;
pub use office::{Colleague, Office, Site};
pub use redis::Redis;
pub use wire::{Heard, Wire};

/// How long anything may take before it counts as missing.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A new id, as a client makes one.
#[must_use]
pub fn id() -> parlour_protocol::Id {
    parlour_protocol::Id(uuid::Uuid::now_v7().into_bytes())
}

/// Waits for something on behalf of a test; says what was missing.
///
/// # Panics
/// After [`DEADLINE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {} s", DEADLINE.as_secs()),
    }
}
