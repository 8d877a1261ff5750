//! SIGKILL and SIGTERM under load.

use std::time::Duration;

use parlour_protocol::frame::ServerFrame;
use parlour_protocol::{ClientFrame, Id, close};
use parlour_tests::database;
use parlour_tests::findings;
use parlour_tests::load::{self, Writer};
use parlour_tests::{Browser, Heard, Node, Office, Visitor, Wire, id};

const ROUNDS: u64 = 20;
const PER_ROUND: u64 = 1_100;
const WRITERS: usize = 4;

/// All that was acknowledged is there, once, over REST and over a fresh socket.
async fn settle(browser: &mut Browser, visitors: &[Visitor], writers: Vec<Writer>) -> (u64, u64) {
    let (mut acknowledged, mut repeated) = (0, 0);
    for (visitor, writer) in visitors.iter().zip(writers) {
        let (room, account) = writer.finish().await;
        let history = load::history(browser, room).await;
        findings::check(room, &account, &history);
        let mut wire = Wire::of(visitor).await;
        let by_socket = load::history_by_socket(&mut wire, room).await;
        assert!(
            history == by_socket,
            "REST and the socket tell of two histories"
        );
        acknowledged += account.acknowledged.len() as u64;
        repeated += account.repeated;
    }
    (acknowledged, repeated)
}

/// Search has each message once, wherever in its index the server was when it was killed.
async fn search_has_each(node: &Node, browser: &mut Browser, rooms: &[Id]) {
    let mut said = Vec::new();
    for room in rooms {
        said.extend(load::history(browser, *room).await);
    }
    let indexed = database::indexed(node.data()).await;
    assert_eq!(u64::try_from(indexed), Ok(said.len() as u64));
    for message in said.iter().step_by(50) {
        let path = format!("/api/v1/search?q=%22message%20{}%22", message.cid);
        let answer = browser.read(&path).await.expect(200).json();
        let found = answer["messages"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{}", message.cid);
        assert_eq!(found[0]["seq"], message.seq);
    }
}

/// 20 rounds and 20,000 acknowledgements: none lost, none doubled, no hole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut visitors = Vec::new();
    for _ in 0..WRITERS {
        visitors.push(Visitor::arrive(&node, &office.site).await);
    }
    let writers: Vec<Writer> = visitors
        .iter()
        .map(|visitor| Writer::begin(&node, visitor, &office.site.origin))
        .collect();
    load::reached(&writers, 100, Duration::from_secs(10)).await;
    // A reader over the brain: whatever happens, it ends with what the history ends with.
    let reader = office.owner.dashboard().await;
    for writer in &writers {
        reader.join(writer.room).await;
    }
    let mut longest = Duration::ZERO;
    for round in 1..=ROUNDS {
        load::reached(&writers, round * PER_ROUND, Duration::from_secs(30)).await;
        node.kill().await;
        let begun = std::time::Instant::now();
        node.start_again().await;
        longest = longest.max(begun.elapsed());
        reader.command(|brain, now| brain.online(now));
    }
    assert!(
        longest < Duration::from_secs(5),
        "it took {longest:?} to be back"
    );
    let rooms: Vec<_> = writers.iter().map(|writer| writer.room).collect();
    let (acknowledged, repeated) = settle(&mut office.owner.browser, &visitors, writers).await;
    println!(
        "{acknowledged} acknowledged over {ROUNDS} kills, {repeated} sent again, back in {longest:?} at most"
    );
    assert!(acknowledged >= 20_000, "{acknowledged}");
    // Whoever was told too much at once waits longer each time; now there is nothing more to tell.
    reader.command(|brain, now| brain.online(now));

    for room in rooms.iter().copied() {
        let history = load::history(&mut office.owner.browser, room).await;
        let last = history.last().unwrap().seq;
        reader
            .until("the end of the history", |brain| {
                (brain.room(room)?.entries().last()?.seq == last).then_some(())
            })
            .await;
        let seen: Vec<_> = reader
            .entries(room)
            .iter()
            .map(|event| (event.seq, event.cid))
            .collect();
        let stored: Vec<_> = history.iter().map(|event| (event.seq, event.cid)).collect();
        assert!(
            stored.ends_with(&seen),
            "the reader saw something else than was stored"
        );
    }
    search_has_each(&node, &mut office.owner.browser, &rooms).await;
    node.assert_well().await;
    let (status, _) = node.terminate().await;
    assert!(status.success());
    load::check_database(node.data()).await;
}

