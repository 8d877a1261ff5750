//! How much one person may do: messages, frames, rooms, connections.

use parlour_protocol::frame::{ErrorCode, ServerFrame};
use parlour_protocol::limits::MAX_ROOMS;
use parlour_protocol::{ClientFrame, close};
use parlour_tests::{Heard, Node, Office, Visitor, Wire, id};

use crate::frames::scene;

#[tokio::test]
async fn only_so_many_rooms_are_joined() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let mut writer = Wire::of(&visitor).await;
    let tickets: Vec<_> = (0..=MAX_ROOMS).map(|_| id()).collect();
    for ticket in &tickets {
        writer.say(*ticket, &[(id(), "x")], true).await;
        writer.ack().await;
    }
    let mut wire = office.owner.wire().await;
    for ticket in &tickets {
        wire.send(&ClientFrame::Join {
            room: *ticket,
            after: None,
        })
        .await;
    }
    let last = tickets[MAX_ROOMS];
    let refused = wire
        .until("the refusal", |frame| match frame {
            ServerFrame::Error { code, room, .. } => Some((*code, *room)),
            _ => None,
        })
        .await;
    assert_eq!(refused, (ErrorCode::TooLong, Some(last)));
    wire.send(&ClientFrame::Leave { room: tickets[0] }).await;
    wire.send(&ClientFrame::Join {
        room: last,
        after: None,
    })
    .await;
    wire.until("the last room", |frame| {
        matches!(frame, ServerFrame::Page { room, live: Some(_), .. } if *room == last)
            .then_some(())
    })
    .await;
    // What was left is not heard of any more; what is joined is.
    writer
        .say(tickets[0], &[(id(), "canary-left")], false)
        .await;
    writer.say(last, &[(id(), "sentinel")], false).await;
    wire.until("the sentinel", |frame| {
        matches!(frame, ServerFrame::Event(event) if event.room == last).then_some(())
    })
    .await;
    let heard = format!("{{\"t\":\"event\",\"room\":\"{}\"", tickets[0]);
    assert!(!wire.received.contains(&heard));
}

/// Line 17: messages too fast are refused with a time; the brain waits, and nothing is lost.
#[tokio::test]
async fn messages_too_fast_are_refused_and_come_later() {
    let node = Node::with()
        .set("PARLOUR_SEND_RATE", 20)
        .set("PARLOUR_SEND_BURST", 20)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("0").await;
    for number in 1..=60 {
        visitor.write(&number.to_string());
    }
    visitor.expect("60").await;
    let expected: Vec<String> = (0..=60).map(|number| number.to_string()).collect();
    assert_eq!(visitor.texts(ticket), expected);

    let mut wire = Wire::of(&visitor).await;
    let batch: Vec<_> = (0..16).map(|_| (id(), "x")).collect();
    let mut after = 0;
    for _ in 0..4 {
        wire.say(ticket, &batch, false).await;
        let heard = wire
            .until("an answer", |frame| match frame {
                ServerFrame::Error {
                    code: ErrorCode::TooFast,
                    retry: true,
                    after,
                    cid,
                    ..
                } => Some((*after, *cid)),
                ServerFrame::Ack { .. } => Some((0, None)),
                _ => None,
            })
            .await;
        if heard.0 > 0 {
            assert_eq!(heard.1, Some(batch[0].0));
            after = heard.0;
        }
    }
    assert!((1..=5_000).contains(&after), "{after}");
}

/// Line 17: frames too fast: an error, then 4029 with a delay.
#[tokio::test]
async fn frames_too_fast_are_closed_in_the_end() {
    let (node, _office, visitor) = scene().await;
    let mut wire = Wire::of(&visitor).await;
    let mut end = None;
    'flood: for _ in 0..40 {
        for _ in 0..20 {
            wire.text("{\"t\":\"ping\",\"n\":9}").await;
        }
        for _ in 0..20 {
            match wire.next().await {
                Heard::Closed(code) => {
                    end = Some(code);
                    break 'flood;
                }
                Heard::Frame(ServerFrame::Bye { after, .. }) => assert!(after >= 100),
                Heard::Frame(ServerFrame::Error {
                    code, retry, after, ..
                }) => {
                    assert_eq!((code, retry), (ErrorCode::TooFast, true));
                    assert!(after > 0);
                }
                Heard::Frame(_) => {}
            }
        }
    }
    assert_eq!(end, Some(close::OVER_LIMIT));
    assert!(wire.received.contains("\"t\":\"bye\""));
    node.assert_well().await;
}

/// Line 17: only so many connections of one person, and from one address.
#[tokio::test]
async fn connections_are_counted() {
    let node = Node::with()
        .set("PARLOUR_CONNECTIONS_PER_PERSON", 3)
        .set("PARLOUR_CONNECTIONS_PER_ADDRESS", 5)
        .start()
        .await;
    let office = Office::open(&node).await;
    let (first, second) = (
        Visitor::arrive(&node, &office.site).await,
        Visitor::arrive(&node, &office.site).await,
    );
    let mut open = vec![Wire::of(&first).await, Wire::of(&first).await];
    let mut over = Wire::open("one too many", first.upgrade()).await.unwrap();
    assert_eq!(over.closed().await.0, close::OVER_LIMIT);
    // It is told when to come back: at times of their own, not all of them at once.
    let mut delays = Vec::new();
    for _ in 0..4 {
        let mut over = Wire::open("one too many", first.upgrade()).await.unwrap();
        match over.closed().await {
            (close::OVER_LIMIT, frames) => match &frames[..] {
                [ServerFrame::Bye { reason, after }] if reason == "limit" => delays.push(*after),
                other => panic!("{other:?} before the end"),
            },
            other => panic!("{other:?}"),
        }
    }
    assert!(delays.iter().all(|after| *after >= 1_000), "{delays:?}");
    delays.dedup();
    assert!(delays.len() > 1, "no jitter: {delays:?}");
    open.push(Wire::of(&second).await);
    let mut over = Wire::open("one too many from here", second.upgrade())
        .await
        .unwrap();
    assert_eq!(over.closed().await.0, close::OVER_LIMIT);
    let elsewhere = second.upgrade().from("127.9.9.9".parse().unwrap());
    let mut elsewhere = Wire::open("from elsewhere", elsewhere).await.unwrap();
    elsewhere.hello().await;
    // A connection that has ended does not count.
    open.remove(0).leave().await;
    let mut again = Wire::open("again", first.upgrade()).await.unwrap();
    again.hello().await;
}
