//! Requests, streams and polls by hand: what a proxy lets pass that lets no WebSocket pass.

use std::time::{Duration, Instant};

use parlour_protocol::frame::{Draft, Open, ServerFrame};
use parlour_protocol::limits::MAX_TEXT;
use parlour_protocol::{ClientFrame, Id, close};
use parlour_tests::{Caller, Cluster, Events, Node, Office, Told, Visitor, Wire, id};

use crate::frames::scene;

pub(crate) fn message(room: Id, cid: Id, text: &str) -> ClientFrame {
    let text = text.to_owned();
    ClientFrame::Send {
        room,
        seen: 0,
        messages: vec![Draft { cid, text }],
        open: None,
    }
}

fn marks(room: Id, read: u64) -> ClientFrame {
    ClientFrame::Receipt {
        room,
        delivered: read,
        read,
    }
}

/// Waits for an entry, by itself or on a page.
async fn expect_event(events: &mut Events, seq: u64) -> Id {
    let found = |frame: &ServerFrame| {
        let told = match frame {
            ServerFrame::Event(event) => std::slice::from_ref(event),
            ServerFrame::Page { events, .. } => events,
            _ => &[],
        };
        let event = told.iter().find(|event| event.seq == seq)?;
        Some(event.cid)
    };
    events.until(&format!("entry {seq}"), found).await
}

/// Reads up to the state of a room that was joined.
pub(crate) async fn expect_live(events: &mut Events, position: u64) {
    let live = |frame: &ServerFrame| match frame {
        ServerFrame::Page {
            live: Some(_),
            position,
            ..
        } => Some(*position),
        _ => None,
    };
    assert_eq!(events.until("the room", live).await, position);
}

#[tokio::test]
async fn frames_are_executed_and_answered_whole() {
    let (node, office, visitor) = scene().await;
    let caller = Caller::visitor(&visitor);
    let (ticket, first) = (id(), id());
    let opening = ClientFrame::Send {
        room: ticket,
        seen: 0,
        messages: vec![Draft {
            cid: first,
            text: "by post".into(),
        }],
        open: Some(Open::default()),
    };
    let answers = caller.execute(std::slice::from_ref(&opening)).await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["t"], "ack");
    assert_eq!(answers[0]["acks"][0]["seq"], 1);
    // The answer was lost: the same again is the same number.
    let again = caller.execute(&[opening]).await;
    assert_eq!(again[0]["acks"][0]["seq"], 1);
    assert_eq!(again[0]["acks"][0]["dup"], true);

    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.expect(ticket, "by post").await;
    let on = |on| ClientFrame::Typing { room: ticket, on };
    caller.execute(&[on(true)]).await;
    agent.expect_typing(ticket, visitor.id(), true).await;
    let history = ClientFrame::History {
        room: ticket,
        before: 0,
        after: 0,
    };
    let several = [
        message(ticket, id(), "second"),
        marks(ticket, 2),
        history,
        message(id(), id(), "into nowhere"),
    ];
    let answers = caller.execute(&several).await;
    let kinds: Vec<_> = answers.iter().map(|answer| answer["t"].clone()).collect();
    assert_eq!(kinds, ["ack", "page", "error"], "{answers:?}");
    assert_eq!(answers[1]["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(answers[2]["code"], "unknown_room");
    let (who, room) = (visitor.id(), ticket);
    agent
        .until("her mark", |brain| {
            let marks = &brain.room(room)?.state()?.marks;
            let mark = marks.iter().find(|mark| mark.member == who)?;
            (mark.read == 2).then_some(())
        })
        .await;
    // What is typed to a room that is not hers is told nobody.
    let strangers = Visitor::arrive(&node, &office.site).await;
    let stranger = Caller::visitor(&strangers);
    let answers = stranger.execute(&[on(true), marks(ticket, 1)]).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer["code"] == "unknown_room")
    );
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn a_stream_tells_what_follows_and_ends_after_two_heartbeats() {
    let node = Node::with()
        .set("PARLOUR_HEARTBEAT_MS", 1_000)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let caller = Caller::visitor(&visitor);
    let begun = Instant::now();
    let mut stream = caller.stream(&[(ticket, 0)], &[]).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", visitor.origin()),
    ] {
        assert_eq!(stream.head.header(name), Some(value));
    }
    assert!(matches!(
        stream.next().await,
        Told::Frame(ServerFrame::Welcome { .. })
    ));
    expect_live(&mut stream, 1).await;
    assert!(stream.known.is_some());
    let answer = agent.say_in(ticket, "hello yourself").await;
    assert_eq!(expect_event(&mut stream, 2).await, answer);
    assert_eq!(stream.known, None, "its state has changed");
    agent.types(ticket);
    let typing = |frame: &ServerFrame| matches!(frame, ServerFrame::Typing { .. }).then_some(());
    stream.until("typing", typing).await;
    agent.reads(ticket);
    let receipt = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt { .. }).then_some(());
    stream.until("a receipt", receipt).await;
    let (end, frames) = stream.end().await;
    assert_eq!(end, Told::Ended);
    assert!(matches!(frames.last(), Some(ServerFrame::Beat { .. })));
    let lived = begun.elapsed();
    assert!((1_900..6_000).contains(&lived.as_millis()), "{lived:?}");
    node.assert_well().await;
}

