//! WebSockets: axum's upgrade, with buffers that suit many idle connections.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::SinkExt as _;
use parlour_protocol::{SUBPROTOCOL, close, limits};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Error as WsError;

use crate::Shared;
use crate::clock;
use crate::http::address::ClientAddress;
use crate::http::origin;
use crate::identity::{Claims, Subject, TokenError};
use crate::session::{self, Next, Publications, Refused, Session};
use crate::store::StoreError;

/// Buffers of a connection; the defaults cost 136 KB each.
const READ_BUFFER: usize = 2_048;
const WRITE_BUFFER: usize = 4_096;
/// A page of long texts is the largest frame that is sent.
const MAX_WRITE_BUFFER: usize = 4 * 1024 * 1024;
/// Above [`limits::MAX_FRAME`], so that a frame slightly too large is closed with a code that
/// arrives; beyond it the library ends the connection.
const HARD_LIMIT: usize = 4 * limits::MAX_FRAME;
/// A reader that takes nothing for this long is too slow.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side has for its part of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// From the upgrade to `hello`.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Clients come back over this time after a restart.
const COME_BACK: Duration = Duration::from_millis(1_500);
/// Who has too many connections comes back after this time, or up to twice that.
const OVER_LIMIT_PAUSE: Duration = Duration::from_secs(5);
/// Publications that are taken at once, and flushed as one.
const GATHER: usize = 64;

/// The socket's route.
pub fn router() -> Router<Shared> {
    Router::new().route("/socket", get(upgrade))
}

async fn upgrade(
    State(app): State<Shared>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    ws: WebSocketUpgrade,
) -> Response {
    let token = token(&headers);
    let claims = match &token {
        Some(token) => app.identity.check(token).await,
        None => Err(TokenError::Missing),
    };
    // Before the upgrade, and failing closed: a page that is not listed gets no socket at all.
    match origin_allowed(&app, &headers, claims.as_ref().ok()).await {
        Ok(true) => {}
        Ok(false) => {
            return (StatusCode::FORBIDDEN, "this origin is not allowed here\n").into_response();
        }
        Err(error) => {
            tracing::warn!(%error, "an origin could not be checked");
            return (StatusCode::SERVICE_UNAVAILABLE, "try again\n").into_response();
        }
    }
    ws.protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(HARD_LIMIT)
        .max_frame_size(HARD_LIMIT)
        .on_upgrade(move |socket| serve(app, claims, address, socket))
}

/// The token among the offered subprotocols: the one beside `parlour.v1`.
fn token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|offered| !offered.is_empty() && *offered != SUBPROTOCOL)
        .map(str::to_owned)
}

async fn origin_allowed(
    app: &Shared,
    headers: &HeaderMap,
    claims: Option<&Claims>,
) -> Result<bool, StoreError> {
    let Some(given) = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(false);
    };
    if origin::is_own(app, given) {
        return Ok(true);
    }
    match claims.map(|claims| claims.subject) {
        Some(Subject::Visitor { site, .. }) => app.store.origin_allowed(site, given).await,
        Some(Subject::Agent { .. }) => Ok(false),
        None => app.store.origin_known(given).await,
    }
}

async fn serve(
    app: Shared,
    claims: Result<Claims, TokenError>,
    address: IpAddr,
    mut socket: WebSocket,
) {
    let _open = app.sockets.hold();
    let begun = match claims {
        Ok(claims) => session::begin(app.clone(), claims, address).await,
        Err(error) => {
            tracing::info!(client.address = %address, reason = %error, "a socket was refused");
            Err(Refused(close::UNAUTHORIZED))
        }
    };
    match begun {
        Ok((session, publications)) => {
            let (role, person) = session.who();
            let code = Connection {
                app,
                session,
                publications,
                socket: &mut socket,
            }
            .run()
            .await;
            tracing::debug!(?role, %person, code, "a connection ended");
            if let Some(code) = code {
                close_socket(&mut socket, code).await;
            }
        }
        Err(Refused(code)) => {
            if code == close::OVER_LIMIT {
                let pause = OVER_LIMIT_PAUSE + jitter(OVER_LIMIT_PAUSE);
                let bye = Message::Text(session::farewell("limit", pause));
                // Whether it arrives or not, the connection is closed.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, socket.send(bye)).await;
            }
            close_socket(&mut socket, code).await;
        }
    }
}

struct Connection<'s> {
    app: Shared,
    session: Session,
    publications: Publications,
    socket: &'s mut WebSocket,
}

