//! A disk that is full, a database that is locked, descriptors that are gone, readers that do not read.

use std::time::Duration;

use parlour_protocol::frame::{ErrorCode, ServerFrame};
use parlour_protocol::{ClientFrame, Id, close};
use parlour_tests::database::{connect, only_sqlite};
use parlour_tests::findings;
use parlour_tests::load::{self, Writer};
use parlour_tests::wire::Upgrade;
use parlour_tests::{Heard, Node, Office, Request, Visitor, Wire, disk, id};

/// What a `send` is answered with.
#[derive(Debug, PartialEq)]
enum Answer {
    Stored,
    Refused(ErrorCode, bool),
}

async fn answer(wire: &mut Wire) -> Answer {
    wire.until("an answer", |frame| match frame {
        ServerFrame::Ack { .. } => Some(Answer::Stored),
        ServerFrame::Error { code, retry, .. } => Some(Answer::Refused(*code, *retry)),
        _ => None,
    })
    .await
}

/// A full disk: a typed error that may be tried again, never an acknowledgement; and it recovers by itself.
#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    if only_sqlite("a full disk under the data folder") {
        return;
    }
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let mut wire = Wire::of(&visitor).await;
    let size = disk::full_at(node.data());
    node.limit(&format!("--fsize={size}:unlimited")).await;
    let mut acknowledged = Vec::new();
    let mut refused = Vec::new();
    let text = "x".repeat(2_000);
    for _ in 0..200 {
        let cid = id();
        wire.say(ticket, &[(cid, &text)], false).await;
        match answer(&mut wire).await {
            Answer::Stored => acknowledged.push(cid),
            Answer::Refused(code, retry) => {
                assert_eq!((code, retry), (ErrorCode::Unavailable, true));
                refused.push(cid);
            }
        }
        if refused.len() == 3 {
            break;
        }
    }
    assert_eq!(refused.len(), 3, "the disk was never full");
    // Over HTTP the same, and reading goes on.
    let form = [
        ("text", "by form"),
        ("cid", &id().text()),
        ("room", "public"),
    ];
    let answered = office
        .owner
        .browser
        .form(&format!("/tickets/{ticket}/messages"), &form)
        .await;
    assert!(matches!(answered.status, 503 | 507), "{}", answered.status);
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert!(
        acknowledged
            .iter()
            .all(|cid| history.iter().any(|event| event.cid == *cid))
    );
    assert!(node.is_healthy().await);

    node.limit("--fsize=unlimited:unlimited").await;
    for cid in &refused {
        wire.say(ticket, &[(*cid, &text)], false).await;
        assert_eq!(answer(&mut wire).await, Answer::Stored);
    }
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(history.len(), 1 + acknowledged.len() + refused.len());
    assert_eq!(history.last().unwrap().seq as usize, history.len());
    node.assert_well().await;
}

/// Somebody else holds the database: it waits or refuses, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_loses_nothing() {
    if only_sqlite("a lock on the file") {
        return;
    }
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let writers = vec![Writer::begin(&node, &visitor, &office.site.origin)];
    load::reached(&writers, 100, Duration::from_secs(10)).await;
    let mut other = connect(node.data()).await;
    sqlx::query("pragma busy_timeout = 9000")
        .execute(&mut other)
        .await
        .unwrap();
    sqlx::query("begin exclusive")
        .execute(&mut other)
        .await
        .unwrap();
    let before = *writers[0].count().borrow();
    let mut wire = Wire::of(&visitor).await;
    // Longer than the patience of one attempt: refused, with a promise to try again.
    wire.say(id(), &[(id(), "x")], true).await;
    let refused = wire
        .until("an answer", |frame| match frame {
            ServerFrame::Error { code, retry, .. } => Some((*code, *retry)),
            ServerFrame::Ack { .. } => Some((ErrorCode::Unknown, false)),
            _ => None,
        })
        .await;
    assert_eq!(refused, (ErrorCode::Unavailable, true));
    assert!(
        *writers[0].count().borrow() <= before + 16,
        "acknowledged while nothing could be stored"
    );
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    load::reached(&writers, before + 100, Duration::from_secs(20)).await;
    for writer in writers {
        let (room, account) = writer.finish().await;
        findings::check(
            room,
            &account,
            &load::history(&mut office.owner.browser, room).await,
        );
    }
    node.assert_well().await;
}

/// A backup that runs beside it: nobody is refused, and the copy is sound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_may_run_beside_it() {
    if only_sqlite("a copy of the file") {
        return;
    }
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let writers = vec![Writer::begin(&node, &visitor, &office.site.origin)];
    load::reached(&writers, 1_000, Duration::from_secs(20)).await;
    let copy = parlour_tests::node::folder();
    let file = copy.path().join("parlour.db");
    disk::copy(node.data(), &file).await;
    load::check_database(copy.path()).await;
    for writer in writers {
        let (room, account) = writer.finish().await;
        assert_eq!(account.refused, 0);
        findings::check(
            room,
            &account,
            &load::history(&mut office.owner.browser, room).await,
        );
    }
}

