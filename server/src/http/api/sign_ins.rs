//! The caller's own sign-ins.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::delete;
use axum::{Json, Router};
use parlour_protocol::Id;
use serde::Serialize;
use uuid::Uuid;

use crate::Shared;
use crate::error::Error;
use crate::http::cookie;
use crate::identity::SignedIn;

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/sign-ins/{id}", delete(end))
}

#[derive(Serialize)]
pub(super) struct SignInView {
    id: Id,
    current: bool,
    created_at: i64,
    used_at: i64,
    ends_at: i64,
    address: String,
    browser: String,
}

pub(super) async fn list(
    State(app): State<Shared>,
    caller: SignedIn,
) -> Result<Json<Vec<SignInView>>, Error> {
    let sign_ins = app
        .identity
        .sign_ins(&caller)
        .await?
        .into_iter()
        .map(|sign_in| SignInView {
            id: crate::wire(sign_in.id),
            current: sign_in.id == caller.sign_in,
            created_at: sign_in.created_at,
            used_at: sign_in.used_at,
            ends_at: sign_in.ends_at,
            address: sign_in.address,
            browser: sign_in.browser,
        });
    Ok(Json(sign_ins.collect()))
}

/// All but the one that is used.
pub(super) async fn end_others(
    State(app): State<Shared>,
    caller: SignedIn,
) -> Result<StatusCode, Error> {
    app.identity.end_other_sign_ins(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One, by its id; `current` signs out.
async fn end(
    State(app): State<Shared>,
    caller: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id = match id.as_str() {
        "current" => caller.sign_in,
        other => Id::parse(other)
            .map(|id| Uuid::from_bytes(id.0))
            .ok_or(Error::NotFound)?,
    };
    app.identity.end_sign_in(&caller, id).await?;
    let gone: Option<[(header::HeaderName, HeaderValue); 1]> = if id == caller.sign_in {
        Some([(header::SET_COOKIE, cookie::clear()?)])
    } else {
        None
    };
    Ok(match gone {
        Some(headers) => (StatusCode::NO_CONTENT, headers).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}
