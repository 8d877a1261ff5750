//! Rooms in which somebody writes are known to the node: nothing that happens beside it is missed.

use futures_util::future::join_all;
use parlour_protocol::Id;
use parlour_protocol::frame::ErrorCode;
use parlour_tests::office::staff_room;
use parlour_tests::{Cluster, Node, Office, Visitor, Wire, id};
use serde_json::json;

/// Writes in a room; for each message its number, and whether it was there before.
async fn write(wire: &mut Wire, room: Id, messages: &[(Id, &str)]) -> Vec<(u64, bool)> {
    wire.say_after(room, 1_000, messages, false).await;
    let acks = wire.ack().await;
    acks.iter().map(|ack| (ack.seq, ack.dup)).collect()
}

#[tokio::test]
async fn what_comes_again_keeps_its_number() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    let mut wire = Wire::of(&visitor).await;
    let cids: Vec<Id> = (0..5).map(|_| id()).collect();
    for (seq, cid) in (2..).zip(&cids) {
        let acks = write(&mut wire, ticket, &[(*cid, "more")]).await;
        assert_eq!(acks, [(seq, false)]);
    }
    let again = (cids[1], "more");
    assert_eq!(write(&mut wire, ticket, &[again]).await, [(3, true)]);
    let fresh = (id(), "and more");
    assert_eq!(
        write(&mut wire, ticket, &[fresh, again]).await,
        [(7, false), (3, true)]
    );
    wire.say(ticket, &[(id(), "good"), (cids[4], "another text")], false)
        .await;
    assert_eq!(
        wire.error().await,
        (ErrorCode::Conflict, false, Some(cids[4]))
    );
    assert_eq!(write(&mut wire, ticket, &[(id(), "x")]).await, [(8, false)]);
}

/// What comes again does not open a ticket that was resolved since; something new does.
#[tokio::test]
async fn a_state_that_changes_between_two_messages_is_seen() {
    let (cluster, mut office) = Cluster::of(2).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let ticket = visitor.open("one").await;
    let mut wire = Wire::of(&visitor).await;
    let path = format!("/api/v1/tickets/{ticket}");
    let mut elsewhere = office.owner.at(&cluster[1]);
    let mut seq = 1;
    for browser in [&mut office.owner.browser, &mut elsewhere.browser] {
        let message = (id(), "more");
        seq += 1;
        assert_eq!(write(&mut wire, ticket, &[message]).await, [(seq, false)]);
        let resolve = json!({ "state": "resolved" });
        let _ = browser.call("PATCH", &path, &resolve).await.expect(200);
        assert_eq!(write(&mut wire, ticket, &[message]).await, [(seq, true)]);
        // After what tells of the end, and what tells of the beginning.
        seq += 3;
        let acks = write(&mut wire, ticket, &[(id(), "it is not done")]).await;
        assert_eq!(acks, [(seq, false)]);
    }
}

/// Two nodes write in one ticket by turns and both at once, in both of its rooms: each number is
/// given once, whatever a node believed, and what comes again is known on the other node.
#[tokio::test]
async fn two_nodes_write_in_one_room() {
    let (cluster, mut office) = Cluster::of(2).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let ticket = visitor.open("one").await;
    let staff = staff_room(&mut office.owner.browser, ticket).await;
    let second = visitor.tab_at(&cluster[1]).await;
    let mut wires = [Wire::of(&visitor).await, Wire::of(&second).await];
    let mut agent = office.owner.at(&cluster[1]).wire().await;
    let (mut seq, mut notes) = (1, 0);
    // Turns of different lengths, so that a node writes again where it has been alone, and where not.
    for turn in [1, 1, 3, 1, 4, 2, 2, 1, 3, 5] {
        for wire in &mut wires {
            let mut last = None;
            for _ in 0..turn {
                let message = (id(), "more");
                seq += 1;
                assert_eq!(write(wire, ticket, &[message]).await, [(seq, false)]);
                last = Some(message);
            }
            notes += 1;
            let note = write(&mut agent, staff, &[(id(), "a note")]).await;
            assert_eq!(note, [(notes, false)]);
            let again = last.expect("a message");
            assert_eq!(write(wire, ticket, &[again]).await, [(seq, true)]);
        }
        wires.reverse();
        for wire in &mut wires {
            wire.say(ticket, &[(id(), "at once")], false).await;
        }
        let mut both = [wires[0].ack().await[0].seq, wires[1].ack().await[0].seq];
        both.sort_unstable();
        assert_eq!(both, [seq + 1, seq + 2]);
        seq += 2;
    }
    cluster.assert_well().await;
}

/// Whatever is written in one transaction with messages that are all refused is written all the same.
#[tokio::test]
async fn what_is_refused_leaves_alone_what_is_written_beside_it() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let stranger = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    let path = format!("/api/v1/tickets/{ticket}");
    let mut wires = Vec::new();
    for _ in 0..4 {
        wires.push(Wire::of(&stranger).await);
    }
    for turn in 0..20 {
        let refused = wires.iter_mut().map(|wire| async move {
            for _ in 0..4 {
                wire.say(ticket, &[(id(), "mine?")], false).await;
                assert_eq!(wire.error().await.0, ErrorCode::UnknownRoom);
            }
        });
        let state = ["resolved", "open"][turn % 2];
        let browser = &mut office.owner.browser;
        let change = async {
            let change = json!({ "state": state });
            let _ = browser.call("PATCH", &path, &change).await.expect(200);
        };
        tokio::join!(join_all(refused), change);
    }
    let mut wire = Wire::of(&visitor).await;
    wire.say(ticket, &[(id(), "more")], false).await;
    assert_eq!(wire.ack().await.len(), 1);
    node.assert_well().await;
}
