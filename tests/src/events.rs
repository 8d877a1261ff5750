//! `POST /socket` by hand: frames in a request, and an answer of frames, or of events that last.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use parlour_protocol::frame::{Cursor, View};
use parlour_protocol::{ClientFrame, Id, ServerFrame, VERSION};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::{Answer, Browser, DEADLINE, Node, Request, Visitor, within};

/// Somebody who asks without a socket: where, and with what credentials.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The server.
    pub address: SocketAddr,
    headers: Vec<(String, String)>,
    from: Option<IpAddr>,
}

impl Caller {
    /// With nothing that shows who it is.
    #[must_use]
    pub fn bare(address: SocketAddr) -> Self {
        Self {
            address,
            headers: Vec::new(),
            from: None,
        }
    }

    /// A visitor on a page of this origin, with her token.
    #[must_use]
    pub fn with(address: SocketAddr, origin: &str, token: &str) -> Self {
        Self::bare(address)
            .header("origin", origin)
            .header("authorization", &format!("Bearer {token}"))
    }

    /// A visitor, as her widget asks.
    #[must_use]
    pub fn visitor(visitor: &Visitor) -> Self {
        Self::with(visitor.address(), visitor.origin(), &visitor.token())
    }

    /// An agent, as her dashboard asks: with the cookie, from a page of Parlour's own.
    #[must_use]
    pub fn agent(browser: &Browser) -> Self {
        Self::bare(browser.address())
            .header("origin", &browser.origin())
            .header("sec-fetch-site", "same-origin")
            .header("cookie", &browser.cookie().unwrap_or_default())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Connects from another loopback address.
    #[must_use]
    pub fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// The same, of another node: a balancer sends her there.
    #[must_use]
    pub fn at(&self, node: &Node) -> Self {
        Self {
            address: node.address(),
            ..self.clone()
        }
    }

    /// A request with this body.
    #[must_use]
    pub fn request(&self, body: &str) -> Request {
        let mut request = Request::post("/socket").header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(from) = self.from {
            request = request.from(from);
        }
        request.body(body)
    }

    /// Has frames executed, after a `hello`; the answer as JSON.
    pub async fn execute(&self, frames: &[ClientFrame]) -> Vec<Value> {
        let answer = self.request(&body(frames)).send(self.address).await;
        let value = answer.expect(200).json();
        value.as_array().cloned().unwrap_or_default()
    }

    /// Asks for a stream.
    pub async fn stream(&self, cursors: &[(Id, u64)], frames: &[ClientFrame]) -> Events {
        self.events(None, None, cursors, frames).await
    }

    /// Polls.
    pub async fn poll(&self, known: Option<&str>, cursors: &[(Id, u64)]) -> Events {
        self.events(Some(25), known, cursors, &[]).await
    }

    async fn events(
        &self,
        wait: Option<u32>,
        known: Option<&str>,
        cursors: &[(Id, u64)],
        frames: &[ClientFrame],
    ) -> Events {
        let mut all = vec![hello(cursors)];
        all.extend_from_slice(frames);
        let text = serde_json::to_string(&all).unwrap();
        let mut request = self.request(&text).header("accept", "text/event-stream");
        if let Some(wait) = wait {
            request = request.header("prefer", &format!("wait={wait}"));
        }
        if let Some(known) = known {
            request = request.header("last-event-id", known);
        }
        within("an answer of events", Events::open(&request, self.address))
            .await
            .unwrap_or_else(|answer| panic!("{answer:?}"))
    }
}

/// A `hello` with cursors.
#[must_use]
pub fn hello(cursors: &[(Id, u64)]) -> ClientFrame {
    let cursors = cursors.iter();
    ClientFrame::Hello {
        v: VERSION,
        view: View::Runs,
        epoch: None,
        cursors: cursors
            .map(|(room, seq)| Cursor {
                room: *room,
                seq: *seq,
            })
            .collect(),
    }
}

fn body(frames: &[ClientFrame]) -> String {
    let mut all = vec![hello(&[])];
    all.extend_from_slice(frames);
    serde_json::to_string(&all).unwrap()
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A frame.
    Frame(ServerFrame),
    /// The end, with the close code.
    Closed(u16),
    /// The end of the answer; the client asks again.
    Ended,
    /// The answer was cut off.
    Lost,
}

/// An answer that is read as it comes.
pub struct Events {
    stream: TcpStream,
    /// The status and headers, without a body.
    pub head: Answer,
    /// As it came from the network.
    raw: Vec<u8>,
    /// Without the transfer's encoding.
    text: String,
    /// The state that the client knows.
    pub known: Option<String>,
    /// Everything that was received.
    pub received: String,
    ended: bool,
}

impl Events {
    /// Sends the request and reads the head of the answer.
    ///
    /// # Errors
    /// The status of another answer than 200, and its text; 0 without one.
    pub async fn open(request: &Request, to: SocketAddr) -> Result<Self, (u16, String)> {
        let lost = |error: std::io::Error| (0, error.to_string());
        let mut stream = request.write(to).await.map_err(lost)?;
        let mut raw = Vec::new();
        let end = loop {
            if let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut raw).await.map_err(lost)? == 0 {
                return Err((0, String::new()));
            }
        };
        let rest = raw.split_off(end);
        // Without the chunks that are not there yet.
        let text = String::from_utf8_lossy(&raw).replace("transfer-encoding: chunked\r\n", "");
        let head = Answer::parse(text.as_bytes()).ok_or((0, text))?;
        let mut events = Self {
            stream,
            raw: rest,
            text: String::new(),
            known: None,
            received: String::new(),
            ended: false,
            head,
        };
        if events.head.status != 200 {
            // A refusal has a length, not chunks, and is followed by the end.
            let _ = events.stream.read_to_end(&mut events.raw).await;
            let text = String::from_utf8_lossy(&events.raw).into_owned();
            return Err((events.head.status, text));
        }
        Ok(events)
    }

