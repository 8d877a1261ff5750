//! `parlour setup-link`.

use super::{Desk, Failure, say};
use crate::config::Config;

pub(super) async fn run(config: Config) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let link = desk.identity.only_setup_link().await;
    desk.close().await;
    say(&format!("{}\n", link?.url));
    Ok(())
}
