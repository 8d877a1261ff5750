//! A proxy between any two parties, which does what networks do: delay, stall, cut, refuse, trickle,
//! lose an answer, and not know WebSocket.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Hands them on.
    Pass,
    /// Hands them on later, each way.
    Delay(Duration),
    /// Hands on so many bytes in a second, each way.
    Trickle(u32),
    /// Keeps them, without a sign to either side, and hands them on when it passes again.
    Stall,
    /// Hands on what is asked, and loses what is answered.
    LoseAnswers,
    /// The same of each connection from the moment on in which this word is asked for.
    LoseAnswersTo(&'static str),
    /// Takes away the header that asks for a WebSocket, as proxies do that do not know of it.
    StripUpgrade,
    /// Ends connections, and new ones as soon as they come.
    Refuse,
}

/// What stands behind a proxy.
#[derive(Clone, Debug)]
pub enum Target {
    /// A port.
    Tcp(SocketAddr),
    /// A socket in a folder.
    Unix(PathBuf),
}

/// A proxy on a port of its own; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: watch::Sender<Option<Target>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Stands before `target`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn before(target: SocketAddr) -> Self {
        let proxy = Self::idle().await;
        proxy.aim(Target::Tcp(target));
        proxy
    }

    /// Stands before nothing yet, and refuses.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn idle() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Pass);
        let (target, aimed) = watch::channel(None);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target: Option<Target> = aimed.borrow().clone();
                if let Some(target) = target
                    && *watched.borrow() != Mode::Refuse
                {
                    tokio::spawn(link(client, target, watched.clone()));
                }
            }
        });
        Self {
            address,
            mode,
            target,
            task,
        }
    }

    /// New connections go there, as those of a balancer do.
    pub fn aim(&self, target: Target) {
        self.target.send_replace(Some(target));
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does from now on, with the connections that there are as well.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Ends every connection; new ones pass.
    pub async fn cut(&self) {
        self.set(Mode::Refuse);
        // Every link has seen it once it has let go of its end of the channel.
        let links = || self.mode.receiver_count() > 1;
        while links() {
            tokio::task::yield_now().await;
        }
        self.set(Mode::Pass);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Mode::Refuse);
        self.task.abort();
    }
}

async fn link(client: TcpStream, target: Target, mode: watch::Receiver<Mode>) {
    // Small frames must not wait for one another here either.
    let _ = client.set_nodelay(true);
    let (from_client, to_client) = client.into_split();
    match target {
        Target::Tcp(address) => {
            let Ok(server) = TcpStream::connect(address).await else {
                return;
            };
            let _ = server.set_nodelay(true);
            let (from_server, to_server) = server.into_split();
            both((from_client, to_server), (from_server, to_client), mode).await;
        }
        Target::Unix(path) => {
            let Ok(server) = UnixStream::connect(path).await else {
                return;
            };
            let (from_server, to_server) = server.into_split();
            both((from_client, to_server), (from_server, to_client), mode).await;
        }
    }
}

async fn both<A, B, C, D>(up: (A, B), down: (C, D), mode: watch::Receiver<Mode>)
where
    A: AsyncRead + Unpin,
    B: AsyncWrite + Unpin,
    C: AsyncRead + Unpin,
    D: AsyncWrite + Unpin,
{
    let asked = AtomicBool::new(false);
    tokio::select! {
        () = carry(up.0, up.1, mode.clone(), Way::Up, &asked) => {}
        () = carry(down.0, down.1, mode, Way::Down, &asked) => {}
    }
}

/// To the server, or from it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Carries bytes one way.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
    way: Way,
    asked: &AtomicBool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            refused = mode.wait_for(|mode| *mode == Mode::Refuse) => {
                drop(refused);
                return;
            }
            read = from.read(&mut buffer) => read,
        };
        let Some(length) = read.ok().filter(|length| *length > 0) else {
            return;
        };
        let bytes = &mut buffer[..length];
        let now = mode
            .wait_for(|mode| *mode != Mode::Stall)
            .await
            .map_or(Mode::Refuse, |mode| *mode);
        let sent = match now {
            Mode::Refuse => return,
            Mode::LoseAnswers if way == Way::Down => Ok(()),
            Mode::LoseAnswersTo(word) if way == Way::Up => {
                if holds(bytes, word) {
                    asked.store(true, Ordering::Relaxed);
                }
                to.write_all(bytes).await
            }
            Mode::LoseAnswersTo(_) if asked.load(Ordering::Relaxed) => Ok(()),
            Mode::Trickle(rate) => trickle(&mut to, bytes, rate, &mode).await,
            Mode::Delay(time) => {
                tokio::time::sleep(time).await;
                to.write_all(bytes).await
            }
            Mode::StripUpgrade if way == Way::Up => {
                strip(bytes);
                to.write_all(bytes).await
            }
            _ => to.write_all(bytes).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Hands bytes on in small pieces, as long as nothing else is asked for.
async fn trickle(
    to: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    rate: u32,
    mode: &watch::Receiver<Mode>,
) -> std::io::Result<()> {
    const PIECES: u32 = 20;
    let piece = (rate / PIECES).max(1) as usize;
    for part in bytes.chunks(piece) {
        to.write_all(part).await?;
        if matches!(*mode.borrow(), Mode::Trickle(_)) {
            tokio::time::sleep(Duration::from_secs(1) / PIECES).await;
        }
    }
    Ok(())
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window == word.as_bytes())
}

/// Gives the header another name, of the same length.
fn strip(bytes: &mut [u8]) {
    const NAME: &[u8] = b"\r\nupgrade:";
    let found = bytes
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME));
    if let Some(found) = found {
        bytes[found + 2..found + 9].copy_from_slice(b"dropped");
    }
}
