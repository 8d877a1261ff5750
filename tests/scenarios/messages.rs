//! A visitor and an agent talk.

use parlour_protocol::client::Tick;
use parlour_protocol::frame::{Body, ErrorCode, Role, ServerFrame};
use parlour_protocol::limits::{MAX_BATCH, MAX_TEXT, PAGE};
use parlour_tests::actor::text_of;
use parlour_tests::{Node, Office, Visitor, Wire, id, load};

#[tokio::test]
async fn a_visitor_and_an_agent_talk() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let mut agent = office.owner.dashboard().await;

    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("Where is my parcel?").await;
    let row = agent
        .expect_row(ticket, "the new ticket", |row| row.position == 1)
        .await;
    assert_eq!(row.site, office.site.id);
    assert_eq!(row.assignee, None);
    assert!(
        row.html.contains("Where is my parcel?"),
        "the row shows the text: {}",
        row.html
    );

    agent.enter(ticket).await;
    let question = agent.expect(ticket, "Where is my parcel?").await;
    assert_eq!(question.author.role, Role::Visitor);
    assert!(
        question
            .html
            .as_deref()
            .is_some_and(|html| html.contains("Where is my parcel?")),
        "agents get the fragment"
    );

    agent.say_in(ticket, "On its way.").await;
    let answer = visitor.expect("On its way.").await;
    assert_eq!(
        (answer.seq, answer.author.name.as_str(), answer.html),
        (2, "Olivia", None)
    );
    visitor.say("Thank you").await;
    agent.expect(ticket, "Thank you").await;
    assert_eq!(visitor.texts(ticket), agent.texts(ticket));
    node.assert_well().await;
}

#[tokio::test]
async fn a_first_message_that_is_repeated_opens_one_ticket() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let mut wire = Wire::of(&visitor).await;

    let (ticket, cid) = (id(), id());
    let mut acks = Vec::new();
    for _ in 0..3 {
        wire.say(ticket, &[(cid, "Hello?")], true).await;
        acks.push(
            wire.until("the acknowledgement", |frame| match frame {
                ServerFrame::Ack { room, acks } if *room == ticket => Some(acks[0]),
                _ => None,
            })
            .await,
        );
    }
    assert_eq!(
        acks.iter()
            .map(|ack| (ack.seq, ack.dup))
            .collect::<Vec<_>>(),
        [(1, false), (1, true), (1, true)]
    );
    let browser = &mut office.owner.browser;
    assert_eq!(load::history(browser, ticket).await.len(), 1);
    let list = browser.read("/api/v1/tickets").await.expect(200).json();
    assert_eq!(list["tickets"].as_array().unwrap().len(), 1, "{list}");
}

/// The same id under another text, by another author, or twice in a batch is an error and stores nothing.
#[tokio::test]
async fn an_id_stands_for_one_message() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    let cid = visitor.entries(ticket)[0].cid;

    let mut wire = Wire::of(&visitor).await;
    wire.say(ticket, &[(cid, "another text")], false).await;
    assert_eq!(wire.error().await, (ErrorCode::Conflict, false, Some(cid)));
    // All or none: the good message beside it is not stored either.
    wire.say(ticket, &[(id(), "good"), (cid, "another text")], false)
        .await;
    assert_eq!(wire.error().await, (ErrorCode::Conflict, false, Some(cid)));
    let twice = id();
    wire.say(ticket, &[(twice, "a"), (twice, "b")], false).await;
    assert_eq!(
        wire.error().await,
        (ErrorCode::Conflict, false, Some(twice))
    );

    // Another author under the same id.
    let mut wire = office.owner.wire().await;
    wire.say(ticket, &[(cid, "one")], false).await;
    assert_eq!(wire.error().await, (ErrorCode::Conflict, false, Some(cid)));

    visitor.say("two").await;
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(
        history
            .iter()
            .map(|event| (event.seq, text_of(event)))
            .collect::<Vec<_>>(),
        [(1, "one".to_owned()), (2, "two".to_owned())]
    );
}

/// Whatever refuses a first message, nobody finds an empty ticket.
#[tokio::test]
async fn a_refused_first_message_opens_no_ticket() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let stranger = Visitor::arrive(&node, &office.site).await;
    let other = stranger.open("a ticket of somebody else").await;
    let mut wire = Wire::of(&visitor).await;
    let (twice, long) = (id(), "x".repeat(MAX_TEXT + 1));
    let many: Vec<_> = (0..=MAX_BATCH).map(|_| (id(), "x")).collect();
    for (messages, code) in [
        (&[(twice, "a"), (twice, "b")][..], ErrorCode::Conflict),
        (&[(id(), "a"), (id(), " ")], ErrorCode::Empty),
        (&[(id(), "a"), (id(), &long)], ErrorCode::TooLong),
        (&many, ErrorCode::TooLong),
        (&[], ErrorCode::BadFrame),
    ] {
        wire.say(id(), messages, true).await;
        assert_eq!(wire.error().await.0, code);
    }
    wire.say(other, &[(id(), "mine?")], true).await;
    assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom);

    let browser = &mut office.owner.browser;
    let list = browser.read("/api/v1/tickets").await.expect(200).json();
    assert_eq!(list["tickets"].as_array().unwrap().len(), 1, "{list}");
    let mut wire = Wire::open("visitor", visitor.upgrade()).await.unwrap();
    let ServerFrame::Welcome { rooms, .. } = wire.hello().await else {
        panic!("no welcome");
    };
    assert_eq!(rooms, []);
}

