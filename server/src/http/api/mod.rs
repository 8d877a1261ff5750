//! REST for what is not realtime, by noun.

use axum::middleware::from_fn_with_state;
use axum::{Json, Router};

use super::{compression, limits, origin};
use crate::Shared;

mod account;
mod agents;
mod doors;
mod rooms;
mod search;
mod sessions;
mod sign_ins;
mod sites;
mod tickets;
mod token;

/// Rows of the store, as the API shows them.
fn list<View: From<Row>, Row>(rows: Vec<Row>) -> Json<Vec<View>> {
    Json(rows.into_iter().map(Into::into).collect())
}

/// All routes of the API.
pub(super) fn router(app: &Shared) -> Router<Shared> {
    let widget = sessions::router()
        .layer(from_fn_with_state(app.clone(), limits::sessions_of_all))
        .layer(limits::sessions(app))
        .merge(
            rooms::router()
                .layer(compression::layer())
                .layer(limits::requests(app)),
        )
        .layer(from_fn_with_state(app.clone(), origin::widget));
    let cookie = Router::new()
        .merge(tickets::router())
        .merge(sites::router())
        .layer(compression::layer())
        .merge(token::router())
        .merge(search::router())
        .merge(agents::router())
        .merge(sign_ins::router())
        .merge(account::router())
        .layer(limits::requests(app))
        .merge(doors::router().layer(limits::sign_ins(app)))
        .layer(from_fn_with_state(app.clone(), origin::require_own));
    Router::new().nest("/api/v1", widget.merge(cookie))
}
