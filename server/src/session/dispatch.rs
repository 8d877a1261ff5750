//! One arm per command.

use std::time::Duration;

use futures_util::future::BoxFuture;
use parlour_protocol::frame::{
    ClientFrame, Draft, ErrorCode, Limits, ListQuery, Open, Role, RowRev, ServerFrame, View,
};
use parlour_protocol::{Id, VERSION, close, limits};
use uuid::Uuid;

use super::{Next, Session, position, uuid};
use crate::chat::messages::Refusal;
use crate::chat::rooms::listed;
use crate::clock;
use crate::error::Error;
use crate::store::append;

/// How old her list of tickets may be when a visitor is welcomed.
const FRESH: Duration = Duration::from_secs(1);

impl Session {
    /// Each arm is boxed on its own: a message would otherwise be moved to a place that is large enough for any
    /// of them, and the connection would keep that much while it is idle.
    pub(super) fn dispatch(&mut self, frame: ClientFrame) -> BoxFuture<'_, Next> {
        if let ClientFrame::Hello {
            v,
            view,
            epoch,
            cursors,
        } = frame
        {
            if self.welcomed {
                self.refuse(ErrorCode::BadFrame, "hello comes once", None);
                return at_once(self.bad_frame());
            }
            return Box::pin(self.hello(v, view, epoch, cursors));
        }
        if !self.welcomed {
            return at_once(Next::Close(close::BAD_FRAME));
        }
        match frame {
            ClientFrame::Hello { .. } => at_once(Next::Go),
            ClientFrame::Auth { token } => Box::pin(self.auth(token)),
            ClientFrame::Join { room, after } => {
                Box::pin(self.join(uuid(room), after.map(position)))
            }
            ClientFrame::Leave { room } => {
                self.forget(uuid(room));
                at_once(Next::Go)
            }
            ClientFrame::Send {
                room,
                seen,
                messages,
                open,
            } => Box::pin(self.send(uuid(room), position(seen), messages, open)),
            ClientFrame::Typing { room, on } => Box::pin(self.typing(uuid(room), on)),
            ClientFrame::Receipt {
                room,
                delivered,
                read,
            } => Box::pin(self.receipt(uuid(room), delivered, read)),
            ClientFrame::History {
                room,
                before,
                after,
            } => Box::pin(self.history(uuid(room), position(before), position(after))),
            ClientFrame::Sync { query, rows } => Box::pin(self.sync(query, rows)),
            ClientFrame::Ping { n, active } => Box::pin(self.ping(n, active)),
        }
    }

    async fn hello(
        &mut self,
        v: u32,
        view: View,
        epoch: Option<Id>,
        cursors: Vec<parlour_protocol::frame::Cursor>,
    ) -> Next {
        if v != VERSION {
            self.refuse(
                ErrorCode::BadFrame,
                "this version of the protocol is not spoken here; load the page again",
                None,
            );
            return Next::Close(close::BAD_FRAME);
        }
        if view == View::Html && self.actor.role != Role::Agent {
            self.refuse(ErrorCode::Forbidden, "only agents get fragments", None);
            return Next::Close(close::FORBIDDEN);
        }
        if self.alone {
            self.view = view;
            self.welcomed = true;
            return Next::Go;
        }
        // Whoever says hello later is told how her tickets stand then.
        let tickets = self
            .tickets
            .take()
            .filter(|(read, _)| clock::instant().duration_since(*read) < FRESH);
        let tickets = tickets.map(|(_, tickets)| tickets);
        let chat = &self.app.chat;
        let welcome = tokio::try_join!(chat.rooms_of(&self.actor, tickets), chat.team());
        let (rooms, people) = match welcome {
            Ok(welcome) => welcome,
            Err(error) => {
                tracing::warn!(%error, "a client could not be welcomed");
                return Next::Close(close::RESTART);
            }
        };
        self.view = view;
        self.welcomed = true;
        let own_epoch = crate::wire(self.app.store.epoch());
        let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let cursors = cursors.into_iter().take(limits::MAX_ROOMS);
        // What is in the list was found to be open to her just now.
        let cursors: Vec<_> = cursors
            .map(|cursor| (cursor, listed(&self.actor, &rooms, uuid(cursor.room))))
            .collect();
        self.push(&ServerFrame::Welcome {
            v: VERSION,
            time: clock::now(),
            heartbeat: u32::try_from(self.app.config.heartbeat.as_millis()).unwrap_or(u32::MAX),
            epoch: own_epoch,
            me: self.actor.person(),
            limits: Limits {
                frame: number(limits::MAX_FRAME),
                text: number(limits::MAX_TEXT),
                batch: number(limits::MAX_BATCH),
            },
            rooms,
            people,
        });
        let same = epoch.is_none_or(|epoch| epoch == own_epoch);
        for (cursor, found) in cursors {
            let after = same.then_some(position(cursor.seq));
            let next = match found {
                Some(found) => self.join_found(found, after).await,
                None => self.join(uuid(cursor.room), after).await,
            };
            if next != Next::Go {
                return next;
            }
        }
        Next::Go
    }

    async fn auth(&mut self, token: String) -> Next {
        match self.app.identity.check(&token).await {
            Ok(claims) if claims.subject == self.claims.subject => {
                self.claims = claims;
                Next::Go
            }
            _ => Next::Close(close::UNAUTHORIZED),
        }
    }

    async fn send(
        &mut self,
        room: Uuid,
        seen: i64,
        messages: Vec<Draft>,
        open: Option<Open>,
    ) -> Next {
        let first = messages.first().map(|message| message.cid);
        let limits = &self.app.limits;
        if let Err(wait) = limits.messages(self.actor.id, messages.len()).await {
            let after = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(100);
            let message = "too many messages".into();
            self.push(&ServerFrame::Error {
                code: ErrorCode::TooFast,
                message,
                retry: true,
                after,
                room: Some(crate::wire(room)),
                cid: first,
            });
            return Next::Go;
        }
        let drafts = messages
            .into_iter()
            .map(|message| append::Draft {
                cid: uuid(message.cid),
                text: message.text,
            })
            .collect();
        let open = open.map(|open| (open.page, open.title));
        let chat = &self.app.chat;
        match chat.send(&self.actor, room, seen, drafts, open).await {
            Ok(acks) => self.push(&ServerFrame::Ack {
                room: crate::wire(room),
                acks,
            }),
            Err(refusal) => self.push(&refused(room, &refusal)),
        }
        Next::Go
    }

    async fn typing(&mut self, room: Uuid, on: bool) -> Next {
        // Joining a room has checked the right, and losing the right forgets the room.
        if !self.joined.contains_key(&room) {
            if !self.alone {
                self.refuse(ErrorCode::UnknownRoom, "join the room first", Some(room));
                return Next::Go;
            }
            if let Err(error) = self.app.chat.enter(&self.actor, room).await {
                return self.report(Err(error), room);
            }
        }
        self.app.chat.typing(&self.actor, room, on);
        Next::Go
    }

    async fn receipt(&mut self, room: Uuid, delivered: u64, read: u64) -> Next {
        let chat = &self.app.chat;
        let result = chat.receipt(&self.actor, room, delivered, read).await;
        self.report(result, room)
    }

    async fn ping(&mut self, n: u32, active: bool) -> Next {
        if !self.alone {
            let presence = &self.app.chat.presence;
            presence.active(self.subscriber.id(), &self.actor.person(), active);
        }
        if n > 0 {
            self.push_beat(n).await;
        }
        Next::Go
    }

    async fn history(&mut self, room: Uuid, before: i64, after: i64) -> Next {
        match self
            .app
            .chat
            .history(&self.actor, room, before, after)
            .await
        {
            Ok(page) => {
                let frame = self.page(room, &page, false, None);
                self.push(&frame);
                Next::Go
            }
            Err(error) => self.report(Err(error), room),
        }
    }

    async fn sync(&mut self, query: ListQuery, rows: Vec<RowRev>) -> Next {
        if self.actor.role != Role::Agent {
            self.refuse(ErrorCode::Forbidden, "only agents have lists", None);
            return Next::Go;
        }
        match self.app.chat.sync(self.actor.id, &query, &rows).await {
            Ok(frame) => {
                self.push(&frame);
                self.list = Some(query);
            }
            Err(error) => {
                tracing::warn!(%error, "a list could not be compared");
                self.unavailable(None);
            }
        }
        Next::Go
    }

    /// Turns what a rule refused into a frame.
    pub(super) fn report(&mut self, result: Result<(), Error>, room: Uuid) -> Next {
        match result {
            Ok(()) => {}
            Err(Error::NotFound) => self.refuse(
                ErrorCode::UnknownRoom,
                "there is no such room, or it is not yours",
                Some(room),
            ),
            Err(Error::Forbidden) => self.refuse(
                ErrorCode::Forbidden,
                "your role does not allow this",
                Some(room),
            ),
            Err(error) => {
                tracing::warn!(?error, "a frame could not be served");
                self.unavailable(Some(room));
            }
        }
        Next::Go
    }

    fn unavailable(&mut self, room: Option<Uuid>) {
        let message = "the server cannot do this now".into();
        let room = room.map(crate::wire);
        self.push(&ServerFrame::Error {
            code: ErrorCode::Unavailable,
            message,
            retry: true,
            after: 1_000,
            room,
            cid: None,
        });
    }
}

/// What needs no waiting.
fn at_once(next: Next) -> BoxFuture<'static, Next> {
    Box::pin(std::future::ready(next))
}

fn refused(room: Uuid, refusal: &Refusal) -> ServerFrame {
    let message = match refusal.code {
        ErrorCode::Empty => "a message has no text",
        ErrorCode::TooLong => "a message or a batch is over its limit",
        ErrorCode::Conflict => "this id was used for another message",
        ErrorCode::Unseen => "another agent has answered meanwhile",
        ErrorCode::UnknownRoom => "there is no such room, or it is not yours",
        ErrorCode::Forbidden => "only visitors open tickets",
        ErrorCode::Unavailable => "the messages could not be stored now",
        _ => "the messages were refused",
    };
    ServerFrame::Error {
        code: refusal.code,
        message: message.into(),
        retry: refusal.retry,
        after: refusal.after,
        room: Some(crate::wire(room)),
        cid: refusal.cid.map(crate::wire),
    }
}
