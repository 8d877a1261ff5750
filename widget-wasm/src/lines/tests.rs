#![allow(clippy::unwrap_used)]
use super::*;
use parlour_protocol::ServerFrame;
use parlour_protocol::client::{Client, Options};
use parlour_protocol::frame::{Limits, Mark, Person, Role, RoomKind, RoomState, TicketState, View};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn id(byte: u8) -> Id {
    Id::v7(u64::from(byte), [byte; 10])
}

fn visitor() -> Person {
    Person {
        id: id(1),
        role: Role::Visitor,
        name: String::new(),
    }
}

fn agent() -> Person {
    Person {
        id: id(2),
        role: Role::Agent,
        name: "Ada".into(),
    }
}

fn event(seq: u64, at: i64, author: Person, body: Body) -> Event {
    Event {
        room: id(9),
        seq,
        cid: id(100 + seq as u8),
        at,
        rev: 0,
        author,
        body,
        html: None,
    }
}

fn says(seq: u64, at: i64, author: Person, text: &str) -> Event {
    event(
        seq,
        at,
        author,
        Body::Text {
            runs: vec![Run::plain(text)],
        },
    )
}

/// A client whose room holds these events, all read by the agent up to `read`.
fn client(events: Vec<Event>, read: u64) -> Client {
    let mut client = Client::new(Options {
        view: View::Runs,
        seed: 1,
        outbox_limit: 10,
    });
    client.start(0);
    client.opened(0);
    let position = events.len() as u64;
    let state = RoomState {
        room: id(9),
        kind: RoomKind::Public,
        position,
        ticket: Some(TicketState::Open),
        marks: vec![Mark {
            member: id(2),
            delivered: position,
            read,
        }],
        people: Vec::new(),
    };
    client.frame(
        0,
        ServerFrame::Welcome {
            v: 1,
            time: 0,
            heartbeat: 25_000,
            epoch: id(8),
            me: visitor(),
            limits: Limits {
                frame: 65_536,
                text: 8_000,
                batch: 16,
            },
            rooms: vec![state.clone()],
            people: Vec::new(),
        },
    );
    client.join(id(9), 0);
    let more = false;
    client.frame(
        0,
        ServerFrame::Page {
            room: id(9),
            events,
            more,
            position,
            reset: false,
            live: Some(state),
        },
    );
    client
}

fn shape(client: &Client) -> Vec<(String, bool, Foot)> {
    lines(client.room(id(9)).unwrap(), id(1), |at| at.div_euclid(DAY))
        .into_iter()
        .map(|line| match line.what {
            What::Day => ("day".into(), false, Foot::Nothing),
            What::Note(words) => (words.into(), false, Foot::Nothing),
            What::Message(message) => {
                let text = match message.text {
                    Text::Runs(runs) => runs[0].text.clone(),
                    Text::Typed(text) => text.into(),
                    Text::Deleted => "deleted".into(),
                };
                (text, message.first, message.foot)
            }
        })
        .collect()
}

fn expect(client: &Client, lines: &[(&str, bool, Foot)]) {
    let lines: Vec<_> = lines
        .iter()
        .map(|(text, first, foot)| ((*text).to_owned(), *first, *foot))
        .collect();
    assert_eq!(shape(client), lines);
}

#[test]
fn one_authors_messages_stand_together_for_five_minutes() {
    let client = client(
        vec![
            says(1, 0, agent(), "a"),
            says(2, 4 * MINUTE, agent(), "b"),
            says(3, 10 * MINUTE, agent(), "c"),
            says(4, 11 * MINUTE, visitor(), "d"),
        ],
        0,
    );
    expect(
        &client,
        &[
            ("day", false, Foot::Nothing),
            ("a", true, Foot::Nothing),
            ("b", false, Foot::Time),
            ("c", true, Foot::Time),
            ("d", true, Foot::Tick(Tick::Delivered)),
        ],
    );
}

#[test]
fn a_new_day_parts_them() {
    let client = client(
        vec![
            says(1, DAY - 1, agent(), "a"),
            says(2, DAY + 1, agent(), "b"),
        ],
        0,
    );
    expect(
        &client,
        &[
            ("day", false, Foot::Nothing),
            ("a", true, Foot::Time),
            ("day", false, Foot::Nothing),
            ("b", true, Foot::Time),
        ],
    );
}

#[test]
fn ticks_stand_where_they_change() {
    let events = (1..=4)
        .map(|seq| says(seq, seq as i64, visitor(), "a"))
        .collect();
    let read = Foot::Tick(Tick::Read);
    expect(
        &client(events, 2),
        &[
            ("day", false, Foot::Nothing),
            ("a", true, Foot::Nothing),
            ("a", false, read),
            ("a", false, Foot::Nothing),
            ("a", false, Foot::Tick(Tick::Delivered)),
        ],
    );
}

#[test]
fn what_happened_and_what_was_deleted_is_said_and_notes_are_not() {
    let happened = |what| Body::Happened {
        what,
        whom: None,
        until: None,
    };
    let client = client(
        vec![
            event(1, 1, agent(), Body::Deleted),
            event(2, 2, agent(), happened(Happening::Resolved)),
            event(3, 3, agent(), happened(Happening::Assigned)),
            event(
                4,
                4,
                agent(),
                Body::Note {
                    runs: vec![Run::plain("secret")],
                },
            ),
            event(5, 5, agent(), happened(Happening::Reopened)),
        ],
        0,
    );
    expect(
        &client,
        &[
            ("day", false, Foot::Nothing),
            ("deleted", true, Foot::Time),
            ("resolved", false, Foot::Nothing),
            ("reopened", false, Foot::Nothing),
        ],
    );
}

#[test]
fn what_waits_stands_below() {
    let mut client = client(vec![says(1, 1, visitor(), "a")], 1);
    client.closed(1, parlour_protocol::close::LOST);
    for text in ["b", "c"] {
        let cid = id(text.as_bytes()[0]);
        client.send(id(9), cid, text.into(), None, 2).unwrap();
    }
    expect(
        &client,
        &[
            ("day", false, Foot::Nothing),
            ("a", true, Foot::Tick(Tick::Read)),
            ("b", false, Foot::Nothing),
            ("c", false, Foot::Waiting),
        ],
    );
}
