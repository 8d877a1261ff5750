//! The database in the data folder: one file, one writer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::found::waiting::Waiting;
use super::joining::Joining;
use super::shortened::Committed;
use super::sql::{self, Connection, Pool};
use super::writer::Writer;
use super::{OpenError, Opener, Store, installation};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long another process may hold the database before a write is refused. A client waits for
/// the write under way and for its own: together within the time that it was promised.
const BUSY: Duration = Duration::from_secs(2);

/// What the writer keeps of the file, in KiB, below zero as SQLite wants it. Its rooms change again
/// and again, and with less they are read again each time.
const CACHE: &str = "-16384";
/// Pages of the log after which it is folded into the file: a page that was written many times is
/// folded once.
const LOG: &str = "4096";

/// Opens the database in `folder`, which is made if it is missing, and migrates it.
pub(super) async fn open(folder: &Path, opener: Opener) -> Result<Store, OpenError> {
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
        // What a statement may have to undo is kept in memory: a file for it costs time, and when
        // no descriptor is left there is none.
        .pragma("temp_store", "memory")
        .log_statements(tracing::log::LevelFilter::Off);
    // Beside a running server the log moves on.
    let committed = lock.as_ref().and_then(|_| Committed::of(&path));
    let writer = options
        .clone()
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", LOG);
    let connection = writer.connect().await.map_err(corrupt)?;
    let mut connection = Connection::Sqlite(connection);
    let lost = match committed {
        Some(committed) => committed.is_lost(&mut connection).await.map_err(corrupt)?,
        None => false,
    };
    migrate(&mut connection, &path).await?;
    let mut epoch = installation(&mut connection).await.map_err(corrupt)?;
    if lost {
        epoch = renew(&mut connection).await.map_err(corrupt)?;
    }
    let readers = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(5))
        // A file does not go away; trying the connection would cost a turn of its thread each time.
        .test_before_acquire(false)
        .connect_with(options.read_only(true).create_if_missing(false))
        .await
        .map_err(corrupt)?;
    let readers = Pool::Sqlite(readers);
    Ok(Store {
        joining: Joining::start(&readers),
        readers,
        writer: Writer::of_sqlite(connection),
        waiting: Waiting::default(),
        epoch,
        _lock: lock,
    })
}

async fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let Connection::Sqlite(connection) = connection else {
        return Ok(());
    };
    MIGRATIONS
        .run_direct(None, connection, false)
        .await
        .map_err(|error| match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => OpenError::Newer {
                at: path.display().to_string(),
                version,
            },
            other => OpenError::Corrupt {
                path: path.to_path_buf(),
                reason: other.to_string(),
            },
        })
}

/// Takes a new epoch: what clients know may be gone, or be something else by now.
async fn renew(connection: &mut Connection) -> sqlx::Result<Uuid> {
    tracing::error!(
        "the database's log is shorter than what was committed: messages are lost that were acknowledged; all clients start over with what there is"
    );
    let epoch = Uuid::new_v4();
    sql::query("update installation set epoch = $1")
        .bind(epoch)
        .execute(connection)
        .await?;
    Ok(epoch)
}

/// Closes the connection that writes. Its log is folded into the file first: `SQLite` does that by
/// itself only for the last connection of all, and a backup, or a reader that is still on its way
/// out, may be later. Before that, since it writes, the planner's statistics are renewed.
pub(super) async fn close(mut writer: Connection) -> sqlx::Result<()> {
    for statement in ["pragma optimize", "pragma wal_checkpoint(truncate)"] {
        sql::query(statement).execute(&mut writer).await?;
    }
    if let Connection::Sqlite(writer) = writer {
        writer.close().await?;
    }
    Ok(())
}

fn prepare(folder: &Path, opener: Opener) -> Result<Option<Arc<std::fs::File>>, OpenError> {
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