/// A stream that is asked for again tells what is new, and nothing else.
#[tokio::test]
async fn a_poll_waits_for_what_is_new() {
    let node = Node::with()
        .set("PARLOUR_HEARTBEAT_MS", 1_500)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let who = agent.id();
    visitor
        .until("the agent's mark", |brain| {
            let marks = &brain.room(ticket)?.state()?.marks;
            let mark = marks.iter().find(|mark| mark.member == who)?;
            (mark.delivered == 1).then_some(())
        })
        .await;
    visitor.close();
    let caller = Caller::visitor(&visitor);
    let mut poll = caller.poll(None, &[(ticket, 1)]).await;
    let (end, frames) = poll.end().await;
    assert_eq!((end, frames.len()), (Told::Ended, 2), "{frames:?}");
    let known = poll.known.expect("a name of the state");

    // Nothing is new: one heartbeat long it waits.
    let begun = Instant::now();
    let mut poll = caller.poll(Some(&known), &[(ticket, 1)]).await;
    let (end, frames) = poll.end().await;
    assert_eq!(end, Told::Ended);
    assert!(
        matches!(frames[..], [ServerFrame::Beat { .. }]),
        "{frames:?}"
    );
    assert!(begun.elapsed() > Duration::from_millis(1_400));

    // Something comes while it waits: it ends with it.
    let mut poll = caller.poll(Some(&known), &[(ticket, 1)]).await;
    agent.say_in(ticket, "hello yourself").await;
    expect_event(&mut poll, 2).await;
    assert!(matches!(poll.end().await.0, Told::Ended));

    // An entry and a mark that came while nobody waited are found at once.
    agent.reads(ticket);
    agent.say_in(ticket, "are you there?").await;
    let mut poll = caller.poll(Some(&known), &[(ticket, 2)]).await;
    expect_live(&mut poll, 3).await;
    assert!(poll.received.contains("are you there?"));
    assert_eq!(poll.end().await.0, Told::Ended);
}

/// A stream that is not read is ended, and all of it is there on return.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_dropped_and_resumes() {
    let node = Node::with()
        .unlimited()
        .set("PARLOUR_HEARTBEAT_MS", 60_000)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let caller = Caller::agent(&office.owner.browser);
    let mut slow = caller.stream(&[(ticket, 0)], &[]).await;
    expect_live(&mut slow, 1).await;
    let mut writer = Wire::of(&visitor).await;
    let text = "x".repeat(MAX_TEXT / 2);
    let mut sent = 1;
    // More than the kernel's buffers take, which is all that a reader can hold back.
    for _ in 0..160 {
        let batch: Vec<(Id, &str)> = (0..16).map(|_| (id(), text.as_str())).collect();
        writer.say(ticket, &batch, false).await;
        assert_eq!(writer.ack().await.len(), 16);
        sent += 16;
    }
    let mut newest = 1;
    let end = loop {
        match slow.next_within(Duration::from_secs(20)).await {
            Told::Frame(ServerFrame::Event(event)) => {
                assert_eq!(event.seq, newest + 1);
                newest = event.seq;
            }
            Told::Frame(ServerFrame::Bye { reason, .. }) => assert_eq!(reason, "slow"),
            Told::Frame(_) => {}
            end => break end,
        }
    };
    assert!(
        matches!(end, Told::Closed(close::TOO_SLOW) | Told::Ended),
        "{end:?}"
    );
    assert!(newest < sent, "it was never slow");
    let mut again = caller.stream(&[(ticket, newest)], &[]).await;
    expect_live(&mut again, sent).await;
    node.assert_well().await;
}

/// Two nodes: a stream of one tells what was posted to the other, and either goes on for both.
#[tokio::test]
async fn nothing_is_bound_to_a_node() {
    let (cluster, office) = Cluster::of(2).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let ticket = visitor.open("hello").await;
    let (here, there) = (
        Caller::visitor(&visitor),
        Caller::visitor(&visitor).at(&cluster[1]),
    );
    let mut stream = there.stream(&[(ticket, 1)], &[]).await;
    expect_live(&mut stream, 1).await;
    let cid = id();
    here.execute(&[message(ticket, cid, "posted here")]).await;
    assert_eq!(expect_event(&mut stream, 2).await, cid);
    let again = there.execute(&[message(ticket, cid, "posted here")]).await;
    assert_eq!(again[0]["acks"][0]["dup"], true);
    let mut poll = here.poll(None, &[(ticket, 1)]).await;
    expect_live(&mut poll, 2).await;
    poll.end().await;
    let known = poll.known.expect("a name of the state");
    // The other node knows by the same name what this one has told.
    let mut waiting = there.poll(Some(&known), &[(ticket, 2)]).await;
    here.execute(&[message(ticket, id(), "and again")]).await;
    expect_event(&mut waiting, 3).await;
    assert!(!waiting.received.contains("welcome"));
    cluster.assert_well().await;
}

/// A server that stops says so, and where it was killed the answer is cut off.
#[tokio::test]
async fn a_stop_says_goodbye() {
    let (mut node, office, visitor) = scene().await;
    let caller = Caller::visitor(&visitor);
    let mut stream = caller.stream(&[], &[]).await;
    assert!(matches!(stream.next().await, Told::Frame(_)));
    node.terminate().await;
    let (end, frames) = stream.end().await;
    assert_eq!(end, Told::Closed(close::RESTART));
    assert!(matches!(frames.last(), Some(ServerFrame::Bye { .. })));
    node.start_again().await;
    let mut stream = Caller::agent(&office.owner.browser).stream(&[], &[]).await;
    assert!(matches!(stream.next().await, Told::Frame(_)));
    node.kill().await;
    assert_eq!(stream.end().await.0, Told::Lost);
}
