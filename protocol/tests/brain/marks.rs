//! Receipts and typing.

use crate::rig::{ME, OTHER, ROOM, Rig, ack, id, mark, own, person, state, text, texts};
use parlour_protocol::client::{Change, Tick};
use parlour_protocol::frame::Person;
use parlour_protocol::{ClientFrame, Id, ServerFrame};

fn receipts(frames: &[ClientFrame]) -> Vec<(Id, u64, u64)> {
    let receipts = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Receipt {
            room,
            delivered,
            read,
        } => Some((*room, *delivered, *read)),
        _ => None,
    });
    receipts.collect()
}

fn typing(frames: &[ClientFrame]) -> Vec<bool> {
    let typing = frames.iter().filter_map(|frame| match frame {
        ClientFrame::Typing { on, .. } => Some(*on),
        _ => None,
    });
    typing.collect()
}

fn types(who: Person, on: bool) -> ServerFrame {
    ServerFrame::Typing {
        room: ROOM,
        who,
        on,
    }
}

#[test]
fn delivered_goes_by_itself_and_read_only_when_seen() {
    let mut rig = Rig::joined(2);
    rig.frame(ServerFrame::Event(text(3, OTHER)));
    rig.advance(100);
    rig.frame(ServerFrame::Event(text(4, OTHER)));
    rig.frame(ServerFrame::Event(own(5, id(50))));
    rig.advance(149);
    assert!(receipts(&rig.sent()).is_empty());
    rig.advance(1);
    assert_eq!(receipts(&rig.sent()), [(ROOM, 4, 0)]);
    assert_eq!(rig.room().unread(ME), 4);

    rig.client.seen(ROOM, 3, rig.now);
    rig.client.seen(ROOM, 2, rig.now);
    rig.client.seen(ROOM, 99, rig.now);
    assert_eq!(rig.room().unread(ME), 0);
    rig.advance(250);
    assert_eq!(receipts(&rig.sent()), [(ROOM, 5, 5)]);
    assert!(rig.changes.contains(&Change::Marks(ROOM)));
    rig.client.seen(ROOM, 4, rig.now);
    rig.advance(1_000);
    assert!(receipts(&rig.sent()).is_empty());
    assert_eq!(rig.room().marks(), [mark(ME, 5, 5)]);
}

#[test]
fn marks_are_told_before_leaving() {
    let mut rig = Rig::joined(2);
    rig.client.seen(ROOM, 2, rig.now);
    rig.client.leave(ROOM, rig.now);
    let sent = rig.sent();
    assert_eq!(receipts(&sent), [(ROOM, 0, 2)]);
    assert_eq!(sent.last(), Some(&ClientFrame::Leave { room: ROOM }));
    rig.advance(1_000);
    assert!(receipts(&rig.sent()).is_empty());
}

#[test]
fn marks_that_were_lost_are_sent_again() {
    let mut rig = Rig::joined(4);
    rig.client.seen(ROOM, 4, rig.now);
    rig.reconnect();
    rig.clear();
    let marks = vec![mark(ME, 4, 1), mark(OTHER, 2, 2)];
    let live = Some(state(4, marks));
    rig.frame(ServerFrame::Page {
        room: ROOM,
        events: Vec::new(),
        more: true,
        position: 4,
        reset: false,
        live,
    });
    assert_eq!(
        rig.room().unread(ME),
        0,
        "the own mark is ahead of the server's"
    );
    rig.advance(250);
    assert_eq!(receipts(&rig.sent()), [(ROOM, 0, 4)]);
}

#[test]
fn marks_only_move_forward_and_make_ticks() {
    let mut rig = Rig::joined(1);
    let entry = own(2, id(50));
    rig.frame(ServerFrame::Event(entry.clone()));
    let steps = [
        (0, 0, Tick::Sent),
        (2, 1, Tick::Delivered),
        (1, 1, Tick::Delivered),
        (2, 2, Tick::Read),
        (0, 0, Tick::Read),
    ];
    for (delivered, read, tick) in steps {
        rig.frame(ServerFrame::Receipt {
            room: ROOM,
            mark: mark(OTHER, delivered, read),
        });
        assert_eq!(rig.room().tick_of(&entry, ME), tick);
    }
    // Another tab of ours has read it.
    rig.clear();
    rig.frame(ServerFrame::Receipt {
        room: ROOM,
        mark: mark(ME, 2, 2),
    });
    assert_eq!(rig.room().unread(ME), 0);
    rig.advance(1_000);
    assert!(receipts(&rig.sent()).is_empty());
    // A page that is late moves nothing back.
    rig.reconnect();
    let live = Some(state(2, vec![mark(OTHER, 1, 1)]));
    rig.frame(ServerFrame::Page {
        room: ROOM,
        events: Vec::new(),
        more: true,
        position: 2,
        reset: false,
        live,
    });
    assert_eq!(rig.room().tick_of(&entry, ME), Tick::Read);
}

