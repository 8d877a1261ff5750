//! A PostgreSQL server of a run's own, which may be killed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::node::signal;
use crate::within;

/// What `initdb` made, once for many servers.
#[derive(Debug)]
pub struct Template {
    folder: TempDir,
}

impl Template {
    /// Makes one.
    ///
    /// # Panics
    /// If PostgreSQL's programs are missing, or fail.
    pub async fn make() -> Self {
        let folder = folder();
        let data = folder.path().join("template");
        let status = program("initdb")
            .arg(format!("--pgdata={}", data.display()))
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .stdout(Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(status.success(), "initdb failed");
        Self { folder }
    }

    /// Where servers made from it lie as well.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        // Processes of a server that was killed may still be on their way out.
        for _ in 0..20 {
            if std::fs::remove_dir_all(self.path()).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A server process.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// Starts one that is made from a template, and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(template: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("server-")
            .tempdir_in(template)
            .unwrap();
        give_away(folder.path());
        let copied = owned(Command::new("cp"))
            .arg("-a")
            .arg(template.join("template"))
            .arg(folder.path().join("data"))
            .status();
        assert!(copied.await.unwrap().success(), "cp failed");
        let mut server = Self {
            folder,
            port: free_port(),
            child: None,
        };
        server.start_again().await;
        server
    }

    /// Its address, as its superuser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Starts it (again) and waits until it answers.
    ///
    /// # Panics
    /// If it runs, or does not start.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "PostgreSQL runs");
        within("the start of PostgreSQL", async {
            loop {
                // After a SIGKILL the processes of before may hold its memory for a moment.
                let ended = self.child.as_mut().map(Child::try_wait);
                if !matches!(ended, Some(Ok(None))) {
                    self.child = Some(self.spawn());
                }
                if self.answers().await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    fn spawn(&self) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        program("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", &format!("port={}", self.port)])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "max_connections=100"])
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    async fn answers(&self) -> bool {
        let options: PgConnectOptions = self.url().parse().unwrap();
        let options = options.database("postgres");
        let connecting = options.connect();
        let connected: Result<Result<PgConnection, _>, _> =
            tokio::time::timeout(Duration::from_secs(1), connecting).await;
        match connected {
            Ok(Ok(connection)) => connection.close().await.is_ok(),
            _ => false,
        }
    }

    /// SIGKILL to its first process. Returns when that is gone; the others follow.
    ///
    /// # Panics
    /// If it does not run.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("a running PostgreSQL");
        child.kill().await.unwrap();
    }

    /// An immediate stop: every connection is cut, and the next start recovers.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop_immediately(&mut self) {
        signal(self.pid(), "QUIT").await;
        let mut child = self.child.take().expect("a running PostgreSQL");
        within("the end of PostgreSQL", child.wait()).await.unwrap();
    }

    fn pid(&self) -> u32 {
        self.child
            .as_ref()
            .and_then(Child::id)
            .expect("a running PostgreSQL")
    }
}

/// Everything in a database, as `pg_dump` tells of it.
///
/// # Panics
/// If that fails.
pub async fn dump(url: &str) -> String {
    let output = program("pg_dump").arg(url).output().await.unwrap();
    assert!(output.status.success(), "pg_dump failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder that PostgreSQL may use: it refuses to run as root, and a folder of root's may be
/// closed to others where the checkout is.
fn folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("parlour-postgres-");
    let folder = if user().is_some() {
        builder.tempdir_in("/var/tmp")
    } else {
        let parent = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        builder.tempdir_in(parent.canonicalize().unwrap())
    };
    let folder = folder.unwrap();
    give_away(folder.path());
    folder
}

fn give_away(folder: &Path) {
    if let Some((user, group)) = user() {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    }
}

/// Whom PostgreSQL runs as, if this is root.
fn user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

fn owned(mut command: Command) -> Command {
    if let Some((user, group)) = user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

/// A program of the newest version that is installed; Debian keeps them out of the path.
fn program(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max();
    let path = newest.map_or_else(
        || PathBuf::from(name),
        |version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/{name}")),
    );
    owned(Command::new(path))
}

/// Below those that the system gives to clients, which one of them could have while the server is down.
fn free_port() -> u16 {
    loop {
        let random = uuid::Uuid::new_v4().into_bytes();
        let port = 20_000 + u16::from_le_bytes([random[0], random[1]]) % 10_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
