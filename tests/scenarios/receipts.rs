//! Sent, delivered, read.

use parlour_protocol::client::Tick;
use parlour_protocol::{ClientFrame, Id};
use parlour_tests::actor::Actor;
use parlour_tests::{Node, Office, Visitor, Wire};

async fn expect_tick(actor: &Actor, room: Id, cid: Id, tick: Tick) {
    let me = actor.id();
    actor
        .until(&format!("{tick:?}"), |brain| {
            let room = brain.room(room)?;
            let event = room.entries().iter().find(|event| event.cid == cid)?;
            (room.tick_of(event, me) == tick).then_some(())
        })
        .await;
}

#[tokio::test]
async fn receipts_go_from_sent_to_delivered_to_read_both_ways() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let question = visitor.entries(ticket)[0].cid;
    expect_tick(&visitor, ticket, question, Tick::Sent).await;

    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    expect_tick(&visitor, ticket, question, Tick::Delivered).await;
    agent.reads(ticket);
    expect_tick(&visitor, ticket, question, Tick::Read).await;

    let answer = agent.say_in(ticket, "hello yourself").await;
    expect_tick(&agent, ticket, answer, Tick::Delivered).await;
    visitor.reads(ticket);
    expect_tick(&agent, ticket, answer, Tick::Read).await;
}

/// A ticket that the agent has only as a row of her list is delivered as well.
#[tokio::test]
async fn a_row_of_a_list_delivers() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let row = agent
        .expect_row(ticket, "the ticket", |row| row.position == 1)
        .await;
    agent.command(|brain, now| brain.delivered(ticket, row.position, now));
    let cid = visitor.entries(ticket)[0].cid;
    expect_tick(&visitor, ticket, cid, Tick::Delivered).await;
}

/// Marks survive a restart, never go back, and never lie above what there is.
#[tokio::test]
async fn marks_only_move_forward() {
    let mut node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("one").await;
    visitor.say("two").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.reads(ticket);
    let agent_id = agent.id();
    let second = visitor.entries(ticket)[1].cid;
    expect_tick(&visitor, ticket, second, Tick::Read).await;

    let mut wire = Wire::of(&visitor).await;
    wire.send(&ClientFrame::Join {
        room: ticket,
        after: None,
    })
    .await;
    wire.send(&ClientFrame::Receipt {
        room: ticket,
        delivered: 9_000_000,
        read: u64::MAX,
    })
    .await;
    wire.send(&ClientFrame::Receipt {
        room: ticket,
        delivered: 1,
        read: 1,
    })
    .await;
    wire.sentinel().await;
    let me = visitor.id();
    agent
        .until("the visitor's marks", |brain| {
            let marks = brain.room(ticket)?.marks();
            let mark = marks.iter().find(|mark| mark.member == me)?;
            assert!(mark.read <= 2 && mark.delivered <= 2, "{mark:?}");
            (mark.read == 2).then_some(())
        })
        .await;

    node.restart().await;
    let visitor = visitor.reload().await;
    let marks = visitor
        .until("the agent's marks", |brain| {
            brain
                .room(ticket)?
                .marks()
                .iter()
                .find(|mark| mark.member == agent_id)
                .copied()
        })
        .await;
    assert_eq!((marks.delivered, marks.read), (2, 2));
}

/// A visitor's page never shows marks of people that she has nothing to do with.
#[tokio::test]
async fn a_receipt_for_a_foreign_room_moves_nothing() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("private").await;
    let stranger = Visitor::arrive(&node, &office.site).await;
    let mut wire = Wire::of(&stranger).await;
    wire.send(&ClientFrame::Receipt {
        room: ticket,
        delivered: 1,
        read: 1,
    })
    .await;
    wire.error().await;
    visitor.say("still here").await;
    wire.sentinel().await;
    assert!(!wire.received.contains("still here"));
    let marks = visitor
        .until("the room", |brain| {
            Some(brain.room(ticket)?.marks().to_vec())
        })
        .await;
    assert!(
        marks.iter().all(|mark| mark.member != stranger.id()),
        "{marks:?}"
    );
}