/// A graceful stop: sockets are told, work in flight is acknowledged or refused, and it ends in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_tells_everybody_and_ends() {
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut visitors = Vec::new();
    for _ in 0..3 {
        visitors.push(Visitor::arrive(&node, &office.site).await);
    }
    let writers: Vec<Writer> = visitors
        .iter()
        .map(|visitor| Writer::begin(&node, visitor, &office.site.origin))
        .collect();
    for round in 1..=3 {
        load::reached(&writers, round * 300, Duration::from_secs(20)).await;
        let mut watcher = office.owner.wire().await;
        watcher
            .send(&ClientFrame::Join {
                room: writers[0].room,
                after: None,
            })
            .await;
        let mut idle = Wire::of(&visitors[0]).await;
        let (status, took) = node.terminate().await;
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_secs(10), "{took:?}");
        for wire in [&mut watcher, &mut idle] {
            let (code, before) = wire.closed().await;
            assert!(matches!(code, close::RESTART | close::AWAY), "{code}");
            assert!(
                before
                    .iter()
                    .any(|frame| matches!(frame, ServerFrame::Bye { .. })),
                "it says goodbye"
            );
        }
        node.start_again().await;
    }
    settle(&mut office.owner.browser, &visitors, writers).await;
    node.assert_well().await;
}

/// Killed in the middle of its start, again and again: the next start completes.
#[tokio::test]
async fn a_start_may_be_interrupted() {
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    node.kill().await;
    for delay in 0..15 {
        node.start_and_kill_after(Duration::from_millis(delay * 4))
            .await;
    }
    node.start_again().await;
    assert_eq!(
        load::history(&mut office.owner.browser, ticket).await.len(),
        1
    );

    // The same from nothing: migrations.
    for delay in 0..15 {
        let mut fresh = Node::with().stopped();
        fresh
            .start_and_kill_after(Duration::from_millis(10 + delay * 6))
            .await;
        fresh.start_again().await;
        fresh.assert_well().await;
    }
}

/// A frozen server: noticed within two heartbeats, and nothing is sent twice.
#[tokio::test]
async fn a_freeze_is_noticed_and_survived() {
    let node = Node::with().set("PARLOUR_HEARTBEAT_MS", 500).start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    parlour_tests::node::signal(node.pid(), "STOP").await;
    let cid = visitor.write("into the ice");
    visitor.expect_waiting().await;
    parlour_tests::node::signal(node.pid(), "CONT").await;
    visitor.command(|brain, now| brain.online(now));
    visitor.stored(ticket, cid).await;
    assert_eq!(
        load::history(&mut office.owner.browser, ticket).await.len(),
        2
    );
    node.assert_well().await;
}

/// Whoever sends and is gone before the answer has sent once.
#[tokio::test]
async fn a_send_into_a_dying_server_appears_once_or_not_at_all() {
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("first").await;
    let mut expected = 1;
    for _ in 0..8 {
        let batch: Vec<_> = (0..4).map(|_| (id(), "x")).collect();
        let mut wire = Wire::of(&visitor).await;
        wire.say(ticket, &batch, false).await;
        node.restart().await;
        let first = loop {
            match wire.next().await {
                Heard::Frame(ServerFrame::Ack { acks, .. }) => break Some(acks),
                Heard::Frame(_) => {}
                Heard::Closed(_) => break None,
            }
        };
        let mut wire = Wire::of(&visitor).await;
        wire.say(ticket, &batch, false).await;
        let second = wire.ack().await;
        if let Some(first) = first {
            let numbers = |acks: &[parlour_protocol::frame::Ack]| {
                acks.iter().map(|ack| ack.seq).collect::<Vec<_>>()
            };
            assert_eq!(numbers(&first), numbers(&second));
        }
        expected += 4;
        let history = load::history(&mut office.owner.browser, ticket).await;
        assert_eq!(
            history.iter().map(|event| event.seq).collect::<Vec<_>>(),
            (1..=expected).collect::<Vec<_>>()
        );
    }
}
