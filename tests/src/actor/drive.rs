//! Drives one brain over sockets, until the tab is closed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlour_protocol::client::Output;
use parlour_protocol::{ClientFrame, ServerFrame, close, codec};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::shared::{Credentials, Shared};
use crate::DEADLINE;
use crate::wire::Upgrade;

type Socket = WebSocketStream<TcpStream>;
type Attempt = Pin<Box<dyn Future<Output = Result<(Socket, u64), u16>> + Send>>;

#[derive(Default)]
struct Driver {
    socket: Option<Socket>,
    attempt: Option<Attempt>,
    renew: bool,
    /// When the visitor's token is to be renewed in the connection.
    renewal: Option<tokio::time::Instant>,
}

pub(super) async fn drive(shared: Arc<Shared>) {
    let mut driver = Driver::default();
    let mut network = shared.network.subscribe();
    loop {
        while let Some(output) = take(&shared) {
            driver.obey(&shared, output).await;
        }
        shared.tell();
        driver.next(&shared, &mut network).await;
    }
}

fn take(shared: &Shared) -> Option<Output> {
    shared.records().todo.pop_front()
}

impl Driver {
    async fn obey(&mut self, shared: &Arc<Shared>, output: Output) {
        match output {
            Output::Connect => {
                self.socket = None;
                let renew = std::mem::take(&mut self.renew);
                self.attempt = Some(Box::pin(connect(Arc::clone(shared), renew)));
            }
            Output::Transmit(frame) => self.transmit(shared, &frame).await,
            Output::Close(code) => self.close(shared, code).await,
            Output::Renew => {
                if self.socket.is_some() {
                    self.renewed(shared).await;
                } else {
                    self.renew = true;
                }
            }
            // Served when they came.
            Output::Save(_) | Output::Unsave(_) | Output::SaveEpoch(_) | Output::Changed(_) => {}
        }
    }

    /// Every frame passes the widget's codec, and serde must read the same from it.
    async fn transmit(&mut self, shared: &Shared, frame: &ClientFrame) {
        let text = codec::encode(frame);
        match serde_json::from_str::<ClientFrame>(&text) {
            Ok(read) if read == *frame => {}
            other => shared.fault(format!(
                "the codec wrote {text}, which serde reads as {other:?}"
            )),
        }
        shared.transcript.sent(&text);
        let Some(socket) = &mut self.socket else {
            return shared.fault(format!("the brain transmits without a connection: {text}"));
        };
        if !matches!(
            tokio::time::timeout(DEADLINE, socket.send(Message::text(text))).await,
            Ok(Ok(()))
        ) {
            self.lost(shared, close::LOST);
        }
    }

    async fn close(&mut self, shared: &Shared, code: u16) {
        shared.transcript.note("×", &format!("closes with {code}"));
        self.attempt = None;
        if let Some(mut socket) = self.socket.take() {
            let code = if code == close::LOST { 1000 } else { code };
            let frame = CloseFrame {
                code: code.into(),
                reason: "".into(),
            };
            // The other side may be gone already.
            let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(Some(frame))).await;
        }
    }

    async fn renewed(&mut self, shared: &Arc<Shared>) {
        let token = shared.credentials.lock().await.token(true).await;
        match token {
            Ok((token, seconds)) => {
                self.renewal = renewal(seconds);
                shared.records().renewals += 1;
                shared.command(|brain, now| brain.renewed(token, now));
            }
            Err(status) => shared
                .transcript
                .note("!", &format!("no new token: {status}")),
        }
    }

    async fn next(&mut self, shared: &Arc<Shared>, network: &mut watch::Receiver<bool>) {
        let busy = self.socket.is_some() || self.attempt.is_some();
        let due = self.renewal.filter(|_| self.socket.is_some());
        let timer = shared.brain().next_timer();
        let timer = async {
            match timer {
                Some(at) => {
                    tokio::time::sleep(Duration::from_millis(at.saturating_sub(shared.now()))).await
                }
                None => std::future::pending().await,
            }
        };
        let attempt = async {
            match &mut self.attempt {
                Some(attempt) => attempt.await,
                None => std::future::pending().await,
            }
        };
        let message = async {
            match &mut self.socket {
                Some(socket) => socket.next().await,
                None => std::future::pending().await,
            }
        };
        let due = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = lost(network), if busy => {
                shared.transcript.note("!", "the network is gone");
                self.attempt = None;
                self.lost(shared, close::LOST);
            }
            result = attempt => {
                self.attempt = None;
                match result {
                    Ok((socket, seconds)) => {
                        self.socket = Some(socket);
                        self.renewal = renewal(seconds);
                        shared.transcript.note("!", "open");
                        shared.command(|brain, now| brain.opened(now));
                    }
                    Err(code) => self.lost(shared, code),
                }
            }
            message = message => match message {
                Some(Ok(Message::Text(text))) => receive(shared, &text),
                Some(Ok(Message::Close(frame))) => self.lost(shared, frame.map_or(close::LOST, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.lost(shared, close::LOST),
            },
            () = due => self.renewed(shared).await,
            () = timer => shared.command(|brain, now| brain.tick(now)),
            () = shared.wake.notified() => {}
        }
    }

    fn lost(&mut self, shared: &Shared, code: u16) {
        self.socket = None;
        shared.transcript.note("×", &code.to_string());
        shared.records().closes.push(code);
        shared.command(|brain, now| {
            // What it wanted to send before it could know went with the connection.
            let waits = |output: &Output| !matches!(output, Output::Transmit(_));
            shared.records().todo.retain(waits);
            brain.closed(now, code);
        });
    }
}

