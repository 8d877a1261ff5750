//! PostgreSQL: the pool, and transactions with a deadline.

use std::str::FromStr as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Postgres};
use tokio::time::Instant;

use super::append::{self, Append, Appended, Kept, Scope};
use super::found::waiting::Waiting;
use super::joining::Joining;
use super::sql::{Connection, Pool};
use super::writer::Writer;
use super::{OpenError, Result, Store, StoreError, installation};
use crate::config::PostgresConfig;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/postgres");

/// How long a server that is not there yet is waited for at the start: both may start at once.
const START: Duration = Duration::from_secs(10);
/// The time between two attempts.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a transaction or a query may take, with the wait for a connection of the pool.
const DEADLINE: Duration = Duration::from_millis(3_500);
/// A connection that was idle for longer is tried before it is used.
const UNTRIED: Duration = Duration::from_secs(1);
/// What the server enforces for each connection, should this process stop in the middle: a frozen
/// node must not hold its locks for longer. Commits wait for the disk, whatever the server's default.
const SETTINGS: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    ("lock_timeout", "3s"),
    ("statement_timeout", "3500ms"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("timezone", "UTC"),
    // Nothing here runs for long enough to be worth compiling. With [`ONE_PLAN`] what reads a whole table
    // counts as very expensive, and was compiled for milliseconds each time.
    ("jit", "off"),
];

/// Of the connections that a node keeps, those for sets: one stores messages, the others read for
/// whoever connects.
const SETS: u32 = 3;
/// What holds for those as well: one plan, by indexes, for sets of every size. Planning anew for
/// each set would cost several times what its reading and writing does.
pub(super) const ONE_PLAN: [(&str, &str); 3] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
];
/// And that rows are joined by one loop over what was asked, so that they are held in its order.
const IN_ORDER: [(&str, &str); 2] = [("enable_hashjoin", "off"), ("enable_mergejoin", "off")];

/// Connects and migrates. Several nodes may do so at once: the migrations hold a lock.
pub(super) async fn open(config: &PostgresConfig) -> std::result::Result<Store, OpenError> {
    let at = config.url.place();
    let refused = |reason: String| OpenError::Postgres {
        at: at.clone(),
        reason,
    };
    let options = PgConnectOptions::from_str(config.url.expose())
        .map_err(|error| refused(error.to_string()))?
        .application_name("parlour")
        .options([("client_min_messages", "warning")])
        .log_statements(tracing::log::LevelFilter::Off);
    // Migrations may take longer than what a request may take.
    migrate(&options, &at).await?;
    let options = options.options(SETTINGS);
    let for_sets = SETS.min(config.connections.saturating_sub(1)).max(1);
    let others = config.connections.saturating_sub(for_sets).max(1);
    let pool = connect(others, options.clone())
        .await
        .map_err(|error| refused(error.to_string()))?;
    let sets = connect(for_sets, options.options(ONE_PLAN).options(IN_ORDER))
        .await
        .map_err(|error| refused(error.to_string()))?;
    let epoch = with(
        &pool,
        async |connection| Ok(installation(connection).await?),
    )
    .await
    .map_err(|error| refused(error.to_string()))?;
    Ok(Store {
        joining: Joining::start(&Pool::Postgres(sets.clone())),
        readers: Pool::Postgres(pool.clone()),
        writer: Writer::of_postgres(pool, Lent::from(sets)),
        waiting: Waiting::default(),
        epoch,
        _lock: None,
    })
}

async fn connect(connections: u32, options: PgConnectOptions) -> sqlx::Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(DEADLINE)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > UNTRIED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
}

async fn migrate(options: &PgConnectOptions, at: &str) -> std::result::Result<(), OpenError> {
    let refused = |error: &dyn std::fmt::Display| OpenError::Postgres {
        at: at.to_owned(),
        reason: error.to_string(),
    };
    let until = Instant::now() + START;
    let mut connection = loop {
        match options.connect().await {
            Ok(connection) => break connection,
            Err(sqlx::Error::Io(error)) if Instant::now() < until => {
                tracing::warn!(%error, "PostgreSQL is not there yet");
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return Err(refused(&error)),
        }
    };
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|error| match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => OpenError::Newer {
                at: at.to_owned(),
                version,
            },
            other => refused(&other),
        })
}

