//! SQL, and nothing else: one file per noun.
//!
//! Reads go through [`Store::reader`]. Every write in the program goes through the one
//! writer's queue ([`writer`]), which commits whatever is queued in one transaction.
//! Nobody may await that queue while holding a connection of the readers' pool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use tokio::sync::oneshot;
use uuid::Uuid;

pub mod append;
pub mod context;
pub mod members;
pub mod messages;
pub mod rooms;
pub mod tickets;
pub mod unread;
pub mod writer;

pub mod agents;
pub mod keys;
pub mod links;
pub mod sign_ins;
pub mod sites;
pub mod visitors;

use writer::Writer;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// What a write gets to work on: the writer's connection, inside its transaction.
pub type Connection = SqliteConnection;

/// Why the store could not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or not for this caller.
    #[error("not found")]
    NotFound,
    /// A rule of the schema was broken; the name of what already exists.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// A message's id was used for another message.
    #[error("the id {0} was used for another message")]
    Conflict(Uuid),
    /// Another agent has answered above what the author of this message had seen.
    #[error("another agent has answered before the message {0}")]
    Unseen(Uuid),
    /// The row is not in a state that allows this.
    #[error("{0}")]
    Refused(&'static str),
    /// The queue of the writer is full, the database is locked, the disk is full, or it shuts down.
    #[error("the database cannot do this now: {0}")]
    Unavailable(Arc<str>),
    /// Anything else that the database reports.
    #[error("the database failed: {0}")]
    Failed(Arc<str>),
}

/// What store functions return.
pub type Result<T> = std::result::Result<T, StoreError>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(database) => from_database(database.as_ref()),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_) => Self::Unavailable(error.to_string().into()),
            _ => Self::Failed(error.to_string().into()),
        }
    }
}

/// Turns SQLite's codes and the schema's constraint names into domain errors.
fn from_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let message = error.message();
    if error.is_unique_violation() {
        for (column, noun) in [
            ("agents.email_key", "an agent with this e-mail address"),
            ("agents_one_owner", "an owner"),
            ("agents.role", "an owner"),
            ("sites.key", "a site with this key"),
            ("origins", "this origin"),
        ] {
            if message.contains(column) {
                return StoreError::Exists(noun);
            }
        }
        return StoreError::Exists("this row");
    }
    // Extended codes carry the primary one in their low byte: busy, locked, I/O error, full.
    let primary = error
        .code()
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    if matches!(primary, Some(5 | 6 | 10 | 13)) {
        return StoreError::Unavailable(message.into());
    }
    StoreError::Failed(message.into())
}

/// Why the database could not be opened; each is one sentence for the owner.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or written.
    #[error("cannot write to the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another server uses the data.
    #[error("another Parlour server is using the data folder {}; stop it first, or choose another folder with PARLOUR_DATA", .0.display())]
    InUse(PathBuf),
    /// The file was written by a newer version.
    #[error("the database {} was written by a newer version of Parlour (it has migration {version}, which this version does not know)", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The migration that is not known.
        version: i64,
    },
    /// The file is not a database, or damaged.
    #[error("the database {} is damaged or is not a Parlour database: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

/// How long another process may hold the database before a write is refused. A client waits for
/// the write under way and for its own: together within the time that it was promised.
const BUSY: Duration = Duration::from_secs(2);

/// Whether the opener is the server, of which there may be one, or the command line beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// Takes the lock on the data folder.
    Server,
    /// Passes the lock: it reads and administers while the server runs.
    CommandLine,
}

/// The database.
#[derive(Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: Writer,
    epoch: Uuid,
    /// Held as long as the server runs.
    _lock: Option<Arc<std::fs::File>>,
}

impl Store {
    /// Opens the database in `folder`, which is made if it is missing, and migrates it.
    ///
    /// # Errors
    /// One of [`OpenError`], each a sentence that names the folder or file.
    pub async fn open(folder: &Path, opener: Opener) -> std::result::Result<Self, OpenError> {
        let lock = prepare(folder, opener)?;
        let path = folder.join("parlour.db");
        let corrupt = |error: sqlx::Error| OpenError::Corrupt {
            path: path.clone(),
            reason: error.to_string(),
        };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .optimize_on_close(true, None)
            .log_statements(tracing::log::LevelFilter::Off);
        let mut connection = options.clone().connect().await.map_err(corrupt)?;
        MIGRATIONS
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|error| match error {
                sqlx::migrate::MigrateError::VersionMissing(version) => OpenError::Newer {
                    path: path.clone(),
                    version,
                },
                other => OpenError::Corrupt {
                    path: path.clone(),
                    reason: other.to_string(),
                },
            })?;
        let epoch = installation(&mut connection).await.map_err(corrupt)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(corrupt)?;
        Ok(Self {
            readers,
            writer: Writer::start(connection),
            epoch,
            _lock: lock,
        })
    }

    /// Connections for reading.
    #[must_use]
    pub fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    /// The epoch of this data: another one means that every cursor is void.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Runs `work` in the writer's transaction and waits for the commit.
    ///
    /// # Errors
    /// What `work` returned (its own changes are undone then, and those of others stay), or
    /// [`StoreError::Unavailable`] if the transaction could not be committed.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.write_and(work, |_| {}).await
    }

    /// As [`Store::write`]; `committed` sees the result after the commit, in the order of commits,
    /// also if nobody waits for the answer any more. It runs on the writer's task, so it must be quick.
    ///
    /// # Errors
    /// As [`Store::write`]; `committed` is not called then.
    pub async fn write_and<T, W, F>(&self, work: W, committed: F) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
        F: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let then = move |result: Result<T>| {
            if let Ok(value) = &result {
                committed(value);
            }
            drop(answer.send(result));
        };
        self.write_then(work, then).await?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has stopped".into())))
    }

    /// Queues `work`; `then` is called after the commit, on the writer's task and in the
    /// order of commits, so it must be quick.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full or closed; `then` is not called.
    pub async fn write_then<T, W, F>(&self, work: W, then: F) -> Result<()>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
        F: FnOnce(Result<T>) + Send + 'static,
    {
        self.writer.run(work, then).await
    }

    /// Queues messages for the next transaction; `then` as in [`Store::write_then`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full or closed; `then` is not called.
    pub async fn append_then<F>(&self, append: append::Append, then: F) -> Result<()>
    where
        F: FnOnce(Result<append::Appended>) + Send + 'static,
    {
        self.writer.append(append, Box::new(then)).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select one from installation")
            .execute(&self.readers)
            .await?;
        Ok(())
    }

    /// Finishes what is queued and closes the files.
    pub async fn close(&self) {
        // The writer is the last: only a connection that may write can fold the log into the file.
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn prepare(
    folder: &Path,
    opener: Opener,
) -> std::result::Result<Option<Arc<std::fs::File>>, OpenError> {
    let unwritable = |source| OpenError::Folder {
        path: folder.to_path_buf(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let lock = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("parlour.lock"))
        .map_err(unwritable)?;
    if opener == Opener::CommandLine {
        return Ok(None);
    }
    match lock.try_lock() {
        Ok(()) => Ok(Some(Arc::new(lock))),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_path_buf())),
        Err(std::fs::TryLockError::Error(source)) => Err(unwritable(source)),
    }
}

async fn installation(connection: &mut Connection) -> sqlx::Result<Uuid> {
    sqlx::query("insert into installation (one, epoch, created_at) values (1, $1, $2) on conflict do nothing")
        .bind(Uuid::new_v4())
        .bind(crate::clock::now())
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("select epoch from installation")
        .fetch_one(connection)
        .await
}
