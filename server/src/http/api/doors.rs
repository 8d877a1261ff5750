//! The doors: what somebody may call who is not signed in yet.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::Shared;
use crate::error::Error;
use crate::http::cookie;
use crate::http::extract::{self, Visit};
use crate::identity::{SignInError, Started};

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route(
            "/sign-ins",
            post(sign_in)
                .get(super::sign_ins::list)
                .delete(super::sign_ins::end_others),
        )
        .route("/setup", post(setup))
        .route("/invitations/accept", post(accept))
        .route("/resets", post(reset))
}

/// The cookie is in the header, and in no body.
fn opened(status: StatusCode, started: &Started) -> Result<Response, SignInError> {
    let agent = &started.agent;
    let body = json!({ "id": agent.id.to_string(), "name": agent.name, "email": agent.email, "role": agent.role.text() });
    Ok((
        status,
        [(header::SET_COOKIE, cookie::set(started)?)],
        Json(body),
    )
        .into_response())
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

async fn sign_in(
    State(app): State<Shared>,
    Visit(client): Visit,
    extract::Json(asked): extract::Json<SignIn>,
) -> Result<Response, SignInError> {
    opened(
        StatusCode::OK,
        &app.identity
            .sign_in(&asked.email, &asked.password, &client)
            .await?,
    )
}

#[derive(Deserialize)]
struct Setup {
    token: String,
    name: String,
    email: String,
    password: String,
}

async fn setup(
    State(app): State<Shared>,
    Visit(client): Visit,
    extract::Json(asked): extract::Json<Setup>,
) -> Result<Response, SignInError> {
    let started = app
        .identity
        .create_owner(
            &asked.token,
            &asked.name,
            &asked.email,
            &asked.password,
            &client,
        )
        .await?;
    opened(StatusCode::CREATED, &started)
}

#[derive(Deserialize)]
struct Accept {
    token: String,
    name: String,
    password: String,
}

async fn accept(
    State(app): State<Shared>,
    Visit(client): Visit,
    extract::Json(asked): extract::Json<Accept>,
) -> Result<Response, SignInError> {
    let started = app
        .identity
        .accept_invitation(&asked.token, &asked.name, &asked.password, &client)
        .await?;
    opened(StatusCode::CREATED, &started)
}

#[derive(Deserialize)]
struct Reset {
    token: String,
    password: String,
}

async fn reset(
    State(app): State<Shared>,
    extract::Json(asked): extract::Json<Reset>,
) -> Result<StatusCode, Error> {
    app.identity
        .reset_password(&asked.token, &asked.password)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