/// The connection that stores sets of messages. It is kept from one to the next: the pool starts a
/// task that asks the server about each connection that it gets back, which is a turn for each message.
pub(super) struct Lent {
    pool: PgPool,
    /// With the time of its last use.
    kept: Option<(PoolConnection<Postgres>, Instant)>,
}

impl Lent {
    pub(super) fn from(pool: PgPool) -> Self {
        Self { pool, kept: None }
    }

    /// Stores a set of messages in one transaction. The outer error concerns the whole set.
    pub(super) async fn append(
        &mut self,
        rooms: &mut Kept,
        appends: &[&Append],
    ) -> Result<Vec<Result<Appended>>> {
        let until = Instant::now() + DEADLINE;
        let connection = self.take(until).await?;
        // Mostly one statement is enough; else all is read again, under the lock.
        let append = async |connection: &mut Connection| {
            let at_once = append::append_at_once(connection, rooms, appends, Scope::Whole);
            if let Some(results) = at_once.await? {
                return Ok(results);
            }
            connection.control("begin").await?;
            let results = append::append(connection, rooms, appends).await?;
            connection.control("commit").await?;
            Ok(results)
        };
        let (results, connection) = lend(connection, until, append).await?;
        // Others wait for it where there is only one.
        if self.pool.options().get_max_connections() > 1 {
            self.kept = Some((connection, Instant::now()));
        }
        Ok(results)
    }

    /// What is kept, tried if it was idle, or else one of the pool.
    async fn take(&mut self, until: Instant) -> sqlx::Result<PoolConnection<Postgres>> {
        let Some((mut connection, used)) = self.kept.take() else {
            return self.pool.acquire().await;
        };
        if used.elapsed() <= UNTRIED {
            return Ok(connection);
        }
        let tried = tokio::time::timeout_at(until, connection.ping()).await;
        match tried {
            Ok(Ok(())) => Ok(connection),
            Ok(Err(_)) => {
                drop(connection.detach());
                self.pool.acquire().await
            }
            Err(_) => {
                drop(connection.detach());
                Err(late())
            }
        }
    }

    pub(super) async fn close(self) {
        // The pool waits for it.
        drop(self.kept);
        self.pool.close().await;
    }
}

/// Runs `work` in a transaction of its own.
pub(super) async fn transaction<T, W>(pool: &PgPool, work: W) -> Result<T>
where
    W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>>,
{
    with(pool, async |connection| {
        connection.control("begin").await?;
        let value = work(connection).await?;
        connection.control("commit").await?;
        Ok(value)
    })
    .await
}

/// Lends a connection of the pool for a transaction.
pub(super) async fn with<T>(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    let until = Instant::now() + DEADLINE;
    let connection = pool.acquire().await?;
    Ok(lend(connection, until, work).await?.0)
}

/// Lends a connection for a transaction; if all went well it comes back. After an error the
/// transaction is undone, and the pool tries the connection; after the deadline it is given up,
/// because what it still does cannot be known.
async fn lend<T>(
    connection: PoolConnection<Postgres>,
    until: Instant,
    work: impl AsyncFnOnce(&mut Connection) -> Result<T>,
) -> Result<(T, PoolConnection<Postgres>)> {
    let mut lent = Unfinished(Some(Connection::Postgres(connection)));
    let Some(connection) = &mut lent.0 else {
        return Err(late().into());
    };
    let result = tokio::time::timeout_at(until, async {
        let result = work(connection).await;
        if result.is_err() {
            connection.control("rollback").await?;
        }
        result
    })
    .await;
    let result = result.map_err(|_| late())?;
    match lent.0.take() {
        Some(Connection::Postgres(connection)) => Ok((result?, connection)),
        _ => Err(StoreError::Failed("this is not PostgreSQL".into())),
    }
}

/// A connection with a transaction that may be open: it is closed, unless it is taken out.
struct Unfinished(Option<Connection>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(Connection::Postgres(connection)) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// Lends a connection for one query, by the same deadline.
pub(super) async fn read<T>(
    pool: &PgPool,
    query: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let until = Instant::now() + DEADLINE;
    let mut connection = pool.acquire().await?;
    if let Ok(result) = tokio::time::timeout_at(until, query(&mut connection)).await {
        return result;
    }
    drop(connection.detach());
    Err(late())
}

fn late() -> sqlx::Error {
    std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "PostgreSQL did not answer in time",
    )
    .into()
}
