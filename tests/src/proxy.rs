//! A proxy between any two parties, which does what networks do: stall, cut, refuse, lose an answer.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Hands them on.
    Pass,
    /// Keeps them, without a sign to either side, and hands them on when it passes again.
    Stall,
    /// Hands on what is asked, and loses what is answered.
    LoseAnswers,
    /// Ends connections, and new ones as soon as they come.
    Refuse,
}

/// A proxy on a port of its own; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Stands before `target`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Pass);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *watched.borrow() != Mode::Refuse {
                    tokio::spawn(link(client, target, watched.clone()));
                }
            }
        });
        Self {
            address,
            mode,
            task,
        }
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

async fn link(client: TcpStream, target: SocketAddr, mode: watch::Receiver<Mode>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let lossless = [Mode::Pass, Mode::LoseAnswers].as_slice();
    tokio::select! {
        () = carry(from_client, to_server, mode.clone(), lossless) => {}
        () = carry(from_server, to_client, mode, &[Mode::Pass]) => {}
    }
}

/// Carries bytes one way, in the modes in which this way is open.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    open: &[Mode],
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
        let now = mode
            .wait_for(|mode| *mode != Mode::Stall)
            .await
            .map_or(Mode::Refuse, |mode| *mode);
        match now {
            Mode::Refuse => return,
            now if !open.contains(&now) => {}
            _ => {
                if to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
