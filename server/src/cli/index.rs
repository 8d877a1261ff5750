//! `parlour index`: the index of search, made anew.

use super::{Failure, say};
use crate::config::Config;
use crate::store::{Opener, Store};

/// Takes the data folder for itself: messages that come meanwhile would be out of order.
pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let store = Store::open(&config.database, Opener::Server).await?;
    let count = store.index().await?;
    store.close().await;
    say(&format!("{count} messages and visitors can be found.\n"));
    Ok(())
}
