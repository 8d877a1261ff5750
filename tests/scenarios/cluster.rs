//! Two nodes: whoever is on which, all see the same.

use std::time::{Duration, Instant};

use parlour_protocol::frame::{Availability, ErrorCode};
use parlour_protocol::{Id, close};
use parlour_tests::database::indexed;
use parlour_tests::node::Builder;
use parlour_tests::office::team_room;
use parlour_tests::{Browser, Cluster, Node, Request, Visitor, Wire, id};
use serde_json::json;

/// What another node is told arrives within this time.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_visitor_and_her_agent_are_on_different_nodes() {
    let (cluster, office) = Cluster::of(2).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let agent = office.owner.at(&cluster[1]).dashboard().await;
    visitor
        .expect_presence(agent.id(), Availability::Online)
        .await;
    let ticket = visitor.open("is anybody there?").await;
    agent.expect_row(ticket, "the new ticket", |_| true).await;
    agent.join(ticket).await;
    agent
        .expect_presence_in(ticket, visitor.id(), Availability::Online)
        .await;

    visitor.types(ticket);
    agent.expect_typing(ticket, visitor.id(), true).await;
    for round in 0..20 {
        let begun = Instant::now();
        visitor.say(&format!("question {round}")).await;
        agent.expect(ticket, &format!("question {round}")).await;
        agent.say_in(ticket, &format!("answer {round}")).await;
        visitor.expect(&format!("answer {round}")).await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
    agent.expect_typing(ticket, visitor.id(), false).await;
    agent.types(ticket);
    visitor.expect_typing(ticket, agent.id(), true).await;
    visitor.reads(ticket);
    let (who, newest) = (visitor.id(), 41);
    agent
        .until("the visitor's mark", |brain| {
            let marks = &brain.room(ticket)?.state()?.marks;
            marks
                .iter()
                .any(|mark| mark.member == who && mark.read == newest)
                .then_some(())
        })
        .await;
    assert_eq!(agent.texts(ticket), visitor.texts(ticket));
    agent.command(|brain, now| brain.active(false, now));
    visitor
        .expect_presence(agent.id(), Availability::Away)
        .await;
    assert!(visitor.closes().is_empty() && agent.closes().is_empty());
    cluster.assert_well().await;
}

#[tokio::test]
async fn a_visitors_tabs_are_on_different_nodes() {
    let (cluster, office) = Cluster::of(2).await;
    let first = Visitor::arrive(&cluster[0], &office.site).await;
    let second = first.tab_at(&cluster[1]).await;
    let ticket = first.open("from the first").await;
    second
        .until("the ticket", |brain| {
            let mut rooms = brain.rooms().iter();
            rooms.any(|room| room.room == ticket).then_some(())
        })
        .await;
    second.join(ticket).await;
    second.expect_in(ticket, "from the first").await;
    second.say_in(ticket, "from the second").await;
    first.expect("from the second").await;
    assert_eq!(first.texts(ticket), second.texts(ticket));

    // The other node takes her over in the middle of a conversation.
    let agent = office.owner.at(&cluster[1]).dashboard().await;
    agent.join(ticket).await;
    first.moves_to(&cluster[1]).await;
    first.cut().await;
    agent.say_in(ticket, "while she is away").await;
    let cid = first.write("while I am away");
    first.mend();
    first.stored(ticket, cid).await;
    first.expect("while she is away").await;
    agent.expect(ticket, "while I am away").await;
    second.expect_in(ticket, "while I am away").await;
    assert_eq!(first.texts(ticket), agent.texts(ticket));
    assert_eq!(second.texts(ticket), agent.texts(ticket));
}

/// What ends a sign-in, or a membership, on one node closes it on the other within a second.
#[tokio::test]
async fn what_is_taken_on_one_node_is_gone_on_the_other() {
    let (cluster, mut office) = Cluster::of(2).await;
    let anna = office.invite("Anna", "agent").await;
    let room = team_room(&mut office.owner.browser, "Lab", &[anna.id]).await;
    let owner = office.owner.dashboard().await;
    owner.join(room).await;
    let there = anna.at(&cluster[1]).dashboard().await;
    there.join(room).await;
    owner.say_in(room, "all here").await;
    there.expect(room, "all here").await;

    let begun = Instant::now();
    let path = format!("/rooms/{room}/members/{}/remove", anna.id);
    let answer = office.owner.browser.form(&path, &[]).await;
    assert_eq!(answer.status, 303);
    there
        .expect_refusal("the loss of the room", |(code, of, _)| {
            *code == ErrorCode::UnknownRoom && *of == Some(room)
        })
        .await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    owner.say_in(room, "a secret among ourselves").await;
    let path = format!("/rooms/{room}/members");
    let fields = [("agent", anna.id.text())];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(office.owner.browser.form(&path, &fields).await.status, 303);
    owner.say_in(room, "and she is back").await;
    there.expect(room, "and she is back").await;

    let begun = Instant::now();
    let mut here = anna.clone();
    assert_eq!(here.browser.form("/sign-out", &[]).await.status, 303);
    there.expect_close(close::UNAUTHORIZED).await;
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let answer = anna
        .at(&cluster[1])
        .browser
        .call("POST", "/api/v1/token", &json!({}))
        .await;
    assert_eq!(answer.status, 401);
}

