//! Entries of a room: one partial for the page, the older page and the live fragment.

use crate::moment::Moment;
use crate::person::PersonView;
use crate::words::Word;
use askama::Template;
use parlour_protocol::frame::{Body, Event, Happening, Role};

/// An entry of a room. It is the same for every agent; what differs from one to
/// another (own messages, local times, grouping, ticks) is decided in the browser.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// Its room.
    pub room: String,
    /// Its number in the room.
    pub seq: u64,
    /// Its id; the element's is `m-{cid}`.
    pub cid: String,
    /// When it was stored.
    pub at: Moment,
    /// Its revision.
    pub rev: u32,
    /// Who wrote it.
    pub author: PersonView,
    /// What it says.
    pub body: MessageBody,
}

/// What an entry says.
#[derive(Clone, Debug)]
pub enum MessageBody {
    /// A text, as HTML that was sanitised.
    Text(SafeHtml),
    /// A note that only agents see, as HTML that was sanitised.
    Note(SafeHtml),
    /// Something that happened, whom it concerns, and until when it holds.
    Happened(Happening, Option<PersonView>, Option<Moment>),
    /// Its text was deleted.
    Deleted,
}

/// HTML that a sanitiser has made; the only markup that pages pass through unescaped.
#[derive(Clone, Debug)]
pub struct SafeHtml(String);

impl SafeHtml {
    /// Takes what ammonia has put out, and nothing else.
    #[must_use]
    pub fn sanitised(html: String) -> Self {
        Self(html)
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MessageView {
    /// The view of an event; `html` is its text, sanitised, or empty if it has none.
    #[must_use]
    pub fn from_event(event: &Event, html: String) -> Self {
        let body = match &event.body {
            Body::Text { .. } => MessageBody::Text(SafeHtml::sanitised(html)),
            Body::Note { .. } => MessageBody::Note(SafeHtml::sanitised(html)),
            Body::Happened { what, whom, until } => MessageBody::Happened(
                *what,
                whom.as_ref().map(PersonView::from),
                until.map(Moment),
            ),
            Body::Deleted => MessageBody::Deleted,
        };
        Self {
            room: event.room.to_string(),
            seq: event.seq,
            cid: event.cid.to_string(),
            at: Moment(event.at),
            rev: event.rev,
            author: PersonView::from(&event.author),
            body,
        }
    }

    /// `message`, `note`, `event` or `deleted`: what the element's `data-kind` says.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.body {
            MessageBody::Text(_) => "message",
            MessageBody::Note(_) => "note",
            MessageBody::Happened(..) => "event",
            MessageBody::Deleted => "deleted",
        }
    }

    /// The markup of a text or a note.
    pub(crate) fn html(&self) -> Option<&str> {
        match &self.body {
            MessageBody::Text(html) | MessageBody::Note(html) => Some(html.as_str()),
            MessageBody::Happened(..) | MessageBody::Deleted => None,
        }
    }

    pub(crate) fn is_note(&self) -> bool {
        matches!(self.body, MessageBody::Note(_))
    }

    /// The sentence of an event.
    pub(crate) fn event(&self) -> Option<Sentence<'_>> {
        let MessageBody::Happened(what, whom, until) = &self.body else {
            return None;
        };
        let alone = |text| Sentence {
            text,
            whom: "",
            until: *until,
            icon: icon(*what),
        };
        if *what == Happening::Woke && self.author.role == Role::System {
            return Some(alone("woke the ticket up"));
        }
        let itself = whom.as_ref().is_some_and(|whom| whom.id == self.author.id);
        Some(match (what, whom) {
            (Happening::Assigned, Some(_)) if itself => alone("took the ticket"),
            (Happening::Removed, Some(_)) if itself => alone("left the room"),
            (Happening::Added, Some(_)) if itself => alone("joined the room"),
            (Happening::Assigned, None) => alone("assigned the ticket"),
            (Happening::Added | Happening::Removed, None) => alone("changed who is in the room"),
            (Happening::Assigned | Happening::Added | Happening::Removed, Some(whom)) => Sentence {
                whom: &whom.name,
                ..alone(what.word())
            },
            (
                Happening::Resolved
                | Happening::Reopened
                | Happening::Unassigned
                | Happening::Pending
                | Happening::Snoozed
                | Happening::Woke
                | Happening::Unknown,
                _,
            ) => alone(what.word()),
        })
    }
}

/// What an event says after its author's name: "assigned the ticket to" "Ben".
pub(crate) struct Sentence<'a> {
    pub(crate) text: &'static str,
    /// Whom it concerns, or empty.
    pub(crate) whom: &'a str,
    /// Until when it holds.
    pub(crate) until: Option<Moment>,
    /// The name of its icon in the sprite.
    pub(crate) icon: &'static str,
}

fn icon(what: Happening) -> &'static str {
    match what {
        Happening::Resolved => "check-circle",
        Happening::Reopened => "rotate",
        Happening::Assigned | Happening::Added => "user-plus",
        Happening::Unassigned | Happening::Removed => "user-minus",
        Happening::Pending => "pause",
        Happening::Snoozed => "clock",
        Happening::Woke => "bell",
        Happening::Unknown => "info",
    }
}

/// The entries of one or two rooms in one time line.
#[derive(Clone, Debug, Default)]
pub struct ThreadView {
    /// Whose thread it is.
    pub kind: ThreadKind,
    /// The room that texts go to.
    pub room: String,
    /// A ticket's staff room.
    pub staff_room: Option<String>,
    /// In the order `(at, room, seq)`.
    pub messages: Vec<MessageView>,
    /// The page with older ones, if there are any: `?before=…`.
    pub older: Option<String>,
    /// The page with newer ones, if this is an older page.
    pub newer: Option<String>,
}

/// Whose thread it is; decides on which side messages stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ThreadKind {
    /// A ticket's: the visitor on one side, agents on the other.
    #[default]
    Ticket,
    /// Agents among themselves.
    Agents,
}

impl ThreadKind {
    /// Its value in `data-thread`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Agents => "agents",
        }
    }
}

impl ThreadView {
    /// Whether a day separator (in UTC, until the browser knows better) stands before the entry.
    pub(crate) fn starts_day(&self, index: &usize) -> bool {
        let day = |at: Moment| at.0.div_euclid(86_400_000_000);
        match (
            self.messages.get(*index),
            index
                .checked_sub(1)
                .and_then(|before| self.messages.get(before)),
        ) {
            (Some(this), Some(before)) => day(this.at) != day(before.at),
            _ => true,
        }
    }
}

/// Where a text is written.
#[derive(Clone, Debug, Default)]
pub struct ComposerView {
    /// Where the form goes, as `/tickets/{id}/messages`.
    pub action: String,
    /// A fresh id for the message, so that a repeated form is stored once.
    pub cid: String,
    /// The newest number on the page of the room that messages go to: a colleague's answer above
    /// it stops the message.
    pub seen: u64,
    /// What was typed, after a refusal.
    pub draft: String,
    /// Why it was refused.
    pub error: Option<String>,
    /// Whether the Note tab is chosen.
    pub note: bool,
    /// The greatest length, in characters.
    pub limit: u32,
}

#[derive(Template)]
#[template(path = "partials/message.html")]
struct MessageFragment<'a> {
    message: &'a MessageView,
}

/// The HTML of one entry. It renders the same element that pages contain.
#[must_use]
pub fn message_fragment(message: &MessageView) -> String {
    crate::render(&MessageFragment { message })
}
