//! Where a server of a test keeps its data: SQLite in its folder, or with `PARLOUR_TEST_POSTGRES`
//! (the address of a PostgreSQL server, as its superuser) a PostgreSQL database of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use sqlx::AnyConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// The variable with the address of a PostgreSQL server whose databases tests may make and drop.
pub const POSTGRES: &str = "PARLOUR_TEST_POSTGRES";

/// The one that this process has chosen for itself.
static CHOSEN: OnceLock<String> = OnceLock::new();

/// From now on servers of this process keep their data on this PostgreSQL server.
///
/// # Panics
/// If another one was chosen before.
pub fn choose(url: String) {
    assert!(CHOSEN.set(url).is_ok(), "a server was chosen before");
}

/// The PostgreSQL server that servers of this run keep their data on; nothing if they use SQLite.
#[must_use]
pub fn server() -> Option<String> {
    CHOSEN
        .get()
        .cloned()
        .or_else(|| std::env::var(POSTGRES).ok())
}

/// Whether servers of this run keep their data in PostgreSQL.
#[must_use]
pub fn is_postgres() -> bool {
    server().is_some()
}

/// Whether this run leaves a test out, because what it tests is a file of SQLite's; says so.
#[must_use]
pub fn only_sqlite(what: &str) -> bool {
    if is_postgres() {
        eprintln!("not on PostgreSQL: {what}");
    }
    is_postgres()
}

/// The databases of data folders, so that commands on a folder find what its server uses.
static OF_FOLDER: Mutex<Option<HashMap<PathBuf, String>>> = Mutex::new(None);

/// The `DATABASE_URL` that goes with a data folder; nothing if that holds the data itself.
#[must_use]
pub fn url_of(data: &Path) -> Option<String> {
    let map = OF_FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
    map.as_ref()?.get(data).cloned()
}

/// The same database by way of another address.
#[must_use]
pub(crate) fn by(url: &str, address: std::net::SocketAddr) -> String {
    let (user, rest) = url.split_once('@').expect("an address with a user");
    let (_, name) = rest.split_once('/').expect("a database");
    format!("{user}@{address}/{name}")
}

/// A PostgreSQL database that is dropped with its server.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    data: PathBuf,
}

impl TestDatabase {
    /// Makes one for the server with this data folder, if this run uses PostgreSQL.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn of(data: &Path) -> Option<Self> {
        let server = server()?;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        administer(format!("create database {name}"));
        let url = format!("{}/{name}", server.trim_end_matches('/'));
        OF_FOLDER
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_default()
            .insert(data.to_path_buf(), url);
        Some(Self {
            name,
            data: data.to_path_buf(),
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A server that a process has chosen for itself ends with everything on it.
        if CHOSEN.get().is_some() {
            return;
        }
        if let Some(map) = OF_FOLDER
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            map.remove(&self.data);
        }
        administer(format!(
            "drop database if exists {} with (force)",
            self.name
        ));
    }
}

/// Runs a statement that no transaction can hold, on a thread of its own: also where the
/// runtime of a test is about to end.
fn administer(sql: String) {
    let server = server().expect("a PostgreSQL server");
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options: PgConnectOptions = server.parse().unwrap();
            let mut connection: PgConnection =
                options.database("postgres").connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    });
    thread.join().expect("the PostgreSQL server of the tests");
}

/// A connection to the database of a data folder's server, beside the server's own.
///
/// # Panics
/// If there is none.
pub async fn connect(data: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let url = url_of(data).unwrap_or_else(|| format!("sqlite://{}?mode=rw", file(data).display()));
    AnyConnection::connect(&url).await.expect("the database")
}

/// Keeps the server from writing to rooms until this connection ends its transaction.
///
/// # Panics
/// If it cannot be had.
pub async fn hold_rooms(connection: &mut AnyConnection) {
    let postgres = connection.backend_name() == "PostgreSQL";
    let statements = if postgres {
        ["begin", "lock table rooms in exclusive mode"].as_slice()
    } else {
        &["begin immediate"]
    };
    for statement in statements {
        sqlx::raw_sql(*statement)
            .execute(&mut *connection)
            .await
            .unwrap();
    }
}

/// SQLite's file in a data folder.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(data)
        .unwrap()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    entries
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .expect("a database file")
}

/// Waits until search has indexed everything that is stored; how many entries it has.
///
/// # Panics
/// If that takes too long.
pub async fn indexed(data: &Path) -> i64 {
    let mut database = connect(data).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let (waiting, bytes): (i64, i64) = sqlx::query_as(
            "select (select count(*) from found_waiting),
                    (select cast(coalesce(sum(length(keys)), 0) as bigint) from found_places)",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        if waiting == 0 {
            return bytes / 24;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "{waiting} sets still wait"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
