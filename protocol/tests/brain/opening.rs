//! The first message opens the ticket.

use crate::rig::{ROOM, Rig, ack, error, id, live_page, own, sends, state, welcome};
use parlour_protocol::frame::{Ack, ErrorCode, Event, Open};
use parlour_protocol::{ClientFrame, Id, ServerFrame};

const A: Id = id(50);
const B: Id = id(51);

#[test]
fn the_first_message_opens_the_ticket() {
    for joins_by_itself in [true, false] {
        let mut rig = Rig::live();
        let open = Open {
            page: "https://example.com/".into(),
            title: "T".into(),
        };
        rig.client
            .send(ROOM, A, "hi".into(), Some(open.clone()), rig.now)
            .unwrap();
        rig.client
            .send(ROOM, B, "ho".into(), None, rig.now)
            .unwrap();
        rig.client.typing(ROOM, true, rig.now);
        let sent = rig.sent();
        assert!(
            matches!(&sent[..], [ClientFrame::Send { open: Some(with), .. }] if *with == open),
            "{sent:?}"
        );
        rig.frame(ack(&[(A, 1)]));
        assert_eq!(sends(&rig.sent()), [vec![B]]);
        if !joins_by_itself {
            rig.advance(1_000);
            assert_eq!(
                rig.sent(),
                [ClientFrame::Join {
                    room: ROOM,
                    after: None
                }]
            );
        }
        rig.frame(live_page(vec![own(1, A)], false, 1));
        rig.frame(ServerFrame::Event(own(2, B)));
        assert_eq!(rig.seqs(), [1, 2]);
        assert!(rig.room().live() && rig.room().pending().is_empty());
        assert_eq!(rig.client.rooms().len(), 1);
        assert_eq!(rig.reconnect(), [(ROOM, 2)]);
    }
}

#[test]
fn a_ticket_joined_before_it_was_opened_is_not_gone() {
    let mut rig = Rig::live();
    rig.client.join(ROOM, rig.now);
    rig.client
        .send(ROOM, A, "hi".into(), Some(Open::default()), rig.now)
        .unwrap();
    rig.frame(error(ErrorCode::UnknownRoom, false, 0, Some(ROOM), None));
    assert!(!rig.room().gone());
    rig.frame(ack(&[(A, 1)]));
    rig.frame(live_page(vec![own(1, A)], false, 1));
    assert!(rig.room().live());
}

#[test]
fn a_ticket_whose_acknowledgement_was_lost_is_joined() {
    // With the ticket in the welcome, it is joined at once; without it, after the answer.
    for listed in [true, false] {
        let mut rig = Rig::live();
        rig.client
            .send(ROOM, A, "hi".into(), Some(Open::default()), rig.now)
            .unwrap();
        rig.client.closed(rig.now, 1006);
        rig.advance(500);
        rig.client.opened(rig.now);
        rig.clear();
        let rooms = if listed {
            vec![state(1, Vec::new())]
        } else {
            Vec::new()
        };
        rig.frame(welcome(id(9), rooms));
        let sent = rig.sent();
        let join = ClientFrame::Join {
            room: ROOM,
            after: None,
        };
        assert_eq!(sent.contains(&join), listed);
        assert_eq!(sends(&sent), [vec![A]]);
        rig.frame(ServerFrame::Ack {
            room: ROOM,
            acks: vec![Ack {
                cid: A,
                seq: 1,
                at: 0,
                dup: true,
            }],
        });
        rig.advance(0);
        assert_eq!(rig.sent().contains(&join), !listed);
    }
}

#[test]
fn a_ticket_whose_acknowledgement_alone_was_lost_is_joined() {
    let mut rig = Rig::live();
    rig.client
        .send(ROOM, A, "hi".into(), Some(Open::default()), rig.now)
        .unwrap();
    rig.clear();
    // The page that came with it was not taken: nobody had said yet that the ticket is open.
    rig.frame(live_page(vec![own(1, A)], false, 1));
    rig.frame(ServerFrame::Event(Event {
        rev: 1,
        ..own(1, A)
    }));
    rig.frame(error(ErrorCode::Unavailable, true, 0, Some(ROOM), Some(A)));
    rig.advance(0);
    let join = ClientFrame::Join {
        room: ROOM,
        after: None,
    };
    assert_eq!(rig.sent(), [join]);
    rig.frame(live_page(vec![own(1, A)], false, 1));
    assert!(rig.room().live() && rig.room().pending().is_empty());
}

#[test]
fn discarding_the_opener_leaves_the_ticket_to_the_next() {
    let mut rig = Rig::new();
    let open = Open {
        page: "p".into(),
        title: "t".into(),
    };
    rig.client
        .send(ROOM, A, "hi".into(), Some(open.clone()), rig.now)
        .unwrap();
    rig.client
        .send(ROOM, B, "ho".into(), None, rig.now)
        .unwrap();
    assert_eq!(rig.client.discard(A).as_deref(), Some("hi"));
    assert_eq!(rig.room().pending()[0].open, Some(open));
    assert_eq!(rig.client.discard(B).as_deref(), Some("ho"));
    assert_eq!(rig.client.discard(B), None);
}
