//! What happens to PostgreSQL.

use std::time::{Duration, Instant};

use parlour_tests::database::{connect, hold_rooms};
use parlour_tests::load::{ready, total};
use parlour_tests::postgres::Postgres;
use parlour_tests::proxy::{Mode, Proxy};
use parlour_tests::stage::Stage;
use parlour_tests::within;

use super::{on_sqlite, refused};
use crate::fault::{Fault, Ground, Outcome, Resources};

pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault {
            name: "PostgreSQL gone",
            limit: REFUSED,
            excluded: on_sqlite,
            run: |ground| Box::pin(gone(ground)),
        },
        Fault {
            name: "PostgreSQL stalled",
            limit: REFUSED,
            excluded: on_sqlite,
            run: |ground| Box::pin(stalled(ground)),
        },
        Fault {
            name: "commit lost",
            limit: "the answer to a commit does not arrive: 0 doubled; back within 5 s",
            excluded: on_sqlite,
            run: |ground| Box::pin(commit_lost(ground)),
        },
        Fault {
            name: "PostgreSQL locked",
            limit: REFUSED,
            excluded: on_sqlite,
            run: |ground| Box::pin(locked(ground)),
        },
    ]
}

const REFUSED: &str = "refused within 5 s with a retryable error, never acknowledged; memory at most 64 MiB up; back within 5 s";
const SPARE: u64 = 64 * 1024 * 1024;
const PROMISED: Duration = Duration::from_secs(5);
/// What an answer may take on its way, beside the promise.
const ON_THE_WAY: Duration = Duration::from_millis(300);
const BACK: Duration = Duration::from_secs(5);

/// An immediate stop, or SIGKILL, in turn.
async fn gone(ground: Ground) -> Outcome {
    let Ground {
        setting, postgres, ..
    } = ground;
    let mut server: Postgres = postgres.expect("PostgreSQL");
    let stage = Stage::begin(setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    for round in 0..setting.rounds(30, 3) {
        stage.goes_on(50).await;
        if round % 2 == 0 {
            server.stop_immediately().await;
        } else {
            server.kill().await;
        }
        until_all(&stage, 503).await;
        // Before each was refused once, what was stored before may still be acknowledged.
        refused(&stage).await;
        let count = total(&stage.writers);
        refused(&stage).await;
        outcome.expect(
            total(&stage.writers) == count,
            "acknowledged without a database",
        );
        server.start_again().await;
        let begun = Instant::now();
        stage.recovers().await;
        outcome.round(begun.elapsed());
    }
    finish(outcome, stage, before).await
}

/// Connections that take and give nothing, and are not closed.
async fn stalled(ground: Ground) -> Outcome {
    let server = ground.postgres.as_ref().expect("PostgreSQL");
    let proxy = Proxy::before(server.address()).await;
    let stage = Stage::begin(ground.setting.plan().database_by(proxy.address())).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(30, 1) {
        stage.goes_on(50).await;
        proxy.set(Mode::Stall);
        until_all(&stage, 503).await;
        refused(&stage).await;
        proxy.set(Mode::Pass);
        let begun = Instant::now();
        stage.recovers().await;
        outcome.round(begun.elapsed());
    }
    finish(outcome, stage, before).await
}

/// Somebody holds the rooms for longer than a write may wait.
async fn locked(ground: Ground) -> Outcome {
    let stage = Stage::begin(ground.setting.plan()).await;
    let mut outcome = Outcome::default();
    stage.goes_on(200).await;
    let before = Resources::of(&stage);
    for _ in 0..ground.setting.rounds(10, 1) {
        stage.goes_on(50).await;
        let mut other = connect(stage.cluster[0].data()).await;
        hold_rooms(&mut other).await;
        let count = total(&stage.writers);
        refused(&stage).await;
        // What was under way when the lock was had may still be acknowledged.
        outcome.expect(
            total(&stage.writers) <= count + 16,
            "acknowledged while nothing could be stored",
        );
        drop(other);
        let begun = Instant::now();
        stage.recovers().await;
        outcome.round(begun.elapsed());
    }
    finish(outcome, stage, before).await
}

/// What is asked of the database arrives, what it answers does not, and then the connection is lost.
async fn commit_lost(ground: Ground) -> Outcome {
    let server = ground.postgres.as_ref().expect("PostgreSQL");
    let proxy = Proxy::before(server.address()).await;
    let plan = ground.setting.plan().busy().database_by(proxy.address());
    let stage = Stage::begin(plan).await;
    let mut outcome = Outcome::default();
    for _ in 0..ground.setting.rounds(100, 8) {
        stage.goes_on(50).await;
        proxy.set(Mode::LoseAnswersTo("commit"));
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.cut().await;
        let begun = Instant::now();
        stage.recovers().await;
        outcome.round(begun.elapsed());
    }
    let writers = stage.writers.iter();
    let repeated: u64 = writers.map(|writer| writer.account().repeated).sum();
    outcome.note("sent again", repeated);
    outcome.expect(repeated > 0, "nothing that was stored was sent again");
    outcome.settle(stage, BACK).await
}

async fn finish(mut outcome: Outcome, stage: Stage, before: Resources) -> Outcome {
    before.compare(&stage, SPARE, &mut outcome).await;
    let mut outcome = outcome.settle(stage, BACK).await;
    let (count, longest) = outcome.refusals();
    outcome.note("refused", count);
    outcome.limit("refused after", longest, PROMISED + ON_THE_WAY);
    outcome
}

/// Waits until every node says this of itself.
async fn until_all(stage: &Stage, status: u16) {
    within("the state of the database", async {
        for node in stage.cluster.nodes() {
            while ready(node).await != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    })
    .await;
}
