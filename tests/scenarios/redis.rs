//! One node and its Redis: absent, gone, back, and what is subscribed there.

use parlour_tests::command::parlour;
use parlour_tests::{Node, Office, Redis, Visitor, redis};

/// The node's own readers never wait for it, whatever becomes of it.
#[tokio::test]
async fn a_node_serves_without_its_redis_and_recovers_without_a_restart() {
    let mut redis = Redis::stopped();
    let node = Node::with().set("REDIS_URL", redis.url()).start().await;
    redis::expect(&node, "down").await;
    let sentence = |line: &str| {
        line.contains("Redis (REDIS_URL) does not answer")
            .then_some(())
    };
    assert!(node.log().wait(0, sentence).await.is_some());
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("without").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;
    visitor.say("still without").await;
    agent.expect(ticket, "still without").await;

    for round in 0..2 {
        redis.start_again().await;
        redis::expect(&node, "up").await;
        let text = format!("with {round}");
        visitor.say(&text).await;
        agent.expect(ticket, &text).await;
        redis.kill().await;
        let text = format!("gone {round}");
        visitor.say(&text).await;
        agent.expect(ticket, &text).await;
        redis::expect(&node, "down").await;
    }

    redis.start_again().await;
    redis::expect(&node, "up").await;
    redis.freeze().await;
    visitor.say("frozen").await;
    agent.expect(ticket, "frozen").await;
    let late = office.owner.dashboard().await;
    late.join(ticket).await;
    redis::expect(&node, "down").await;
    redis.thaw().await;
    redis::expect(&node, "up").await;
    assert_eq!(agent.texts(ticket), visitor.texts(ticket));
    assert_eq!(late.texts(ticket), visitor.texts(ticket));
    let told = node.log().lines();
    let told = told.iter().filter(|line| sentence(line).is_some()).count();
    assert_eq!(told, 4, "each loss is told once:\n{}", node.log().text());
}

/// A channel for each topic that has readers here, and no longer; and the one of the nodes.
#[tokio::test]
async fn what_is_subscribed_follows_the_readers() {
    let redis = Redis::start().await;
    let node = Node::with()
        .set("REDIS_URL", redis.url())
        .set("PARLOUR_REDIS_PREFIX", "test-7:")
        .unlimited()
        .start()
        .await;
    redis::expect(&node, "up").await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    redis.expect_channels(3).await;
    let ticket = visitor.open("hello").await;
    redis.expect_channels(4).await;
    let channels = redis.command("PUBSUB CHANNELS").await;
    assert_eq!(channels.matches("test-7:").count(), 4, "{channels}");
    let second = visitor.second_tab().await;
    second.join(ticket).await;
    redis.expect_channels(4).await;
    let agent = office.owner.dashboard().await;
    redis.expect_channels(6).await;
    agent.join(ticket).await;
    for _ in 0..20 {
        agent.leave(ticket);
        agent.join(ticket).await;
    }
    visitor.close();
    second.close();
    redis.expect_channels(5).await;
    agent.leave(ticket);
    redis.expect_channels(4).await;
    agent.close();
    redis.expect_channels(1).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_one_sentence_without_the_password() {
    let folder = parlour_tests::node::folder();
    for address in ["rdis://:geheim@host", "geheim", "http://:geheim@host"] {
        let outcome = parlour(&["serve"], folder.path(), &[("REDIS_URL", address)]).await;
        let sentence = outcome.sentence();
        assert!(
            sentence.contains("REDIS_URL") && sentence.contains("redis://127.0.0.1:6379"),
            "{sentence}"
        );
        assert!(!sentence.contains("geheim"), "{sentence}");
    }
}

/// A Redis that lets nobody in, and one whose user may not do all that is needed: said once, and
/// mended without a restart.
#[tokio::test]
async fn a_redis_without_permission_is_one_sentence_and_mended_without_a_restart() {
    let redis = Redis::start().await;
    let node = Node::with().set("REDIS_URL", redis.url()).start().await;
    redis::expect(&node, "up").await;
    let refused = |line: &str| {
        line.contains("Redis (REDIS_URL) refuses this node")
            .then_some(())
    };
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("allowed").await;
    let agent = office.owner.dashboard().await;
    agent.join(ticket).await;

    for (round, denied) in ["-publish", "-subscribe", "nopass resetchannels"]
        .into_iter()
        .enumerate()
    {
        let from = node.log().lines().len();
        let denies = format!("ACL SETUSER default {denied}");
        assert_eq!(redis.command(&denies).await, "+OK");
        // Whoever is connected notices it at her next command.
        redis.command("CLIENT KILL TYPE pubsub").await;

        assert!(node.log().wait(from, refused).await.is_some(), "{denied}");
        redis::expect(&node, "down").await;
        let text = format!("refused {round}");
        visitor.say(&text).await;
        agent.expect(ticket, &text).await;
        let allows = "ACL SETUSER default on nopass +@all allkeys allchannels";
        assert_eq!(redis.command(allows).await, "+OK");
        redis::expect(&node, "up").await;
        let told = node.log().lines();
        let told = told.iter().filter(|line| refused(line).is_some()).count();
        assert_eq!(told, round + 1, "{}", node.log().text());
    }
    assert_eq!(agent.texts(ticket), visitor.texts(ticket));
}
