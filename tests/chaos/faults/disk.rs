//! What happens to the disk, and to SQLite's file.

use std::path::Path;
use std::time::{Duration, Instant};

use parlour_tests::database::{connect, url_of};
use parlour_tests::load::total;
use parlour_tests::stage::Stage;
use parlour_tests::{Visitor, disk, load};

use super::{CACHES, nowhere, on_postgres, refused};
use crate::fault::{Fault, Ground, Outcome, Resources};
use crate::setting::Setting;

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "disk full",
            limit: "507 or 503 and a retryable error, never an acknowledgement; recovers by itself within 5 s",
            excluded: on_postgres,
            run: |ground| Box::pin(full(ground)),
        },
        Fault {
            name: "small disk",
            limit: "8 MB in all, and 8 MB more each time: 0 acknowledged lost; recovers by itself within 5 s",
            excluded: without_mounts,
            run: |ground| Box::pin(small(ground)),
        },
        Fault {
            name: "database locked",
            limit: "BEGIN EXCLUSIVE for 10 s: waits or refuses, 0 lost; back within 5 s",
            excluded: on_postgres,
            run: |ground| Box::pin(locked(ground)),
        },
        Fault {
            name: "backup running",
            limit: "nobody is refused, and the copy is sound",
            excluded: nowhere,
            run: |ground| Box::pin(backup(ground)),
        },
        Fault {
            name: "torn log",
            limit: "opens clean, 0 lost; back within 5 s",
            excluded: on_postgres,
            run: |ground| Box::pin(torn(ground)),
        },
        Fault {
            name: "shortened log",
            limit: "committed frames are cut off: a new epoch, and all are shown what there is; back within 5 s",
            excluded: on_postgres,
            run: |ground| Box::pin(shortened(ground)),
        },
        Fault {
            name: "unflushed writes dropped",
            limit: "SIGKILL, and what was not flushed is gone: 0 acknowledged lost",
            excluded: on_postgres,
            run: |ground| Box::pin(unflushed(ground)),
        },
    ]
}

const BACK: Duration = Duration::from_secs(5);
/// The same as [`CACHES`] where they fill, as they do in the whole run on a small disk: memory that is not of a file
/// grew by 35 MiB within some 60,000 messages, and then stayed.
const FILLED: u64 = 36 * 1024 * 1024;

