//! The life of a ticket: assigned, resolved, opened again; and notes, which no visitor sees.

use parlour_protocol::frame::{Body, Happening, ListQuery, TicketState};
use parlour_tests::{Node, Office, Request, Visitor, id};
use serde_json::json;

fn happened(body: &Body, wanted: Happening) -> bool {
    matches!(body, Body::Happened { what, .. } if *what == wanted)
}

#[tokio::test]
async fn a_ticket_is_resolved_and_opened_again_by_the_visitor() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("my tap drips").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;

    let path = format!("/api/v1/tickets/{ticket}");
    let browser = &mut office.owner.browser;
    let answer = browser
        .call("PATCH", &path, &json!({ "state": "resolved" }))
        .await
        .expect(200)
        .json();
    assert_eq!(answer["state"], "resolved");
    for person in [&*visitor, &*agent] {
        person
            .expect_entry(ticket, "the end of the ticket", |event| {
                happened(&event.body, Happening::Resolved)
            })
            .await;
        person
            .until("the ticket's state", |brain| {
                (brain.room(ticket)?.state()?.ticket == Some(TicketState::Resolved)).then_some(())
            })
            .await;
    }
    agent
        .expect_row(ticket, "the resolved row", |row| {
            row.state == TicketState::Resolved
        })
        .await;

    visitor.say_in(ticket, "it drips again").await;
    for person in [&*visitor, &*agent] {
        person
            .expect_entry(ticket, "the reopening", |event| {
                happened(&event.body, Happening::Reopened)
            })
            .await;
        person.expect_in(ticket, "it drips again").await;
    }
    agent
        .expect_row(ticket, "the open row", |row| row.state == TicketState::Open)
        .await;
    assert_eq!(visitor.texts(ticket), agent.texts(ticket));

    // By an agent, through the form of the page.
    let path = format!("/tickets/{ticket}/state");
    for (state, wanted) in [
        ("resolved", TicketState::Resolved),
        ("open", TicketState::Open),
    ] {
        assert_eq!(browser.form(&path, &[("state", state)]).await.status, 303);
        agent
            .expect_row(ticket, state, |row| row.state == wanted)
            .await;
    }
    let seqs: Vec<u64> = visitor
        .entries(ticket)
        .iter()
        .map(|event| event.seq)
        .collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_ticket_is_assigned() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let (mut olivia, mut second) = (office.owner.dashboard().await, anna.dashboard().await);
    let staff = olivia.enter(ticket).await;
    second.enter(ticket).await;

    let path = format!("/tickets/{ticket}/assignee");
    let answer = office
        .owner
        .browser
        .form(&path, &[("assignee", &anna.id.text())])
        .await;
    assert_eq!(answer.status, 303);
    for agent in [&olivia, &second] {
        agent
            .expect_row(ticket, "the assignment", |row| {
                row.assignee == Some(anna.id)
            })
            .await;
        let event = agent
            .expect_entry(staff, "the assignment", |event| {
                happened(&event.body, Happening::Assigned)
            })
            .await;
        assert!(
            matches!(event.body, Body::Happened { whom: Some(whom), .. } if whom.id == anna.id && whom.name == "Anna")
        );
    }
    let mine = anna
        .browser
        .clone()
        .read("/api/v1/tickets?assigned=mine")
        .await
        .expect(200)
        .json();
    assert_eq!(mine["tickets"][0]["id"], ticket.text());

    let answer = office
        .owner
        .browser
        .call(
            "PATCH",
            &format!("/api/v1/tickets/{ticket}"),
            &json!({ "assignee": null }),
        )
        .await;
    assert_eq!(answer.status, 200);
    second
        .expect_row(ticket, "nobody's ticket", |row| row.assignee.is_none())
        .await;
    olivia
        .expect_entry(staff, "the end of it", |event| {
            happened(&event.body, Happening::Unassigned)
        })
        .await;

    for assignee in [id().text(), visitor.id().text()] {
        let answer = office
            .owner
            .browser
            .call(
                "PATCH",
                &format!("/api/v1/tickets/{ticket}"),
                &json!({ "assignee": assignee }),
            )
            .await;
        assert!(matches!(answer.status, 404 | 422), "{}", answer.status);
    }
    // The sentinel: nothing of the staff room has come to the visitor before it.
    olivia.say_in(ticket, "sentinel").await;
    visitor.expect("sentinel").await;
    let received = visitor.received();
    assert!(
        !received.contains("assigned") && !received.contains(&staff.text()),
        "{received}"
    );
}

/// Line 36: a planted canary is in nothing that the visitor can get, byte by byte.
#[tokio::test]
async fn notes_never_reach_the_visitor() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let mut agent = office.owner.dashboard().await;
    let staff = agent.enter(ticket).await;

    agent.types(staff);
    agent.say_in(staff, "canary-note-1").await;
    let form = [
        ("text", "canary-note-2"),
        ("cid", &id().text()),
        ("room", "staff"),
    ];
    let answer = office
        .owner
        .browser
        .form(&format!("/tickets/{ticket}/messages"), &form)
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let note = agent.expect_in(staff, "canary-note-2").await;
    assert!(matches!(note.body, Body::Note { .. }));
    agent.reads(staff);
    agent.say_in(ticket, "sentinel").await;
    visitor.expect("sentinel").await;
    let canaries = ["canary", "office.test", &staff.text()];

    let mut bodies = vec![visitor.received()];
    for path in [
        format!("/api/v1/rooms/{ticket}/messages"),
        format!("/api/v1/rooms/{ticket}/messages?before=100"),
        format!("/api/v1/rooms/{ticket}/messages?after=1"),
        format!("/api/v1/rooms/{staff}/messages"),
        format!("/api/v1/tickets/{ticket}"),
        "/api/v1/tickets".to_owned(),
        format!("/w/{}.js", office.site.key),
        format!("/test/{}", office.site.key),
    ] {
        bodies.push(visitor.read(&path).await.everything());
    }
    let visitor = visitor.reload().await;
    visitor.expect("sentinel").await;
    bodies.push(visitor.received());
    for body in bodies {
        for canary in canaries {
            assert!(!body.contains(canary), "{canary} in {body}");
        }
    }
    assert_eq!(visitor.texts(ticket), ["hello", "sentinel"]);
}

