//! Hostile frames: each gets its typed error or close code, and the server lives on.

use std::time::{Duration, Instant};

use parlour_protocol::frame::{ErrorCode, ListQuery, ServerFrame, View};
use parlour_protocol::limits::MAX_FRAME;
use parlour_protocol::{ClientFrame, VERSION, close};
use parlour_tests::wire::raw;
use parlour_tests::{Node, Office, Visitor, Wire, id};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) async fn scene() -> (Node, Office, Visitor) {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    (node, office, visitor)
}

#[tokio::test]
async fn what_is_no_frame_is_refused_and_the_connection_goes_on() {
    let (node, office, visitor) = scene().await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let room = ticket.text();
    let deep = "[".repeat(20_000);
    let long_tag = format!("{{\"t\":\"{}\"}}", "x".repeat(5_000));
    let cases = [
        "", " ", "{", "}", "[]", "null", "42", "\"hello\"", "{}", "\u{0}", "{\"t\":null}", "{\"t\":1}", "{\"t\":\"nonsense\"}",
        "{\"t\":\"welcome\"}", "{\"t\":\"Send\"}", "{\"t\":\"send\"}", "{\"t\":\"join\"}", "{\"t\":\"join\",\"room\":5}",
        "{\"t\":\"join\",\"room\":\"not an id\"}", "{\"t\":\"ping\",\"n\":-1}", "{\"t\":\"ping\",\"n\":1e99}", "{\"t\":\"ping\",\"n\":4294967296}",
        "{\"t\":\"ping\",\"n\":\"1\"}", "{\"t\":\"ping\",\"active\":\"yes\"}", "{\"t\":\"ping\"} {\"t\":\"ping\"}", "{\"t\":\"ping\",}",
        "{\"t\":\"auth\",\"token\":5}", &deep, &long_tag,
    ].map(str::to_owned).into_iter().chain([
        format!("{{\"t\":\"send\",\"room\":\"{room}\",\"messages\":\"x\"}}"),
        format!("{{\"t\":\"send\",\"room\":\"{room}\",\"messages\":[{{\"text\":\"x\"}}]}}"),
        format!("{{\"t\":\"send\",\"room\":\"{room}\",\"messages\":[{{\"cid\":\"{}\",\"text\":7}}]}}", id()),
        format!("{{\"t\":\"send\",\"room\":\"{room}\",\"messages\":[{{\"cid\":\"{}\",\"text\":\"\\ud800\"}}]}}", id()),
        format!("{{\"t\":\"receipt\",\"room\":\"{room}\",\"read\":-1}}"),
        format!("{{\"t\":\"typing\",\"room\":\"{room}\",\"on\":1}}"),
        format!("{{\"t\":\"history\",\"room\":\"{room}\",\"before\":1.5}}"),
        "{\"t\":\"sync\",\"query\":{\"state\":\"unheard of\"}}".into(),
    ]);
    // Ten are borne with on one connection.
    for some in cases.collect::<Vec<_>>().chunks(10) {
        let mut wire = Wire::of(&visitor).await;
        for case in some {
            wire.text(case).await;
            let (code, retry, cid) = wire.error().await;
            assert_eq!(
                (code, retry, cid),
                (ErrorCode::BadFrame, false, None),
                "{}",
                case.chars().take(200).collect::<String>()
            );
        }
        wire.sentinel().await;
        assert!(
            !wire.received.contains("nonsense") && !wire.received.contains("xxxx"),
            "what was sent is not sent back"
        );
    }
    visitor.say("still here").await;
    agent.expect(ticket, "still here").await;
    assert_eq!(
        visitor.texts(ticket),
        ["hello", "still here"],
        "nothing of it was stored"
    );
    node.assert_well().await;
}

