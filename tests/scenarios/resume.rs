//! Cuts, tabs, reloads and restarts: nothing is lost, nothing appears twice.

use parlour_protocol::client::Link;
use parlour_protocol::frame::{Cursor, Event, ServerFrame, View};
use parlour_protocol::limits::{MAX_RESUME, PAGE};
use parlour_protocol::{ClientFrame, Id, VERSION};
use parlour_tests::{Node, Office, Visitor, Wire, id, load};

/// A page of a room, as it arrives.
async fn page(wire: &mut Wire, room: Id) -> (Vec<Event>, bool, u64, bool) {
    wire.until("a page", |frame| match frame {
        ServerFrame::Page {
            room: of,
            events,
            reset,
            position,
            live,
            ..
        } if *of == room => Some((events.clone(), *reset, *position, live.is_some())),
        _ => None,
    })
    .await
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

#[tokio::test]
async fn a_cut_leaves_no_gap_and_nothing_twice() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("before").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;

    visitor.cut().await;
    for text in ["one", "two", "three"] {
        agent.say_in(ticket, text).await;
    }
    let waiting = [visitor.write("four"), visitor.write("five")];
    assert_eq!(visitor.saved().outbox.len(), 2, "kept in storage meanwhile");
    visitor.mend();
    for cid in waiting {
        visitor.stored(ticket, cid).await;
    }
    agent.expect(ticket, "five").await;
    let expected = ["before", "one", "two", "three", "four", "five"];
    assert_eq!(visitor.texts(ticket), expected);
    assert_eq!(agent.texts(ticket), expected);
    assert!(visitor.saved().outbox.is_empty());

    agent.cut().await;
    visitor.say("six").await;
    agent.write_in(ticket, "seven", None);
    agent.mend();
    visitor.expect("seven").await;
    agent.expect(ticket, "six").await;
    agent.expect(ticket, "seven").await;
    assert_eq!(agent.texts(ticket), visitor.texts(ticket));
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(numbers(&history), numbers(&visitor.entries(ticket)));
}

#[tokio::test]
async fn two_tabs_are_one_visitor() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let first = Visitor::arrive(&node, &office.site).await;
    let ticket = first.open("from the first tab").await;
    let second = first.second_tab().await;
    assert_eq!(second.id(), first.id());
    second.expect("from the first tab").await;
    second.say("from the second tab").await;
    first.expect("from the second tab").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.say_in(ticket, "to both").await;
    for tab in [&first, &second] {
        tab.expect("to both").await;
        assert_eq!(
            tab.texts(ticket),
            ["from the first tab", "from the second tab", "to both"]
        );
    }
    // Read in one is read in the other.
    second.reads(ticket);
    let me = first.id();
    first
        .until("nothing unread", |brain| {
            (brain.room(ticket)?.unread(me) == 0).then_some(())
        })
        .await;
}

/// A ticket that one tab opens is there in the other one.
#[tokio::test]
async fn a_new_ticket_arrives_in_every_tab() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let first = Visitor::arrive(&node, &office.site).await;
    let second = first.second_tab().await;
    let ticket = first.open("hello").await;
    second
        .until("the ticket", |brain| {
            brain
                .rooms()
                .iter()
                .any(|room| room.room == ticket)
                .then_some(())
        })
        .await;
    second.join(ticket).await;
    second.expect("hello").await;
}

#[tokio::test]
async fn what_was_typed_survives_a_reload() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    visitor.cut().await;
    let waiting = [visitor.write("typed offline"), visitor.write("and more")];
    let visitor = visitor.reload().await;
    for cid in waiting {
        visitor.stored(ticket, cid).await;
    }
    assert_eq!(
        visitor.texts(ticket),
        ["hello", "typed offline", "and more"]
    );
    assert!(visitor.saved().outbox.is_empty());
}

/// Even the first message, and so the ticket, may wait for a network that is not there.
#[tokio::test]
async fn a_ticket_may_be_opened_offline() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    visitor.cut().await;
    let (ticket, cid) = visitor.begins("anybody there?");
    let second = visitor.write_in(ticket, "hello?", None);
    let visitor = visitor.reload().await;
    visitor.stored(ticket, cid).await;
    visitor.stored(ticket, second).await;
    assert_eq!(visitor.ticket(), ticket);
    let list = office
        .owner
        .browser
        .read("/api/v1/tickets")
        .await
        .expect(200)
        .json();
    assert_eq!(list["tickets"].as_array().unwrap().len(), 1);
    assert_eq!(visitor.texts(ticket), ["anybody there?", "hello?"]);
}

