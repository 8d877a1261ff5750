//! All faults, one file a family.

use crate::fault::Fault;
use crate::setting::Setting;

mod bus;
mod database;
mod process;

/// All of them, in the order of the promise's table.
pub(crate) fn all() -> Vec<Fault> {
    let families = [process::faults(), bus::faults(), database::faults()];
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
