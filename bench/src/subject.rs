//! What is measured: started with its database, joined by people, and ended.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use parlour_tests::{Node, Redis};
use sqlx::{AnyConnection, Connection as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Socket;
use crate::dialect::{Dialect, Greeting};
use crate::machine::Processes;
use crate::people::{Kind, id};
use crate::seed::{self, Seed};
use crate::token::Issuer;

/// Attempts to connect that are under way at once, where nothing else is said.
const AT_ONCE: usize = 64;

/// What is measured, and how it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Parlour with its data in SQLite.
    Sqlite,
    /// Parlour with its data in PostgreSQL.
    Postgres,
    /// Parlour with PostgreSQL and Redis, so many nodes.
    Nodes(usize),
    /// The peer, which inserts each message by itself.
    Peer,
    /// The peer, which inserts what is queued at once.
    PeerSets,
    /// The same with Redis, so many processes.
    PeerNodes(usize),
    /// The bare relay.
    Floor,
    /// Not a server: sets of messages are inserted by one connection, and nothing else.
    BareSqlite,
    /// The same on PostgreSQL.
    BarePostgres,
    /// Not a server either: one connection writes all that a set of messages leaves in the tables.
    WholeSqlite,
    /// The same on PostgreSQL.
    WholePostgres,
}

/// A running subject.
pub struct Subject {
    dialect: Dialect,
    addresses: Vec<SocketAddr>,
    issuer: Issuer,
    /// Whose processor time is counted.
    pub processes: Processes,
    /// Parlour's nodes, for what needs more than sockets.
    pub nodes: Vec<Node>,
    stopped: bool,
    children: Vec<Child>,
    _redis: Option<Redis>,
    database: Option<String>,
    connections: AtomicUsize,
}

impl Subject {
    /// Starts one with this much in its database.
    pub async fn start(variant: Variant, seed: Seed) -> Self {
        match variant {
            Variant::Sqlite | Variant::BareSqlite | Variant::WholeSqlite => {
                Self::parlour(1, false, false, seed).await
            }
            Variant::Postgres | Variant::BarePostgres | Variant::WholePostgres => {
                Self::parlour(1, true, false, seed).await
            }
            Variant::Nodes(count) => Self::parlour(count, true, true, seed).await,
            Variant::Peer => Self::peer(1, false, false, seed).await,
            Variant::PeerSets => Self::peer(1, true, false, seed).await,
            Variant::PeerNodes(count) => Self::peer(count, true, true, seed).await,
            Variant::Floor => Self::floor().await,
        }
    }

    fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            addresses: Vec::new(),
            issuer: Issuer::Nobody,
            processes: Processes::default(),
            nodes: Vec::new(),
            stopped: false,
            children: Vec::new(),
            _redis: None,
            database: None,
            connections: AtomicUsize::new(0),
        }
    }

    async fn parlour(count: usize, postgres: bool, bus: bool, seed: Seed) -> Self {
        let mut subject = Self::of(Dialect::Parlour);
        if postgres {
            subject.database().await;
        }
        let redis = if bus {
            Some(Redis::start().await)
        } else {
            None
        };
        for number in 0..count {
            // As an owner runs it; only the limits of persons and addresses are out of the way.
            let mut builder = Node::with()
                .unlimited()
                .set("PARLOUR_HEARTBEAT_MS", 25_000)
                .set("PARLOUR_VISITOR_TOKEN", "60m");
            if let Some(name) = &subject.database {
                builder = builder.set("DATABASE_URL", url(name));
            }
            if let Some(redis) = &redis {
                builder = builder.set("REDIS_URL", redis.url());
            }
            if number > 0 {
                builder = builder.joins();
            }
            let node = builder.start().await;
            subject.addresses.push(node.address());
            subject.processes.servers.push(node.pid());
            subject.nodes.push(node);
        }
        let mut connection = subject.connect().await;
        seed::parlour(&mut connection, seed).await;
        let (kid, secret) = seed::signing_key(&mut connection).await;
        connection.close().await.expect("the end of a connection");
        subject.issuer = Issuer::Parlour { kid, secret };
        subject.processes.bus = redis.as_ref().map(Redis::pid);
        subject._redis = redis;
        subject
    }

    async fn peer(count: usize, sets: bool, bus: bool, seed: Seed) -> Self {
        let mut subject = Self::of(Dialect::Peer);
        subject.database().await;
        let mut connection = subject.connect().await;
        seed::peer(&mut connection, seed).await;
        connection.close().await.expect("the end of a connection");
        let redis = if bus {
            Some(Redis::start().await)
        } else {
            None
        };
        let secret = parlour_tests::id().text();
        for _ in 0..count {
            let mut command = Command::new("node");
            command
                .arg("server.js")
                .current_dir(peer_folder())
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("NODE_ENV", "production")
                .env(
                    "DATABASE_URL",
                    url(subject.database.as_deref().unwrap_or_default()),
                )
                .env("JWT_SECRET", &secret)
                .env("BATCH", if sets { "1" } else { "0" });
            for limit in [
                "SEND_RATE",
                "SEND_BURST",
                "FRAME_RATE",
                "FRAME_BURST",
                "CONNECTIONS_PER_PERSON",
            ] {
                command.env(limit, "100000");
            }
            if let Some(redis) = &redis {
                command.env("REDIS_SOCKET", redis.url().trim_start_matches("unix://"));
            }
            subject.launch(command).await;
        }
        subject.issuer = Issuer::Peer { secret };
        subject.processes.bus = redis.as_ref().map(Redis::pid);
        subject._redis = redis;
        subject
    }

    async fn floor() -> Self {
        let mut subject = Self::of(Dialect::Floor);
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg("floor");
        subject.launch(command).await;
        subject
    }

    /// Starts a process that prints `listening ADDRESS`, on a loopback address of its own: so no
    /// port that an earlier run has left is in its way.
    async fn launch(&mut self, mut command: Command) {
        let host = own_loopback();
        let mut child = command
            .env("HOST", host.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = parlour_tests::within("the start of a process", lines.next_line()).await;
        let first = first.ok().flatten().unwrap_or_default();
        let address = first
            .strip_prefix("listening ")
            .and_then(|at| at.parse().ok());
        self.addresses.push(address.expect("where it listens"));
        self.processes.servers.extend(child.id());
        self.children.push(child);
    }

    /// Makes a database of its own on the server of the run.
    async fn database(&mut self) {
        let name = format!("bench_{}", parlour_tests::id().text().replace('-', ""));
        let mut connection = seed::connect(&url("postgres")).await;
        seed::run(&mut connection, format!("create database {name}")).await;
        connection.close().await.expect("the end of a connection");
        self.processes.database = Some(postmaster());
        self.database = Some(name);
    }

    /// The address of its database; nothing if that is a file.
    #[must_use]
    pub fn database_url(&self) -> Option<String> {
        self.database.as_deref().map(url)
    }

    /// The file that its database is.
    #[must_use]
    pub fn database_file(&self) -> PathBuf {
        let node = self.nodes.first().expect("a node");
        parlour_tests::database::file(node.data())
    }

    /// A connection to its database, beside its own.
    pub async fn connect(&self) -> AnyConnection {
        match self.database_url() {
            Some(url) => seed::connect(&url).await,
            None => {
                seed::connect(&format!(
                    "sqlite://{}?mode=rw",
                    self.database_file().display()
                ))
                .await
            }
        }
    }

    /// Makes the index of search anew, of what was written past the server.
    ///
    /// # Errors
    /// If that fails.
    pub async fn index(&mut self) -> Result<(), String> {
        let url = self.database_url();
        let node = self.nodes.first_mut().ok_or("there is no node")?;
        let _ = node.terminate().await;
        let status = Command::new(parlour_tests::node::binary())
            .arg("index")
            .env_clear()
            .env("PARLOUR_DATA", node.data())
            .envs(url.map(|url| ("DATABASE_URL", url)))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await;
        if !status.is_ok_and(|status| status.success()) {
            return Err("the index was not made".into());
        }
        node.start_again().await;
        self.processes.servers = vec![node.pid()];
        Ok(())
    }

    /// The database has what was acknowledged, and nothing else.
    ///
    /// # Errors
    /// If it has not.
    pub async fn check_stored(&self, acked: u64) -> Result<(), String> {
        if self.dialect == Dialect::Floor {
            return Ok(());
        }
        let mut connection = self.connect().await;
        let stored = seed::messages(&mut connection).await;
        connection.close().await.expect("the end of a connection");
        if stored == i64::try_from(acked).unwrap_or(i64::MAX) {
            return Ok(());
        }
        Err(format!(
            "{acked} messages were acknowledged, and {stored} are stored"
        ))
    }

    /// Connects one person to her ticket and joins it. Her connections of different lanes end at
    /// different nodes, where there are several.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn join(&self, person: usize, lane: usize, after: u64) -> Result<Socket, String> {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let greeting = Greeting {
            token: self.issuer.token(person),
            room: id(Kind::Ticket, person),
            after,
        };
        let address = self.addresses[(person + lane) % self.addresses.len()];
        Socket::open(address, self.dialect, greeting, number).await
    }

    /// Connects people to their tickets, many at a time.
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub async fn join_all(
        &self,
        people: impl IntoIterator<Item = usize>,
        lane: usize,
        after: u64,
    ) -> Result<Vec<Socket>, String> {
        let mut joining = stream::iter(people)
            .map(|person| self.join(person, lane, after))
            .buffer_unordered(AT_ONCE);
        let mut sockets = Vec::new();
        while let Some(socket) = joining.next().await {
            sockets.push(socket?);
        }
        Ok(sockets)
    }

    /// Ends its servers; its database stays.
    pub async fn stop_nodes(&mut self) {
        self.stopped = true;
        for node in &mut self.nodes {
            node.kill().await;
        }
    }

    /// Ends it, and drops its database.
    pub async fn end(mut self) {
        for child in &mut self.children {
            let _ = child.kill().await;
        }
        if !self.stopped {
            self.stop_nodes().await;
        }
        if let Some(name) = &self.database {
            let mut connection = seed::connect(&url("postgres")).await;
            seed::run(
                &mut connection,
                format!("drop database if exists {name} with (force)"),
            )
            .await;
            let _ = connection.close().await;
        }
        // What the kernel still has to put away is not the next one's.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The address of a database on the PostgreSQL server of the run.
fn url(name: &str) -> String {
    let server = std::env::var("PARLOUR_BENCH_POSTGRES").expect("PARLOUR_BENCH_POSTGRES");
    format!("{}/{name}", server.trim_end_matches('/'))
}

fn postmaster() -> u32 {
    let data = std::env::var("PARLOUR_TEST_POSTGRES_DATA").expect("PARLOUR_TEST_POSTGRES_DATA");
    let file = std::fs::read_to_string(PathBuf::from(data).join("postmaster.pid"));
    let file = file.expect("PostgreSQL's process");
    let first = file
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok());
    first.expect("PostgreSQL's process")
}

/// Where the peer is.
#[must_use]
pub fn peer_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peer")
}

fn own_loopback() -> IpAddr {
    let random = parlour_tests::id().0;
    IpAddr::V4(Ipv4Addr::new(
        127,
        random[13] | 1,
        random[14],
        random[15].clamp(1, 254),
    ))
}
