//! A server process with a data folder of its own.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::database::{self, TestDatabase, url_of};
use crate::log::Log;
use crate::proxy::{Proxy, Target};
use crate::redis::{self, Redis};
use crate::{Request, within};

mod figures;

/// Log lines that are printed when a test fails.
const SHOWN: usize = 40;

/// The binary under test.
///
/// # Panics
/// With the command that builds it, if it is not there.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("PARLOUR_BIN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/parlour"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "{} is missing; build it with: cargo build -p parlour-server",
        path.display()
    );
    path
}

/// A folder for data, on the disk that also holds the build: `/tmp` may be memory, where a flush means nothing.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn folder() -> TempDir {
    let parent = std::env::var_os("PARLOUR_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-data"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&parent).unwrap();
    tempfile::Builder::new()
        .prefix("node-")
        .tempdir_in(parent)
        .unwrap()
}

/// How a server is started.
#[derive(Debug)]
pub struct Builder {
    settings: Vec<(OsString, OsString)>,
    wrapper: Vec<OsString>,
    data: Option<TempDir>,
    joins: bool,
    database_by: Option<SocketAddr>,
    front: Option<Arc<Proxy>>,
    inherited: Option<OwnedFd>,
}

/// What a shell runs to have its standard input be the first descriptor that is handed over.
pub const HANDS_OVER: [&str; 4] = ["sh", "-c", "exec \"$@\" 3<&0 </dev/null", "parlour"];

impl Builder {
    /// Hands it a socket, as a service manager does: it outlives the server.
    ///
    /// # Panics
    /// If it cannot be handed over.
    #[must_use]
    pub fn inherits(mut self, socket: &std::net::TcpListener) -> Self {
        self.inherited = Some(socket.try_clone().unwrap().into());
        self.under(&HANDS_OVER).set("LISTEN_FDS", 1)
    }

    /// Is reached by its clients through this proxy, which is aimed at it whenever it starts.
    #[must_use]
    pub fn behind(mut self, front: Arc<Proxy>) -> Self {
        self.front = Some(front);
        self
    }

    /// Reaches its PostgreSQL database by way of this address, where a proxy stands.
    #[must_use]
    pub fn database_by(mut self, address: SocketAddr) -> Self {
        self.database_by = Some(address);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl ToString) -> Self {
        self.settings
            .push((variable.into(), value.to_string().into()));
        self
    }

    /// Runs it under another command, such as `prlimit --nofile=64`.
    #[must_use]
    pub fn under(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(OsString::from).collect();
        self
    }

    /// Lets everybody do as much as a test needs: without rates in its way.
    #[must_use]
    pub fn unlimited(self) -> Self {
        [
            "SEND_RATE",
            "SEND_BURST",
            "FRAME_RATE",
            "FRAME_BURST",
            "SESSION_RATE",
            "SESSION_BURST",
            "REQUEST_RATE",
            "REQUEST_BURST",
            "SIGN_IN_RATE",
            "SIGN_IN_BURST",
            "CONNECTIONS_PER_PERSON",
            "CONNECTIONS_PER_ADDRESS",
        ]
        .into_iter()
        .fold(self, |builder, name| {
            builder.set(&format!("PARLOUR_{name}"), 100_000)
        })
    }

    /// Uses a folder that is there already.
    #[must_use]
    pub fn data(mut self, data: TempDir) -> Self {
        self.data = Some(data);
        self
    }