#[tokio::test]
async fn unknown_fields_are_skipped() {
    let (_node, _office, visitor) = scene().await;
    let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
    wire.text("{\"t\":\"hello\",\"v\":1,\"later\":{\"a\":[1,2,{}]},\"view\":\"runs\"}")
        .await;
    wire.until("welcome", |frame| {
        matches!(frame, ServerFrame::Welcome { .. }).then_some(())
    })
    .await;
    wire.text("{\"more\":null,\"t\":\"ping\",\"n\":77}").await;
    wire.until("the answer", |frame| {
        matches!(frame, ServerFrame::Beat { n: 77, .. }).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_sends_nothing_but_nonsense_is_closed() {
    let (node, _office, visitor) = scene().await;
    let mut wire = Wire::of(&visitor).await;
    for _ in 0..11 {
        wire.text("nonsense").await;
    }
    let (code, before) = wire.closed().await;
    assert_eq!((code, before.len()), (close::BAD_FRAME, 11));
    node.assert_well().await;
}

/// Over the life of a connection there may be any number of them, between others.
#[tokio::test]
async fn some_nonsense_now_and_then_is_borne_with() {
    let (node, _office, visitor) = scene().await;
    let mut wire = Wire::of(&visitor).await;
    for _ in 0..30 {
        wire.text("nonsense").await;
        assert_eq!(wire.error().await.0, ErrorCode::BadFrame);
        wire.sentinel().await;
    }
    node.assert_well().await;
}

/// Line 16, and the answers of RFC 6455 to what is no WebSocket.
#[tokio::test]
async fn what_is_no_websocket_is_closed_with_its_code() {
    let (node, _office, visitor) = scene().await;
    let cases = raw::none();
    for welcomed in [true, false] {
        for (what, code, bytes) in &cases {
            let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
            if welcomed {
                wire.hello().await;
            }
            wire.bytes(bytes).await;
            let (closed, _) = wire.closed().await;
            assert_eq!(closed, *code, "{what} (welcomed: {welcomed})");
        }
    }
    visitor.live().await;
    node.assert_well().await;
}

/// A frame in pieces is a frame; a ping is answered; the largest frame is taken.
#[tokio::test]
async fn what_is_allowed_works() {
    let (_node, _office, visitor) = scene().await;
    let mut wire = Wire::of(&visitor).await;
    wire.bytes(
        &[
            raw::frame(0x01, b"{\"t\":\"pi"),
            raw::frame(0x89, b"between"),
            raw::frame(0x00, b"ng\",\"n\""),
            raw::frame(0x80, b":5}"),
        ]
        .concat(),
    )
    .await;
    wire.until("the answer", |frame| {
        matches!(frame, ServerFrame::Beat { n: 5, .. }).then_some(())
    })
    .await;
    let mut largest = String::from("{\"t\":\"ping\",\"n\":6,\"x\":\"");
    largest.push_str(&"x".repeat(MAX_FRAME - largest.len() - 2));
    largest.push_str("\"}");
    assert_eq!(largest.len(), MAX_FRAME);
    wire.text(&largest).await;
    wire.until("the answer", |frame| {
        matches!(frame, ServerFrame::Beat { n: 6, .. }).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_leaves_is_answered() {
    let (_node, _office, visitor) = scene().await;
    for welcomed in [true, false] {
        let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
        if welcomed {
            wire.hello().await;
        }
        wire.bytes(&raw::frame(0x88, &[0x03, 0xe8])).await;
        assert_eq!(wire.closed().await.0, 1000);
    }
}

#[tokio::test]
async fn the_handshake_has_one_form() {
    let (node, mut office, visitor) = scene().await;
    // Something else first.
    for first in [
        "{\"t\":\"ping\",\"n\":1}",
        "nonsense",
        "{\"t\":\"join\",\"room\":\"00000000-0000-0000-0000-000000000000\"}",
    ] {
        let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
        wire.text(first).await;
        let (code, before) = wire.closed().await;
        assert_eq!(code, close::BAD_FRAME);
        assert!(
            before
                .iter()
                .all(|frame| matches!(frame, ServerFrame::Error { .. })),
            "{before:?}"
        );
    }
    // A version that is not spoken.
    for version in [0, VERSION + 1, u32::MAX] {
        let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
        wire.send(&ClientFrame::Hello {
            v: version,
            view: View::Runs,
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        let (code, before) = wire.closed().await;
        assert_eq!(code, close::BAD_FRAME);
        assert!(
            matches!(
                before.as_slice(),
                [ServerFrame::Error {
                    code: ErrorCode::BadFrame,
                    ..
                }]
            ),
            "{before:?}"
        );
    }
    // Twice.
    let mut wire = Wire::of(&visitor).await;
    wire.send(&ClientFrame::Hello {
        v: VERSION,
        view: View::Runs,
        epoch: None,
        cursors: Vec::new(),
    })
    .await;
    assert_eq!(wire.error().await.0, ErrorCode::BadFrame);
    wire.sentinel().await;
    // A visitor who wants what only agents get.
    let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
    wire.send(&ClientFrame::Hello {
        v: VERSION,
        view: View::Html,
        epoch: None,
        cursors: Vec::new(),
    })
    .await;
    assert_eq!(wire.closed().await.0, close::FORBIDDEN);
    let mut wire = Wire::of(&visitor).await;
    wire.send(&ClientFrame::Sync {
        query: ListQuery::default(),
        rows: Vec::new(),
    })
    .await;
    assert_eq!(wire.error().await.0, ErrorCode::Forbidden);
    // An agent who opens tickets.
    let mut wire = office.owner.wire().await;
    wire.say(id(), &[(id(), "x")], true).await;
    assert_eq!(wire.error().await.0, ErrorCode::Forbidden);
    node.assert_well().await;
}

/// Line 18: who says nothing is closed: before `hello`, before the upgrade, and after it.
#[tokio::test]
async fn who_says_nothing_is_closed() {
    let heartbeat = 3_000;
    let node = Node::with()
        .set("PARLOUR_HEARTBEAT_MS", heartbeat)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let since = Instant::now();
    let mut silent = Wire::of(&visitor).await;
    silent.falls_silent();
    let (code, _) = silent.closed().await;
    assert_eq!(code, close::AWAY);
    // Two heartbeats and a second, and not at the next heartbeat after that.
    let borne = Duration::from_millis(2 * heartbeat + 1_000);
    let took = since.elapsed();
    let late = borne + Duration::from_millis(1_400);
    assert!((borne..late).contains(&took), "closed after {took:?}");
    visitor.live().await;

    let long = Duration::from_secs(30);
    let mut never = Wire::open("visitor", visitor.upgrade()).await.unwrap();
    let no_hello = async {
        assert_eq!(never.closed_within(long).await.0, close::BAD_FRAME);
    };
    // A request that never ends (slowloris), with a byte of it now and then.
    let mut slow = parlour_tests::http::connect(node.address(), None)
        .await
        .unwrap();
    let slowloris = async {
        slow.write_all(b"GET /socket HTTP/1.1\r\nhost: x\r\n")
            .await
            .unwrap();
        let mut rest = Vec::new();
        tokio::time::timeout(long, slow.read_to_end(&mut rest))
            .await
            .expect("the end of a request that never ends")
            .unwrap();
    };
    tokio::join!(no_hello, slowloris);
    node.assert_well().await;
}

/// Line 19: every kind of frame for a room of somebody else: an error, and nothing happens.
#[tokio::test]
async fn foreign_rooms_are_unknown_rooms() {
    let (node, office, visitor) = scene().await;
    let ticket = visitor.open("private").await;
    let stranger = Visitor::arrive(&node, &office.site).await;
    let own = stranger.open("own").await;
    let mut heard = Vec::new();
    for room in [ticket, id()] {
        let mut wire = Wire::of(&stranger).await;
        let mut answers = Vec::new();
        for frame in [
            ClientFrame::Join { room, after: None },
            ClientFrame::Join {
                room,
                after: Some(0),
            },
            ClientFrame::Typing { room, on: true },
            ClientFrame::Receipt {
                room,
                delivered: 1,
                read: 1,
            },
            ClientFrame::History {
                room,
                before: 9,
                after: 0,
            },
            ClientFrame::History {
                room,
                before: 0,
                after: 1,
            },
        ] {
            wire.send(&frame).await;
            answers.push(
                wire.until("an error", |frame| {
                    matches!(frame, ServerFrame::Error { .. }).then(|| format!("{frame:?}"))
                })
                .await
                .replace(&room.text(), "ROOM"),
            );
        }
        wire.say(room, &[(id(), "x")], false).await;
        assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom);
        wire.send(&ClientFrame::Leave { room }).await;
        wire.sentinel().await;
        heard.push(answers);
    }
    assert_eq!(heard[0], heard[1], "a foreign room and no room look alike");
    // Opening a ticket under somebody else's id takes nothing over.
    let mut wire = Wire::of(&stranger).await;
    wire.say(ticket, &[(id(), "mine now")], true).await;
    let (code, retry, _) = wire.error().await;
    assert!(!retry && matches!(code, ErrorCode::UnknownRoom | ErrorCode::Conflict));
    visitor.say("end").await;
    stranger.say("end").await;
    assert_eq!(visitor.texts(ticket), ["private", "end"]);
    assert!(!visitor.received().contains(&stranger.id().text()));
    assert_eq!(stranger.texts(own), ["own", "end"]);
}