/// Offline within 16 s of the last tab's close, wherever it was; a tab on any node counts.
#[tokio::test]
async fn the_last_tab_of_all_nodes_turns_the_light_off() {
    let (cluster, mut office) = Cluster::of(2).await;
    let anna = office.invite("Anna", "agent").await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    // Olivia closes the tab that is in use and keeps the other; Anna closes both of hers.
    let olivia = office.owner.dashboard().await;
    let idle = office.owner.at(&cluster[1]).dashboard().await;
    let both = [
        anna.dashboard().await,
        anna.at(&cluster[1]).dashboard().await,
    ];
    for agent in [office.owner.id, anna.id] {
        visitor.expect_presence(agent, Availability::Online).await;
    }
    idle.command(|brain, now| brain.active(false, now));
    olivia.close();
    for tab in &both {
        tab.close();
    }
    // Whoever comes to another node now learns who is there.
    let late = Visitor::arrive(&cluster[1], &office.site).await;
    let before = late.received();
    assert!(before.contains("\"online\"") && !before.contains("\"offline\""));
    for person in [&visitor, &late] {
        for (agent, state) in [
            (office.owner.id, Availability::Away),
            (anna.id, Availability::Offline),
        ] {
            person
                .until_within(Duration::from_secs(16), "the end of the grace", |brain| {
                    let people = brain.people();
                    people
                        .iter()
                        .any(|known| known.who.id == agent && known.state == state)
                        .then_some(())
                })
                .await;
        }
    }
}

/// The same while the nodes cannot hear one another: the database tells of it, more slowly.
#[tokio::test]
async fn without_redis_what_is_taken_is_gone_all_the_same() {
    let (mut cluster, mut office) = Cluster::of(2).await;
    let anna = office.invite("Anna", "agent").await;
    let lab = team_room(&mut office.owner.browser, "Lab", &[anna.id]).await;
    let there = anna.at(&cluster[1]).dashboard().await;
    there.join(lab).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let tab = visitor.tab_at(&cluster[1]).await;
    cluster.redis().kill().await;
    cluster.expect_redis("down").await;

    let owner = office.owner.dashboard().await;
    owner.join(lab).await;
    owner.say_in(lab, "all here").await;
    there.expect(lab, "all here").await;
    let path = format!("/rooms/{lab}/members/{}/remove", anna.id);
    let answer = office.owner.browser.form(&path, &[]).await;
    assert_eq!(answer.status, 303);
    there
        .expect_refusal("the loss of the room", |(code, of, _)| {
            *code == ErrorCode::UnknownRoom && *of == Some(lab)
        })
        .await;

    let ticket = visitor.open("from one tab").await;
    tab.until("the ticket in the other", |brain| {
        let mut rooms = brain.rooms().iter();
        rooms.any(|room| room.room == ticket).then_some(())
    })
    .await;

    let mut here = anna.clone();
    assert_eq!(here.browser.form("/sign-out", &[]).await.status, 303);
    there.expect_close(close::UNAUTHORIZED).await;
}

/// A tab on another node is no second allowance; without Redis each node counts for itself.
#[tokio::test]
async fn messages_are_counted_over_all_nodes() {
    let slow = |node: Builder| {
        node.set("PARLOUR_SEND_RATE", 1)
            .set("PARLOUR_SEND_BURST", 6)
    };
    let (mut cluster, office) = Cluster::with(2, slow).await;
    let visitor = Visitor::arrive(&cluster[0], &office.site).await;
    let other = visitor.tab_at(&cluster[1]).await;
    let (mut here, mut there) = (Wire::of(&visitor).await, Wire::of(&other).await);
    let ticket = id();
    here.say(ticket, &batch_of(5), true).await;
    here.ack().await;
    there.say(ticket, &batch_of(4), false).await;
    let (code, retry, _) = there.error().await;
    assert_eq!((code, retry), (ErrorCode::TooFast, true));

    cluster.redis().kill().await;
    cluster.expect_redis("down").await;
    let fresh = Visitor::arrive(&cluster[1], &office.site).await;
    let mut wire = Wire::of(&fresh).await;
    wire.say(id(), &batch_of(6), true).await;
    wire.ack().await;
    wire.say(ticket, &batch_of(4), false).await;
    assert_eq!(wire.error().await.0, ErrorCode::TooFast);
}

