//! Parlour: customer-support chat as one binary. A guided tour, in reading order:
//!
//! - [`config`], [`clock`], [`error`], [`words`]: what everything else may use
//! - [`cli`]: the commands of the binary
//! - [`http`]: routes, headers, problem documents, assets, the REST API
//! - [`transport`]: sockets; bytes in, bytes out
//! - [`session`]: one conversation with one client
//! - [`identity`]: who somebody is: passwords, sign-ins, links, tokens
//! - [`chat`]: the rules, by noun
//! - [`bus`], [`hub`]: from a commit to every connection that may see it
//! - [`store`]: the SQL, one file per noun
//! - [`dashboard`]: the pages of the agents
//!
//! A message goes `transport` → `session` → `chat` → `store` → `bus` → `hub` → every `session`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parlour_protocol::Id;
use tokio::sync::watch;
use uuid::Uuid;

pub mod bus;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod error;
pub mod http;
pub mod hub;
pub mod identity;
pub mod session;
pub mod store;
pub mod transport;
pub mod words;

use bus::Bus;
use chat::Chat;
use chat::limits::Limits;
use config::Config;
use hub::Hub;
use identity::Identity;
use store::{OpenError, Opener, Store};
use transport::listener::{self, Listener, Sockets};

/// What every request can reach.
pub struct App {
    /// How the owner set it up.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// Who somebody is.
    pub identity: Identity,
    /// The way between nodes.
    pub bus: Bus,
    /// The way to this node's connections.
    pub hub: Arc<Hub>,
    /// The rules.
    pub chat: Chat,
    /// How much one person may do.
    pub limits: Limits,
    /// Sockets that are open.
    pub sockets: Sockets,
    /// Turns true when the server is about to stop.
    pub shutdown: watch::Receiver<bool>,
}

/// The application, as handlers share it.
pub type Shared = Arc<App>;

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Who somebody is could not be set up.
    #[error("the signing keys could not be read: {0}")]
    Identity(store::StoreError),
    /// The way to other nodes cannot be set up.
    #[error("REDIS_URL cannot be used: {0}")]
    Bus(String),
}

/// How long connections have to end after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(8);

/// Opens the data that `config` names and puts everything together. `stop` turns true to end it.
///
/// # Errors
/// A [`RunError`].
pub async fn assemble(config: Config, stop: watch::Receiver<bool>) -> Result<Shared, RunError> {
    let store = Store::open(&config.database, Opener::Server).await?;
    let hub = Arc::new(Hub::default());
    hub::crowd::start(&hub);
    hub::repair::start(&hub, &store);
    let bus = Bus::start(config.redis.as_ref(), Arc::clone(&hub)).map_err(RunError::Bus)?;
    let identity = Identity::start(store.clone(), bus.clone(), &config)
        .await
        .map_err(RunError::Identity)?;
    let chat = Chat::start(store.clone(), bus.clone());
    let limits = Limits::new(&config.limits, bus.clone());
    Ok(Arc::new(App {
        config,
        store,
        identity,
        bus,
        hub,
        chat,
        limits,
        sockets: Sockets::default(),
        shutdown: stop,
    }))
}

/// Serves `app` on `listener` until `shutdown` is done: then no more connections are taken,
/// sockets get a `bye`, what is queued is written, and the database is closed.
pub async fn run(
    listener: Listener,
    app: Shared,
    stop: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let serving = async {
        listener::serve(listener, http::router(Arc::clone(&app)), stop.subscribe()).await;
        app.sockets.closed().await;
    };
    tokio::spawn(chat::waking::run(app.chat.clone(), stop.subscribe()));
    let indexing = indexing(app.store.clone(), stop.subscribe());
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = shutdown => {
            stop.send_replace(true);
            if tokio::time::timeout(DRAIN, serving).await.is_err() {
                tracing::warn!("some connections did not end in time");
            }
        }
    }
    stop.send_replace(true);
    if let Err(error) = indexing.await {
        tracing::error!(%error, "the index of search failed");
    }
    app.store.close().await;
}

/// Indexes in a thread of its own. While a thread of the runtime computes for some milliseconds, it may
/// be the one whose turn it is to look at the sockets, and nobody else does.
fn indexing(store: store::Store, stop: watch::Receiver<bool>) -> tokio::task::JoinHandle<()> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(store.index_waiting(stop)))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// An id, as it travels.
#[must_use]
pub fn wire(id: Uuid) -> Id {
    Id(id.into_bytes())
}

/// A count or position of the database, as it travels; it is never negative there.
#[must_use]
pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A position of the wire, as the database has it.
#[must_use]
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
