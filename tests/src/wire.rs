//! A socket that sends whatever it likes, and knows nothing of the rules.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlour_protocol::frame::{Draft, ErrorCode, Open};
use parlour_protocol::{ClientFrame, Id, SUBPROTOCOL, ServerFrame, VERSION, close};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::deflate;
use crate::http::connect;
use crate::transcript::Transcript;
use crate::{DEADLINE, within};

pub mod raw;

/// How a socket is asked for.
#[derive(Clone, Debug)]
pub struct Upgrade {
    address: SocketAddr,
    headers: Vec<(&'static str, String)>,
    from: Option<IpAddr>,
    deflated: bool,
}

impl Upgrade {
    /// With nothing beyond what WebSocket demands.
    #[must_use]
    pub fn bare(address: SocketAddr) -> Self {
        Self {
            address,
            headers: Vec::new(),
            from: None,
            deflated: deflate::wanted(),
        }
    }

    /// As the widget or the dashboard asks: an origin, the protocol and a token.
    #[must_use]
    pub fn new(address: SocketAddr, origin: &str, token: &str) -> Self {
        Self::bare(address)
            .header("origin", origin)
            .header("sec-websocket-protocol", &format!("{SUBPROTOCOL}, {token}"))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Offers permessage-deflate, demands that it is taken, and compresses everything.
    #[must_use]
    pub fn deflated(mut self) -> Self {
        self.deflated = true;
        self
    }

    /// Offers nothing and changes nothing, whatever the tests run with.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.deflated = false;
        self
    }

    /// Connects to this address, where a proxy stands.
    #[must_use]
    pub fn by(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Connects from another loopback address.
    #[must_use]
    pub fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// Opens the socket.
    ///
    /// # Errors
    /// The status of an answer that is no upgrade; 0 without an answer.
    pub async fn open(self) -> Result<WebSocketStream<TcpStream>, u16> {
        let stream = connect(self.address, self.from).await.map_err(|_| 0_u16)?;
        self.open_over(stream).await
    }

    /// The same, over a connection that is there already.
    ///
    /// # Errors
    /// The status of an answer that is no upgrade; 0 without an answer.
    pub async fn open_over(
        mut self,
        mut stream: TcpStream,
    ) -> Result<WebSocketStream<TcpStream>, u16> {
        if self.deflated {
            stream = deflate::before(stream).await.map_err(|_| 0_u16)?;
            self = self.header("sec-websocket-extensions", deflate::OFFER);
        }
        let mut request = format!("ws://{}/socket", self.address)
            .into_client_request()
            .map_err(|_| 0_u16)?;
        for (name, value) in self.headers {
            request
                .headers_mut()
                .append(name, HeaderValue::from_str(&value).map_err(|_| 0_u16)?);
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(WsError::Http(answer)) => Err(answer.status().as_u16()),
            Err(_) => Err(0),
        }
    }
}

/// What a socket hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A frame.
    Frame(ServerFrame),
    /// The end, with the close code; 1006 if there was none.
    Closed(u16),
}

/// A connection.
pub struct Wire {
    socket: WebSocketStream<TcpStream>,
    transcript: Transcript,
    /// Everything that was received, byte for byte.
    pub received: String,
    silent: bool,
    sent: usize,
}

impl Wire {
    /// Opens a socket.
    ///
    /// # Errors
    /// The status of an answer that is no upgrade.
    pub async fn open(name: &str, upgrade: Upgrade) -> Result<Self, u16> {
        let socket = within("the upgrade of a socket", upgrade.open()).await?;
        Ok(Self::over(name, socket))
    }

    /// Opens a socket, if that comes about in time.
    ///
    /// # Errors
    /// The status of an answer that is no upgrade; 0 without an answer.
    pub async fn try_open(name: &str, upgrade: Upgrade, time: Duration) -> Result<Self, u16> {
        let opening = tokio::time::timeout(time, upgrade.open());
        let socket = opening.await.unwrap_or(Err(0))?;
        Ok(Self::over(name, socket))
    }