/// No descriptors left: connections wait or are refused, the server neither ends nor spins, and recovers.
#[tokio::test]
async fn no_descriptors_left() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let mut wire = Wire::of(&visitor).await;
    let used = node.descriptors();
    node.limit(&format!("--nofile={}:", used + 8)).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        if let Ok(stream) = parlour_tests::http::connect(node.address(), None).await {
            held.push(stream);
        }
    }
    let before = node.cpu();
    // Who is there already goes on talking, also many at once.
    for number in 0..20 {
        visitor.say(&format!("number {number}")).await;
    }
    let batch: Vec<(Id, &str)> = (0..16).map(|_| (id(), "x")).collect();
    wire.say(ticket, &batch, false).await;
    assert_eq!(answer(&mut wire).await, Answer::Stored);
    let spent = node.cpu() - before;
    assert!(
        spent < Duration::from_secs(3),
        "it spins: {spent:?} of processor time"
    );
    drop(held);
    visitor.say("after").await;
    assert_eq!(visitor.texts(ticket).len(), 22 + batch.len());
    node.limit("--nofile=4096:").await;
    parlour_tests::within("an answer once there are descriptors again", async {
        while Request::get("/healthz")
            .try_send(node.address())
            .await
            .map_or(true, |answer| answer.status != 200)
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    node.assert_well().await;
}

/// A slow reader is closed with 4008, or served late; the others are not hurt, and on return she has it all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_hurts_nobody() {
    let node = Node::with()
        .unlimited()
        .set("PARLOUR_HEARTBEAT_MS", 60_000)
        .start()
        .await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        let token = office.owner.token().await;
        let upgrade = Upgrade::new(node.address(), &node.origin(), &token);
        let mut wire = Wire::deaf("slow reader", upgrade).await;
        wire.join(ticket, None).await;
        slow.push(wire);
    }
    let before = node.memory();
    let mut writer = Wire::of(&visitor).await;
    let text = "x".repeat(3_900);
    let mut sent = 1;
    for _ in 0..60 {
        let batch: Vec<(Id, &str)> = (0..16).map(|_| (id(), text.as_str())).collect();
        writer.say(ticket, &batch, false).await;
        assert_eq!(writer.ack().await.len(), 16);
        sent += 16;
    }
    let end = visitor.say("the end").await;
    agent
        .expect_entry(ticket, "the end", |event| event.cid == end)
        .await;
    let grown = node.memory().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "memory grew by {grown} bytes");
    for mut wire in slow {
        let mut newest = 0;
        let closed = loop {
            match wire.next_within(Duration::from_secs(20)).await {
                Heard::Frame(ServerFrame::Event(event)) => newest = event.seq,
                Heard::Frame(ServerFrame::Page { position, .. }) => newest = position,
                Heard::Frame(_) => {}
                Heard::Closed(code) => break Some(code),
            }
            if newest == sent + 1 {
                break None;
            }
        };
        // 1006: the server gave up on a connection that took nothing, not even the closing.
        assert!(
            matches!(closed, None | Some(close::TOO_SLOW | close::LOST)),
            "{closed:?}"
        );
        if closed.is_some() {
            let mut wire = office.owner.wire().await;
            wire.send(&ClientFrame::Join {
                room: ticket,
                after: Some(newest),
            })
            .await;
            wire.until("all of it", |frame| matches!(frame, ServerFrame::Page { position, live: Some(_), .. } if *position == sent + 1).then_some(())).await;
        }
    }
    node.assert_well().await;
}

/// A system-call trace: between two acknowledgements, and before the first one, lies a flush to disk.
#[tokio::test]
async fn the_flush_comes_before_the_answer() {
    if only_sqlite("the flush in this process") {
        return;
    }
    let folder = parlour_tests::node::folder();
    let trace = folder.path().join("trace");
    let command = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "64",
        "-e",
        "trace=fsync,fdatasync,write,writev,sendto,sendmsg",
        "-o",
        trace.to_str().unwrap(),
    ];
    let mut node = Node::with().unlimited().under(&command).start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let mut wire = Wire::of(&visitor).await;
    const SENDS: usize = 25;
    for _ in 0..SENDS {
        wire.say(ticket, &[(id(), "x")], false).await;
        wire.ack().await;
    }
    node.end_under_wrapper().await;
    let text = std::fs::read_to_string(&trace).unwrap();
    let (mut flushed, mut acks) = (false, 0);
    for line in text.lines() {
        if line.contains("fdatasync(")
            || line.contains("fsync(")
            || line.contains("fdatasync resumed")
            || line.contains("fsync resumed")
        {
            // A call that was interrupted by another thread counts when it returns.
            flushed |= line.trim_end().ends_with("= 0");
        } else if line.contains("\\\"t\\\":\\\"ack\\\"") {
            assert!(flushed, "an answer without a flush before it: {line}");
            flushed = false;
            acks += 1;
        }
    }
    assert!(acks > SENDS, "the trace shows {acks} acknowledgements");
}
