//! Two agents on one ticket do not answer past each other.

use parlour_protocol::Id;
use parlour_protocol::client::PendingState;
use parlour_protocol::frame::{ErrorCode, ServerFrame};
use parlour_tests::actor::text_of;
use parlour_tests::office::{Colleague, staff_room};
use parlour_tests::{Cluster, Node, Office, Visitor, Wire, id, load};
use serde_json::json;

/// Olivia's office with Anna, and a question of a visitor.
async fn scene(node: &Node) -> (Office, Colleague, Visitor, Id) {
    let mut office = Office::open(node).await;
    let anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(node, &office.site).await;
    let ticket = visitor.open("where is my parcel?").await;
    (office, anna, visitor, ticket)
}

/// Writes one message; its number, or the code of the refusal, which must name it.
async fn write(
    wire: &mut Wire,
    room: Id,
    seen: u64,
    message: (Id, &str),
) -> Result<u64, ErrorCode> {
    wire.say_after(room, seen, &[message], false).await;
    outcome(wire, message.0).await
}

async fn outcome(wire: &mut Wire, wanted: Id) -> Result<u64, ErrorCode> {
    wire.until("an answer", |frame| match frame {
        ServerFrame::Ack { acks, .. } => Some(Ok(acks[0].seq)),
        ServerFrame::Error {
            code, retry, cid, ..
        } => {
            assert_eq!((*cid, *retry), (Some(wanted), false));
            Some(Err(*code))
        }
        _ => None,
    })
    .await
}

#[tokio::test]
async fn an_answer_that_has_not_seen_a_colleagues_is_stopped() {
    let node = Node::with().unlimited().start().await;
    let (mut office, mut anna, visitor, ticket) = scene(&node).await;
    let (mut olivia, mut anna_wire) = (office.owner.wire().await, anna.wire().await);
    let anna_wire = &mut anna_wire;

    assert_eq!(
        write(anna_wire, ticket, 1, (id(), "on its way")).await,
        Ok(2)
    );
    let held = (id(), "it was sent on Monday");
    for seen in [0, 1] {
        let outcome = write(&mut olivia, ticket, seen, held).await;
        assert_eq!(outcome, Err(ErrorCode::Unseen));
    }
    // Seen, and sent anyway under the same id; a repetition is acknowledged whatever it has seen.
    assert_eq!(write(&mut olivia, ticket, 2, held).await, Ok(3));
    assert_eq!(write(anna_wire, ticket, 3, (id(), "by bike")).await, Ok(4));
    assert_eq!(write(&mut olivia, ticket, 0, held).await, Ok(3));
    // One message of a batch that is known does not carry the other one over.
    let fresh = (id(), "and on Tuesday");
    olivia.say_after(ticket, 3, &[held, fresh], false).await;
    assert_eq!(outcome(&mut olivia, fresh.0).await, Err(ErrorCode::Unseen));
    let history = load::history(&mut office.owner.browser, ticket).await;
    let texts: Vec<String> = history.iter().map(text_of).collect();
    assert_eq!(
        texts,
        ["where is my parcel?", "on its way", held.1, "by bike"]
    );
    assert!(!visitor.received().contains(fresh.1));
}

