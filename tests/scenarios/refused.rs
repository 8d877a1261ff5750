//! Requests, streams and polls that are refused, and why.

use parlour_protocol::ClientFrame;
use parlour_protocol::close;
use parlour_protocol::frame::{ErrorCode, ServerFrame};
use parlour_protocol::limits::{MAX_FRAME, MAX_TEXT};
use parlour_tests::{Caller, Events, Node, Office, Request, Told, Visitor, id};
use serde_json::json;

use crate::frames::scene;
use crate::transports::{expect_live, message};

#[tokio::test]
async fn who_may_not_ask_is_told_so_before_anything_else() {
    let (node, mut office, visitor) = scene().await;
    let at = node.address();
    let token = visitor.token();
    let agents = office.owner.token().await;
    let listed = visitor.origin().to_owned();
    let own = node.origin();
    let bearer = format!("Bearer {token}");
    let cookie = office.owner.browser.cookie().expect("a cookie");
    let cases = [
        (Caller::bare(at), 401),
        (Caller::bare(at).header("origin", &listed), 401),
        (Caller::with(at, &listed, "nonsense"), 401),
        (Caller::with(at, "http://evil.test", &token), 403),
        (Caller::with(at, "http://evil.test", "nonsense"), 403),
        (Caller::with(at, "null", &token), 403),
        (Caller::bare(at).header("authorization", &bearer), 403),
        // An agent's token is for sockets; her cookie counts on Parlour's own pages.
        (Caller::with(at, &own, &agents), 401),
        (Caller::bare(at).header("cookie", &cookie), 403),
        (
            Caller::bare(at)
                .header("cookie", &cookie)
                .header("origin", &listed),
            403,
        ),
        (
            Caller::bare(at)
                .header("cookie", "__Host-parlour=0123456789abcdef")
                .header("origin", &own),
            401,
        ),
        (Caller::visitor(&visitor), 200),
        (Caller::agent(&office.owner.browser), 200),
    ];
    for (caller, expected) in cases {
        for accept in ["application/json", "text/event-stream"] {
            let request = caller
                .request(r#"[{"t":"hello","v":1,"cursors":[]}]"#)
                .header("prefer", "wait=0")
                .header("accept", accept);
            let answer = request.send(at).await;
            assert_eq!(answer.status, expected, "{caller:?} {}", answer.text());
            let readable = answer.header("access-control-allow-origin").is_some();
            assert!(!readable || expected != 403, "{caller:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
    let preflight = |origin: &str| {
        Request::new("OPTIONS", "/socket")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let allowed = preflight(&listed).send(at).await;
    let headers = allowed.header("access-control-allow-headers");
    for name in ["authorization", "content-type", "last-event-id", "prefer"] {
        assert!(headers.is_some_and(|headers| headers.contains(name)));
    }
    assert_eq!(preflight("http://evil.test").send(at).await.status, 403);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let (node, _office, visitor) = scene().await;
    let caller = Caller::visitor(&visitor);
    let closed = |code: u16| json!([{ "t": "close", "code": code }]);
    let hello = r#"{"t":"hello","v":1}"#;
    let long = "x".repeat(MAX_FRAME);
    let huge = "x".repeat(4 * MAX_FRAME + 1);
    for (body, status, answer) in [
        ("", 400, None),
        ("{}", 400, None),
        ("[1", 400, None),
        (&huge, 413, None),
        ("[]", 200, Some(closed(close::BAD_FRAME))),
        (r#"[{"t":"ping"}]"#, 200, Some(closed(close::BAD_FRAME))),
        (
            &format!(r#"[{hello},{{"t":"{long}"}}]"#),
            200,
            Some(closed(close::TOO_LARGE)),
        ),
        (&format!("[{hello}]"), 200, Some(json!([]))),
    ] {
        let got = caller.request(body).send(node.address()).await;
        assert_eq!(got.status, status, "{}", got.text());
        if let Some(answer) = answer {
            assert_eq!(got.json(), answer);
        }
    }
    let spoken = caller.request(r#"[{"t":"hello","v":99}]"#);
    let answers = spoken.send(node.address()).await.json();
    assert_eq!(answers[0]["code"], "bad_frame");
    assert_eq!(
        answers[1],
        json!({ "t": "close", "code": close::BAD_FRAME })
    );
    let text = Request::post("/socket")
        .header("origin", visitor.origin())
        .header("authorization", &format!("Bearer {}", visitor.token()))
        .header("content-type", "text/plain")
        .body(format!("[{hello}]"));
    assert_eq!(text.send(node.address()).await.status, 415);
    // The same faults end a stream with the same codes.
    let request = caller.request("[]").header("accept", "text/event-stream");
    let mut stream = Events::open(&request, node.address()).await.ok().unwrap();
    assert_eq!(stream.next().await, Told::Closed(close::BAD_FRAME));
    node.assert_well().await;
}

#[tokio::test]
async fn a_sign_in_that_ends_takes_its_streams_along() {
    let (node, office, visitor) = scene().await;
    let ticket = visitor.open("hello").await;
    let mut browser = office.owner.browser.clone();
    let caller = Caller::agent(&browser);
    let mut stream = caller.stream(&[(ticket, 0)], &[]).await;
    expect_live(&mut stream, 1).await;
    let mut poll = caller.poll(None, &[(ticket, 1)]).await;
    poll.end().await;
    let known = poll.known.clone();
    let mut poll = caller.poll(known.as_deref(), &[(ticket, 1)]).await;
    browser.form("/sign-out", &[]).await;
    assert_eq!(stream.end().await.0, Told::Closed(close::UNAUTHORIZED));
    // Some news may have ended it a moment before: then the next one is refused.
    let (end, frames) = poll.end().await;
    let ended = matches!(end, Told::Closed(close::UNAUTHORIZED) | Told::Ended);
    assert!(ended, "{end:?} {frames:?}");
    let again = caller.request("[]").send(node.address()).await;
    assert_eq!(again.status, 401);
}

/// Whoever loses a room hears no more of it, and does not get it back by asking.
#[tokio::test]
async fn rooms_are_checked_again_with_each_request() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let colleague = office.invite("Carla", "agent").await;
    let browser = &mut office.owner.browser;
    let room = parlour_tests::office::team_room(browser, "Team", &[colleague.id]).await;
    let caller = Caller::agent(&colleague.browser);
    let mut stream = caller.stream(&[(room, 0)], &[]).await;
    let live = |frame: &ServerFrame| {
        matches!(frame, ServerFrame::Page { live: Some(_), .. }).then_some(())
    };
    stream.until("the room", live).await;
    let (room_id, her_id) = (room.text(), colleague.id.text());
    let path = format!("/rooms/{room_id}/members/{her_id}/remove");
    assert_eq!(browser.form(&path, &[]).await.status, 303);
    let lost = |frame: &ServerFrame| match frame {
        ServerFrame::Error { code, room, .. } => Some((*code, *room)),
        _ => None,
    };
    let refused = stream.until("the loss", lost).await;
    assert_eq!(refused, (ErrorCode::UnknownRoom, Some(room)));
    let answers = caller.execute(&[message(room, id(), "me too")]).await;
    assert_eq!(answers[0]["code"], "unknown_room");
    let mut poll = caller.poll(None, &[(room, 0)]).await;
    assert_eq!(poll.until("the refusal", lost).await, refused);
    assert!(!poll.received.contains("\"t\":\"page\""));
}

#[tokio::test]
async fn limits_are_those_of_sockets() {
    let node = Node::with()
        .set("PARLOUR_CONNECTIONS_PER_PERSON", 3)
        .set("PARLOUR_FRAME_BURST", 20)
        .set("PARLOUR_FRAME_RATE", 1)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let caller = Caller::visitor(&visitor);
    // One is her tab's.
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(caller.stream(&[], &[]).await);
    }
    let answer = caller.request("[]").send(node.address()).await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_fast"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("retry-after")
    );
    held.pop();
    let typing = ClientFrame::Typing {
        room: id(),
        on: true,
    };
    let answers = loop {
        let request = caller
            .request(&serde_json::to_string(&vec![parlour_tests::events::hello(&[])]).unwrap());
        if request.send(node.address()).await.status == 200 {
            break caller.execute(&vec![typing.clone(); 100]).await;
        }
    };
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer["code"].clone())
        .collect();
    assert!(codes.contains(&json!("too_fast")), "{codes:?}");
    assert_eq!(codes.last(), Some(&json!(close::OVER_LIMIT)));
    assert_eq!(answers[answers.len() - 2]["t"], "bye");
}

/// The answers of one request are in memory together, so there is an end to them.
#[tokio::test]
async fn a_request_cannot_ask_for_everything_at_once() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let caller = Caller::visitor(&visitor);
    let text = "x".repeat(MAX_TEXT);
    for _ in 0..32 {
        caller.execute(&[message(ticket, id(), &text)]).await;
    }
    let history = ClientFrame::History {
        room: ticket,
        before: 0,
        after: 0,
    };
    let answers = caller.execute(&vec![history.clone(); 200]).await;
    let last = answers.last().map(|answer| answer["code"].clone());
    assert_eq!(last, Some(json!(close::TOO_SLOW)));
    assert!((2..10).contains(&answers.len()), "{}", answers.len());
    assert_eq!(caller.execute(&[history]).await.len(), 1);
    node.assert_well().await;
}
