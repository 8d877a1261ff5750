//! What each subject speaks: its handshake, its frames, and what is heard of them.

use parlour_protocol::frame::{Body, Cursor, Draft, Event, View};
use parlour_protocol::{ClientFrame, Id, SUBPROTOCOL, ServerFrame, VERSION, codec};
use serde::Deserialize;
use serde_json::json;

use crate::seed::ORIGIN;

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Parlour's.
    Parlour,
    /// Socket.IO 4 over Engine.IO 4, and the peer's events.
    Peer,
    /// The bare relay's.
    Floor,
}

/// Who connects, and where she stands.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// Her token.
    pub token: String,
    /// The room that she joins.
    pub room: Id,
    /// The newest number that she has.
    pub after: u64,
}

/// A message as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Its number.
    pub seq: u64,
    /// Its id.
    pub cid: Id,
    /// What its text begins with: when it was sent.
    pub sent: u64,
}

/// What a frame says to a client.
#[derive(Debug)]
pub enum Heard {
    /// The next step of the handshake, or of a heartbeat.
    Answer(String),
    /// The room's messages that were missing; the room is live if so said.
    Page(Vec<Arrived>, bool),
    /// Messages are stored, under these numbers. A client of Socket.IO knows the id itself.
    Acks(Vec<(Option<Id>, u64)>),
    /// A message.
    Event(Arrived),
    /// Nothing of interest.
    Other,
    /// Something that must not be.
    Fault(String),
}

/// Of Parlour's `event`, what a client of the bench needs. The peer's messages are read no further either.
#[derive(Deserialize)]
struct ParlourEvent<'a> {
    seq: u64,
    #[serde(borrow)]
    cid: &'a str,
    #[serde(borrow)]
    body: ParlourBody<'a>,
}

#[derive(Deserialize)]
struct ParlourBody<'a> {
    #[serde(borrow, default)]
    runs: Vec<ParlourRun<'a>>,
}

#[derive(Deserialize)]
struct ParlourRun<'a> {
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct PeerMessage<'a> {
    seq: u64,
    #[serde(borrow)]
    cid: &'a str,
    #[serde(borrow)]
    text: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct PeerAnswer<'a> {
    error: Option<String>,
    seq: Option<u64>,
    #[serde(borrow, default)]
    messages: Vec<PeerMessage<'a>>,
}

impl Dialect {
    /// The path of the socket.
    #[must_use]
    pub fn path(self, greeting: &Greeting) -> String {
        match self {
            Self::Parlour => "/socket".into(),
            Self::Peer => "/socket.io/?EIO=4&transport=websocket".into(),
            Self::Floor => format!("/{}", greeting.room.text()),
        }
    }

    /// The headers of the upgrade.
    #[must_use]
    pub fn headers(self, greeting: &Greeting) -> Vec<(&'static str, String)> {
        match self {
            Self::Parlour => vec![
                ("origin", ORIGIN.into()),
                (
                    "sec-websocket-protocol",
                    format!("{SUBPROTOCOL}, {}", greeting.token),
                ),
            ],
            Self::Peer | Self::Floor => Vec::new(),
        }
    }

    /// What a client says first.
    #[must_use]
    pub fn first(self, greeting: &Greeting) -> Option<String> {
        (self == Self::Parlour).then(|| {
            codec::encode(&ClientFrame::Hello {
                v: VERSION,
                view: View::Runs,
                epoch: None,
                cursors: vec![Cursor {
                    room: greeting.room,
                    seq: greeting.after,
                }],
            })
        })
    }

    /// A `send`: of several messages only where the protocol knows such; `number` names it.
    #[must_use]
    pub fn send(self, room: Id, messages: &[(Id, String)], number: u64) -> String {
        match (self, messages) {
            (Self::Parlour, messages) => codec::encode(&ClientFrame::Send {
                room,
                seen: 0,
                messages: messages
                    .iter()
                    .map(|(cid, text)| Draft {
                        cid: *cid,
                        text: text.clone(),
                    })
                    .collect(),
                open: None,
            }),
            (Self::Peer, [(cid, text), ..]) => {
                let message =
                    json!({ "conversation": room.text(), "cid": cid.text(), "text": text });
                format!("42{number}[\"send\",{message}]")
            }
            (Self::Floor, [(cid, text), ..]) => format!("{}{text}", cid.text()),
            _ => String::new(),
        }
    }

