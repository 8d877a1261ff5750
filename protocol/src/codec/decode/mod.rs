//! Frames from the server, out of JSON.

mod entry;
mod fields;
mod state;

use super::{DecodeError, json};
use crate::ServerFrame;
use crate::frame::{Ack, ErrorCode, Limits};
use fields::Fields;

/// Reads a frame from the server.
///
/// # Errors
/// When `text` is not such a frame; exactly when serde refuses it as well.
pub fn decode(text: &str) -> Result<ServerFrame, DecodeError> {
    let value = json::parse(text)?;
    let mut fields = Fields::new(&value);
    let Some(kind) = fields.get("t") else {
        return Err(DecodeError::Shape);
    };
    let Some(kind) = kind.text() else {
        return Err(DecodeError::Shape);
    };
    match frame(kind, &mut fields) {
        Some(frame) if fields.good() => Ok(frame),
        Some(_) => Err(DecodeError::Shape),
        None => Err(DecodeError::UnknownFrame),
    }
}

fn frame(kind: &str, f: &mut Fields<'_>) -> Option<ServerFrame> {
    Some(match kind {
        "welcome" => ServerFrame::Welcome {
            v: f.u32("v"),
            time: f.i64("time"),
            heartbeat: f.u32("heartbeat"),
            epoch: f.id("epoch"),
            me: f.one("me", entry::person),
            limits: f.one("limits", limits),
            rooms: f.many("rooms", state::room),
            people: f.many("people", state::presence),
        },
        "ack" => ServerFrame::Ack {
            room: f.id("room"),
            acks: f.many("acks", ack),
        },
        "event" => ServerFrame::Event(entry::event(f)),
        "page" => ServerFrame::Page {
            room: f.id("room"),
            events: f.many("events", entry::event),
            more: f.bool("more"),
            position: f.u64("position"),
            reset: f.bool_or_false("reset"),
            live: f.optional_one("live", state::room),
        },
        "receipt" => ServerFrame::Receipt {
            room: f.id("room"),
            mark: f.one("mark", state::mark),
        },
        "typing" => ServerFrame::Typing {
            room: f.id("room"),
            who: f.one("who", entry::person),
            on: f.bool("on"),
        },
        "presence" => ServerFrame::Presence(state::presence(f)),
        "beat" => ServerFrame::Beat {
            n: f.u32_or_zero("n"),
            time: f.i64("time"),
            rooms: f.many("rooms", state::cursor),
            digest: match f.optional("digest") {
                Some(value) => Some(f.as_u32(value)),
                None => None,
            },
        },
        "ticket" => ServerFrame::Ticket(state::ticket(f)),
        "list" => ServerFrame::List {
            order: f.ids("order"),
            rows: f.many("rows", state::ticket),
            digest: f.u32("digest"),
            counts: f.one("counts", state::counts),
        },
        "error" => ServerFrame::Error {
            code: error_code(f),
            message: f.text("message"),
            retry: f.bool("retry"),
            after: f.u32_or_zero("after"),
            room: f.optional_id("room"),
            cid: f.optional_id("cid"),
        },
        "bye" => ServerFrame::Bye {
            reason: f.text("reason"),
            after: f.u32("after"),
        },
        _ => return None,
    })
}

fn limits(f: &mut Fields<'_>) -> Limits {
    Limits {
        frame: f.u32("frame"),
        text: f.u32("text"),
        batch: f.u32("batch"),
    }
}

fn ack(f: &mut Fields<'_>) -> Ack {
    Ack {
        cid: f.id("cid"),
        seq: f.u64("seq"),
        at: f.i64("at"),
        dup: f.bool_or_false("dup"),
    }
}

fn error_code(f: &mut Fields<'_>) -> ErrorCode {
    match f.word("code") {
        "bad_frame" => ErrorCode::BadFrame,
        "unknown_room" => ErrorCode::UnknownRoom,
        "empty" => ErrorCode::Empty,
        "too_long" => ErrorCode::TooLong,
        "too_fast" => ErrorCode::TooFast,
        "conflict" => ErrorCode::Conflict,
        "unauthorized" => ErrorCode::Unauthorized,
        "forbidden" => ErrorCode::Forbidden,
        "unavailable" => ErrorCode::Unavailable,
        _ => ErrorCode::Unknown,
    }
}
