//! `parlour serve`.

use std::fmt::Display;
use std::net::SocketAddr;

use listenfd::ListenFd;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Failure, address, say, supervisor};
use crate::config::Config;
use crate::transport::listener::{self, Listener};
use crate::{Shared, identity};

pub(super) async fn run(config: Config, inherited: ListenFd) -> Result<(), Failure> {
    let listener = match take(inherited)? {
        Some(inherited) => Listener::Inherited(inherited),
        None => Listener::Own(listen(config.addr)?),
    };
    let bound = listener.address().map_err(unusable)?;
    let config = config.listening_on(bound);
    let (stop, stopping) = watch::channel(false);
    let app = crate::assemble(config, stopping)
        .await
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let signalled = signals()?;
    let watching = tokio::spawn(identity::watch::run(app.clone()));
    announce(&app, bound).await?;
    supervisor::serving(&app);
    tokio::spawn(supervisor::watchdog(app.clone()));
    let told = async {
        signalled.await;
        supervisor::stopping();
    };
    crate::run(listener, app, stop, told).await;
    // It ends with the stop that `run` has announced.
    let _ = watching.await;
    Ok(())
}

/// The listening socket that a service manager hands over, if it does.
fn take(mut inherited: ListenFd) -> Result<Option<TcpListener>, Failure> {
    match inherited.len() {
        0 => return Ok(None),
        1 => {}
        count => {
            return Err(Failure::Refused(format!(
                "LISTEN_FDS hands over {count} sockets, and Parlour listens on one; keep one ListenStream in the socket unit"
            )));
        }
    }
    let Some(socket) = inherited.take_tcp_listener(0).map_err(unusable)? else {
        return Ok(None);
    };
    if !SockRef::from(&socket).is_listener().map_err(unusable)? {
        return Err(unusable("it is connected instead of listening"));
    }
    socket.set_nonblocking(true).map_err(unusable)?;
    TcpListener::from_std(socket).map(Some).map_err(unusable)
}

fn unusable(reason: impl Display) -> Failure {
    Failure::Refused(format!(
        "the socket that LISTEN_FDS hands over is no TCP socket that listens: {reason}; name an address and a port with ListenStream in the socket unit"
    ))
}

fn listen(addr: SocketAddr) -> Result<TcpListener, Failure> {
    let refused = |error: std::io::Error| {
        Failure::Refused(match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!(
                    "the address {addr} is in use; stop what listens there, or choose another with PARLOUR_ADDR (port 0 picks a free one)"
                )
            }
            _ => format!(
                "cannot listen on {addr}: {error}; choose another address with PARLOUR_ADDR"
            ),
        })
    };
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(refused)?;
    socket.set_reuseaddr(true).map_err(refused)?;
    socket.bind(addr).map_err(refused)?;
    socket.listen(listener::BACKLOG).map_err(refused)
}

/// Done at the first SIGINT or SIGTERM. Installed before anything is announced.
fn signals() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let install = |kind| {
        signal(kind)
            .map_err(|error| Failure::Refused(format!("signals cannot be received: {error}")))
    };
    let (mut interrupt, mut terminate) = (
        install(SignalKind::interrupt())?,
        install(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// One line with the address, and one with the set-up link while there is no owner.
async fn announce(app: &Shared, bound: SocketAddr) -> Result<(), Failure> {
    let url = &app.config.public_url;
    address::write(&app.config.data, url);
    let mut lines = format!("Parlour listens on {url}\n");
    if !app.identity.has_owner().await? {
        lines.push_str(&format!(
            "Set up: {}\n",
            app.identity.setup_link().await?.url
        ));
    }
    say(&lines);
    tracing::info!(address = %bound, url = %url, data = %app.config.data.display(), "serving");
    if !url.keeps_cookies() {
        tracing::warn!(
            "agents cannot sign in: browsers keep the cookie only over https or on this machine; set PARLOUR_PUBLIC_URL to an https address"
        );
    }
    Ok(())
}
