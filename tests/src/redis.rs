//! A Redis of a test's own, on a socket in a folder of its own, without anything on disk.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::node::signal;
use crate::{Node, Request, within};

/// Whether every node of the tests gets a Redis: `PARLOUR_TEST_REDIS=1`.
#[must_use]
pub fn for_all() -> bool {
    std::env::var_os("PARLOUR_TEST_REDIS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A Redis process.
#[derive(Debug)]
pub struct Redis {
    folder: TempDir,
    child: Option<Child>,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start() -> Self {
        let mut redis = Self::stopped();
        redis.start_again().await;
        redis
    }

    /// Everything but the start.
    ///
    /// # Panics
    /// If the folder cannot be made.
    #[must_use]
    pub fn stopped() -> Self {
        Self {
            // Short, for the path of a socket has at most 107 bytes.
            folder: tempfile::Builder::new()
                .prefix("parlour-redis-")
                .tempdir_in("/tmp")
                .unwrap(),
            child: None,
        }
    }

    /// What a node is given as `REDIS_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket())
    }

    /// The path of its socket.
    #[must_use]
    pub fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }

    /// Starts it (again) and waits until it answers.
    ///
    /// # Panics
    /// If it runs, or does not start.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "Redis runs");
        let socket = self.socket();
        let _ = std::fs::remove_file(&socket);
        let settings = [
            ["--port", "0"],
            ["--unixsocket", &socket],
            ["--save", ""],
            ["--appendonly", "no"],
            ["--enable-debug-command", "yes"],
        ];
        let child = Command::new("redis-server")
            .args(settings.as_flattened())
            .current_dir(self.folder.path())
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("redis-server: {error}; run scripts/prerequisites test")
            });
        self.child = Some(child);
        within("the start of Redis", async {
            while self.ask("PING").await.as_deref() != Some("+PONG") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// SIGKILL. Returns when the process is gone.
    ///
    /// # Panics
    /// If it does not run.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("a running Redis");
        child.kill().await.unwrap();
    }

    /// Stops it in the middle of whatever it does; its connections stay open.
    pub async fn freeze(&self) {
        signal(self.pid(), "STOP").await;
    }

    /// Lets it go on.
    pub async fn thaw(&self) {
        signal(self.pid(), "CONT").await;
    }

    /// Waits until exactly this many channels are subscribed.
    ///
    /// # Panics
    /// If that does not come about.
    pub async fn expect_channels(&self, count: usize) {
        let mut last = String::new();
        let wait = async {
            while last.matches('$').count() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
                last = self.command("PUBSUB CHANNELS").await;
            }
        };
        if tokio::time::timeout(crate::DEADLINE, wait).await.is_err() {
            panic!("{count} channels were expected:\n{last}");
        }
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
            .expect("a running Redis")
    }

    /// Gives it a command, and waits for the answer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn command(&self, command: &str) -> String {
        self.ask(command).await.expect("an answer of Redis")
    }

    async fn ask(&self, command: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.socket()).await.ok()?;
        stream
            .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
            .await
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let answer = answer.strip_suffix("+OK\r\n")?;
        Some(answer.trim_end().to_owned())
    }
}

/// Waits until a node says this of its Redis, and that it is ready all the same.
///
/// # Panics
/// If it does not.
pub async fn expect(node: &Node, state: &str) {
    within(&format!("redis {state}"), async {
        loop {
            let answer = Request::get("/readyz")
                .send(node.listens())
                .await
                .expect(200);
            if answer.json()["redis"] == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