    /// What comes next.
    ///
    /// # Panics
    /// If nothing comes in time.
    pub async fn next(&mut self) -> Told {
        self.next_within(DEADLINE).await
    }

    /// The same, for what takes longer by design.
    ///
    /// # Panics
    /// If nothing comes in time.
    pub async fn next_within(&mut self, time: Duration) -> Told {
        tokio::time::timeout(time, self.read())
            .await
            .unwrap_or_else(|_| panic!("nothing was received in time after {}", self.received))
    }

    /// The same, without a deadline.
    pub async fn read(&mut self) -> Told {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let event = std::mem::replace(&mut self.text, rest);
                if let Some(told) = self.take(&event) {
                    return told;
                }
            }
            if self.ended {
                return Told::Ended;
            }
            match self.chunk() {
                Some(0) => self.ended = true,
                Some(_) => {}
                None => match self.stream.read_buf(&mut self.raw).await {
                    Ok(0) | Err(_) => return Told::Lost,
                    Ok(_) => {}
                },
            }
        }
    }

    /// Takes a chunk from what was read, if it is complete; its length.
    fn chunk(&mut self) -> Option<usize> {
        let line = self.raw.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&self.raw[..line]).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let (begin, end) = (line + 2, line + 2 + size);
        if self.raw.len() < end + 2 {
            return None;
        }
        self.text
            .push_str(std::str::from_utf8(&self.raw[begin..end]).unwrap());
        self.raw.drain(..end + 2);
        Some(size)
    }

    fn take(&mut self, event: &str) -> Option<Told> {
        let mut told = None;
        for line in event.lines() {
            if let Some(id) = line.strip_prefix("id:") {
                let id = id.trim();
                self.known = (!id.is_empty()).then(|| id.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                self.received.push_str(data);
                self.received.push('\n');
                told = Some(of(data));
            } else {
                assert!(line.is_empty() || line.starts_with(':'), "{line:?}");
            }
        }
        told
    }

    /// Reads until `find` finds something in a frame.
    ///
    /// # Panics
    /// If the answer ends before, or it does not come in time.
    pub async fn until<T>(&mut self, what: &str, find: impl Fn(&ServerFrame) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Told::Frame(frame) => {
                    if let Some(found) = find(&frame) {
                        return found;
                    }
                }
                end => panic!("{end:?} before {what} came, after {}", self.received),
            }
        }
    }

    /// Reads to the end; how it ended, and the frames before it.
    pub async fn end(&mut self) -> (Told, Vec<ServerFrame>) {
        let mut before = Vec::new();
        loop {
            match self.next().await {
                Told::Frame(frame) => before.push(frame),
                end => return (end, before),
            }
        }
    }
}

/// Reads a frame, or the end that stands in a frame's place.
#[must_use]
pub fn of(data: &str) -> Told {
    let value: Value = serde_json::from_str(data).unwrap();
    if value["t"] == "close" {
        return Told::Closed(value["code"].as_u64().unwrap().try_into().unwrap());
    }
    Told::Frame(serde_json::from_str(data).unwrap_or_else(|error| panic!("{error} in {data}")))
}
