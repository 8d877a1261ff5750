//! One conversation with one client, whatever carries it.
//!
//! A session owns no socket: the transport hands it text and publications, and sends what
//! [`Session::drain`] gives back. [`handshake`] makes one, [`dispatch`] has one arm per
//! command, [`resume`] turns stored history into live.
//!
//! An idle connection keeps as much memory as the largest thing that it might await. So whatever
//! asks the database is boxed while it runs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use parlour_protocol::frame::{Cursor, ErrorCode, ListQuery, Role, ServerFrame, View};
use parlour_protocol::{Id, close};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::bus::{Encoded, News, Publication};
use crate::chat::Actor;
use crate::clock;
use crate::hub::{Subscriber, Topic};
use crate::identity::{Claims, Subject};
use crate::store::joining::Own;
use crate::{Shared, signed};

mod dispatch;
mod handshake;
mod resume;

pub use handshake::{Refused, alone, begin};

/// Frames that do not follow the protocol, beyond those that do, before the connection is closed.
const MAX_BAD_FRAMES: u32 = 10;
/// Silence of two heartbeats and this long means that nobody is there any more.
const SILENCE_GRACE: Duration = Duration::from_secs(1);
/// How often an agent's sign-in is looked up again.
const CHECK_SIGN_IN: Duration = Duration::from_secs(20);
/// How long an expired token is borne with: the client renews it before.
const TOKEN_GRACE: clock::Micros = 60 * clock::SECOND;

/// What is to be done with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Go,
    /// It is to be closed with this code.
    Close(u16),
}

/// A conversation with one client.
pub struct Session {
    app: Shared,
    actor: Actor,
    claims: Claims,
    subscriber: Subscriber,
    /// Rooms that were joined, and the newest number that was sent of each.
    joined: HashMap<Uuid, i64>,
    view: View,
    /// Nothing is published to it: what it joins, and that it is there, concerns nobody.
    alone: bool,
    welcomed: bool,
    /// What her welcome will list, and when it was read.
    tickets: Option<(Instant, Vec<Own>)>,
    list: Option<ListQuery>,
    out: VecDeque<Encoded>,
    heard: Instant,
    sign_in_checked: Instant,
    bad_frames: u32,
    over_limit: u32,
    /// Counts against the limits as long as the session lives.
    _held: handshake::Held,
}

impl Session {
    /// Takes one frame of the client.
    pub async fn receive(&mut self, text: &str) -> Next {
        self.heard = clock::instant();
        if let Err(wait) = self.app.limits.frame(self.actor.id) {
            return self.too_fast(wait);
        }
        // A page may be open for weeks: what is in order makes good for what was not.
        self.over_limit = self.over_limit.saturating_sub(1);
        match serde_json::from_str(text) {
            Ok(frame) => {
                self.bad_frames = self.bad_frames.saturating_sub(1);
                self.dispatch(frame).await
            }
            Err(error) => {
                // serde names the place and the kind of the fault, never the content beyond a tag.
                self.refuse(ErrorCode::BadFrame, &describe(&error), None);
                self.bad_frame()
            }
        }
    }

    /// What a publication changes at once; nothing if something must be read for it first.
    fn deliver(&mut self, publication: &Publication) -> Option<Next> {
        match publication.news() {
            News::Revoked(sign_in) => return Some(self.revoked(*sign_in)),
            News::Entered(room) if self.welcomed && !self.joined.contains_key(room) => return None,
            News::Entered(_) => {}
            News::Lost(room) => {
                if self.joined.contains_key(room) {
                    self.forget(*room);
                    self.refuse(
                        ErrorCode::UnknownRoom,
                        "you are not a member of this room any more",
                        Some(*room),
                    );
                }
            }
            News::Event(stored) => match self.joined.get_mut(&stored.room) {
                Some(sent) if stored.seq > *sent + 1 => return None,
                Some(sent) if stored.seq > *sent => {
                    *sent = stored.seq;
                    self.out.extend(publication.frame(self.view == View::Html));
                }
                Some(_) | None => {}
            },
            _ => {
                if self.welcomed
                    && let Some(frame) = publication.frame(false)
                {
                    self.out.push_back(frame);
                }
            }
        }
        Some(Next::Go)
    }

