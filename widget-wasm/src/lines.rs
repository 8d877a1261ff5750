//! A room as the lines to show, from top to bottom. No page is needed to make them.

use parlour_protocol::Id;
use parlour_protocol::client::{PendingState, Room, Tick};
use parlour_protocol::frame::{Body, ErrorCode, Event, Happening};
use parlour_protocol::text::Run;

/// Messages of one author within this time stand together; microseconds.
const GROUP: i64 = 5 * 60 * 1_000_000;

/// What tells a line from the others, whatever becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Key {
    /// The separator of a local day.
    Day(i64),
    /// A message or an event, from the moment it was typed.
    Entry(Id),
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) key: Key,
    /// Its number in the room; 0 if it has none.
    pub(crate) seq: u64,
    /// When it was stored, in microseconds; 0 if it was not.
    pub(crate) at: i64,
    pub(crate) what: What<'a>,
}

/// What a line shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What<'a> {
    /// A new day.
    Day,
    /// Something that happened; the key of its words.
    Note(&'static str),
    /// A message.
    Message(Message<'a>),
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message<'a> {
    /// Who wrote it: none if the reader herself.
    pub(crate) author: Option<&'a str>,
    /// Whether the one before it is somebody else's, or long ago.
    pub(crate) first: bool,
    pub(crate) text: Text<'a>,
    /// What stands below it.
    pub(crate) foot: Foot,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Text<'a> {
    Runs(&'a [Run]),
    Typed(&'a str),
    Deleted,
}

/// What stands below a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Foot {
    Nothing,
    Time,
    /// The time, and how far an own message has come.
    Tick(Tick),
    Waiting,
    Sending,
    Failed(ErrorCode),
}

/// The lines of a room as `me` sees it. `day` numbers the reader's local days.
pub(crate) fn lines(room: &Room, me: Id, day: impl Fn(i64) -> i64) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut before: Option<&Event> = None;
    let mut today = i64::MIN;
    for event in room.entries() {
        let this = day(event.at);
        if this != today && says(event) {
            today = this;
            before = None;
            lines.push(Line {
                key: Key::Day(this),
                seq: 0,
                at: event.at,
                what: What::Day,
            });
        }
        let line = Line {
            key: Key::Entry(event.cid),
            seq: event.seq,
            at: event.at,
            what: What::Day,
        };
        if let Some(words) = note(&event.body) {
            before = None;
            lines.push(Line {
                what: What::Note(words),
                ..line
            });
        } else if let Some(text) = text(&event.body) {
            let own = event.author.id == me;
            let message = Message {
                author: (!own).then_some(event.author.name.as_str()),
                first: before.is_none_or(|before| !joined(before, event)),
                text,
                foot: if own {
                    Foot::Tick(room.tick_of(event, me))
                } else {
                    Foot::Time
                },
            };
            before = Some(event);
            lines.push(Line {
                what: What::Message(message),
                ..line
            });
        }
    }
    let mut first = before.is_none_or(|before| before.author.id != me);
    for pending in room.pending() {
        let message = Message {
            author: None,
            first,
            text: Text::Typed(&pending.text),
            foot: match pending.state {
                PendingState::Waiting => Foot::Waiting,
                PendingState::Sending => Foot::Sending,
                PendingState::Failed(code) => Foot::Failed(code),
            },
        };
        first = false;
        lines.push(Line {
            key: Key::Entry(pending.cid),
            seq: 0,
            at: 0,
            what: What::Message(message),
        });
    }
    quieten(&mut lines);
    lines
}

/// Of several messages that stand together with the same to say, only the last one says it.
fn quieten(lines: &mut [Line<'_>]) {
    for index in 1..lines.len() {
        let (head, tail) = lines.split_at_mut(index);
        if let Some(Line {
            what: What::Message(above),
            ..
        }) = head.last_mut()
            && let What::Message(below) = &tail[0].what
            && !below.first
            && above.foot == below.foot
            && !matches!(above.foot, Foot::Failed(_))
        {
            above.foot = Foot::Nothing;
        }
    }
}

fn joined(before: &Event, event: &Event) -> bool {
    before.author.id == event.author.id && event.at.saturating_sub(before.at) < GROUP
}

fn says(event: &Event) -> bool {
    note(&event.body).is_some() || text(&event.body).is_some()
}

fn text(body: &Body) -> Option<Text<'_>> {
    match body {
        Body::Text { runs } => Some(Text::Runs(runs)),
        Body::Deleted => Some(Text::Deleted),
        // A visitor has no notes; were one sent, it would not be hers to see.
        Body::Note { .. } | Body::Happened { .. } => None,
    }
}

fn note(body: &Body) -> Option<&'static str> {
    match body {
        Body::Happened {
            what: Happening::Resolved,
            ..
        } => Some("resolved"),
        Body::Happened {
            what: Happening::Reopened,
            ..
        } => Some("reopened"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
