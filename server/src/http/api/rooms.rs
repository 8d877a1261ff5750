//! Pages of a room's history, for visitors by token and for agents by cookie.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use parlour_protocol::frame::Event;
use serde::{Deserialize, Serialize};

use crate::Shared;
use crate::chat::{self, Actor};
use crate::error::Error;
use crate::http::extract::{PathId, Query, VisitorToken, has_bearer};
use crate::http::origin;
use crate::identity::SignedIn;

pub(super) fn router() -> Router<Shared> {
    Router::new().route(
        "/rooms/{id}/messages",
        get(messages).options(origin::preflight),
    )
}

/// Whoever may read rooms: who brings a token is judged by it alone.
struct Reader(Actor);

impl FromRequestParts<Shared> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        if has_bearer(parts) {
            let token = VisitorToken::from_request_parts(parts, app).await?;
            return Ok(Self(Actor::visitor(
                token.visitor,
                token.site,
                String::new(),
            )));
        }
        let SignedIn { agent, .. } = SignedIn::from_request_parts(parts, app)
            .await
            .map_err(|_| Error::Unauthorized.into_response())?;
        Ok(Self(Actor::agent(agent.id, agent.name)))
    }
}

/// Numbers are those of entries: older than `before`, or newer than `after`; the newest page without them.
#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    before: u64,
    #[serde(default)]
    after: u64,
}

#[derive(Serialize)]
struct Page {
    events: Vec<Event>,
    more: bool,
    position: u64,
}

async fn messages(
    State(app): State<Shared>,
    Reader(actor): Reader,
    PathId(room): PathId,
    Query(range): Query<Range>,
) -> Result<Json<Page>, Error> {
    let page = app
        .chat
        .history(
            &actor,
            room,
            crate::signed(range.before),
            crate::signed(range.after),
        )
        .await?;
    Ok(Json(Page {
        events: page.entries.iter().map(chat::messages::event).collect(),
        more: page.more,
        position: crate::unsigned(page.position),
    }))
}