/// The acknowledgement is lost with the connection; the same messages are sent again.
#[tokio::test]
async fn a_lost_acknowledgement_is_repeated() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let batches: Vec<Vec<(Id, String)>> = (0..30)
        .map(|batch| (0..4).map(|n| (id(), format!("{batch}.{n}"))).collect())
        .collect();
    for batch in &batches {
        let batch: Vec<(Id, &str)> = batch
            .iter()
            .map(|(cid, text)| (*cid, text.as_str()))
            .collect();
        let mut wire = Wire::of(&visitor).await;
        wire.say(ticket, &batch, false).await;
        wire.cut();
        let mut wire = Wire::of(&visitor).await;
        let mut acks = Vec::new();
        for _ in 0..2 {
            wire.say(ticket, &batch, false).await;
            acks.push(wire.ack().await);
        }
        let pairs = |acks: &[parlour_protocol::frame::Ack]| {
            acks.iter()
                .map(|ack| (ack.cid, ack.seq))
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs(&acks[0]), pairs(&acks[1]));
        assert!(acks[1].iter().all(|ack| ack.dup));
        assert_eq!(
            acks[0].iter().map(|ack| ack.cid).collect::<Vec<_>>(),
            batch.iter().map(|(cid, _)| *cid).collect::<Vec<_>>()
        );
    }
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(numbers(&history), (1..=121).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_resume_sends_what_is_missing_and_no_more() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("1").await;
    let last = 2 * PAGE as u64 + 10;
    for number in 2..=last {
        visitor.write(&number.to_string());
    }
    visitor.expect(&last.to_string()).await;

    let mut wire = Wire::of(&visitor).await;
    for after in [0, 1, last - 1, last] {
        wire.send(&ClientFrame::Join {
            room: ticket,
            after: Some(after),
        })
        .await;
        let mut all = Vec::new();
        loop {
            let (events, reset, position, live) = page(&mut wire, ticket).await;
            assert!(!reset && position == last);
            all.extend(events);
            if live {
                break;
            }
        }
        assert_eq!(numbers(&all), (after + 1..=last).collect::<Vec<_>>());
        wire.send(&ClientFrame::Leave { room: ticket }).await;
    }
    // A gap in the middle.
    wire.send(&ClientFrame::History {
        room: ticket,
        before: 0,
        after: 7,
    })
    .await;
    let (events, reset, position, live) = page(&mut wire, ticket).await;
    assert_eq!((reset, position, live), (false, last, false));
    assert_eq!(numbers(&events), (8..8 + PAGE as u64).collect::<Vec<_>>());
}

/// A cursor above the position, or of another epoch, means that the data went back: the client starts over.
#[tokio::test]
async fn void_cursors_start_over() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    visitor.say("world").await;

    for after in [3, 1_000, u64::MAX] {
        let mut wire = Wire::of(&visitor).await;
        wire.send(&ClientFrame::Join {
            room: ticket,
            after: Some(after),
        })
        .await;
        let (events, reset, position, live) = page(&mut wire, ticket).await;
        assert_eq!(
            (numbers(&events), reset, position, live),
            (vec![1, 2], true, 2, true)
        );
    }
    let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
    let cursors = vec![Cursor {
        room: ticket,
        seq: 1,
    }];
    wire.send(&ClientFrame::Hello {
        v: VERSION,
        view: View::Runs,
        epoch: Some(id()),
        cursors,
    })
    .await;
    let (events, reset, ..) = page(&mut wire, ticket).await;
    assert_eq!((numbers(&events), reset), (vec![1, 2], true));
}

/// A gap that is too long is not filled page by page: the newest page stands for it.
#[tokio::test]
async fn a_long_gap_starts_over_with_the_newest_page() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.cut().await;
    let mut wire = Wire::of(&visitor).await;
    let last = MAX_RESUME + 40;
    for _ in 0..last.div_ceil(16) {
        let batch: Vec<(Id, &str)> = (0..16).map(|_| (id(), "x")).collect();
        wire.say(ticket, &batch, false).await;
        wire.ack().await;
    }
    let end = visitor.say("the end").await;
    agent.mend();
    agent
        .expect_entry(ticket, "the end", |event| event.cid == end)
        .await;
    let entries = numbers(&agent.entries(ticket));
    assert_eq!(entries.len(), PAGE);
    assert!(
        entries.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{entries:?}"
    );
}

/// The server is killed and started again under both; nothing typed is lost, nothing appears twice.
#[tokio::test]
async fn both_converge_after_the_server_was_killed() {
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let mut written = 1;
    for round in 0..3 {
        for number in 0..5 {
            visitor.write(&format!("visitor {round}.{number}"));
            agent.write_in(ticket, &format!("agent {round}.{number}"), None);
        }
        node.kill().await;
        for person in [&*visitor, &*agent] {
            person
                .until("a lost connection", |brain| {
                    (brain.link() != Link::Live).then_some(())
                })
                .await;
        }
        visitor.write(&format!("visitor {round} down"));
        agent.write_in(ticket, &format!("agent {round} down"), None);
        node.start_again().await;
        visitor.command(|brain, now| brain.online(now));
        agent.command(|brain, now| brain.online(now));
        written += 12;
        for person in [&*visitor, &*agent] {
            person
                .until("all messages", |brain| {
                    let room = brain.room(ticket)?;
                    (room.entries().len() == written && room.pending().is_empty()).then_some(())
                })
                .await;
        }
    }
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(numbers(&history), (1..=written as u64).collect::<Vec<_>>());
    assert_eq!(visitor.texts(ticket), agent.texts(ticket));
    // Everybody's own messages stand in the order in which they were typed.
    for who in ["visitor", "agent"] {
        let own: Vec<String> = visitor
            .texts(ticket)
            .into_iter()
            .filter(|text| text.starts_with(who))
            .collect();
        let mut typed = Vec::new();
        for round in 0..3 {
            typed.extend((0..5).map(|number| format!("{who} {round}.{number}")));
            typed.push(format!("{who} {round} down"));
        }
        assert_eq!(own, typed);
    }
}
