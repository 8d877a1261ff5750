//! WebSockets: tungstenite's, with buffers that suit many idle connections, and compressed for
//! clients that offer it.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use parlour_protocol::{SUBPROTOCOL, close, limits};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::deflate::{self, Inflating};
use super::outgoing::Outgoing;
use super::{COME_BACK, GATHER, HELLO_TIMEOUT, OVER_LIMIT_PAUSE, WRITE_TIMEOUT, jitter, stopped};
use crate::Shared;
use crate::bus::Publication;
use crate::clock;
use crate::http::address::ClientAddress;
use crate::http::origin;
use crate::identity::{Claims, TokenError};
use crate::session::{self, Next, Publications, Refused, Session};

/// Buffers of a connection; the defaults cost 136 KB each.
const READ_BUFFER: usize = 2_048;
const WRITE_BUFFER: usize = 4_096;
/// A page of long texts is the largest frame that is sent.
const MAX_WRITE_BUFFER: usize = 4 * 1024 * 1024;
/// Above [`limits::MAX_FRAME`], so that a frame slightly too large is closed with a code that
/// arrives; beyond it the library ends the connection.
const HARD_LIMIT: usize = 4 * limits::MAX_FRAME;
/// How long the other side has for its part of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The socket's route.
pub fn router() -> Router<Shared> {
    Router::new().route("/socket", get(upgrade))
}

/// A connection after the upgrade.
type Socket = WebSocketStream<Outgoing<Inflating<TokioIo<Upgraded>>>>;

async fn upgrade(
    State(app): State<Shared>,
    ClientAddress(address): ClientAddress,
    mut request: Request,
) -> Response {
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return (StatusCode::BAD_REQUEST, "this address is for WebSockets\n").into_response();
    };
    let headers = request.headers();
    let claims = match token(headers) {
        Some(token) => app.identity.check(token).await,
        None => Err(TokenError::Missing),
    };
    // Before the upgrade, and failing closed: a page that is not listed gets no socket at all.
    match origin::may_connect(&app, headers, claims.as_ref().ok()).await {
        Ok(true) => {}
        Ok(false) => {
            return (StatusCode::FORBIDDEN, "this origin is not allowed here\n").into_response();
        }
        Err(error) => {
            tracing::warn!(%error, "an origin could not be checked");
            return (StatusCode::SERVICE_UNAVAILABLE, "try again\n").into_response();
        }
    }
    let agreed = response.headers_mut();
    if offered(headers).any(|offered| offered == SUBPROTOCOL) {
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        agreed.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let deflate = deflate::answer(headers).filter(|_| app.config.deflate);
    let deflated = deflate.is_some();
    if let Some(answer) = deflate {
        agreed.insert(header::SEC_WEBSOCKET_EXTENSIONS, answer);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    // Counted before the request is over, so that a stop waits for it.
    let open = app.sockets.hold();
    tokio::spawn(async move {
        let _open = open;
        match upgraded.await {
            Ok(upgraded) => {
                let socket = Box::pin(socket(TokioIo::new(upgraded), deflated)).await;
                serve(app, claims, address, Box::new(socket), deflated).await;
            }
            Err(error) => tracing::debug!(%error, "a connection was not upgraded"),
        }
    });
    response
}

async fn socket(upgraded: TokioIo<Upgraded>, deflated: bool) -> Socket {
    let stream = if deflated {
        Inflating::new(upgraded, HARD_LIMIT)
    } else {
        Inflating::plain(upgraded)
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(HARD_LIMIT))
        .max_frame_size(Some(HARD_LIMIT));
    WebSocketStream::from_raw_socket(Outgoing::new(stream), Role::Server, Some(config)).await
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// The token among the offered subprotocols: the one beside `parlour.v1`.
fn token(headers: &HeaderMap) -> Option<&str> {
    offered(headers).find(|offered| !offered.is_empty() && *offered != SUBPROTOCOL)
}

async fn serve(
    app: Shared,
    claims: Result<Claims, TokenError>,
    address: IpAddr,
    mut socket: Box<Socket>,
    deflated: bool,
) {
    // Boxed, like all that a connection has only once: an idle one keeps room for whatever it might
    // await, and for each place where it is handed on.
    let begun = match claims {
        Ok(claims) => {
            let begun = Box::pin(session::begin(app.clone(), claims, address, true)).await;
            begun.map(|(session, publications)| (Box::new(session), publications))
        }
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
                deflated,
            }
            .run()
            .await;
            tracing::debug!(?role, %person, code, "a connection ended");
            if let Some(code) = code {
                Box::pin(close_socket(&mut socket, code)).await;
            }
        }
        Err(Refused(code)) => {
            if code == close::OVER_LIMIT {
                let pause = OVER_LIMIT_PAUSE + jitter(OVER_LIMIT_PAUSE);
                let bye = Message::Text(session::farewell("limit", pause).into_text());
                // Whether it arrives or not, the connection is closed.
                let _ = Box::pin(tokio::time::timeout(CLOSE_TIMEOUT, socket.send(bye))).await;
            }
            Box::pin(close_socket(&mut socket, code)).await;
        }
    }
}

struct Connection<'s> {
    app: Shared,
    session: Box<Session>,
    publications: Publications,
    socket: &'s mut Socket,
    /// Whether frames may be sent compressed.
    deflated: bool,
}

