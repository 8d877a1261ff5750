//! `parlour serve`.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Failure, address, say};
use crate::config::Config;
use crate::{Shared, identity};

/// Connections that may wait to be accepted: when everybody comes back at once, an overflow costs a client a second.
const BACKLOG: u32 = 4_096;

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let (listener, bound) = listen(config.addr)?;
    let config = config.listening_on(bound);
    let (stop, stopping) = watch::channel(false);
    let app = crate::assemble(config, stopping)
        .await
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let signalled = signals()?;
    let watching = tokio::spawn(identity::watch::run(app.clone()));
    announce(&app, bound).await?;
    crate::run(listener, app, stop, signalled).await;
    // It ends with the stop that `run` has announced.
    let _ = watching.await;
    Ok(())
}

fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
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
    let listener = socket.listen(BACKLOG).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
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
