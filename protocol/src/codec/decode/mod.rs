//! Frames from the server, out of JSON.

mod entry;
mod fields;
mod state;

use super::DecodeError;
use super::json::{self, Value};
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
    let Some(Value::Text(kind)) = fields.get("t") else {
        return Err(DecodeError::Shape);
    };
    for (name, read) in KINDS {
        if kind == name {
            let frame = read(&mut fields);
            return if fields.good() {
                Ok(frame)
            } else {
                Err(DecodeError::Shape)
            };
        }
    }
    Err(DecodeError::UnknownFrame)
}

type Read = fn(&mut Fields<'_>) -> ServerFrame;

/// How each kind is read. A table of functions is half the code of a `match`,
/// which the compiler turns into one large function that copies every field twice.
static KINDS: &[(&str, Read)] = &[
    ("welcome", welcome),
    ("ack", acks),
    ("event", event),
    ("page", page),
    ("receipt", receipt),
    ("typing", typing),
    ("presence", presence),
    ("beat", beat),
    #[cfg(feature = "agents")]
    ("ticket", ticket),
    #[cfg(feature = "agents")]
    ("list", list),
    ("error", error),
    ("bye", bye),
];

fn welcome(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Welcome {
        v: f.u32("v"),
        time: f.i64("time"),
        heartbeat: f.u32("heartbeat"),
        epoch: f.id("epoch"),
        me: f.one("me", entry::person),
        limits: f.one("limits", limits),
        rooms: f.many("rooms", state::room),
        people: f.many("people", state::presence),
    }
}

fn acks(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Ack {
        room: f.id("room"),
        acks: f.many("acks", ack),
    }
}

fn event(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Event(entry::event(f))
}

fn page(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Page {
        room: f.id("room"),
        events: f.many("events", entry::event),
        more: f.bool("more"),
        position: f.u64("position"),
        reset: f.bool_or_false("reset"),
        live: f.optional_one("live", state::room),
    }
}

fn receipt(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Receipt {
        room: f.id("room"),
        mark: f.one("mark", state::mark),
    }
}

fn typing(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Typing {
        room: f.id("room"),
        who: f.one("who", entry::person),
        on: f.bool("on"),
    }
}

fn presence(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Presence(state::presence(f))
}

fn beat(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Beat {
        n: f.u32_or_zero("n"),
        time: f.i64("time"),
        rooms: f.many("rooms", state::cursor),
        digest: f.optional("digest").map(|value| f.as_u32(value)),
    }
}

#[cfg(feature = "agents")]
fn ticket(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Ticket(state::ticket(f))
}

#[cfg(feature = "agents")]
fn list(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::List {
        order: f.ids("order"),
        rows: f.many("rows", state::ticket),
        digest: f.u32("digest"),
        counts: f.one("counts", state::counts),
    }
}

fn error(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Error {
        code: error_code(f),
        message: f.text("message"),
        retry: f.bool("retry"),
        after: f.u32_or_zero("after"),
        room: f.optional_id("room"),
        cid: f.optional_id("cid"),
    }
}

fn bye(f: &mut Fields<'_>) -> ServerFrame {
    ServerFrame::Bye {
        reason: f.text("reason"),
        after: f.u32("after"),
    }
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
    const NAMES: &[&str] = &[
        "bad_frame",
        "unknown_room",
        "empty",
        "too_long",
        "too_fast",
        "conflict",
        "unauthorized",
        "forbidden",
        "unavailable",
        "unseen",
    ];
    match f.variant("code", NAMES) {
        0 => ErrorCode::BadFrame,
        1 => ErrorCode::UnknownRoom,
        2 => ErrorCode::Empty,
        3 => ErrorCode::TooLong,
        4 => ErrorCode::TooFast,
        5 => ErrorCode::Conflict,
        6 => ErrorCode::Unauthorized,
        7 => ErrorCode::Forbidden,
        8 => ErrorCode::Unavailable,
        9 => ErrorCode::Unseen,
        _ => ErrorCode::Unknown,
    }
}
