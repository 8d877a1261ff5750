//! Two nodes under stage, and what they stand on taken away: nothing is lost, nothing is doubled,
//! and every reader on every node is shown the same, in the same order.

use std::time::Duration;

use parlour_tests::stage::{Plan, Stage};

async fn two_nodes() -> Stage {
    Stage::begin(Plan::new(2, true)).await
}

/// Ends, and compares everything with everything.
async fn settle(mut stage: Stage) {
    let settled = stage.settle().await;
    settled.findings.assert_none();
    println!("{} acknowledged", settled.acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_die_and_come_back() {
    let mut stage = two_nodes().await;
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        stage.goes_on(200).await;
        stage.cluster.redis().kill().await;
        stage.goes_on(300).await;
        stage.cluster.redis().start_again().await;
        longest = longest.max(stage.catches_up().await);
        stage.cluster.expect_redis("up").await;
    }
    stage.nobody_was_closed();
    println!("caught up within {longest:?}");
    settle(stage).await;
}

/// Frozen, emptied, and its connections cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_ill() {
    let mut stage = two_nodes().await;
    stage.goes_on(200).await;
    stage.cluster.redis().freeze().await;
    stage.goes_on(300).await;
    stage.catches_up().await;
    stage.cluster.redis().thaw().await;
    stage.catches_up().await;
    for command in [
        "FLUSHALL",
        "CLIENT KILL TYPE pubsub",
        "CLIENT KILL TYPE normal",
        "DEBUG SLEEP 1.5",
        "CLIENT PAUSE 700 ALL",
    ] {
        stage.goes_on(100).await;
        stage.cluster.redis().command(command).await;
        stage.goes_on(100).await;
        stage.catches_up().await;
    }
    stage.cluster.expect_redis("up").await;
    stage.nobody_was_closed();
    settle(stage).await;
}

/// The readers of the node that stays are shown everything; those of the other come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_may_die() {
    let mut stage = two_nodes().await;
    for index in [1, 0, 1] {
        stage.goes_on(300).await;
        stage.cluster[index].kill().await;
        stage.goes_on(200).await;
        stage.cluster[index].start_again().await;
        stage.goes_on(200).await;
        stage.catches_up().await;
    }
    settle(stage).await;
}