    /// How many messages one `send` may carry, and how many of them may be under way.
    #[must_use]
    pub fn window(self) -> (usize, usize) {
        match self {
            Self::Parlour => (parlour_protocol::limits::MAX_BATCH, 1),
            Self::Peer | Self::Floor => (1, usize::MAX),
        }
    }

    /// Reads a frame.
    #[must_use]
    pub fn read(self, text: &str, greeting: &Greeting) -> Heard {
        match self {
            Self::Parlour => parlour(text),
            Self::Peer => peer(text, greeting),
            Self::Floor => floor(text),
        }
        .unwrap_or_else(|| Heard::Fault(format!("not understood: {text}")))
    }
}

fn parlour(text: &str) -> Option<Heard> {
    if text.starts_with(r#"{"t":"event""#) {
        let event: ParlourEvent<'_> = serde_json::from_str(text).ok()?;
        return Some(Heard::Event(Arrived {
            seq: event.seq,
            cid: Id::parse(event.cid)?,
            sent: event.body.runs.first().map_or(0, |run| sent(&run.text)),
        }));
    }
    Some(match codec::decode(text).ok()? {
        ServerFrame::Event(event) => Heard::Event(arrived(&event)),
        ServerFrame::Ack { acks, .. } => {
            Heard::Acks(acks.iter().map(|ack| (Some(ack.cid), ack.seq)).collect())
        }
        ServerFrame::Page { events, live, .. } => {
            Heard::Page(events.iter().map(arrived).collect(), live.is_some())
        }
        ServerFrame::Beat { n: 0, .. } => {
            Heard::Answer(codec::encode(&ClientFrame::Ping { n: 0, active: true }))
        }
        ServerFrame::Error { code, message, .. } => Heard::Fault(format!("{code:?}: {message}")),
        ServerFrame::Bye { reason, .. } => Heard::Fault(format!("bye: {reason}")),
        _ => Heard::Other,
    })
}

fn arrived(event: &Event) -> Arrived {
    let text = match &event.body {
        Body::Text { runs } => runs.first().map_or("", |run| run.text.as_str()),
        _ => "",
    };
    Arrived {
        seq: event.seq,
        cid: event.cid,
        sent: sent(text),
    }
}

/// The number that a text begins with.
fn sent(text: &str) -> u64 {
    text.split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn peer(text: &str, greeting: &Greeting) -> Option<Heard> {
    let arrived = |message: &PeerMessage<'_>| {
        Some(Arrived {
            seq: message.seq,
            cid: Id::parse(message.cid)?,
            sent: sent(&message.text),
        })
    };
    let digits = |from: usize| from + text[from..].bytes().take_while(u8::is_ascii_digit).count();
    Some(match text.get(..2).unwrap_or(text) {
        "2" => Heard::Answer("3".into()),
        "0{" => Heard::Answer(format!("40{}", json!({ "token": greeting.token }))),
        "40" => {
            let asked = json!({ "conversation": greeting.room.text(), "after": greeting.after });
            Heard::Answer(format!("420[\"join\",{asked}]"))
        }
        "42" => {
            let (_, message): (&str, PeerMessage<'_>) =
                serde_json::from_str(&text[digits(2)..]).ok()?;
            Heard::Event(arrived(&message)?)
        }
        "43" => {
            let (answer,): (PeerAnswer<'_>,) = serde_json::from_str(&text[digits(2)..]).ok()?;
            match (answer.error, answer.seq) {
                (Some(error), _) => Heard::Fault(error),
                (None, Some(seq)) => Heard::Acks(vec![(None, seq)]),
                (None, None) => Heard::Page(
                    answer.messages.iter().map(arrived).collect::<Option<_>>()?,
                    true,
                ),
            }
        }
        _ => Heard::Fault(text.into()),
    })
}

/// `j`: joined; `a` and `e`: a message of one's own and of another's, with its number.
fn floor(text: &str) -> Option<Heard> {
    let (kind, rest) = text.split_at_checked(1)?;
    if kind == "j" {
        return Some(Heard::Page(Vec::new(), true));
    }
    let (seq, rest) = rest.split_once(' ')?;
    let (cid, text) = rest.split_at_checked(36)?;
    let (seq, cid) = (seq.parse().ok()?, Id::parse(cid)?);
    Some(match kind {
        "a" => Heard::Acks(vec![(Some(cid), seq)]),
        _ => Heard::Event(Arrived {
            seq,
            cid,
            sent: sent(text),
        }),
    })
}
