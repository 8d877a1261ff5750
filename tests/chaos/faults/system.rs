//! What the system and its owner do: too few descriptors, a clock that jumps, starts that are
//! interrupted, and a second server.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parlour_protocol::limits::MAX_FRAME;
use parlour_tests::command::parlour;
use parlour_tests::stage::{Plan, Stage};
use parlour_tests::talk::Talk;
use parlour_tests::wire::raw;
use parlour_tests::{Node, Visitor, Wire, http, load, within};

use super::{CACHES, nowhere, on_postgres};
use crate::fault::{Fault, Ground, Outcome, Resources};
use crate::setting::Setting;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "no descriptors",
            limit: "who is there goes on, others wait or are refused; no spinning; back within 5 s",
            excluded: nowhere,
            run: |ground| Box::pin(no_descriptors(ground)),
        },
        Fault {
            name: "no memory",
            limit: "32 MiB more, and a crowd that fills them: it ends, 0 acknowledged lost; started again it is back within 5 s",
            excluded: nowhere,
            run: |ground| Box::pin(no_memory(ground)),
        },
        Fault {
            name: "clock jumps",
            limit: "a day forward, a day back: order by number, timers go on",
            excluded: without_clock,
            run: |ground| Box::pin(clock(ground)),
        },
        Fault {
            name: "migration interrupted",
            limit: "SIGKILL during the first start, whole 20 times: the next start completes",
            excluded: nowhere,
            run: |ground| Box::pin(interrupted(ground)),
        },
        Fault {
            name: "two servers, one file",
            limit: "the second refuses with a sentence; the command line may read",
            excluded: on_postgres_many,
            run: |ground| Box::pin(two_servers(ground)),
        },
    ]
}

const BACK: Duration = Duration::from_secs(5);

fn on_postgres_many(setting: &Setting) -> Option<&'static str> {
    on_postgres(setting).map(|_| "PostgreSQL is there for many nodes")
}

