//! Accepting connections: bounded, with a deadline for each request's head, and drained on a stop.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::Layer as _;

/// A request's head must arrive in this time; so must the next one on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
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

/// Accepts until `stop` turns true, then lets requests in flight end.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => connection(stream, peer, &router, &graceful),
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
    drop(listener);
    graceful.shutdown().await;
}

fn connection(stream: TcpStream, peer: SocketAddr, router: &Router, graceful: &GracefulShutdown) {
    // Small frames must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router.clone()));
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let connection = graceful.watch(connection.into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
