//! What happens to Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlour_tests::Node;
use parlour_tests::proxy::{Mode, Proxy};
use parlour_tests::stage::Stage;

use super::{CACHES, without_redis};
use crate::fault::{Fault, Ground, Outcome, Resources};

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "Redis killed",
            limit: "sends acknowledged, p99 under 1 s; caught up within 5 s of its return",
            excluded: without_redis,
            run: |ground| Box::pin(killed(ground)),
        },
        Fault {
            name: "Redis emptied, cut, asleep, stalled",
            limit: "sends acknowledged, p99 under 1 s; caught up within 5 s",
            excluded: without_redis,
            run: |ground| Box::pin(ill(ground)),
        },
        Fault {
            name: "More published than Redis takes",
            limit: "sends acknowledged, p99 under 1 s; caught up within 5 s, also by readers who were closed",
            excluded: without_redis,
            run: |ground| Box::pin(slow(ground)),
        },
    ]
}

const CAUGHT_UP: Duration = Duration::from_secs(5);
const P99: Duration = Duration::from_secs(1);
/// Each way, for 16 KB.
const SLOW: Duration = Duration::from_millis(60);

async fn killed(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    let mut worst = Duration::ZERO;
    for _ in 0..ground.setting.rounds(30, 3) {
        stage.goes_on(50).await;
        let mark = stage.mark();
        stage.cluster.redis().kill().await;
        stage.goes_on(200).await;
        worst = worst.max(stage.p99_since(&mark));
        stage.cluster.redis().start_again().await;
        let begun = Instant::now();
        stage.cluster.expect_redis("up").await;
        stage.catches_up().await;
        outcome.round(begun.elapsed());
    }
    outcome.limit("p99", worst, P99);
    before.compare(&stage, CACHES, &mut outcome).await;
    stage.nobody_was_closed();
    outcome.settle(stage, CAUGHT_UP).await
}

async fn ill(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    let mark = stage.mark();
    for _ in 0..ground.setting.rounds(6, 1) {
        for command in [
            "FLUSHALL",
            "CLIENT KILL TYPE pubsub",
            "CLIENT KILL TYPE normal",
            "DEBUG SLEEP 1.5",
            "CLIENT PAUSE 700 ALL",
        ] {
            stage.goes_on(50).await;
            stage.cluster.redis().command(command).await;
            stage.goes_on(50).await;
            outcome.round(stage.catches_up().await);
        }
        // Nothing is answered, and nothing is closed.
        stage.cluster.redis().freeze().await;
        stage.goes_on(300).await;
        outcome.round(stage.catches_up().await);
        stage.cluster.redis().thaw().await;
        stage.cluster.expect_redis("up").await;
        outcome.round(stage.catches_up().await);
    }
    outcome.limit("p99", stage.p99_since(&mark), P99);
    before.compare(&stage, CACHES, &mut outcome).await;
    stage.nobody_was_closed();
    outcome.settle(stage, CAUGHT_UP).await
}

async fn slow(ground: Ground) -> Outcome {
    let way = Arc::new(Proxy::idle().await);
    let plan = ground.setting.plan().busy().redis_by(&way);
    let stage = Stage::begin(plan).await;
    let mut outcome = Outcome::default();
    stage.cluster.expect_redis("up").await;
    stage.goes_on(1_000).await;
    let mark = stage.mark();
    for _ in 0..ground.setting.rounds(5, 1) {
        way.set(Mode::Delay(SLOW));
        stage.goes_on(5_000).await;
        outcome.round(stage.catches_up().await);
        way.set(Mode::Pass);
        stage.goes_on(1_000).await;
        outcome.round(stage.catches_up().await);
    }
    outcome.limit("p99", stage.p99_since(&mark), P99);
    let dropped = |node: &Node| node.log().text().contains("Redis is slow");
    let nodes = stage.cluster.nodes();
    outcome.expect(nodes.iter().any(dropped), "nothing was dropped");
    let closed = stage
        .readers
        .iter()
        .map(|reader| reader.seen().closes.len());
    outcome.note("readers closed", closed.sum::<usize>());
    outcome.settle(stage, CAUGHT_UP).await
}
