//! Events and those who write them.

use super::fields::{Fields, position};
use crate::codec::json::Value;
use crate::frame::{Body, Event, Happening, Person, Role};
use crate::text::Run;

pub(super) fn event(f: &mut Fields<'_>) -> Event {
    Event {
        room: f.id("room"),
        seq: f.u64("seq"),
        cid: f.id("cid"),
        at: f.i64("at"),
        rev: f.u32_or_zero("rev"),
        author: f.one("author", person),
        body: f.one("body", body),
        #[cfg(feature = "agents")]
        html: f.optional_text("html"),
    }
}

fn body(f: &mut Fields<'_>) -> Body {
    let kind = match f.get("kind") {
        // serde reads a tag that it had to buffer by its number as well.
        Some(Value::Unsigned(number)) => *number,
        Some(Value::Text(kind)) => {
            u64::from(position(kind, &["text", "note", "happened", "deleted"]))
        }
        _ => u64::MAX,
    };
    match kind {
        0 => Body::Text {
            runs: f.many("runs", run),
        },
        1 => Body::Note {
            runs: f.many("runs", run),
        },
        2 => Body::Happened {
            what: happening(f),
            #[cfg(feature = "agents")]
            whom: f.optional_one("whom", person),
            until: f.optional_i64("until"),
        },
        3 => Body::Deleted,
        _ => {
            f.fail();
            Body::Deleted
        }
    }
}

fn run(f: &mut Fields<'_>) -> Run {
    Run {
        text: f.text("text"),
        strong: f.bool_or_false("strong"),
        emphasis: f.bool_or_false("emphasis"),
        code: f.bool_or_false("code"),
        href: f.optional_text("href"),
    }
}

fn happening(f: &mut Fields<'_>) -> Happening {
    match f.variant(
        "what",
        &[
            "resolved",
            "reopened",
            #[cfg(feature = "agents")]
            "assigned",
            #[cfg(feature = "agents")]
            "unassigned",
            #[cfg(feature = "agents")]
            "added",
            #[cfg(feature = "agents")]
            "removed",
            "pending",
            "snoozed",
            "woke",
        ],
    ) {
        0 => Happening::Resolved,
        1 => Happening::Reopened,
        #[cfg(feature = "agents")]
        2 => Happening::Assigned,
        #[cfg(feature = "agents")]
        3 => Happening::Unassigned,
        #[cfg(feature = "agents")]
        4 => Happening::Added,
        #[cfg(feature = "agents")]
        5 => Happening::Removed,
        6 => Happening::Pending,
        7 => Happening::Snoozed,
        8 => Happening::Woke,
        _ => Happening::Unknown,
    }
}

pub(super) fn person(f: &mut Fields<'_>) -> Person {
    Person {
        id: f.id("id"),
        role: role(f),
        name: f.text_or_empty("name"),
    }
}

fn role(f: &mut Fields<'_>) -> Role {
    match f.known_variant("role", &["visitor", "agent", "system"]) {
        0 => Role::Visitor,
        1 => Role::Agent,
        _ => Role::System,
    }
}