impl Connection<'_> {
    /// Runs until one side ends it; the code to close with, or nothing if the other side is gone.
    async fn run(mut self) -> Option<u16> {
        let mut shutdown = self.app.shutdown.clone();
        let mut stopped = std::pin::pin!(stopped(&mut shutdown));
        let mut beats = tokio::time::interval(self.app.config.heartbeat);
        beats.reset();
        match Box::pin(tokio::time::timeout(HELLO_TIMEOUT, self.socket.next())).await {
            Ok(first) => match Box::pin(self.received(first)).await {
                Ok(Next::Go) => {}
                Ok(Next::Close(code)) => return self.last_words(code).await,
                Err(code) => return code,
            },
            Err(_) => return Some(close::BAD_FRAME),
        }
        let mut news = Vec::with_capacity(4);
        // Set once and moved when it rings: whoever sets it for each frame pays about as much for
        // that as for the frame.
        let mut silence = std::pin::pin!(tokio::time::sleep_until(self.session.ends_at().0.into()));
        loop {
            if let Err(code) = self.flush().await {
                return Some(code);
            }
            let next = tokio::select! {
                message = self.socket.next() => match self.received(message).await {
                    Ok(next) => {
                        // A token may be renewed by one that ends earlier.
                        let ends_at = self.session.ends_at().0.into();
                        if ends_at < silence.deadline() {
                            silence.as_mut().reset(ends_at);
                        }
                        self.with_published(next, &mut news).await
                    }
                    Err(code) => return code,
                },
                taken = self.publications.recv_many(&mut news, GATHER) => {
                    if taken == 0 { Next::Close(close::RESTART) } else { self.session.deliver_all(&mut news).await }
                }
                _ = beats.tick() => self.session.beat().await,
                () = &mut silence => match self.session.ends_at() {
                    (ends_at, code) if ends_at <= clock::instant() => Next::Close(code),
                    (ends_at, _) => {
                        silence.as_mut().reset(ends_at.into());
                        Next::Go
                    }
                },
                () = &mut stopped => {
                    self.session.bye("restart", jitter(COME_BACK));
                    Next::Close(close::RESTART)
                }
            };
            if let Next::Close(code) = next {
                return self.last_words(code).await;
            }
        }
    }

    /// What was published while a frame was worked on goes out with its answers, in one write: of a
    /// message that is its echo.
    async fn with_published(&mut self, next: Next, news: &mut Vec<Arc<Publication>>) -> Next {
        let waiting = self.publications.recv_many(news, GATHER).now_or_never();
        match (next, waiting) {
            (Next::Go, Some(1..)) => self.session.deliver_all(news).await,
            _ => next,
        }
    }

    /// `Err` with the code to close with, or with nothing if the other side is gone.
    async fn received(
        &mut self,
        message: Option<Result<Message, WsError>>,
    ) -> Result<Next, Option<u16>> {
        match message {
            None => Err(None),
            Some(Ok(Message::Close(_))) => {
                // The answer waits to be sent; without it, the other side has lost the connection.
                let _ = Box::pin(tokio::time::timeout(CLOSE_TIMEOUT, self.socket.flush())).await;
                Err(None)
            }
            Some(Ok(Message::Text(text))) if text.len() > limits::MAX_FRAME => {
                Err(Some(close::TOO_LARGE))
            }
            Some(Ok(Message::Text(text))) => Ok(self.session.receive(&text).await),
            Some(Ok(Message::Binary(_))) => Err(Some(close::UNSUPPORTED)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Next::Go),
            Some(Err(error)) => Err(close_code(&error)),
        }
    }

    async fn flush(&mut self) -> Result<(), u16> {
        let size = self.session.waiting();
        if size == 0 {
            return Ok(());
        }
        // Whoever is silent is not waited for either, or she would seem to be there for longer.
        let until = (clock::instant() + WRITE_TIMEOUT).min(self.session.ends_at().0);
        let socket = &mut *self.socket;
        let deflated = self.deflated;
        let frames = self.session.drain();
        let mut write = std::pin::pin!(async {
            // What tungstenite says itself, first: its bytes may end within a frame.
            socket.flush().await?;
            let outgoing = socket.get_mut();
            outgoing.add(frames, size, deflated);
            outgoing.flush().await.map_err(WsError::from)
        });
        // Hardly anybody has to be waited for, and a timer costs as much as a frame.
        let at_once = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await;
        let written = match at_once {
            Poll::Ready(written) => Ok(written),
            Poll::Pending => tokio::time::timeout_at(until.into(), write).await,
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(close::AWAY),
            Err(_) => Err(close::TOO_SLOW),
        }
    }

    async fn last_words(mut self, code: u16) -> Option<u16> {
        // Whether they arrive or not, the connection is closed.
        let _ = Box::pin(self.flush()).await;
        Some(code)
    }
}

/// What a fault of the other side is closed with; nothing if the connection is gone.
fn close_code(error: &WsError) -> Option<u16> {
    match error {
        WsError::Capacity(_) => Some(close::TOO_LARGE),
        WsError::Utf8(_) => Some(close::BAD_TEXT),
        WsError::Protocol(_) => Some(close::PROTOCOL),
        _ => None,
    }
}

async fn close_socket(socket: &mut Socket, code: u16) {
    let reason = Utf8Bytes::from_static("");
    let closing = async {
        if socket
            .send(Message::Close(Some(CloseFrame {
                code: code.into(),
                reason,
            })))
            .await
            .is_ok()
        {
            // Reading on until the other side has closed, or the frame may never arrive.
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
}
