//! For load balancers and supervisors.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::Shared;
use crate::bus::Link;

/// A database that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// What a node says of itself and of what it stands on.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stopping: bool,
    database: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
}

/// The database answers as well, and no stop was asked for. A node without its Redis serves all
/// the same, so that only says it.
async fn ready(State(app): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let word = |up| if up { "up" } else { "down" };
    let stopping = *app.shutdown.borrow();
    let database = matches!(
        tokio::time::timeout(PATIENCE, app.store.ping()).await,
        Ok(Ok(()))
    );
    let redis = match *app.bus.link().borrow() {
        Link::Alone => None,
        link => Some(word(matches!(link, Link::Up(_)))),
    };
    let ready = database && !stopping;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let database = word(database);
    let readiness = Readiness {
        ready,
        stopping,
        database,
        redis,
    };
    (status, Json(readiness))
}