async fn lost(network: &mut watch::Receiver<bool>) {
    if network.wait_for(|there| !*there).await.is_err() {
        std::future::pending().await
    }
}

/// Every frame passes the widget's codec, and serde must read the same.
fn receive(shared: &Shared, text: &str) {
    shared.transcript.received(text);
    {
        let mut records = shared.records();
        records.received.push_str(text);
        records.received.push('\n');
    }
    match (
        codec::decode(text),
        serde_json::from_str::<ServerFrame>(text),
    ) {
        (Ok(frame), Ok(same)) if frame == same => {
            shared.command(|brain, now| brain.frame(now, frame))
        }
        (codec, serde) => shared.fault(format!("the codec reads {codec:?}, serde {serde:?}")),
    }
}

async fn connect(shared: Arc<Shared>, renew: bool) -> Result<(Socket, u64), u16> {
    if !*shared.network.borrow() {
        return Err(close::LOST);
    }
    let (token, seconds, upgrade) = {
        let mut credentials = shared.credentials.lock().await;
        let (token, seconds) = credentials.token(renew).await.map_err(refused)?;
        let upgrade = credentials.upgrade(&token);
        (token, seconds, upgrade)
    };
    shared.transcript.note(
        "!",
        &format!("connects with a token of {} bytes", token.len()),
    );
    match upgrade.open().await {
        Ok(socket) => Ok((socket, seconds)),
        Err(status) => {
            shared
                .transcript
                .note("!", &format!("the upgrade was answered with {status}"));
            Err(close::LOST)
        }
    }
}

/// A minute before the token's end, as the widget does it; of a short one, half-way. An agent's
/// token is for the handshake alone, and her seconds are none.
fn renewal(seconds: u64) -> Option<tokio::time::Instant> {
    let wait = seconds.saturating_sub(60).max(seconds / 2);
    (seconds > 0).then(|| tokio::time::Instant::now() + Duration::from_secs(wait))
}

/// What a refused token means to the brain.
fn refused(status: u16) -> u16 {
    match status {
        401 => close::UNAUTHORIZED,
        403 | 404 => close::FORBIDDEN,
        _ => close::LOST,
    }
}

impl Credentials {
    /// A token and its seconds; the status of an answer that has none.
    async fn token(&mut self, renew: bool) -> Result<(String, u64), u16> {
        match self {
            Self::Visitor(session) => session.token(renew).await,
            Self::Agent(browser) => Ok((browser.try_token().await?, 0)),
        }
    }

    /// From the next connection on, a balancer sends her to this node.
    pub(super) fn moves_to(&mut self, node: &crate::Node) {
        match self {
            Self::Visitor(session) => session.moves_to(node.address()),
            Self::Agent(browser) => *browser = browser.at(node),
        }
    }

    fn upgrade(&self, token: &str) -> Upgrade {
        match self {
            Self::Visitor(session) => Upgrade::new(session.address(), session.origin(), token),
            Self::Agent(browser) => Upgrade::new(browser.address(), &browser.origin(), token),
        }
    }
}