    /// Joins an installation that has its owner: it prints no set-up link.
    #[must_use]
    pub fn joins(mut self) -> Self {
        self.joins = true;
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(self) -> Node {
        let mut node = self.stopped();
        node.own_redis().await;
        node.launch().await;
        node
    }

    /// Everything but the start.
    #[must_use]
    pub fn stopped(mut self) -> Node {
        for (name, value) in &mut self.settings {
            if let (true, Some(by), Some(url)) =
                (name == "DATABASE_URL", self.database_by, value.to_str())
            {
                *value = database::by(url, by).into();
            }
        }
        let data = self.data.unwrap_or_else(folder);
        let given = self.settings.iter().any(|(name, _)| name == "DATABASE_URL");
        Node {
            child: None,
            address: SocketAddr::new(own_loopback(), 0),
            database: if given {
                None
            } else {
                TestDatabase::of(data.path())
            },
            data,
            settings: self.settings,
            wrapper: self.wrapper,
            log: Log::new(),
            setup_link: None,
            redis: None,
            joins: self.joins,
            database_by: self.database_by,
            front: self.front,
            inherited: self.inherited,
        }
    }
}

/// A loopback address that no other test uses. With it a port that was free once stays free
/// while the server is down, and a client that tries it cannot be connected to itself.
fn own_loopback() -> IpAddr {
    let random = uuid::Uuid::new_v4().into_bytes();
    IpAddr::V4(Ipv4Addr::new(
        127,
        random[0] | 1,
        random[1],
        random[2].clamp(1, 254),
    ))
}

/// A server process.
#[derive(Debug)]
pub struct Node {
    child: Option<Child>,
    address: SocketAddr,
    /// Behind the child, before which it must not be dropped.
    database: Option<TestDatabase>,
    data: TempDir,
    settings: Vec<(OsString, OsString)>,
    wrapper: Vec<OsString>,
    log: Log,
    setup_link: Option<String>,
    redis: Option<Redis>,
    joins: bool,
    database_by: Option<SocketAddr>,
    front: Option<Arc<Proxy>>,
    inherited: Option<OwnedFd>,
}

impl Node {
    /// A server with everything as it comes, but for a short heartbeat.
    pub async fn start() -> Self {
        Self::with().start().await
    }

    /// A server with settings.
    #[must_use]
    pub fn with() -> Builder {
        Builder {
            settings: Vec::new(),
            wrapper: Vec::new(),
            data: None,
            joins: false,
            database_by: None,
            front: None,
            inherited: None,
        }
        .set("PARLOUR_HEARTBEAT_MS", 2_000)
        .set("PARLOUR_LOG", "info")
    }

    /// Gives it a Redis, if all nodes are to have one and it has none.
    async fn own_redis(&mut self) {
        let given = self.settings.iter().any(|(name, _)| name == "REDIS_URL");
        if redis::for_all() && !given {
            let redis = Redis::start().await;
            self.settings.push(("REDIS_URL".into(), redis.url().into()));
            self.redis = Some(redis);
        }
    }

    async fn launch(&mut self) {
        let since = self.spawn();
        let first = !self.joins && self.setup_link.is_none() && self.address.port() == 0;
        let Some(address) = self.log.wait(since, listening).await else {
            panic!(
                "the server did not say where it listens:\n{}",
                self.log.text()
            );
        };
        self.address = address;
        if let Some(front) = &self.front {
            front.aim(Target::Tcp(address));
        }
        if first {
            self.setup_link = self.log.wait(since, setup_link).await;
        }
    }

