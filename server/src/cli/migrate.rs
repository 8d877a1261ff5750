//! `parlour migrate`.

use super::{Failure, say};
use crate::config::Config;
use crate::store::{Opener, Store};

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    // The schema must not change under a server that runs.
    let store = Store::open(&config.database, Opener::Server).await?;
    store.close().await;
    say(&format!(
        "The database in {} is up to date.\n",
        config.database.place()
    ));
    Ok(())
}
