//! What a service manager is told (`sd_notify`), if it has asked: it names a socket in the
//! environment. Without one nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::Shared;

/// Requests are answered from now on.
pub(super) fn serving(app: &Shared) {
    let status = serves(app);
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// A stop was asked for.
pub(super) fn stopping() {
    let status = NotifyState::Status("Stopping: clients are told to come back");
    tell(&[NotifyState::Stopping, status]);
}

/// Tells the manager's watchdog, if there is one, that this process goes on, twice in the time
/// that it waits; and in the status whether the database answers. A database that does not is
/// waited for: to begin anew would help nobody.
pub(super) async fn watchdog(app: Shared) {
    let patience = sd_notify::watchdog_enabled().filter(|time| *time >= SHORTEST);
    let Some(pause) = patience.map(|time| time / 2) else {
        return;
    };
    let mut stop = app.shutdown.clone();
    let mut ticks = tokio::time::interval(pause);
    let mut answered = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let answers = matches!(
            tokio::time::timeout(pause, app.store.ping()).await,
            Ok(Ok(()))
        );
        tell(&[NotifyState::Watchdog]);
        if answers != answered {
            answered = answers;
            let status = if answers {
                serves(&app)
            } else {
                "Waiting for the database, which does not answer".to_owned()
            };
            tell(&[NotifyState::Status(&status)]);
        }
    }
}

/// A watchdog that waits less than this is not meant.
const SHORTEST: Duration = Duration::from_millis(2);

fn serves(app: &Shared) -> String {
    format!("Serving {}", app.config.public_url)
}

fn tell(state: &[NotifyState<'_>]) {
    // The manager decides what follows if it hears nothing.
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
