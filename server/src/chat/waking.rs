//! Snoozed tickets come back when their time has come.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::Chat;
use crate::clock;
use crate::store::{StoreError, states};

/// How often tickets are looked for whose time has come.
const LOOK: Duration = Duration::from_secs(2);
/// Tickets that are woken at once; the rest has its turn at the next look.
const AT_ONCE: i64 = 100;

/// Wakes tickets until `stop` turns true. Each node does so; a ticket wakes once.
pub async fn run(chat: Chat, mut stop: watch::Receiver<bool>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = chat.wake().await {
            tracing::warn!(%error, "snoozed tickets could not be woken");
        }
    }
}

impl Chat {
    /// Opens the tickets whose time has come.
    async fn wake(&self) -> Result<(), StoreError> {
        let now = clock::now();
        for ticket in self.store.due(now, AT_ONCE).await? {
            let chat = self.clone();
            self.store
                .write_and(
                    move |c| Box::pin(states::wake(c, ticket, now)),
                    move |woke| {
                        if let Some(entry) = woke {
                            chat.publish_happened(std::slice::from_ref(entry));
                            chat.announcer.changed(ticket);
                        }
                    },
                )
                .await?;
        }
        Ok(())
    }
}
