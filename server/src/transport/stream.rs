//! Server-sent events: a session that speaks, in an answer that lasts. What the client has to
//! say it says in requests of their own.
//!
//! A stream ends after two heartbeats, and a poll with its first news, or after one. The client
//! asks again from its cursors, so one that is gone is not waited for longer than on a socket.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use parlour_protocol::close;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout_at};

use super::{COME_BACK, GATHER, WRITE_TIMEOUT, exchange, jitter, opening, stopped};
use crate::Shared;
use crate::clock;
use crate::session::{Next, Publications, Session};

/// Chunks that wait for a slow reader; each is what had piled up when it was written.
const CHUNKS: usize = 4;
/// Sent first, so that a proxy that waits for a few bytes does not hold back the first frames.
const PADDING: usize = 2_048;
/// How a heartbeat begins, which changes nothing.
const BEAT: &str = "{\"t\":\"beat\"";

/// How events are asked for.
pub(super) struct Asked {
    /// Ends after the first news, or when this has passed.
    wait: Option<Duration>,
    /// The state that the client knows.
    known: Option<String>,
}

impl Asked {
    /// Reads `Prefer: wait` (RFC 7240), which makes it a poll, and `Last-Event-ID`.
    pub(super) fn of(app: &Shared, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let wait = text("prefer").and_then(|prefer| {
            let mut parts = prefer.split([',', ';']).map(str::trim);
            parts.find_map(|part| part.strip_prefix("wait=")?.parse().ok())
        });
        Self {
            wait: wait.map(|wait| Duration::from_secs(wait).min(app.config.heartbeat)),
            known: text("last-event-id").map(str::to_owned),
        }
    }
}

/// Begins to answer with events.
pub(super) fn begin(
    app: Shared,
    session: Session,
    publications: Publications,
    frames: Vec<String>,
    asked: Asked,
) -> Body {
    let (chunks, body) = mpsc::channel(CHUNKS);
    let now = clock::instant();
    let ends_at = now + asked.wait.unwrap_or(2 * app.config.heartbeat);
    let stream = Stream {
        app,
        session,
        publications,
        chunks,
        asked,
        ends_at,
    };
    tokio::spawn(stream.serve(frames));
    Body::from_stream(futures_util::stream::unfold(body, |mut body| async {
        let chunk: Bytes = body.recv().await?;
        Some((Ok::<_, Infallible>(chunk), body))
    }))
}

/// The end of a connection, where no transport says it for us.
pub(super) fn closing(code: u16) -> String {
    format!("{{\"t\":\"close\",\"code\":{code}}}")
}

struct Stream {
    app: Shared,
    session: Session,
    publications: Publications,
    chunks: mpsc::Sender<Bytes>,
    asked: Asked,
    ends_at: Instant,
}

impl Stream {
    async fn serve(mut self, frames: Vec<String>) {
        let _open = self.app.sockets.hold();
        let (role, person) = self.session.who();
        let end = match self.open(frames).await {
            Ok(true) if self.asked.wait.is_some() => Ok(()),
            Ok(_) => self.run().await,
            Err(code) => Err(code),
        };
        tracing::debug!(?role, %person, code = ?end.err(), "a stream ended");
        if let Err(code) = end {
            self.last_words(code);
        }
    }

    /// Executes the request. Whether there was something to tell.
    async fn open(&mut self, frames: Vec<String>) -> Result<bool, u16> {
        if self.asked.wait.is_none() {
            let padding = format!(":{:PADDING$}\n\n", "");
            self.write(padding).await?;
        }
        go(exchange::receive(&mut self.session, &frames).await)?;
        let frames = self.session.drain().collect();
        let (news, name) = opening::news(frames, self.asked.known.as_deref());
        let Some((last, rest)) = news.split_last() else {
            return Ok(false);
        };
        let mut text: String = rest.iter().map(|frame| event(frame)).collect();
        // Whoever has read this knows the state that it names.
        text.push_str(&format!("id: {name}\n{}", event(last)));
        self.write(text).await?;
        Ok(true)
    }

    /// Tells what is published. `Err` is a code to close with; without one it just ends.
    async fn run(&mut self) -> Result<(), u16> {
        let mut shutdown = self.app.shutdown.clone();
        let mut beats = tokio::time::interval(self.app.config.heartbeat);
        beats.reset();
        let mut news = Vec::with_capacity(4);
        loop {
            let (ends_at, code) = self.session.ends_at();
            let chunks = self.chunks.clone();
            let next = tokio::select! {
                taken = self.publications.recv_many(&mut news, GATHER) => {
                    if taken == 0 { Next::Close(close::RESTART) } else { self.session.deliver_all(&mut news).await }
                }
                _ = beats.tick() => self.session.beat().await,
                () = sleep_until(ends_at.min(self.ends_at).into()) => {
                    if ends_at < self.ends_at {
                        return Err(code);
                    }
                    go(self.session.beat().await)?;
                    return self.flush().await.map(|_| ());
                }
                () = stopped(&mut shutdown) => {
                    self.session.bye("restart", jitter(COME_BACK));
                    Next::Close(close::RESTART)
                }
                () = chunks.closed() => return Ok(()),
            };
            go(next)?;
            if self.flush().await? && self.asked.wait.is_some() {
                return Ok(());
            }
        }
    }

    /// Writes what the session has to say. Whether it was anything.
    async fn flush(&mut self) -> Result<bool, u16> {
        let text: String = self.session.drain().map(|frame| passing(&frame)).collect();
        if text.is_empty() {
            return Ok(false);
        }
        self.write(text).await?;
        Ok(true)
    }

    async fn write(&mut self, text: String) -> Result<(), u16> {
        let until = clock::instant() + WRITE_TIMEOUT;
        match timeout_at(until.into(), self.chunks.send(text.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(close::AWAY),
            Err(_) => Err(close::TOO_SLOW),
        }
    }

    /// Whoever reads too slowly to have room for them comes back without them.
    fn last_words(mut self, code: u16) {
        let mut text: String = self.session.drain().map(|frame| event(&frame)).collect();
        text.push_str(&event(&closing(code)));
        let _ = self.chunks.try_send(text.into());
    }
}

fn go(next: Next) -> Result<(), u16> {
    match next {
        Next::Go => Ok(()),
        Next::Close(code) => Err(code),
    }
}

/// A frame that may change the state: the client does not know any more which one it has.
fn passing(frame: &str) -> String {
    let forget = if frame.starts_with(BEAT) { "" } else { "id:\n" };
    format!("{forget}{}", event(frame))
}

/// A frame as an event. JSON has no line breaks of its own.
fn event(frame: &str) -> String {
    format!("data: {frame}\n\n")
}