impl Connection<'_> {
    /// Runs until one side ends it; the code to close with, or nothing if the other side is gone.
    async fn run(mut self) -> Option<u16> {
        let mut shutdown = self.app.shutdown.clone();
        let mut beats = tokio::time::interval(self.app.config.heartbeat);
        beats.reset();
        match tokio::time::timeout(HELLO_TIMEOUT, self.socket.recv()).await {
            Ok(first) => match self.received(first).await {
                Ok(Next::Go) => {}
                Ok(Next::Close(code)) => return self.last_words(code).await,
                Err(code) => return code,
            },
            Err(_) => return Some(close::BAD_FRAME),
        }
        let mut news = Vec::with_capacity(4);
        loop {
            if let Err(code) = self.flush().await {
                return Some(code);
            }
            let (ends_at, code) = self.session.ends_at();
            let next = tokio::select! {
                message = self.socket.recv() => match self.received(message).await {
                    Ok(next) => next,
                    Err(code) => return code,
                },
                taken = self.publications.recv_many(&mut news, GATHER) => {
                    if taken == 0 { Next::Close(close::RESTART) } else { self.deliver(&mut news).await }
                }
                _ = beats.tick() => self.session.beat().await,
                () = tokio::time::sleep_until(ends_at.into()) => Next::Close(code),
                () = stopped(&mut shutdown) => {
                    self.session.bye("restart", jitter(COME_BACK));
                    Next::Close(close::RESTART)
                }
            };
            if let Next::Close(code) = next {
                return self.last_words(code).await;
            }
        }
    }

    async fn deliver(&mut self, news: &mut Vec<std::sync::Arc<crate::bus::Publication>>) -> Next {
        for publication in news.drain(..) {
            let next = self.session.deliver(&publication).await;
            if next != Next::Go {
                return next;
            }
        }
        if self.session.lagged() {
            self.session.bye("slow", Duration::ZERO);
            return Next::Close(close::TOO_SLOW);
        }
        Next::Go
    }

    /// `Err` with the code to close with, or with nothing if the other side is gone.
    async fn received(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<Next, Option<u16>> {
        match message {
            None | Some(Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Text(text))) if text.len() > limits::MAX_FRAME => {
                Err(Some(close::TOO_LARGE))
            }
            Some(Ok(Message::Text(text))) => Ok(self.session.receive(&text).await),
            Some(Ok(Message::Binary(_))) => Err(Some(close::UNSUPPORTED)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Next::Go),
            Some(Err(error)) => Err(close_code(error)),
        }
    }

    async fn flush(&mut self) -> Result<(), u16> {
        let socket = &mut *self.socket;
        let (ends_at, _) = self.session.ends_at();
        let frames = self.session.drain();
        let write = async {
            let mut any = false;
            for frame in frames {
                socket.feed(Message::Text(frame)).await?;
                any = true;
            }
            if any { socket.flush().await } else { Ok(()) }
        };
        // Whoever is silent is not waited for either, or she would seem to be there for longer.
        let until = (clock::instant() + WRITE_TIMEOUT).min(ends_at);
        match tokio::time::timeout_at(until.into(), write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(close::AWAY),
            Err(_) => Err(close::TOO_SLOW),
        }
    }

    async fn last_words(mut self, code: u16) -> Option<u16> {
        // Whether they arrive or not, the connection is closed.
        let _ = self.flush().await;
        Some(code)
    }
}

/// Waits until the server is about to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the server is gone already.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// What a fault of the other side is closed with; nothing if the connection is gone.
fn close_code(error: axum::Error) -> Option<u16> {
    match error.into_inner().downcast_ref::<WsError>()? {
        WsError::Capacity(_) => Some(close::TOO_LARGE),
        WsError::Utf8(_) => Some(close::BAD_TEXT),
        WsError::Protocol(_) => Some(close::PROTOCOL),
        _ => None,
    }
}

async fn close_socket(socket: &mut WebSocket, code: u16) {
    let reason = Utf8Bytes::from_static("");
    let closing = async {
        if socket
            .send(Message::Close(Some(CloseFrame { code, reason })))
            .await
            .is_ok()
        {
            // Reading on until the other side has closed, or the frame may never arrive.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}

fn jitter(most: Duration) -> Duration {
    let mut byte = [0; 2];
    // Without randomness all come back at once, which is allowed.
    let _ = getrandom::fill(&mut byte);
    most * u32::from(u16::from_le_bytes(byte)) / u32::from(u16::MAX)
}
