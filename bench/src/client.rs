//! One connection of one person: the upgrade, the handshake, and frames in both directions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlour_protocol::Id;
use parlour_tests::deflate;
use parlour_tests::http::connect;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_EXTENSIONS;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dialect::{Arrived, Dialect, Greeting, Heard};

/// Connections from one source address: less than the system has ports for.
const PER_ADDRESS: usize = 25_000;
/// From the connection to the live room.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection whose room is live.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    dialect: Dialect,
    greeting: Greeting,
    /// The newest number that arrived.
    pub position: u64,
    /// What must never be, in the order of what arrives.
    pub faults: Vec<String>,
    sent: u64,
}

impl Socket {
    /// Connects and joins the greeting's room. `number` counts the connections of the run.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn open(
        to: SocketAddr,
        dialect: Dialect,
        greeting: Greeting,
        number: usize,
    ) -> Result<Self, String> {
        tokio::time::timeout(PATIENCE, Self::attempt(to, dialect, greeting, number))
            .await
            .unwrap_or_else(|_| Err("the room was not live in time".into()))
    }

    async fn attempt(
        to: SocketAddr,
        dialect: Dialect,
        greeting: Greeting,
        number: usize,
    ) -> Result<Self, String> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: &dyn std::fmt::Display| format!("{what}: {error}")
        };
        let from = match u8::try_from(number / PER_ADDRESS) {
            Ok(0) | Err(_) => None,
            Ok(more) => Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, more + 1))),
        };
        let mut stream = connect(to, from)
            .await
            .map_err(|error| failed("no connection")(&error))?;
        let deflated = deflate::wanted() && dialect == Dialect::Parlour;
        if deflated {
            stream = deflate::before(stream)
                .await
                .map_err(|error| failed("no compression")(&error))?;
        }
        let mut request = format!("ws://{to}{}", dialect.path(&greeting))
            .into_client_request()
            .map_err(|error| failed("the request")(&error))?;
        for (name, value) in dialect.headers(&greeting) {
            let value =
                HeaderValue::from_str(&value).map_err(|error| failed("a header")(&error))?;
            request.headers_mut().append(name, value);
        }
        if deflated {
            let offer = HeaderValue::from_static(deflate::OFFER);
            request
                .headers_mut()
                .append(SEC_WEBSOCKET_EXTENSIONS, offer);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(4_096)
            .write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(|error| failed("the upgrade")(&error))?;
        let position = greeting.after;
        let mut socket = Self {
            stream,
            dialect,
            greeting,
            position,
            faults: Vec::new(),
            sent: 0,
        };
        socket.settle_in().await?;
        Ok(socket)
    }

    async fn settle_in(&mut self) -> Result<(), String> {
        if let Some(first) = self.dialect.first(&self.greeting) {
            self.transmit(first).await?;
        }
        loop {
            let text = self.receive().await?;
            match self.hear(&text) {
                Heard::Answer(text) => self.transmit(text).await?,
                Heard::Page(missed, live) => {
                    for arrived in &missed {
                        self.note(arrived);
                    }
                    if live {
                        return Ok(());
                    }
                }
                Heard::Fault(fault) => return Err(fault),
                Heard::Event(arrived) => self.note(&arrived),
                Heard::Acks(_) | Heard::Other => {}
            }
        }
    }

    /// The room that was joined.
    #[must_use]
    pub fn room(&self) -> Id {
        self.greeting.room
    }

    /// How many messages one `send` carries, and how many may be under way.
    #[must_use]
    pub fn window(&self) -> (usize, usize) {
        self.dialect.window()
    }

    /// What a frame says.
    #[must_use]
    pub fn hear(&self, text: &str) -> Heard {
        self.dialect.read(text, &self.greeting)
    }

    /// Counts a message: each has the next number, or something was lost, doubled or swapped.
    pub fn note(&mut self, arrived: &Arrived) {
        if arrived.seq != self.position + 1 && self.faults.len() < 5 {
            self.faults.push(format!(
                "number {} came after number {}",
                arrived.seq, self.position
            ));
        }
        self.position = arrived.seq;
    }

    /// The next text. May be dropped and called again.
    ///
    /// # Errors
    /// If the connection ended.
    pub async fn receive(&mut self) -> Result<String, String> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => return Err(format!("closed: {frame:?}")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("the connection ended".into()),
            }
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// If the connection ended.
    pub async fn transmit(&mut self, text: String) -> Result<(), String> {
        self.stream
            .send(Message::text(text))
            .await
            .map_err(|error| error.to_string())
    }

    /// Sends messages to the room.
    ///
    /// # Errors
    /// If the connection ended.
    pub async fn say(&mut self, messages: &[(Id, String)]) -> Result<(), String> {
        self.sent += 1;
        let text = self.dialect.send(self.greeting.room, messages, self.sent);
        self.transmit(text).await
    }

    /// Answers heartbeats and nothing else, until the connection ends.
    pub async fn idle(mut self) {
        while let Ok(text) = self.receive().await {
            if let Heard::Answer(answer) = self.hear(&text)
                && self.transmit(answer).await.is_err()
            {
                return;
            }
        }
    }
}