/// No file may grow: what every commit appends to is full at once.
async fn full(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    let node = &stage.cluster[0];
    let visitor = Visitor::arrive(node, &stage.office.site).await;
    let ticket = visitor.open("before").await;
    visitor.close();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(10, 2) {
        stage.goes_on(100).await;
        let size = disk::full_at(node.data());
        node.limit(&format!("--fsize={size}:unlimited")).await;
        refused(&stage).await;
        let count = total(&stage.writers);
        refused(&stage).await;
        outcome.expect(
            total(&stage.writers) == count,
            "acknowledged on a full disk",
        );
        let form = [
            ("text", "by form"),
            ("cid", &parlour_tests::id().text()),
            ("room", "public"),
        ];
        let mut browser = stage.office.owner.browser.clone();
        let answer = browser
            .form(&format!("/tickets/{ticket}/messages"), &form)
            .await;
        outcome.expect(
            matches!(answer.status, 503 | 507),
            &format!("a form was answered with {}", answer.status),
        );
        outcome.expect(node.is_healthy().await, "it is not healthy");
        node.limit("--fsize=unlimited:unlimited").await;
        outcome.round(stage.recovers().await);
    }
    before.compare(&stage, 0, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// Whether what is mounted here is seen by nobody else: each fault has its own mounts then.
pub(crate) fn may_mount() -> bool {
    let tried = std::process::Command::new("unshare")
        .args(["--mount", "true"])
        .stderr(std::process::Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

fn without_mounts(setting: &Setting) -> Option<&'static str> {
    let refused = || (!may_mount()).then_some("mounting needs root; \"disk full\" stands for it");
    on_postgres(setting).or_else(refused)
}

async fn mount(options: &str, folder: &Path) {
    let status = tokio::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(folder)
        .status();
    assert!(status.await.unwrap().success(), "mount {options}");
}

/// A disk that the messages themselves fill, and that its owner makes larger.
async fn small(ground: Ground) -> Outcome {
    const MEGABYTES: u32 = 8;
    let disk = ground.scratch;
    mount(&format!("size={MEGABYTES}m"), &disk).await;
    let stage = Stage::begin(ground.setting.plan().busy()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    for round in 2..2 + ground.setting.rounds(4, 1) {
        refused(&stage).await;
        let node = &stage.cluster[0];
        outcome.expect(node.is_healthy().await, "it is not healthy");
        let size = round * MEGABYTES;
        mount(&format!("remount,size={size}m"), &disk).await;
        outcome.round(stage.recovers().await);
    }
    // Writers fill it again while everything is compared.
    mount("remount,size=1g", &disk).await;
    stage.recovers().await;
    before.compare(&stage, FILLED, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

async fn locked(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(5, 1) {
        stage.goes_on(100).await;
        let mut other = connect(stage.cluster[0].data()).await;
        for statement in ["pragma busy_timeout = 9000", "begin exclusive"] {
            sqlx::raw_sql(statement).execute(&mut other).await.unwrap();
        }
        let (count, begun) = (total(&stage.writers), Instant::now());
        let time = Duration::from_secs(u64::from(ground.setting.rounds(10, 6)));
        tokio::time::sleep(time.saturating_sub(begun.elapsed())).await;
        outcome.expect(
            total(&stage.writers) <= count + 16,
            "acknowledged while nothing could be stored",
        );
        sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
        outcome.round(stage.recovers().await);
    }
    before.compare(&stage, 0, &mut outcome).await;
    let mut outcome = outcome.settle(stage, BACK).await;
    let (count, longest) = outcome.refusals();
    outcome.note("refused", count);
    outcome.limit("refused after", longest, Duration::from_millis(5_300));
    outcome
}

/// `VACUUM INTO`, or `pg_dump`, while writers write.
async fn backup(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(10, 2) {
        stage.goes_on(300).await;
        let copy = parlour_tests::node::folder();
        let file = copy.path().join("parlour.db");
        match url_of(stage.cluster[0].data()) {
            Some(url) => {
                let dump = parlour_tests::postgres::dump(&url).await;
                outcome.expect(dump.contains("message "), "the dump holds no message");
            }
            None => {
                disk::copy(stage.cluster[0].data(), &file).await;
                load::check_database(copy.path()).await;
            }
        }
        outcome.round(stage.recovers().await);
    }
    before.compare(&stage, CACHES, &mut outcome).await;
    let mut outcome = outcome.settle(stage, BACK).await;
    let (count, _) = outcome.refusals();
    outcome.expect(count == 0, &format!("{count} were refused"));
    outcome
}

/// The machine ended in the middle of a write: a part of a frame lies behind the last commit.
async fn torn(ground: Ground) -> Outcome {
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    for round in 0..ground.setting.rounds(20, 3) {
        stage.goes_on(100).await;
        stage.cluster[0].kill().await;
        disk::tear_log(stage.cluster[0].data(), 311 * (round as usize + 1));
        stage.cluster[0].start_again().await;
        outcome.round(stage.recovers().await);
    }
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// The disk has lost of the log what it said was flushed.
async fn shortened(ground: Ground) -> Outcome {
    const FRAMES: u32 = 40;
    let mut stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let mut lost = 0;
    for _ in 0..ground.setting.rounds(20, 3) {
        loop {
            stage.goes_on(100).await;
            stage.cluster[0].kill().await;
            if disk::unfolded(stage.cluster[0].data()) > FRAMES {
                break;
            }
            stage.cluster[0].start_again().await;
        }
        let gone = disk::cut_log(stage.cluster[0].data(), FRAMES).await;
        stage.cluster[0].start_again().await;
        outcome.round(stage.recovers().await);
        stage.forget(&gone);
        lost += gone.len();
    }
    outcome.note("messages cut off", lost);
    outcome.expect(lost > 0, "nothing was cut off");
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}

/// The machine ended: only what was flushed is there.
async fn unflushed(ground: Ground) -> Outcome {
    let library = disk::forgetful_library(&ground.scratch).await;
    let plan = ground
        .setting
        .plan()
        .busy()
        .set("LD_PRELOAD", library.display());
    let mut stage = Stage::begin(plan).await;
    let mut outcome = Outcome::default();
    stage.goes_on(100).await;
    let before = Resources::of(&stage);
    let (mut forgotten, mut round) = (0, 0);
    let rounds = ground.setting.rounds(50, 10);
    // A few more, if no kill came before a flush.
    while round < rounds || forgotten == 0 && round < 4 * rounds {
        round += 1;
        stage.goes_on(50 + u64::from(round % 7) * 13).await;
        stage.cluster[0].kill().await;
        forgotten += disk::forget_unflushed(stage.cluster[0].data());
        stage.cluster[0].start_again().await;
        outcome.round(stage.recovers().await);
    }
    outcome.note("bytes dropped", forgotten);
    outcome.expect(forgotten > 0, "no kill came before a flush");
    before.compare(&stage, CACHES, &mut outcome).await;
    outcome.settle(stage, BACK).await
}
