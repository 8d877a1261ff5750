//! Accepting connections: bounded, with a deadline for each request's head, and drained on a stop.

use std::fmt::Display;
use std::net::{self, SocketAddr};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Layer as _;

/// A request's head must arrive in this time; so must the next one on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// The same for whoever was waiting when the server was told to stop.
const LAST_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// How long those that were accepted just before that have until they are read from.
const FIRST_READ: Duration = Duration::from_millis(100);
/// Connections that may wait to be accepted: when everybody comes back at once, an overflow costs a client a second.
pub const BACKLOG: u32 = 4_096;
/// A peer that acknowledges nothing, or takes nothing, for this long has vanished. Above what a
/// session waits for a slow reader, who is told why she is closed.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// Without traffic for this long a peer is asked whether it is there: it notices one that has
/// vanished where no heartbeat does.
const IDLE: Duration = Duration::from_secs(60);
/// And is asked again after this.
const PROBES: Duration = Duration::from_secs(10);
/// How long to wait when the system has no descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(100);

/// Connections that live beyond their request: sockets.
#[derive(Clone)]
pub struct Sockets {
    open: watch::Sender<usize>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(0),
        }
    }
}

impl Sockets {
    /// Counts one, until what is returned is dropped.
    #[must_use]
    pub fn hold(&self) -> OpenSocket {
        self.open.send_modify(|open| *open += 1);
        OpenSocket {
            open: self.open.clone(),
        }
    }

    /// Waits until there are none.
    pub async fn closed(&self) {
        // It cannot fail: the sender is this one.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// One that counts.
pub struct OpenSocket {
    open: watch::Sender<usize>,
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open -= 1);
    }
}

/// The socket that connections come to, and who holds it.
pub enum Listener {
    /// This process alone: the socket ends with it.
    Own(TcpListener),
    /// A service manager as well: what waits in it is for the process that comes next.
    Inherited(TcpListener),
}

impl Listener {
    /// Has the connections that come looked after by the system, which hands what is set here on
    /// to each of them.
    fn watch_over(&self) -> std::io::Result<()> {
        let socket = SockRef::from(self.tcp());
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
        let keepalive = TcpKeepalive::new()
            .with_time(IDLE)
            .with_interval(PROBES)
            .with_retries(3);
        socket.set_tcp_keepalive(&keepalive)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system reports.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.tcp().local_addr()
    }

    fn tcp(&self) -> &TcpListener {
        match self {
            Self::Own(tcp) | Self::Inherited(tcp) => tcp,
        }
    }

    /// What waits to be accepted at the end, and would be cut off with the socket.
    fn waiting(self) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
        let own = match self {
            Self::Own(tcp) => tcp.into_std().ok(),
            Self::Inherited(_) => None,
        };
        // It does not block, so the first error means that nobody waits any more.
        let accept = move || {
            own.as_ref()
                .and_then(|own: &net::TcpListener| own.accept().ok())
        };
        std::iter::from_fn(accept)
            .take(BACKLOG as usize)
            .filter_map(|(stream, peer)| {
                stream.set_nonblocking(true).ok()?;
                Some((TcpStream::from_std(stream).ok()?, peer))
            })
    }
}

/// Accepts until `stop` turns true, then lets requests in flight end.
pub async fn serve(listener: Listener, router: Router, mut stop: watch::Receiver<bool>) {
    if let Err(error) = listener.watch_over() {
        tracing::warn!(%error, "who has vanished is noticed by heartbeats alone");
    }
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.tcp().accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, &router, true);
                tokio::spawn(end(graceful.watch(connection)));
            }
            Err(error) => {
                // One that was gone before it was taken is nobody's fault; a lack of descriptors passes.
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                ) {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(NO_DESCRIPTOR).await;
                }
            }
        }
    }
    // Not watched: that would close them before they were read.
    let mut last: JoinSet<()> = listener
        .waiting()
        .map(|(stream, peer)| connection(stream, peer, &router, false))
        .map(end)
        .collect();
    // hyper closes what it has not read from yet, also where a request has arrived meanwhile.
    let graceful = async {
        tokio::time::sleep(FIRST_READ).await;
        graceful.shutdown().await;
    };
    tokio::join!(graceful, async {
        while last.join_next().await.is_some() {}
    });
}

async fn end<E: Display>(connection: impl Future<Output = Result<(), E>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One connection; kept for more than one request unless the server is about to stop.
fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
    kept: bool,
) -> impl GracefulConnection<Error: Display> + Send + 'static {
    // Small frames must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router.clone()));
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    let patience = if kept {
        HEAD_TIMEOUT
    } else {
        LAST_HEAD_TIMEOUT
    };
    builder
        .http1()
        .timer(TokioTimer::new())
        .keep_alive(kept)
        .header_read_timeout(patience);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    connection.into_owned()
}
