//! SQLite's log as a machine leaves it that ended, and data that went back.

use parlour_protocol::Id;
use parlour_tests::database::{file as database_file, only_sqlite};
use parlour_tests::{Node, Office, Visitor, Wire, disk, id, load};

/// A write that was cut off by the end of the machine: what was committed before it is all there.
#[tokio::test]
async fn a_torn_log_loses_nothing() {
    if only_sqlite("the log beside the file") {
        return;
    }
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("first").await;
    for number in 0..3 {
        visitor.say(&format!("before {number}")).await;
        node.kill().await;
        disk::tear_log(node.data(), 500 * (number + 1));
        node.start_again().await;
        visitor.command(|brain, now| brain.online(now));
        visitor.say(&format!("after {number}")).await;
    }
    let history = load::history(&mut office.owner.browser, ticket).await;
    let numbers: Vec<u64> = history.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    node.terminate().await;
    load::check_database(node.data()).await;
}

/// Committed messages are gone, and others have taken their numbers by the time somebody is back who
/// was shown them: she starts over, and is shown what there is.
#[tokio::test]
async fn a_shortened_log_is_noticed() {
    if only_sqlite("the log beside the file") {
        return;
    }
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("kept").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.expect(ticket, "kept").await;
    let kept = disk::unfolded(node.data());
    for number in 0..3 {
        visitor.say(&format!("gone {number}")).await;
    }
    agent.expect(ticket, "gone 2").await;
    agent.cut().await;
    visitor.close();
    node.kill().await;
    let frames = disk::unfolded(node.data()) - kept;
    assert_eq!(disk::cut_log(node.data(), frames).await.len(), 3);
    node.start_again().await;

    let mut wire = Wire::of(&visitor).await;
    let new: Vec<(Id, &str)> = (0..6).map(|_| (id(), "new")).collect();
    wire.say(ticket, &new, false).await;
    wire.ack().await;
    agent.mend();
    let expected: Vec<&str> = std::iter::once("kept").chain(["new"; 6]).collect();
    agent
        .until("the new history", |brain| {
            (brain.room(ticket)?.entries().last()?.seq == 7).then_some(())
        })
        .await;
    assert_eq!(agent.texts(ticket), expected);
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(history.len(), 7);
    assert!(node.log().text().contains("messages are lost"));
    node.assert_well().await;
}

/// An older copy is put in place: clients whose cursors lie above what there is start over.
#[tokio::test]
async fn clients_notice_that_the_data_went_back() {
    if only_sqlite("a copy of the file") {
        return;
    }
    let mut node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("kept").await;
    visitor.say("kept as well").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    let copy = parlour_tests::node::folder();
    let file = copy.path().join("parlour.db");
    disk::copy(node.data(), &file).await;
    for number in 0..5 {
        visitor.say(&format!("gone {number}")).await;
    }
    agent.expect(ticket, "gone 4").await;
    node.kill().await;
    let database = database_file(node.data());
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(disk::beside(node.data(), end));
    }
    std::fs::copy(&file, &database).unwrap();
    node.start_again().await;
    for person in [&*visitor, &*agent] {
        person.command(|brain, now| brain.online(now));
        person
            .until("the older history", |brain| {
                let entries = brain.room(ticket)?.entries();
                (entries.len() == 2).then_some(())
            })
            .await;
    }
    visitor.say("new").await;
    agent.expect(ticket, "new").await;
    let expected = ["kept", "kept as well", "new"];
    assert_eq!(visitor.texts(ticket), expected);
    assert_eq!(agent.texts(ticket), expected);
    let history = load::history(&mut office.owner.browser, ticket).await;
    assert_eq!(history.len(), 3);
}