/// Line 36: a visitor sees nothing of another one, on her own site or another.
#[tokio::test]
async fn visitors_do_not_see_one_another() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let other_site =
        parlour_tests::office::site(&mut office.owner.browser, "Other", "http://other.test").await;
    let first = Visitor::arrive(&node, &office.site).await;
    let ticket = first.open("canary-first").await;
    for site in [&office.site, &other_site] {
        let second = Visitor::arrive(&node, site).await;
        let own = second.open("mine").await;
        second.command(|brain, now| brain.join(ticket, now));
        second.types(ticket);
        first.types(ticket);
        first.say("canary-second").await;
        let agent = office.owner.dashboard().await;
        agent.join(own).await;
        agent.say_in(own, "sentinel").await;
        second.expect_in(own, "sentinel").await;
        let received = second.received();
        assert!(
            !received.contains("canary") && !received.contains(&first.id().text()),
            "{received}"
        );
        let known = second
            .read(&format!("/api/v1/rooms/{ticket}/messages"))
            .await;
        let unknown = second
            .read(&format!("/api/v1/rooms/{}/messages", id()))
            .await;
        assert_eq!((known.status, known.text()), (404, unknown.text()));
    }
    assert_eq!(first.texts(ticket).len(), 3);
}

/// Who the visitor is, and where; and her moving on to another page.
#[tokio::test]
async fn agents_see_who_the_visitor_is_and_where() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let path = format!("/api/v1/tickets/{ticket}");
    let view = office.owner.browser.read(&path).await.expect(200).json();
    assert_eq!(view["visitor"]["page"], "http://shop.test/basket");
    assert_eq!(view["visitor"]["browser"], "Firefox on Linux");
    assert_eq!(
        (&view["visitor"]["locale"], &view["visitor"]["zone"]),
        (&json!("en"), &json!("Europe/Berlin"))
    );
    assert_eq!(view["title"], "Basket");
    agent
        .expect_row(ticket, "the row", |row| row.position == 1)
        .await;

    let moved = json!({ "page": "http://shop.test/checkout", "title": "Checkout" });
    let answer = Request::new("PATCH", "/api/v1/sessions")
        .header("authorization", &format!("Bearer {}", visitor.token()))
        .header("origin", &office.site.origin)
        .json(&moved)
        .send(node.address())
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let view = office.owner.browser.read(&path).await.expect(200).json();
    assert_eq!(view["visitor"]["page"], "http://shop.test/checkout");
    let page = office
        .owner
        .browser
        .get(&format!("/tickets/{ticket}"))
        .await
        .expect(200)
        .text();
    for shown in ["Checkout", "Firefox on Linux", "Europe/Berlin"] {
        assert!(page.contains(shown), "{shown}");
    }
}

/// The list is repaired after a cut: what changed meanwhile arrives as a difference.
#[tokio::test]
async fn the_list_is_repaired_after_a_cut() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    let (first, second) = (
        Visitor::arrive(&node, &office.site).await,
        Visitor::arrive(&node, &office.site).await,
    );
    let ticket = first.open("first").await;
    agent
        .expect_row(ticket, "the ticket", |row| row.position == 1)
        .await;
    agent.cut().await;
    first.say("more").await;
    let other = second.open("second").await;
    let assignee = json!({ "assignee": office.owner.id.text() });
    let answer = office
        .owner
        .browser
        .call("PATCH", &format!("/api/v1/tickets/{other}"), &assignee)
        .await;
    assert_eq!(answer.status, 200);
    agent.mend();
    agent
        .expect_row(ticket, "the first ticket", |row| row.position == 2)
        .await;
    agent
        .expect_row(other, "the second ticket", |row| {
            row.assignee == Some(office.owner.id)
        })
        .await;

    agent.command(|brain, now| {
        brain.list(
            Some(ListQuery {
                state: TicketState::Resolved,
                assigned: "all".into(),
                site: None,
            }),
            Vec::new(),
            now,
        );
    });
    agent.live().await;
}

/// Pages of the list by keyset: nothing twice, nothing skipped.
#[tokio::test]
async fn the_list_is_paged() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut tickets = Vec::new();
    for number in 0..60 {
        let visitor = Visitor::arrive(&node, &office.site).await;
        tickets.push(visitor.open(&format!("ticket {number}")).await.text());
    }
    tickets.reverse();
    let (mut found, mut path) = (Vec::new(), "/api/v1/tickets".to_owned());
    loop {
        let page = office.owner.browser.read(&path).await.expect(200).json();
        found.extend(
            page["tickets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|ticket| ticket["id"].as_str().unwrap().to_owned()),
        );
        match page["cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/tickets?cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, tickets);
}