    /// Reads what [`Session::deliver`] has found missing.
    async fn read_for(&mut self, publication: &Publication) -> Next {
        match publication.news() {
            News::Entered(room) => {
                // A room that closed again in the meantime is no fault.
                let _ = self.join(*room, None).await;
            }
            News::Event(stored) => {
                let sent = self.joined.get(&stored.room).copied();
                if let Some(sent) = sent
                    && self.catch_up(stored.room, sent).await.is_err()
                {
                    // The client resumes from its own cursor.
                    return Next::Close(close::TOO_SLOW);
                }
                self.push_event(publication, stored.room, stored.seq);
            }
            _ => {}
        }
        Next::Go
    }

    /// An entry: once, and in order. What caught up may have gone beyond it already.
    fn push_event(&mut self, publication: &Publication, room: Uuid, seq: i64) {
        if let Some(sent) = self.joined.get_mut(&room)
            && seq > *sent
        {
            *sent = seq;
            if let Some(frame) = publication.frame(self.view == View::Html) {
                self.out.push_back(frame);
            }
        }
    }

    /// Takes what has piled up, and says so if it was too much.
    pub async fn deliver_all(&mut self, news: &mut Vec<Arc<Publication>>) -> Next {
        for publication in news.drain(..) {
            let next = match self.deliver(&publication) {
                Some(next) => next,
                None => Box::pin(self.read_for(&publication)).await,
            };
            if next != Next::Go {
                return next;
            }
        }
        if self.subscriber.lagged() {
            self.bye("slow", Duration::ZERO);
            return Next::Close(close::TOO_SLOW);
        }
        Next::Go
    }

