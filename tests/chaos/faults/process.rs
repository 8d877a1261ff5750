//! What happens to a server's process: killed, stopped, frozen.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlour_protocol::client::Link;
use parlour_tests::node::signal;
use parlour_tests::proxy::Target;
use parlour_tests::stage::Stage;
use parlour_tests::{Node, Visitor};

use super::{CACHES, nowhere};
use crate::fault::{Fault, Ground, Outcome, Resources, seconds};
use crate::setting::Setting;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "crash",
            limit: "ready in 2 s, clients back in 5 s; whole: 100 kills and 100,000 acknowledgements",
            excluded: nowhere,
            run: |ground| Box::pin(crash(ground)),
        },
        Fault {
            name: "graceful stop",
            limit: "exit 0 within 10 s, sockets closed with 1001 or 1012",
            excluded: nowhere,
            run: |ground| Box::pin(graceful_stop(ground)),
        },
        Fault {
            name: "rolling restart",
            limit: "nobody waits for more than 5 s, sockets closed with 1001 or 1012",
            excluded: alone,
            run: |ground| Box::pin(rolling_restart(ground)),
        },
        Fault {
            name: "freeze",
            limit: "noticed within 2 heartbeats and 2 s, no double send",
            excluded: nowhere,
            run: |ground| Box::pin(freeze(ground)),
        },
    ]
}

/// Two heartbeats of 2 s, and the silence that a client bears beyond them.
const NOTICED: Duration = Duration::from_millis(6_200);
const READY: Duration = Duration::from_secs(2);
const BACK: Duration = Duration::from_secs(5);

/// Starts all nodes again; how long the slowest took.
async fn start_again(nodes: &mut [Node]) -> Duration {
    let begun = Instant::now();
    join_all(nodes.iter_mut().map(Node::start_again)).await;
    begun.elapsed()
}

/// SIGKILL to every node at a random moment.
async fn crash(ground: Ground) -> Outcome {
    let setting = ground.setting;
    let mut stage = Stage::begin(setting.plan().busy()).await;
    let mut outcome = Outcome::default();
    let mut longest = Duration::ZERO;
    stage.goes_on(1_000).await;
    let before = Resources::of(&stage);
    let rounds = setting.rounds(100, 8);
    for round in 0..rounds {
        // Uneven, so that the kills fall on different moments of a transaction.
        stage.goes_on(1_000 + u64::from(round % 7) * 13).await;
        join_all(stage.cluster.nodes_mut().iter_mut().map(Node::kill)).await;
        longest = longest.max(start_again(stage.cluster.nodes_mut()).await);
        outcome.round(stage.recovers().await);
    }
    outcome.limit("ready", longest, READY);
    before.compare(&stage, CACHES, &mut outcome).await;
    let mut outcome = outcome.settle(stage, BACK).await;
    let wanted = u64::from(rounds) * 1_000;
    let enough = outcome.acknowledged() >= wanted;
    outcome.expect(enough, &format!("{wanted} acknowledgements"));
    outcome
}

/// SIGTERM to one node after the other.
async fn graceful_stop(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let mut longest = Duration::ZERO;
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(10, 2) {
        for index in 0..ground.setting.nodes() {
            stage.goes_on(300).await;
            let (status, took) = stage.cluster[index].terminate().await;
            outcome.expect(status.code() == Some(0), &format!("it ended with {status}"));
            longest = longest.max(took);
            stage.cluster[index].start_again().await;
            outcome.round(stage.recovers().await);
        }
    }
    closed_politely(&stage, &mut outcome);
    outcome.limit("ended", longest, Duration::from_secs(10));
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

fn alone(setting: &Setting) -> Option<&'static str> {
    (setting.nodes() < 2).then_some("there is one node, and \"graceful stop\" is its restart")
}

/// One node after the other is stopped and started again, while a balancer sends those who come
/// to another one.
async fn rolling_restart(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan().behind_proxies()).await;
    let mut outcome = Outcome::default();
    let mark = stage.mark();
    for _ in 0..ground.setting.rounds(5, 1) {
        for index in 0..ground.setting.nodes() {
            stage.goes_on(300).await;
            let other = (index + 1) % ground.setting.nodes();
            let other = stage.cluster[other].listens();
            stage.fronts[index].aim(Target::Tcp(other));
            let (status, _) = stage.cluster[index].terminate().await;
            outcome.expect(status.code() == Some(0), &format!("it ended with {status}"));
            outcome.round(stage.recovers().await);
            stage.cluster[index].start_again().await;
        }
    }
    stage.recovers().await;
    closed_politely(&stage, &mut outcome);
    outcome.note("99 of 100 waited", seconds(stage.p99_since(&mark)));
    outcome.limit("waited", stage.longest_since(&mark), BACK);
    outcome.settle(stage, BACK).await
}

fn closed_politely(stage: &Stage, outcome: &mut Outcome) {
    let readers = stage.readers.iter();
    let closes: Vec<u16> = readers
        .flat_map(|reader| reader.look().closes.clone())
        .collect();
    let allowed = closes.iter().all(|code| matches!(code, 1001 | 1012));
    outcome.expect(allowed, &format!("closed with {closes:?}"));
}

/// SIGSTOP for ten heartbeats.
async fn freeze(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let visitor = Visitor::arrive(&stage.cluster[0], &stage.office.site).await;
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    let mut longest = Duration::ZERO;
    for _ in 0..ground.setting.rounds(3, 1) {
        for node in stage.cluster.nodes() {
            signal(node.pid(), "STOP").await;
        }
        let begun = Instant::now();
        let lost =
            |brain: &parlour_protocol::client::Client| (brain.link() != Link::Live).then_some(());
        visitor.until("the loss to be noticed", lost).await;
        longest = longest.max(begun.elapsed());
        let whole = Duration::from_secs(u64::from(ground.setting.rounds(20, 7)));
        tokio::time::sleep(whole.saturating_sub(begun.elapsed())).await;
        for node in stage.cluster.nodes() {
            signal(node.pid(), "CONT").await;
        }
        let begun = Instant::now();
        stage.recovers().await;
        visitor.live().await;
        outcome.round(begun.elapsed());
    }
    outcome.limit("noticed", longest, NOTICED);
    before.compare(&stage, 0, &mut outcome).await;
    outcome.settle(stage, Duration::from_secs(10)).await
}