#[test]
fn rooms_that_are_not_joined_are_delivered_by_rows() {
    let mut rig = Rig::live();
    rig.client.delivered(id(101), 3, rig.now);
    rig.client.delivered(id(101), 2, rig.now);
    rig.client.delivered(id(102), 7, rig.now);
    rig.advance(250);
    assert_eq!(receipts(&rig.sent()), [(id(101), 3, 0), (id(102), 7, 0)]);
    rig.client.delivered(id(101), 3, rig.now);
    rig.advance(1_000);
    assert!(receipts(&rig.sent()).is_empty());
    rig.client.closed(rig.now, 1006);
    rig.client.delivered(id(101), 4, rig.now);
    rig.clear();
    rig.connect();
    rig.advance(250);
    assert_eq!(receipts(&rig.sent()), [(id(101), 4, 0)]);
}

#[test]
fn typing_is_sent_rarely_and_ends() {
    let mut rig = Rig::joined(1);
    for _ in 0..70 {
        rig.client.typing(ROOM, true, rig.now);
        rig.advance(100);
    }
    assert_eq!(typing(&rig.sent()), [true, true, true]);
    rig.advance(5_900);
    assert_eq!(typing(&rig.sent()), [false]);
    rig.client.typing(ROOM, false, rig.now);
    assert!(typing(&rig.sent()).is_empty());

    rig.client.typing(ROOM, true, rig.now);
    rig.say(id(50), "hi");
    let sent = rig.sent();
    assert!(
        matches!(sent[1], ClientFrame::Send { .. }),
        "the message comes first: {sent:?}"
    );
    assert_eq!(typing(&sent), [true, false]);
    rig.frame(ack(&[(id(50), 2)]));
    rig.client.typing(ROOM, true, rig.now);
    assert!(typing(&rig.sent()).is_empty(), "not twice in 3 s");
    rig.advance(3_000);
    rig.client.typing(ROOM, true, rig.now);
    assert_eq!(typing(&rig.sent()), [true]);
    rig.client.leave(ROOM, rig.now);
    assert_eq!(typing(&rig.sent()), [false]);
}

#[test]
fn nothing_is_said_of_typing_without_a_connection() {
    let mut rig = Rig::joined(1);
    rig.client.closed(rig.now, 1006);
    rig.client.typing(ROOM, true, rig.now);
    assert!(typing(&rig.sent()).is_empty());
}

#[test]
fn who_types_is_shown_until_she_stops() {
    let mut rig = Rig::joined(1);
    let shown = |rig: &Rig| {
        rig.room()
            .typing()
            .iter()
            .map(|typer| typer.id)
            .collect::<Vec<_>>()
    };
    rig.frame(types(person(ME), true));
    assert!(shown(&rig).is_empty(), "not what we do in another tab");
    rig.frame(types(person(OTHER), true));
    rig.frame(types(person(id(3)), true));
    assert_eq!(shown(&rig), [OTHER, id(3)]);
    rig.frame(types(person(id(3)), false));
    assert_eq!(shown(&rig), [OTHER]);
    rig.clear();
    rig.frame(ServerFrame::Event(text(2, OTHER)));
    assert!(shown(&rig).is_empty());
    assert!(rig.changes.contains(&Change::Typing(ROOM)));

    rig.frame(types(person(OTHER), true));
    rig.advance(4_000);
    rig.frame(types(person(OTHER), true));
    rig.advance(5_999);
    assert_eq!(shown(&rig), [OTHER]);
    rig.clear();
    rig.advance(1);
    assert!(shown(&rig).is_empty());
    assert_eq!(rig.changes, [Change::Typing(ROOM)]);

    for n in 3..100 {
        rig.frame(types(person(id(n)), true));
    }
    assert_eq!(shown(&rig).len(), 16);
    rig.client.closed(rig.now, 1006);
    assert!(shown(&rig).is_empty());
}

#[test]
fn unread_counts_the_texts_of_others_only() {
    use parlour_protocol::frame::{Body, Event, Happening};
    let mut rig = Rig::joined(2);
    assert_eq!(rig.room().unread(ME), 2);
    rig.client.seen(ROOM, 2, rig.now);
    rig.frame(ServerFrame::Event(own(3, id(50))));
    rig.frame(ServerFrame::Event(Event {
        body: Body::Happened {
            what: Happening::Resolved,
            whom: None,
            until: None,
        },
        ..text(4, OTHER)
    }));
    rig.frame(ServerFrame::Event(Event {
        body: Body::Deleted,
        ..text(5, OTHER)
    }));
    assert_eq!(rig.room().unread(ME), 0);
    rig.frame(ServerFrame::Event(Event {
        body: Body::Note { runs: Vec::new() },
        ..text(6, OTHER)
    }));
    for event in texts(7..=8) {
        rig.frame(ServerFrame::Event(event));
    }
    assert_eq!(rig.room().unread(ME), 3);
}
