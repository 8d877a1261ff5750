//! The caller's own account.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::agents::AgentView;
use crate::Shared;
use crate::error::Error;
use crate::http::extract::{self, Visit};
use crate::identity::{SignInError, SignedIn};

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/account", get(show).patch(rename))
        .route("/account/password", post(change_password))
}

async fn show(State(app): State<Shared>, caller: SignedIn) -> Result<Json<AgentView>, Error> {
    Ok(Json(app.store.agent(caller.agent.id).await?.into()))
}

#[derive(Deserialize)]
struct Rename {
    name: String,
}

async fn rename(
    State(app): State<Shared>,
    caller: SignedIn,
    extract::Json(asked): extract::Json<Rename>,
) -> Result<Json<AgentView>, Error> {
    app.identity.rename(&caller, &asked.name).await?;
    show(State(app), caller).await
}

#[derive(Deserialize)]
struct ChangePassword {
    current: String,
    new: String,
}

async fn change_password(
    State(app): State<Shared>,
    caller: SignedIn,
    Visit(client): Visit,
    extract::Json(asked): extract::Json<ChangePassword>,
) -> Result<StatusCode, SignInError> {
    app.identity
        .change_password(&caller, &asked.current, &asked.new, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