    /// Takes a socket over.
    #[must_use]
    pub fn over(name: &str, socket: WebSocketStream<TcpStream>) -> Self {
        Self {
            socket,
            transcript: Transcript::new(name),
            received: String::new(),
            silent: false,
            sent: 0,
        }
    }

    /// Opens a socket, up to the welcome, whose owner takes in next to nothing: the system keeps
    /// little for it.
    ///
    /// # Panics
    /// If there is none.
    pub async fn deaf(name: &str, upgrade: Upgrade) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(upgrade.address).await.unwrap();
        let mut wire = Self::over(name, upgrade.open_over(stream).await.expect("a socket"));
        wire.hello().await;
        wire
    }

    /// Joins a room.
    pub async fn join(&mut self, room: Id, after: Option<u64>) {
        self.send(&ClientFrame::Join { room, after }).await;
    }

    /// Says hello and waits for the welcome.
    ///
    /// # Panics
    /// Without a welcome.
    pub async fn hello(&mut self) -> ServerFrame {
        self.send(&ClientFrame::Hello {
            v: VERSION,
            view: Default::default(),
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        self.until("welcome", |frame| {
            matches!(frame, ServerFrame::Welcome { .. }).then(|| frame.clone())
        })
        .await
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).unwrap();
        self.text(&text).await;
    }

    /// Sends any text.
    pub async fn text(&mut self, text: &str) {
        self.transcript.sent(text);
        self.message(Message::text(text)).await;
    }

    /// Sends any message. A connection that has ended shows itself when it is read.
    pub async fn message(&mut self, message: Message) {
        let _ = within("the sending of a message", self.socket.send(message)).await;
    }

    /// Opens the socket of a visitor, up to the welcome.
    pub async fn of(visitor: &crate::Visitor) -> Self {
        let mut wire = Self::open("visitor's socket", visitor.upgrade())
            .await
            .expect("a socket");
        wire.hello().await;
        wire
    }

    /// Waits for the acknowledgement of a `send`.
    pub async fn ack(&mut self) -> Vec<parlour_protocol::frame::Ack> {
        self.until("an acknowledgement", |frame| match frame {
            ServerFrame::Ack { acks, .. } => Some(acks.clone()),
            _ => None,
        })
        .await
    }

    /// Sends messages to a room.
    pub async fn say(&mut self, room: Id, messages: &[(Id, &str)], open: bool) {
        self.say_after(room, 0, messages, open).await;
    }

    /// The same, with the newest number that the author had on screen.
    pub async fn say_after(&mut self, room: Id, seen: u64, messages: &[(Id, &str)], open: bool) {
        let messages = messages
            .iter()
            .map(|(cid, text)| Draft {
                cid: *cid,
                text: (*text).to_owned(),
            })
            .collect();
        let open = open.then(|| Open {
            page: "http://shop.test/basket".into(),
            title: "Basket".into(),
        });
        self.send(&ClientFrame::Send {
            room,
            seen,
            messages,
            open,
        })
        .await;
    }

    /// Sends bytes past everything that knows WebSocket.
    pub async fn bytes(&mut self, bytes: &[u8]) {
        self.sent += 1;
        self.transcript
            .note("→", &format!("{} bytes by hand", bytes.len()));
        // A server that has closed already is found out when it is read.
        let _ = within(
            "the sending of bytes",
            self.socket.get_mut().write_all(bytes),
        )
        .await;
    }

    /// How often bytes were sent by hand.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Answers no heartbeat from here on.
    pub fn falls_silent(&mut self) {
        self.silent = true;
    }

    /// Closes the connection as it should be, and waits until the server has closed as well.
    pub async fn leave(mut self) {
        let _ = within("the closing", self.socket.close(None)).await;
        while let Ok(Some(Ok(_))) = tokio::time::timeout(DEADLINE, self.socket.next()).await {}
    }

    /// What comes next. Heartbeats are answered, and not told of.
    ///
    /// # Panics
    /// If nothing comes in time.
    pub async fn next(&mut self) -> Heard {
        self.next_within(DEADLINE).await
    }

    /// The same, for what takes longer by design.
    ///
    /// # Panics
    /// If nothing comes in time.
    pub async fn next_within(&mut self, time: Duration) -> Heard {
        let deadline = tokio::time::Instant::now() + time;
        match tokio::time::timeout_at(deadline, self.listen()).await {
            Ok(heard) => heard,
            Err(_) => panic!("nothing was received in time\n{}", self.transcript),
        }
    }

    /// What comes next. Silence for this long, without a heartbeat, is the end of the connection.
    pub async fn next_or_silence(&mut self, time: Duration) -> Heard {
        loop {
            match tokio::time::timeout(time, self.take()).await {
                Ok(Some(heard)) => return heard,
                Ok(None) => {}
                Err(_) => return Heard::Closed(close::LOST),
            }
        }
    }

    async fn listen(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.take().await {
                return heard;
            }
        }
    }

