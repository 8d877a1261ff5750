//! What is published.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use parlour_protocol::ServerFrame;
use parlour_protocol::frame::{Mark, Person, Presence, TicketRow};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Encoded;
use crate::chat::messages::event;
use crate::hub::Topic;
use crate::store::messages::Stored;

/// Something that was committed, or that passes.
pub struct Publication {
    topic: Topic,
    news: News,
    /// The connection that caused it and needs no copy; 0: none.
    except: u64,
    /// The other node that says it.
    node: Option<Uuid>,
    runs: OnceLock<Option<Encoded>>,
    html: OnceLock<Encoded>,
}

/// What is published.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// An entry of a room was stored.
    Event(Stored),
    /// A member's marks moved.
    Receipt(Uuid, Mark),
    /// Somebody types in a room.
    Typing(Uuid, Person, bool),
    /// Somebody came or went.
    Presence(Presence),
    /// A node says who is connected to it, or was until just now.
    Here {
        /// Those people, and whether they are there.
        people: Vec<Presence>,
        /// How long it holds unless it is said again.
        seconds: u64,
    },
    /// A node has missed what the others said of their people.
    WhoIsHere,
    /// A ticket changed.
    Ticket(TicketRow),
    /// A room is now open to this person: her connections join it.
    Entered(Uuid),
    /// A room is closed to this person.
    Lost(Uuid),
    /// A sign-in of this agent ended, or all of them.
    Revoked(Option<Uuid>),
    /// Somebody at this address failed to sign in to the account with this hash.
    SignInFailed(IpAddr, [u8; 8]),
}

impl Publication {
    /// What is published to `topic`.
    #[must_use]
    pub fn new(topic: Topic, news: News) -> Arc<Self> {
        Self::without(0, topic, news)
    }

    /// The same, but not for the connection that caused it.
    #[must_use]
    pub fn without(except: u64, topic: Topic, news: News) -> Arc<Self> {
        let mut publication = Self::bare(topic, news);
        publication.except = except;
        Arc::new(publication)
    }

    /// What another node has published.
    #[must_use]
    pub fn from_node(node: Uuid, topic: Topic, news: News) -> Arc<Self> {
        let mut publication = Self::bare(topic, news);
        publication.node = Some(node);
        Arc::new(publication)
    }

    fn bare(topic: Topic, news: News) -> Self {
        Self {
            topic,
            news,
            except: 0,
            node: None,
            runs: OnceLock::new(),
            html: OnceLock::new(),
        }
    }

    /// Where it goes.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// What it says.
    #[must_use]
    pub fn news(&self) -> &News {
        &self.news
    }

    /// The number of the entry that it carries.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        match &self.news {
            News::Event(stored) => Some(stored.seq),
            _ => None,
        }
    }

    /// Whether it may be lost: the next one makes it good.
    #[must_use]
    pub fn droppable(&self) -> bool {
        matches!(self.news, News::Typing(..) | News::Presence(_))
    }

    /// The other node that has published it; nothing if it was this one.
    #[must_use]
    pub fn node(&self) -> Option<Uuid> {
        self.node
    }

    /// Whether this connection needs no copy.
    #[must_use]
    pub fn skips(&self, connection: u64) -> bool {
        self.except == connection
    }

    /// The frame for clients, encoded once for all of them; nothing for what is not sent.
    #[must_use]
    pub fn frame(&self, html: bool) -> Option<Encoded> {
        if let (News::Event(stored), true) = (&self.news, html) {
            let encoded = self.html.get_or_init(|| {
                Encoded::new(&ServerFrame::Event(crate::dashboard::live::with_html(
                    event(stored),
                )))
            });
            return Some(encoded.clone());
        }
        self.runs.get_or_init(|| self.encode()).clone()
    }

    fn encode(&self) -> Option<Encoded> {
        Some(match &self.news {
            News::Event(stored) => Encoded::new(&ServerFrame::Event(event(stored))),
            News::Receipt(room, mark) => Encoded::new(&ServerFrame::Receipt {
                room: crate::wire(*room),
                mark: *mark,
            }),
            News::Typing(room, who, on) => Encoded::new(&ServerFrame::Typing {
                room: crate::wire(*room),
                who: who.clone(),
                on: *on,
            }),
            News::Presence(presence) => Encoded::new(&ServerFrame::Presence(presence.clone())),
            News::Ticket(row) => Encoded::new(&ServerFrame::Ticket(row.clone())),
            News::Entered(_)
            | News::Lost(_)
            | News::Revoked(_)
            | News::SignInFailed(..)
            | News::Here { .. }
            | News::WhoIsHere => return None,
        })
    }
}
