//! All faults, one file a family.

use std::time::Duration;

use parlour_tests::stage::Stage;

use crate::fault::Fault;
use crate::setting::Setting;

mod bus;
mod clients;
mod database;
pub(crate) mod disk;
mod network;
mod process;
mod system;

/// What a server may hold beyond a tenth more while its caches fill: of what was started anew, or goes on for
/// thousands of messages. They are bounded, and filled only after some ten thousand.
const CACHES: u64 = 16 * 1024 * 1024;

/// All of them, in the order of the promise's table.
pub(crate) fn all() -> Vec<Fault> {
    let families = [
        process::faults(),
        network::faults(),
        bus::faults(),
        database::faults(),
        clients::faults(),
        disk::faults(),
        system::faults(),
    ];
    families.into_iter().flatten().collect()
}

/// For what can be tried everywhere.
fn nowhere(_: &Setting) -> Option<&'static str> {
    None
}

fn without_redis(setting: &Setting) -> Option<&'static str> {
    (!setting.redis).then_some("there is no Redis")
}

fn on_sqlite(setting: &Setting) -> Option<&'static str> {
    (!setting.is_postgres()).then_some("there is no PostgreSQL")
}

fn on_postgres(setting: &Setting) -> Option<&'static str> {
    setting
        .is_postgres()
        .then_some("the file is SQLite's; what becomes of PostgreSQL's files is its own promise")
}

/// Waits until every writer was refused once more.
async fn refused(stage: &Stage) {
    let counts = || stage.writers.iter().map(|writer| writer.account().refused);
    let before: Vec<u64> = counts().collect();
    let all = || counts().zip(&before).all(|(now, before)| now > *before);
    // Longer than is allowed, so that the figure is known.
    let waiting = async {
        while !all() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "writers were not refused within 20 s");
}