/// Another node is no second allowance for an address that asks for sessions.
#[tokio::test]
async fn sessions_are_counted_over_all_nodes() {
    let slow = |node: Builder| {
        node.set("PARLOUR_SESSION_RATE", 1)
            .set("PARLOUR_SESSION_BURST", 40)
    };
    let (mut cluster, office) = Cluster::with(2, slow).await;
    let ask = async |node: &Node| {
        let body = json!({ "site": office.site.key });
        let asked = Request::post("/api/v1/sessions").header("origin", &office.site.origin);
        asked.json(&body).send(node.address()).await.status
    };
    let mut granted = 0;
    while ask(&cluster[granted % 2]).await == 200 {
        granted += 1;
    }
    assert!((40..60).contains(&granted), "{granted}");
    // Each of them would have granted twenty more.
    assert_eq!([ask(&cluster[0]).await, ask(&cluster[1]).await], [429, 429]);
    cluster.redis().kill().await;
    cluster.expect_redis("down").await;
    assert_eq!([ask(&cluster[0]).await, ask(&cluster[1]).await], [200, 200]);
}

/// Another node is no second set of guesses at a password.
#[tokio::test]
async fn failed_sign_ins_are_counted_over_all_nodes() {
    const MOST: usize = 8;
    let strict = |node: Builder| node.set("PARLOUR_SIGN_IN_FAILURES", MOST);
    let (mut cluster, office) = Cluster::with(2, strict).await;
    let guess = async |node: &Node| {
        let mut browser = Browser::new(node.address());
        let form = [
            ("email", office.owner.email.as_str()),
            ("password", "a wrong guess"),
        ];
        browser.form("/sign-in", &form).await.status
    };
    for _ in 0..MOST {
        assert_eq!(guess(&cluster[0]).await, 401);
    }
    // What the first has said may be on its way for the first guesses here.
    let mut guesses = 0;
    while guess(&cluster[1]).await == 401 {
        guesses += 1;
    }
    assert!(guesses < MOST / 2, "{guesses}");
    // What was heard stays when Redis is gone.
    cluster.redis().kill().await;
    cluster.expect_redis("down").await;
    assert_eq!(
        [guess(&cluster[0]).await, guess(&cluster[1]).await],
        [429, 429]
    );
}

fn batch_of(count: usize) -> Vec<(Id, &'static str)> {
    (0..count).map(|_| (id(), "x")).collect()
}

/// One node indexes at a time, and whichever it is, nothing is left out or doubled.
#[tokio::test]
async fn two_nodes_index_what_both_have_taken() {
    let (cluster, mut office) = Cluster::of(2).await;
    let mut said = 0;
    let mut visitors = Vec::new();
    for index in 0..4 {
        let visitor = Visitor::arrive(&cluster[index % 2], &office.site).await;
        let _ = visitor.open("needle 0").await;
        visitors.push(visitor);
        said += 1;
    }
    for round in 1..=150 {
        for visitor in &visitors {
            let _ = visitor.write(&format!("needle {round}"));
            said += 1;
        }
        if round % 50 == 0 {
            for visitor in &visitors {
                let _ = visitor.say("a pause").await;
                said += 1;
            }
        }
    }
    assert_eq!(indexed(cluster[0].data()).await, said);
    for (question, count) in [
        ("%22needle+77%22", 4),
        ("%22needle+150%22", 4),
        ("pause", 12),
    ] {
        let path = format!("/api/v1/search?q={question}");
        let answer = office.owner.browser.read(&path).await.expect(200).json();
        assert_eq!(
            answer["messages"].as_array().unwrap().len(),
            count,
            "{question}"
        );
    }
    cluster.assert_well().await;
}

/// What a node keeps of the end of the index is worth nothing once another one has added to it.
#[tokio::test]
async fn a_node_adds_to_what_another_has_indexed() {
    let (cluster, mut office) = Cluster::of(2).await;
    let first = Visitor::arrive(&cluster[0], &office.site).await;
    let second = Visitor::arrive(&cluster[1], &office.site).await;
    let _ = first.open("lamp of the first").await;
    assert_eq!(indexed(cluster[0].data()).await, 1);
    let _ = second.open("lamp of the second").await;
    assert_eq!(indexed(cluster[0].data()).await, 2);
    let _ = first.say("lamp again").await;
    assert_eq!(indexed(cluster[0].data()).await, 3);
    let path = "/api/v1/search?q=lamp";
    let answer = office.owner.browser.read(path).await.expect(200).json();
    assert_eq!(answer["messages"].as_array().unwrap().len(), 3, "{answer}");
    cluster.assert_well().await;
}