async fn no_descriptors(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let mut spent = Duration::ZERO;
    for _ in 0..ground.setting.rounds(10, 2) {
        let mut held = Vec::new();
        for node in stage.cluster.nodes() {
            node.limit(&format!("--nofile={}:", node.descriptors() + 8))
                .await;
            for _ in 0..40 {
                held.extend(http::connect(node.address(), None).await);
            }
        }
        let node = &stage.cluster[0];
        let cpu = node.cpu();
        tokio::time::sleep(Duration::from_secs(1)).await;
        spent = spent.max(node.cpu() - cpu);
        stage.goes_on(100).await;
        drop(held);
        for node in stage.cluster.nodes() {
            node.limit("--nofile=4096:").await;
        }
        let begun = std::time::Instant::now();
        for node in stage.cluster.nodes() {
            node.assert_well().await;
        }
        stage.recovers().await;
        outcome.round(begun.elapsed());
    }
    outcome.limit("processor time in 1 s", spent, Duration::from_millis(900));
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// Connections that each leave a long message unfinished, until the memory that a node may have is
/// full. A Rust program to which memory is refused ends, as by SIGKILL; whoever watches over it
/// starts it again.
async fn no_memory(ground: Ground) -> Outcome {
    const MORE: u64 = 32 * 1024 * 1024;
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let visitor = Visitor::arrive(&stage.cluster[0], &stage.office.site).await;
    visitor.close();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let mut most = 0;
    for _ in 0..ground.setting.rounds(10, 2) {
        stage.goes_on(100).await;
        let node = &mut stage.cluster[0];
        let limit = node.reserved() + MORE;
        node.limit(&format!("--data={limit}:")).await;
        let crowd = unfinished(&visitor).await;
        let ended = within("the end of the server", async {
            loop {
                if let Some(status) = node.ended() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let signal = ended.await.signal();
        outcome.expect(
            signal == Some(libc::SIGABRT),
            &format!("it ended by {signal:?}"),
        );
        most = most.max(crowd.len());
        drop(crowd);
        node.start_again().await;
        outcome.round(stage.recovers().await);
    }
    outcome.note("connections", most);
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// As many as the node takes, each of almost as many bytes as a message may come in.
async fn unfinished(visitor: &Visitor) -> Vec<Wire> {
    let piece = vec![b' '; MAX_FRAME - 16];
    let pieces = [0x01, 0x00, 0x00]
        .map(|code| raw::frame(code, &piece))
        .concat();
    let mut crowd = Vec::new();
    while crowd.len() < 2_000 {
        let Ok(mut wire) = Wire::try_open("unfinished", visitor.upgrade(), BACK).await else {
            break;
        };
        wire.bytes(&pieces).await;
        crowd.push(wire);
    }
    crowd
}

/// The library that gives a process a clock of its own.
fn clock_library() -> Option<PathBuf> {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(|machine| {
        Path::new("/usr/lib")
            .join(machine)
            .join("faketime/libfaketimeMT.so.1")
    });
    folders.into_iter().find(|path| path.is_file())
}

fn without_clock(_: &Setting) -> Option<&'static str> {
    clock_library()
        .is_none()
        .then_some("libfaketime is not installed")
}

/// The wall clock jumps on every node; the clients' stays.
async fn clock(ground: Ground) -> Outcome {
    let library = clock_library().expect("libfaketime");
    let file = ground.scratch.join("clock");
    let jump = |to: &str| std::fs::write(&file, to).unwrap();
    jump("+0d");
    let setting = ground.setting;
    let mut talk = Talk::begin(setting.nodes(), setting.redis, |_, node| {
        node.set("LD_PRELOAD", library.display())
            .set("FAKETIME_TIMESTAMP_FILE", file.display())
            .set("FAKETIME_NO_CACHE", 1)
            .set("FAKETIME_DONT_FAKE_MONOTONIC", 1)
            .set("DONT_FAKE_MONOTONIC", 1)
    })
    .await;
    let mut outcome = Outcome::default();
    for to in ["+1d", "+0d", "-1d", "+0d"].repeat(setting.rounds(5, 1) as usize) {
        talk.goes_on().await;
        jump(to);
        let begun = std::time::Instant::now();
        talk.goes_on().await;
        // Two heartbeats later everybody is still there, or there again.
        tokio::time::sleep(Duration::from_secs(4)).await;
        talk.comes_back().await;
        talk.goes_on().await;
        outcome.round(begun.elapsed().saturating_sub(Duration::from_secs(4)));
    }
    let history = load::history(&mut talk.office.owner.browser, talk.ticket).await;
    let forward = history.windows(2).all(|pair| pair[0].at < pair[1].at);
    outcome.expect(
        forward,
        "a time stands before the one of the entry above it",
    );
    outcome.take(talk.settle().await);
    outcome
}

/// Killed in the middle of the first start, when everything is made.
async fn interrupted(ground: Ground) -> Outcome {
    let mut outcome = Outcome::default();
    let rounds = ground.setting.rounds(20, 5);
    for round in 0..rounds {
        let mut node = Node::with().unlimited().stopped();
        let delay = u64::from(5 + round * 120 / rounds);
        node.start_and_kill_after(Duration::from_millis(delay))
            .await;
        let begun = std::time::Instant::now();
        node.start_again().await;
        outcome.round(begun.elapsed());
        node.assert_well().await;
        drop(node);
    }
    // One of them works.
    let redis = ground.setting.redis;
    let mut stage = Stage::begin(Plan::new(1, redis)).await;
    stage.goes_on(50).await;
    outcome.take(stage.settle().await);
    outcome
}

async fn two_servers(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    for _ in 0..ground.setting.rounds(10, 2) {
        stage.goes_on(50).await;
        let data = stage.cluster[0].data();
        let second = parlour(&["serve"], data, &[]).await;
        let sentence = second.sentence();
        outcome.expect(
            sentence.contains("another Parlour server"),
            &format!("it said: {sentence}"),
        );
        let listed = parlour(&["agent", "list"], data, &[]).await;
        outcome.expect(
            listed.code == Some(0),
            &format!("the command line: {}", listed.err),
        );
        outcome.round(stage.recovers().await);
    }
    outcome.settle(stage, BACK).await
}
