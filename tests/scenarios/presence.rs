//! Who is there, and who types.

use parlour_protocol::frame::Availability;
use parlour_tests::{Node, Office, Visitor};

#[tokio::test]
async fn each_sees_whether_the_other_is_there() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("anybody there?").await;
    visitor
        .expect_presence(office.owner.id, Availability::Offline)
        .await;

    let agent = office.owner.dashboard().await;
    visitor
        .expect_presence(agent.id(), Availability::Online)
        .await;
    agent.join(ticket).await;
    agent
        .expect_presence_in(ticket, visitor.id(), Availability::Online)
        .await;

    agent.command(|brain, now| brain.active(false, now));
    visitor
        .expect_presence(agent.id(), Availability::Away)
        .await;
    agent.command(|brain, now| brain.active(true, now));
    visitor
        .expect_presence(agent.id(), Availability::Online)
        .await;
}

/// Offline within 16 s of the last tab's close; with one tab left she stays online.
#[tokio::test]
async fn the_last_tab_turns_the_light_off() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let (first, second) = (
        office.owner.dashboard().await,
        office.owner.dashboard().await,
    );
    let agent = first.id();
    visitor.expect_presence(agent, Availability::Online).await;
    first.close();
    second.close();
    let gone = async {
        visitor
            .until_within(std::time::Duration::from_secs(16), "offline", |brain| {
                brain
                    .people()
                    .iter()
                    .any(|known| known.who.id == agent && known.state == Availability::Offline)
                    .then_some(())
            })
            .await;
    };
    gone.await;
}

/// A reload must not flicker: she goes and comes within the grace, and nobody hears of it.
#[tokio::test]
async fn a_reload_does_not_flicker() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let agent = office.owner.dashboard().await;
    visitor
        .expect_presence(agent.id(), Availability::Online)
        .await;
    let ticket = visitor.open("hello").await;
    let before = visitor.received();
    agent.close();
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    agent.say_in(ticket, "back").await;
    visitor.expect("back").await;
    let heard = visitor.received();
    assert!(
        !heard[before.len()..].contains("\"offline\""),
        "{}",
        &heard[before.len()..]
    );
}

#[tokio::test]
async fn typing_is_seen_and_ends() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;

    visitor.types(ticket);
    agent.expect_typing(ticket, visitor.id(), true).await;
    visitor.say("a question").await;
    agent.expect(ticket, "a question").await;
    agent.expect_typing(ticket, visitor.id(), false).await;

    agent.types(ticket);
    visitor.expect_typing(ticket, agent.id(), true).await;
    agent.stops_typing(ticket);
    visitor.expect_typing(ticket, agent.id(), false).await;
}

/// Whoever types and vanishes is shown for 6 s at most.
#[tokio::test]
async fn typing_expires_when_the_other_is_cut_off() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    visitor.types(ticket);
    agent.expect_typing(ticket, visitor.id(), true).await;
    let who = visitor.id();
    visitor.cut().await;
    agent.expect_typing(ticket, who, false).await;
}

/// Three people: everybody sees the other two.
#[tokio::test]
async fn two_agents_and_a_visitor_see_one_another() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let anna = office.invite("Anna", "agent").await.dashboard().await;
    let mut olivia = office.owner.dashboard().await;
    let mut anna = anna;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let staff = olivia.enter(ticket).await;
    assert_eq!(anna.enter(ticket).await, staff);

    visitor.say("from the visitor").await;
    olivia.say_in(ticket, "from Olivia").await;
    anna.expect(ticket, "from Olivia").await;
    anna.reads(ticket);
    anna.say_in(ticket, "from Anna").await;
    for text in ["from the visitor", "from Olivia", "from Anna"] {
        visitor.expect(text).await;
        olivia.expect(ticket, text).await;
        anna.expect(ticket, text).await;
    }
    assert_eq!(olivia.texts(ticket), visitor.texts(ticket));
    assert_eq!(anna.texts(ticket), visitor.texts(ticket));

    for (typer, others) in [
        (&*visitor, [&*olivia, &*anna]),
        (&*olivia, [&*visitor, &*anna]),
        (&*anna, [&*olivia, &*visitor]),
    ] {
        typer.types(ticket);
        for other in others {
            other.expect_typing(ticket, typer.id(), true).await;
        }
        typer.stops_typing(ticket);
        for other in others {
            other.expect_typing(ticket, typer.id(), false).await;
        }
    }
    olivia
        .expect_presence(anna.id(), Availability::Online)
        .await;
    anna.expect_presence(olivia.id(), Availability::Online)
        .await;
    visitor
        .expect_presence(anna.id(), Availability::Online)
        .await;
    visitor
        .expect_presence(olivia.id(), Availability::Online)
        .await;
    for agent in [&olivia, &anna] {
        agent
            .expect_presence_in(ticket, visitor.id(), Availability::Online)
            .await;
    }

    // What agents write among themselves, the other agent sees.
    olivia.say_in(staff, "careful with this one").await;
    anna.expect(staff, "careful with this one").await;
}
