//! Visitors' sessions: what the widget asks for before it opens its socket.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::Shared;
use crate::error::Error;
use crate::http::extract::{self, VisitorToken};
use crate::http::origin;
use crate::identity::browser_label;
use crate::store::visitors::Whereabouts;
use parlour_protocol::Id;

pub(super) fn router() -> Router<Shared> {
    Router::new().route(
        "/sessions",
        post(create).patch(moved).options(origin::preflight),
    )
}

#[derive(Deserialize)]
struct Create {
    site: String,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    page: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    referrer: String,
    #[serde(default)]
    locale: String,
    #[serde(default)]
    zone: String,
}

#[derive(Serialize)]
struct Created {
    token: String,
    expires_in: i64,
    secret: String,
    visitor: Id,
    socket: String,
}

async fn create(
    State(app): State<Shared>,
    headers: HeaderMap,
    extract::Json(asked): extract::Json<Create>,
) -> Result<Response, Error> {
    let site = match origin::carried(&app, &asked.site, &headers).await? {
        Ok(site) => site,
        Err(refusal) => return Ok(refusal),
    };
    let browser = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(browser_label)
        .unwrap_or_default();
    let whereabouts = Whereabouts {
        page: asked.page,
        title: asked.title,
        referrer: asked.referrer,
        browser,
        locale: asked.locale,
        zone: asked.zone,
    };
    let session = app
        .identity
        .visitor_session(&site, asked.secret.as_deref(), whereabouts)
        .await?;
    announce(&app, session.visitor).await?;
    let created = Created {
        token: session.token,
        expires_in: session.expires_in,
        secret: session.secret,
        visitor: crate::wire(session.visitor),
        socket: app.config.public_url.socket(),
    };
    Ok(Json(created).into_response())
}

#[derive(Deserialize)]
struct Moved {
    page: String,
    #[serde(default)]
    title: String,
}

/// She looks at another page now.
async fn moved(
    State(app): State<Shared>,
    visitor: VisitorToken,
    extract::Json(moved): extract::Json<Moved>,
) -> Result<StatusCode, Error> {
    app.identity
        .visitor_moved(visitor.visitor, &moved.page, &moved.title)
        .await?;
    announce(&app, visitor.visitor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Agents who look at her newest ticket see where she is.
async fn announce(app: &Shared, visitor: uuid::Uuid) -> Result<(), Error> {
    if let Some((ticket, ..)) = app.store.tickets_of(visitor, 1).await?.first() {
        app.chat.ticket_changed(*ticket);
    }
    Ok(())
}
