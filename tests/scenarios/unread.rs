//! What waits for an agent: the badges of rows, and of the navigation.

use parlour_protocol::{Id, ServerFrame};
use parlour_tests::{Browser, Node, Office, Visitor, id};
use serde_json::json;

/// The badge in the navigation, and a ticket's.
async fn badges(browser: &mut Browser, ticket: Id) -> (u64, u64) {
    let path = format!("/tickets/counts?rows={ticket}");
    let counts = browser.read(&path).await.expect(200).json();
    let row = counts["rows"][ticket.text()]["unread"].as_u64();
    (
        counts["waiting"].as_u64().expect("a number"),
        row.expect("the row"),
    )
}

async fn reply(browser: &mut Browser, ticket: Id, text: &str) {
    let cid = id().text();
    let fields = [("text", text), ("cid", &cid), ("room", "public")];
    let path = format!("/tickets/{ticket}/messages");
    assert_eq!(browser.form(&path, &fields).await.status, 303);
}

/// Only what the visitor wrote counts, and only above the agent's own mark.
#[tokio::test]
async fn answers_are_not_unread_messages() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    visitor.say("two").await;
    let owner = &mut office.owner.browser;
    assert_eq!(badges(owner, ticket).await, (1, 2));
    reply(&mut anna.browser, ticket, "an answer").await;
    reply(owner, ticket, "another").await;
    assert_eq!(badges(owner, ticket).await, (1, 2));

    // Anna takes it: it is not the owner's to answer any more.
    let path = format!("/api/v1/tickets/{ticket}");
    let taken = json!({ "assignee": anna.id.text() });
    let answer = owner.call("PATCH", &path, &taken).await;
    assert_eq!(answer.status, 200);
    assert_eq!(badges(owner, ticket).await, (0, 2));
    assert_eq!(badges(&mut anna.browser, ticket).await, (1, 2));
    let resolved = json!({ "state": "resolved" });
    assert_eq!(owner.call("PATCH", &path, &resolved).await.status, 200);
    assert_eq!(badges(&mut anna.browser, ticket).await, (0, 2));
}

/// Reading tells all pages of the one who reads, and puts out nobody else's.
#[tokio::test]
async fn reading_puts_the_badge_out_everywhere() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    let mut here = office.owner.dashboard().await;
    here.enter(ticket).await;
    here.expect(ticket, "one").await;
    let mut elsewhere = office.owner.wire().await;
    here.reads(ticket);
    // Her other page counts anew after each row that it hears of.
    loop {
        elsewhere
            .until("the row that was read", |frame| match frame {
                ServerFrame::Ticket(row) if row.id == ticket => Some(()),
                _ => None,
            })
            .await;
        if badges(&mut office.owner.browser, ticket).await == (0, 0) {
            break;
        }
    }
    assert_eq!(badges(&mut anna.browser, ticket).await, (1, 1));

    // What she writes next is unread again.
    visitor.say("two").await;
    assert_eq!(badges(&mut office.owner.browser, ticket).await, (1, 1));
}

/// Without a script the page has a button for it.
#[tokio::test]
async fn a_page_is_marked_as_read_without_a_script() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    let owner = &mut office.owner.browser;
    let path = format!("/tickets/{ticket}");
    let form = format!("action=\"{path}/read\"");
    let page = owner.get(&path).await.expect(200).text();
    assert!(page.contains(&form) && page.contains("name=\"seq\" value=\"1\""));
    assert_eq!(
        badges(owner, ticket).await,
        (1, 1),
        "looking changes nothing"
    );
    let answer = owner.form(&format!("{path}/read"), &[("seq", "1")]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(path.as_str()))
    );
    assert_eq!(badges(owner, ticket).await, (0, 0));
    let page = owner.get(&path).await.expect(200).text();
    assert!(!page.contains(&form));
    // A mark beyond the end is the end.
    let answer = owner.form(&format!("{path}/read"), &[("seq", "99")]).await;
    assert_eq!(answer.status, 303);
    visitor.say("two").await;
    assert_eq!(badges(owner, ticket).await, (1, 1));
}

/// More than a badge can tell is not counted.
#[tokio::test]
async fn many_are_a_plus() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    for _ in 1..99 {
        visitor.say("another").await;
    }
    let owner = &mut office.owner.browser;
    assert_eq!(badges(owner, ticket).await, (1, 99));
    let page = owner.get("/tickets").await.expect(200).text();
    assert!(page.contains("data-unread=\"99\">99</span>"), "{page}");
    visitor.say("one too many").await;
    visitor.say("and one more").await;
    assert_eq!(badges(owner, ticket).await, (1, 100));
    let page = owner.get("/tickets").await.expect(200).text();
    assert!(page.contains("data-unread=\"100\">99+</span>"), "{page}");
}
