//! What each golden file says, as Rust values.

#[path = "cases/client.rs"]
mod client;
#[path = "cases/server.rs"]
mod server;

pub(crate) use client::client;
pub(crate) use server::{newer, server};

use parlour_protocol::Id;
use parlour_protocol::frame::{
    Availability, Body, Event, Happening, Limits, Mark, Person, Presence, Role, RoomKind,
    RoomState, TicketRow, TicketState,
};
use parlour_protocol::text::Run;

const TIME: i64 = 1_795_507_200_000_000;

/// The ids of the story: visitor Ada writes, agent Grace answers, Linus is another agent.
fn id(number: u8) -> Id {
    let mut random = [0; 10];
    random[9] = number;
    Id::v7(1_795_507_200_000, random)
}

fn ticket() -> Id {
    id(0x10)
}
fn staff_room() -> Id {
    id(0x11)
}
fn team_room() -> Id {
    id(0x12)
}
fn direct_room() -> Id {
    id(0x13)
}

fn ada() -> Person {
    Person {
        id: id(1),
        role: Role::Visitor,
        name: String::new(),
    }
}
fn grace() -> Person {
    Person {
        id: id(2),
        role: Role::Agent,
        name: "Grace".into(),
    }
}
fn linus() -> Person {
    Person {
        id: id(3),
        role: Role::Agent,
        name: "Linus".into(),
    }
}
fn system() -> Person {
    Person {
        id: Id::NIL,
        role: Role::System,
        name: String::new(),
    }
}

fn event(room: Id, seq: u64, author: Person, body: Body) -> Event {
    let at = TIME + i64::try_from(seq).unwrap() * 1_000_000;
    let cid = id(0x20 + u8::try_from(seq).unwrap());
    Event {
        room,
        seq,
        cid,
        at,
        rev: 0,
        author,
        body,
        html: None,
    }
}

fn text(text: &str) -> Body {
    Body::Text {
        runs: vec![Run::plain(text)],
    }
}

fn styled() -> Vec<Run> {
    vec![
        Run::plain("Press "),
        Run {
            strong: true,
            ..Run::plain("Reset")
        },
        Run::plain(",\nthen "),
        Run {
            emphasis: true,
            ..Run::plain("wait")
        },
        Run::plain(" for "),
        Run {
            code: true,
            ..Run::plain("200 OK")
        },
        Run::plain(" – see "),
        Run {
            href: Some("https://example.com/help?a=1&b=2".into()),
            ..Run::plain("the help")
        },
        Run::plain(". 🙂 \"Bye\""),
    ]
}

fn happened(what: Happening, whom: Option<Person>) -> Body {
    Body::Happened {
        what,
        whom,
        until: None,
    }
}

fn room(room: Id, kind: RoomKind, position: u64) -> RoomState {
    RoomState {
        room,
        kind,
        position,
        ticket: None,
        marks: vec![],
        people: vec![],
    }
}

fn mark(member: Id, delivered: u64, read: u64) -> Mark {
    Mark {
        member,
        delivered,
        read,
    }
}

fn presence(who: Person, state: Availability) -> Presence {
    Presence { who, state }
}

fn limits() -> Limits {
    Limits {
        frame: 65_536,
        text: 8_000,
        batch: 16,
    }
}

fn row() -> TicketRow {
    TicketRow {
        id: ticket(),
        rev: 7,
        site: id(4),
        state: TicketState::Open,
        assignee: Some(grace().id),
        position: 3,
        at: TIME + 3_000_000,
        html: "<li class=\"row\">Visitor</li>".into(),
    }
}
