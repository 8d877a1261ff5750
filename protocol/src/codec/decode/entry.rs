//! Events and those who write them.

use super::fields::Fields;
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
        html: f.optional_text("html"),
    }
}

fn body(f: &mut Fields<'_>) -> Body {
    // serde reads a buffered tag by its number as well.
    let kind = match f.get("kind") {
        Some(Value::Text(kind)) => kind,
        Some(Value::Unsigned(0)) => "text",
        Some(Value::Unsigned(1)) => "note",
        Some(Value::Unsigned(2)) => "happened",
        Some(Value::Unsigned(3)) => "deleted",
        _ => "",
    };
    match kind {
        "text" => Body::Text {
            runs: f.many("runs", run),
        },
        "note" => Body::Note {
            runs: f.many("runs", run),
        },
        "happened" => Body::Happened {
            what: happening(f),
            whom: f.optional_one("whom", person),
        },
        "deleted" => Body::Deleted,
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
    match f.word("what") {
        "resolved" => Happening::Resolved,
        "reopened" => Happening::Reopened,
        "assigned" => Happening::Assigned,
        "unassigned" => Happening::Unassigned,
        "added" => Happening::Added,
        "removed" => Happening::Removed,
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
    match f.word("role") {
        "visitor" => Role::Visitor,
        "agent" => Role::Agent,
        "system" => Role::System,
        _ => {
            f.fail();
            Role::System
        }
    }
}