/// The visitor's messages, the author's own and what happened stop nobody; neither do notes.
#[tokio::test]
async fn only_a_colleagues_answer_counts() {
    let node = Node::with().unlimited().start().await;
    let (mut office, mut anna, visitor, ticket) = scene(&node).await;
    let mut olivia = office.owner.wire().await;
    assert_eq!(write(&mut olivia, ticket, 0, (id(), "one")).await, Ok(2));
    visitor.say("hello?").await;
    let path = format!("/api/v1/tickets/{ticket}");
    for state in ["resolved", "open"] {
        let body = json!({ "state": state });
        let answer = anna.browser.call("PATCH", &path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(write(&mut olivia, ticket, 0, (id(), "two")).await, Ok(6));

    let staff = staff_room(&mut office.owner.browser, ticket).await;
    let mut anna = anna.wire().await;
    assert_eq!(write(&mut anna, staff, 0, (id(), "note")).await, Ok(1));
    assert_eq!(write(&mut olivia, staff, 0, (id(), "note")).await, Ok(2));
    visitor.say("thank you").await;
}

/// Both press Enter at the same moment: one is stored, and the other is told.
#[tokio::test]
async fn of_two_answers_at_once_one_is_stopped() {
    let node = Node::with().unlimited().start().await;
    let (mut office, mut anna, visitor, _) = scene(&node).await;
    race([office.owner.wire().await, anna.wire().await], &visitor).await;
}

/// The same with a node for each of them.
#[tokio::test]
async fn of_two_answers_at_once_on_two_nodes_one_is_stopped() {
    let (cluster, mut office) = Cluster::of(2).await;
    let anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let mut anna = anna.at(&cluster[1]);
    race([office.owner.wire().await, anna.wire().await], &visitor).await;
}

async fn race(mut wires: [Wire; 2], visitor: &Visitor) {
    for _ in 0..20 {
        let (ticket, cid) = visitor.begins("and this?");
        visitor.stored(ticket, cid).await;
        let cids = [id(), id()];
        for (wire, cid) in wires.iter_mut().zip(cids) {
            wire.say_after(ticket, 1, &[(cid, "yes")], false).await;
        }
        let mut outcomes = Vec::new();
        for (wire, cid) in wires.iter_mut().zip(cids) {
            outcomes.push(outcome(wire, cid).await);
        }
        outcomes.sort_by_key(Result::is_err);
        assert_eq!(outcomes, [Ok(2), Err(ErrorCode::Unseen)]);
    }
}

/// What the dashboard does: it keeps the message, shows the colleague's, and sends it when told to.
#[tokio::test]
async fn a_stopped_answer_is_held_until_it_is_sent_anyway() {
    let node = Node::start().await;
    let (office, anna, visitor, ticket) = scene(&node).await;
    let (olivia, anna) = (office.owner.dashboard().await, anna.dashboard().await);
    olivia.join(ticket).await;
    anna.join(ticket).await;
    // Both have read the question. Anna's answer is under way when Olivia writes.
    olivia.reads(ticket);
    anna.say_in(ticket, "on its way").await;
    let held = olivia.write_in(ticket, "it was sent on Monday", None);
    olivia
        .expect_refusal("the refusal", |(code, _, cid)| {
            (*code, *cid) == (ErrorCode::Unseen, Some(held))
        })
        .await;
    olivia.expect(ticket, "on its way").await;
    let pending = olivia.command(|brain, _| brain.room(ticket).map(|room| room.pending().to_vec()));
    assert_eq!(
        pending.unwrap()[0].state,
        PendingState::Failed(ErrorCode::Unseen)
    );
    assert_eq!(olivia.saved().outbox.len(), 1, "kept in storage meanwhile");
    olivia.command(|brain, now| brain.retry(held, now));
    assert_eq!(olivia.stored(ticket, held).await, 3);
    visitor.expect("it was sent on Monday").await;
}

/// The same without a script: the page comes back with the colleague's answer and the text.
#[tokio::test]
async fn a_form_that_has_not_seen_a_colleagues_answer_comes_back() {
    let node = Node::start().await;
    let (mut office, mut anna, _visitor, ticket) = scene(&node).await;
    let (page, path) = (
        format!("/tickets/{ticket}"),
        format!("/tickets/{ticket}/messages"),
    );
    let browser = &mut office.owner.browser;
    let seen = field(&browser.get(&page).await.expect(200).text(), "seen");
    let mut wire = anna.wire().await;
    assert_eq!(
        write(&mut wire, ticket, 1, (id(), "on its way")).await,
        Ok(2)
    );

    let cid = id().text();
    let fields = |cid: &str, seen: &str| {
        [("text", "sent on Monday"), ("cid", cid), ("seen", seen)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    async fn post(
        browser: &mut parlour_tests::Browser,
        path: &str,
        fields: [(String, String); 3],
    ) -> parlour_tests::Answer {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        browser.form(path, &fields).await
    }
    let stopped = post(browser, &path, fields(&cid, &seen)).await.expect(409);
    let text = stopped.text();
    assert!(text.contains("on its way"), "it shows what is new");
    assert!(text.contains("sent on Monday</textarea>"), "{text}");
    let (cid, seen) = (field(&text, "cid"), field(&text, "seen"));
    assert_eq!(seen, "2");
    let stored = post(browser, &path, fields(&cid, &seen)).await;
    assert_eq!(stored.status, 303);
    assert_eq!(load::history(browser, ticket).await.len(), 3);
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).expect("the field") + start.len();
    page[at..].chars().take_while(|c| *c != '"').collect()
}
