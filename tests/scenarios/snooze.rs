//! Tickets that are put aside: pending until the visitor writes, snoozed until a time as well.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlour_protocol::Id;
use parlour_protocol::frame::{Body, Event, Happening, Role, TicketState};
use parlour_tests::{Browser, Node, Office, Visitor};
use serde_json::{Value, json};

/// Microseconds since 1970, so long from now.
fn in_(time: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from((now + time).as_micros()).unwrap()
}

async fn change(browser: &mut Browser, ticket: Id, change: Value) -> Value {
    let path = format!("/api/v1/tickets/{ticket}");
    let answer = browser.call("PATCH", &path, &change).await;
    answer.expect(200).json()
}

fn is(event: &Event, wanted: Happening) -> bool {
    matches!(&event.body, Body::Happened { what, .. } if *what == wanted)
}

/// It comes back at its time, once, also if the server was down then; the visitor is told nothing.
#[tokio::test]
async fn a_snoozed_ticket_wakes_by_itself() {
    let mut node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("call me at noon").await;
    let mut agent = office.owner.dashboard().await;
    let staff = agent.enter(ticket).await;
    let until = in_(Duration::from_millis(1_500));
    let asked = json!({ "state": "snoozed", "snoozed_until": until });
    let snoozed = change(&mut office.owner.browser, ticket, asked).await;
    assert_eq!(snoozed["state"], "snoozed");
    assert_eq!(snoozed["snoozed_until"], until);
    let entry = agent
        .expect_entry(staff, "the snooze", |event| is(event, Happening::Snoozed))
        .await;
    assert!(matches!(entry.body, Body::Happened { until: Some(at), .. } if at == until));
    agent
        .expect_row(ticket, "the snoozed row", |row| {
            row.state == TicketState::Snoozed
        })
        .await;

    node.kill().await;
    node.start_again().await;
    let entry = agent
        .expect_entry(staff, "the waking", |event| is(event, Happening::Woke))
        .await;
    assert_eq!(entry.author.role, Role::System);
    assert!(entry.at >= until, "not before its time");
    agent
        .expect_row(ticket, "the open row", |row| row.state == TicketState::Open)
        .await;
    visitor.say("noon").await;
    assert_eq!(visitor.texts(ticket), ["call me at noon", "noon"]);
    let woke = agent.entries(staff);
    let woke = woke.iter().filter(|event| is(event, Happening::Woke));
    assert_eq!(woke.count(), 1);
}

/// Whatever it waits for, the visitor's next message opens it.
#[tokio::test]
async fn the_visitor_ends_a_snooze_by_writing() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let mut agent = office.owner.dashboard().await;
    let staff = agent.enter(ticket).await;
    let browser = &mut office.owner.browser;
    let tomorrow = in_(Duration::from_secs(86_400));
    for (asked, recorded) in [
        (
            json!({ "state": "snoozed", "snoozed_until": tomorrow }),
            Happening::Snoozed,
        ),
        (json!({ "state": "pending" }), Happening::Pending),
    ] {
        change(browser, ticket, asked).await;
        agent
            .expect_entry(staff, "what was set", |event| is(event, recorded))
            .await;
        // An answer leaves it aside.
        agent.say_in(ticket, "we shall see").await;
        let path = format!("/api/v1/tickets/{ticket}");
        let still = browser.read(&path).await.expect(200).json();
        assert_ne!(still["state"], "open");
        visitor.say("still here").await;
        let opened = browser.read(&path).await.expect(200).json();
        assert_eq!(
            (&opened["state"], &opened["snoozed_until"]),
            (&json!("open"), &Value::Null)
        );
    }
    // By hand it is opened as well, and that is recorded.
    change(browser, ticket, json!({ "state": "pending" })).await;
    change(browser, ticket, json!({ "state": "open" })).await;
    let woke = agent
        .expect_entry(staff, "the opening", |event| is(event, Happening::Woke))
        .await;
    assert_eq!(woke.author.id, office.owner.id);
    assert!(
        visitor
            .entries(ticket)
            .iter()
            .all(|event| !matches!(event.body, Body::Happened { .. })),
        "the visitor hears of none of it"
    );
}

/// The form of the page, without a script; and what it refuses.
#[tokio::test]
async fn the_page_snoozes() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let browser = &mut office.owner.browser;
    let path = format!("/tickets/{ticket}/state");
    let snooze = [
        ("state", "snoozed"),
        ("until", "tomorrow"),
        ("zone", "Europe/Berlin"),
    ];
    assert_eq!(browser.form(&path, &snooze).await.status, 303);
    let list = browser.get("/tickets?state=snoozed").await.expect(200);
    let list = list.text();
    assert!(list.contains(&format!("t-{ticket}")) && list.contains("Snoozed until"));
    let page = browser.get(&format!("/tickets/{ticket}")).await.expect(200);
    assert!(page.text().contains("snoozed the ticket until"));
    let pending = [("state", "pending")];
    assert_eq!(browser.form(&path, &pending).await.status, 303);
    let list = browser.get("/tickets?state=pending").await.expect(200);
    assert!(list.text().contains(&format!("t-{ticket}")));

    for (until, date) in [
        ("", ""),
        ("date", "soon"),
        ("date", "2001-01-01T09:00"),
        ("date", "2999-01-01T09:00"),
    ] {
        let fields = [("state", "snoozed"), ("until", until), ("date", date)];
        assert_eq!(browser.form(&path, &fields).await.status, 422, "{date}");
    }
    let path = format!("/api/v1/tickets/{ticket}");
    for asked in [
        json!({ "state": "snoozed" }),
        json!({ "state": "snoozed", "snoozed_until": 1 }),
    ] {
        assert_eq!(browser.call("PATCH", &path, &asked).await.status, 422);
    }
}