    /// Starts the process; the number of log lines before it.
    fn spawn(&mut self) -> usize {
        let binary = binary();
        let mut words = self
            .wrapper
            .iter()
            .cloned()
            .chain([binary.into_os_string(), "serve".into()]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("PARLOUR_DATA", self.data())
            .env("PARLOUR_ADDR", self.address.to_string());
        if let Some(front) = &self.front {
            command.env("PARLOUR_PUBLIC_URL", format!("http://{}", front.address()));
        }
        if self.database.is_some() {
            let url = url_of(self.data()).map(|url| match self.database_by {
                Some(address) => database::by(&url, address),
                None => url,
            });
            command.envs(url.map(|url| ("DATABASE_URL", url)));
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.data()).kill_on_drop(true);
        let stdin = self.inherited.as_ref().map(|fd| fd.try_clone().unwrap());
        command
            .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let since = self.log.lines().len();
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{:?} cannot be started: {error}",
                command.as_std().get_program()
            )
        });
        self.log.follow(child.stdout.take().unwrap());
        self.log.follow(child.stderr.take().unwrap());
        self.child = Some(child);
        since
    }

    /// Starts it, and kills it after this time, whatever it has come to.
    pub async fn start_and_kill_after(&mut self, time: Duration) {
        self.own_redis().await;
        self.spawn();
        tokio::time::sleep(time).await;
        self.kill().await;
        // Or where it has listened would be taken for where the next one does.
        within("the end of its outputs", self.log.complete()).await;
    }

    /// SIGTERM to the server that runs under another command, and waits for both.
    ///
    /// # Panics
    /// If they do not end in time.
    pub async fn end_under_wrapper(&mut self) {
        let children = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = std::fs::read_to_string(children).unwrap();
        let server = children.split_whitespace().next().expect("the server");
        signal(server.parse().unwrap(), "TERM").await;
        let mut child = self.child.take().unwrap();
        within("the end of the server", child.wait()).await.unwrap();
    }

    /// Where its clients reach it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.front
            .as_ref()
            .map_or(self.address, |front| front.address())
    }

    /// Where it listens itself.
    #[must_use]
    pub fn listens(&self) -> SocketAddr {
        self.address
    }

    /// The origin of its pages.
    #[must_use]
    pub fn origin(&self) -> String {
        let given = self.settings.iter().rev();
        let mut given = given.filter(|(name, _)| name == "PARLOUR_PUBLIC_URL");
        given.next().map_or_else(
            || format!("http://{}", self.address()),
            |(_, url)| url.to_string_lossy().into_owned(),
        )
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The path of the set-up link that it printed.
    ///
    /// # Panics
    /// If it printed none.
    #[must_use]
    pub fn setup_path(&self) -> String {
        self.setup_link.clone().expect("a set-up link")
    }

    /// What it wrote to both outputs, over all its lives.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its process.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child
            .as_ref()
            .and_then(Child::id)
            .expect("a running server")
    }

    /// SIGKILL. Returns when the process is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("a running server");
        child.kill().await.unwrap();
    }

    /// How it has ended by itself, if it has.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        self.child = None;
        Some(status)
    }

    /// SIGTERM. Returns its exit status, and how long it took.
    ///
    /// # Panics
    /// If it does not end in time.
    pub async fn terminate(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        signal(self.pid(), "TERM").await;
        let mut child = self.child.take().unwrap();
        let status = within("the end of the server", child.wait()).await.unwrap();
        (status, begun.elapsed())
    }

    /// Starts it again, on the same address and data.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "the server runs");
        self.launch().await;
    }

    /// SIGKILL and a new start.
    pub async fn restart(&mut self) {
        self.kill().await;
        self.start_again().await;
    }

    /// Whether it still answers.
    pub async fn is_healthy(&self) -> bool {
        Request::get("/healthz").send(self.address).await.status == 200
    }

    /// Asserts that it is alive and well, and has never panicked.
    ///
    /// # Panics
    /// If not.
    pub async fn assert_well(&self) {
        assert!(self.is_healthy().await, "the server is not healthy");
        self.assert_no_panic();
    }

    fn assert_no_panic(&self) {
        let lines = self.log.lines();
        if let Some(index) = lines.iter().position(|line| line.contains("panicked at")) {
            panic!(
                "the server panicked:\n{}",
                lines[index..lines.len().min(index + 10)].join("\n")
            );
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.log.lines();
            let skipped = lines.len().saturating_sub(SHOWN);
            eprintln!(
                "--- the server's log ({} lines, the last {} follow)\n{}",
                lines.len(),
                lines.len() - skipped,
                lines[skipped..].join("\n")
            );
        } else {
            self.assert_no_panic();
        }
    }
}

/// Sends a signal to a process of ours.
///
/// # Panics
/// If it is gone.
pub async fn signal(pid: u32, name: &str) {
    // The shell's own, for not every system has a program of this name.
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status()
        .await
        .unwrap();
    assert!(status.success(), "process {pid} is gone");
}

/// Where it listens: what the log says, for the line on standard output names the public address.
fn listening(line: &str) -> Option<SocketAddr> {
    let json = line.contains("\"serving\"");
    let before = if json {
        "\"address\":\""
    } else {
        "serving address="
    };
    let (_, rest) = line.split_once(before)?;
    rest.split(['"', ' ']).next()?.parse().ok()
}

/// The path of the link in the line that `make run` relies on.
fn setup_link(line: &str) -> Option<String> {
    let path = &line.strip_prefix("Set up: http")?;
    Some(path[path.find("/setup/")?..].trim_end().to_owned())
}