    /// The heartbeat: says where the rooms stand, if the client may go on.
    pub fn beat(&mut self) -> BoxFuture<'_, Next> {
        Box::pin(async {
            if !self.still_allowed().await {
                return Next::Close(close::UNAUTHORIZED);
            }
            if self.welcomed {
                self.push_beat(0).await;
            }
            Next::Go
        })
    }

    /// When the connection ends unless the client does something before, and the code for it:
    /// of silence, or of a visitor's token that was not renewed.
    #[must_use]
    pub fn ends_at(&self) -> (Instant, u16) {
        let silent = self.heard + self.app.config.heartbeat * 2 + SILENCE_GRACE;
        if let Subject::Visitor { .. } = self.claims.subject {
            let left = self
                .claims
                .expires_at
                .saturating_add(TOKEN_GRACE)
                .saturating_sub(clock::now());
            let left = Duration::from_micros(crate::unsigned(left));
            if left < silent.saturating_duration_since(clock::instant()) {
                return (clock::instant() + left, close::UNAUTHORIZED);
            }
        }
        (silent, close::AWAY)
    }

    async fn push_beat(&mut self, n: u32) {
        let rooms = self.joined.iter().map(|(room, sent)| {
            let position = self.app.hub.position(*room).max(*sent);
            Cursor {
                room: crate::wire(*room),
                seq: crate::unsigned(position),
            }
        });
        let rooms = rooms.collect();
        let digest = match &self.list {
            // A digest that could not be computed is one that the client does not compare.
            Some(query) => self.app.chat.list_digest(self.actor.id, query).await.ok(),
            None => None,
        };
        self.push(&ServerFrame::Beat {
            n,
            time: clock::now(),
            rooms,
            digest,
        });
    }

    async fn still_allowed(&mut self) -> bool {
        let Subject::Agent { sign_in, .. } = self.claims.subject else {
            return true;
        };
        if clock::instant().duration_since(self.sign_in_checked) < CHECK_SIGN_IN {
            return true;
        }
        self.sign_in_checked = clock::instant();
        match self.app.identity.sign_in_alive(sign_in).await {
            Ok(alive) => alive.is_some(),
            // A database that does not answer ends nobody's sign-in.
            Err(_) => true,
        }
    }

    fn revoked(&self, ended: Option<Uuid>) -> Next {
        let own = match self.claims.subject {
            Subject::Agent { sign_in, .. } => Some(sign_in),
            Subject::Visitor { .. } => None,
        };
        if ended.is_none() || ended == own {
            Next::Close(close::UNAUTHORIZED)
        } else {
            Next::Go
        }
    }

    /// The frames that wait, in order.
    pub fn drain(&mut self) -> impl ExactSizeIterator<Item = Encoded> + '_ {
        self.out.drain(..)
    }

    /// How many bytes they are.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.out.iter().map(|frame| frame.len()).sum()
    }

    /// Says goodbye; the transport closes after it.
    pub fn bye(&mut self, reason: &str, after: Duration) {
        self.out.push_back(farewell(reason, after));
    }

    /// For the log: who it is. Never a token, never a text.
    #[must_use]
    pub fn who(&self) -> (Role, Uuid) {
        (self.actor.role, self.actor.id)
    }

    fn push(&mut self, frame: &ServerFrame) {
        self.out.push_back(Encoded::new(frame));
    }

    fn refuse(&mut self, code: ErrorCode, message: &str, room: Option<Uuid>) {
        self.push(&ServerFrame::Error {
            code,
            message: message.into(),
            retry: false,
            after: 0,
            room: room.map(crate::wire),
            cid: None,
        });
    }

    fn bad_frame(&mut self) -> Next {
        self.bad_frames += 1;
        if self.bad_frames > MAX_BAD_FRAMES || !self.welcomed {
            Next::Close(close::BAD_FRAME)
        } else {
            Next::Go
        }
    }

    fn too_fast(&mut self, wait: Duration) -> Next {
        self.over_limit += 1;
        let after = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(100);
        // Whoever was closed for it comes back when she may; until then there is no welcome.
        if !self.welcomed || self.over_limit > self.app.config.limits.frame_burst {
            self.bye("limit", wait.max(Duration::from_secs(1)));
            return Next::Close(close::OVER_LIMIT);
        }
        let message = "too many frames".into();
        self.push(&ServerFrame::Error {
            code: ErrorCode::TooFast,
            message,
            retry: true,
            after,
            room: None,
            cid: None,
        });
        Next::Go
    }

    fn forget(&mut self, room: Uuid) {
        self.joined.remove(&room);
        self.app
            .hub
            .unsubscribe(Topic::Room(room), &self.subscriber);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for room in std::mem::take(&mut self.joined).into_keys() {
            self.app
                .hub
                .unsubscribe(Topic::Room(room), &self.subscriber);
        }
        for topic in [Topic::Inbox, Topic::Team, Topic::Person(self.actor.id)] {
            self.app.hub.unsubscribe(topic, &self.subscriber);
        }
        if !self.alone {
            let presence = &self.app.chat.presence;
            presence.disconnected(self.subscriber.id(), &self.actor.person());
        }
    }
}

/// A `bye`, also for whoever gets no session.
#[must_use]
pub fn farewell(reason: &str, after: Duration) -> Encoded {
    let after = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
    Encoded::new(&ServerFrame::Bye {
        reason: reason.into(),
        after,
    })
}

/// What a session listens to.
pub type Publications = mpsc::Receiver<Arc<Publication>>;

fn describe(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            // Unknown tags and wrong types are named; the rest of the text may be the person's.
            text.split(['`', '"'])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        }
        _ => "this is not JSON".to_owned(),
    }
}

fn uuid(id: Id) -> Uuid {
    Uuid::from_bytes(id.0)
}

fn position(seq: u64) -> i64 {
    signed(seq)
}
