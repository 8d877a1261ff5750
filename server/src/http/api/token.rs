//! An agent's cookie buys a token for one socket.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::Shared;
use crate::error::Error;
use crate::identity::{AGENT_TOKEN, SignedIn};

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/token", post(issue))
}

async fn issue(State(app): State<Shared>, caller: SignedIn) -> Result<Json<Value>, Error> {
    let token = app.identity.issue_agent(caller.agent.id, caller.sign_in)?;
    Ok(Json(
        json!({ "token": token, "expires_in": AGENT_TOKEN, "socket": app.config.public_url.socket() }),
    ))
}