    /// One message; nothing if it was only a sign of life.
    async fn take(&mut self) -> Option<Heard> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => {
                self.transcript.received(&text);
                self.received.push_str(&text);
                self.received.push('\n');
                let frame: ServerFrame =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
                if let ServerFrame::Beat { n: 0, .. } = frame {
                    if !self.silent {
                        self.send(&ClientFrame::Ping { n: 0, active: true }).await;
                    }
                    return None;
                }
                Some(Heard::Frame(frame))
            }
            Some(Ok(Message::Close(close))) => {
                let code = close.map_or(1005, |close| close.code.into());
                self.transcript.note("×", &code.to_string());
                Some(Heard::Closed(code))
            }
            Some(Ok(_)) => None,
            Some(Err(_)) | None => {
                self.transcript.note("×", "lost");
                Some(Heard::Closed(close::LOST))
            }
        }
    }

    /// Reads until `find` finds something in a frame.
    ///
    /// # Panics
    /// If the connection ends before, or it does not come in time.
    pub async fn until<T>(&mut self, what: &str, find: impl Fn(&ServerFrame) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Heard::Frame(frame) => {
                    if let Some(found) = find(&frame) {
                        return found;
                    }
                }
                Heard::Closed(code) => {
                    panic!("closed with {code} before {what} came\n{}", self.transcript)
                }
            }
        }
    }

    /// Reads until an error comes; its code, whether to try again, and the message it names.
    pub async fn error(&mut self) -> (ErrorCode, bool, Option<Id>) {
        self.until("an error", |frame| match frame {
            ServerFrame::Error {
                code, retry, cid, ..
            } => Some((*code, *retry, *cid)),
            _ => None,
        })
        .await
    }

    /// Sends a `ping` with a number and reads until it is answered. So everything that was
    /// caused before has arrived before, or does not arrive.
    pub async fn sentinel(&mut self) {
        let number = 1 + u32::from(u16::from_le_bytes([id_byte(), id_byte()]));
        self.send(&ClientFrame::Ping {
            n: number,
            active: true,
        })
        .await;
        self.until("the answer to a ping", |frame| {
            matches!(frame, ServerFrame::Beat { n, .. } if *n == number).then_some(())
        })
        .await;
    }

    /// Reads until the connection ends; the close code, and the frames before it.
    pub async fn closed(&mut self) -> (u16, Vec<ServerFrame>) {
        self.closed_within(DEADLINE).await
    }

    /// The same, for what takes longer by design.
    pub async fn closed_within(&mut self, time: Duration) -> (u16, Vec<ServerFrame>) {
        let mut before = Vec::new();
        loop {
            match self.next_within(time).await {
                Heard::Frame(frame) => before.push(frame),
                Heard::Closed(code) => return (code, before),
            }
        }
    }

    /// Cuts the connection without a word.
    pub fn cut(self) {
        drop(self.socket);
    }

    /// What was sent and received.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

fn id_byte() -> u8 {
    uuid::Uuid::new_v4().into_bytes()[0]
}