#[tokio::test]
async fn a_batch_is_stored_whole_or_not_at_all() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("first").await;
    let mut wire = Wire::of(&visitor).await;

    let (good, bad) = (id(), id());
    let long = "x".repeat(MAX_TEXT + 1);
    for (text, code) in [
        (" \n\t ", ErrorCode::Empty),
        ("", ErrorCode::Empty),
        (long.as_str(), ErrorCode::TooLong),
    ] {
        wire.say(ticket, &[(good, "good"), (bad, text)], false)
            .await;
        assert_eq!(wire.error().await, (code, false, Some(bad)));
    }
    let many: Vec<_> = (0..=MAX_BATCH).map(|_| (id(), "x")).collect();
    wire.say(ticket, &many, false).await;
    assert_eq!(
        wire.error().await,
        (ErrorCode::TooLong, false, Some(many[0].0))
    );
    wire.say(ticket, &[], false).await;
    assert_eq!(wire.error().await.0, ErrorCode::BadFrame);

    // As long as allowed, counted in characters and not in bytes.
    let longest = "ü".repeat(MAX_TEXT);
    wire.say(ticket, &[(good, "good"), (bad, &longest)], false)
        .await;
    let acks = wire
        .until("the acknowledgement", |frame| match frame {
            ServerFrame::Ack { acks, .. } => Some(acks.clone()),
            _ => None,
        })
        .await;
    assert_eq!(
        acks.iter()
            .map(|ack| (ack.cid, ack.seq))
            .collect::<Vec<_>>(),
        [(good, 2), (bad, 3)]
    );
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(
        history.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(text_of(&history[2]), longest);
}

#[tokio::test]
async fn history_comes_back_after_a_reload_and_older_pages_follow() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("message 1").await;
    let last = 2 * PAGE + 20;
    for number in 2..=last {
        visitor.write(&format!("message {number}"));
    }
    visitor.expect(&format!("message {last}")).await;

    let visitor = visitor.reload().await;
    assert_eq!(visitor.ticket(), ticket);
    visitor.expect(&format!("message {last}")).await;
    assert_eq!(visitor.texts(ticket).len(), PAGE, "the newest page first");
    for pages in 2..=3 {
        visitor.command(|brain, now| brain.older(ticket, now));
        let wanted = last.min(pages * PAGE);
        visitor
            .until("an older page", |brain| {
                (brain.room(ticket)?.entries().len() == wanted).then_some(())
            })
            .await;
    }
    visitor
        .until("the beginning", |brain| {
            (!brain.room(ticket)?.more()).then_some(())
        })
        .await;
    let expected: Vec<String> = (1..=last)
        .map(|number| format!("message {number}"))
        .collect();
    assert_eq!(visitor.texts(ticket), expected);

    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(
        history.iter().map(text_of).collect::<Vec<_>>(),
        expected,
        "the same over REST"
    );
}

/// What was typed is what is shown: no markup of a visitor becomes HTML, and nothing is fetched.
#[tokio::test]
async fn markup_stays_text() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    agent.join(ticket).await;
    for text in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](http://evil.test/x.png)",
        "[x](javascript:alert(1))",
        "<a href=\"javascript:alert(1)\">x</a>",
        "**bold** & \u{202e}gnp.exe",
        "\"><svg onload=alert(1)>",
    ] {
        visitor.say(text).await;
        agent.say_in(ticket, text).await;
    }
    let end = agent.say_in(ticket, "end").await;
    visitor
        .expect_entry(ticket, "the end", |event| event.cid == end)
        .await;
    for event in agent.entries(ticket) {
        assert_harmless(&event.html.unwrap_or_default());
    }
    for event in visitor.entries(ticket) {
        let Body::Text { runs } = event.body else {
            continue;
        };
        for href in runs.iter().filter_map(|run| run.href.as_deref()) {
            assert!(
                href.starts_with("http://") || href.starts_with("https://"),
                "{href}"
            );
        }
    }
    let page = office
        .owner
        .browser
        .get(&format!("/tickets/{ticket}"))
        .await
        .expect(200)
        .text();
    let thread = &page[page.find("<article").unwrap()..page.rfind("</article>").unwrap()];
    assert_harmless(thread);
}

/// No tag that runs or fetches anything.
fn assert_harmless(html: &str) {
    assert!(html.contains("<article"), "{html}");
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap().to_lowercase();
        for forbidden in ["script", "img", "iframe", "object", "embed", "style"] {
            assert!(!tag.starts_with(forbidden), "<{tag}> in {html}");
        }
        for forbidden in ["javascript:", "onerror", "onload", "src="] {
            assert!(!tag.contains(forbidden), "<{tag}> in {html}");
        }
    }
}

/// A burst is one frame's worth of work, and stays in order.
#[tokio::test]
async fn a_burst_stays_in_order() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("0").await;
    agent.join(ticket).await;
    for number in 1..=100 {
        visitor.write(&number.to_string());
    }
    agent.expect(ticket, "100").await;
    visitor.expect("100").await;
    let expected: Vec<String> = (0..=100).map(|number| number.to_string()).collect();
    assert_eq!(agent.texts(ticket), expected);
    assert_eq!(visitor.texts(ticket), expected);
    let me = visitor.id();
    visitor
        .until("the delivery", |brain| {
            let room = brain.room(ticket)?;
            (room.tick_of(room.entries().last()?, me) >= Tick::Delivered).then_some(())
        })
        .await;
}
