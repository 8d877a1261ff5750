//! A new password by its link.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use parlour_admin_templates::{Problems, ResetPage};
use serde::Deserialize;

use super::answer;
use super::flash::Flash;
use super::forms::Refusal;
use super::shell;
use super::viewer;
use crate::Shared;
use crate::error::Error;
use crate::http::extract::Visit;
use crate::identity::Purpose;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/reset/{token}", get(show).post(set))
}

/// Whose password a link sets, if it is good.
async fn email_of(app: &Shared, token: &str) -> Result<String, Error> {
    let Purpose::Reset { agent } = app.identity.link(token).await? else {
        return Err(Error::NotFound);
    };
    Ok(app.store.agent(agent).await?.email)
}

fn page(token: &str, email: String, problems: Problems) -> ResetPage {
    ResetPage {
        bare: shell::bare(),
        action: format!("/reset/{token}"),
        email,
        problems,
    }
}

async fn show(State(app): State<Shared>, Path(token): Path<String>) -> Result<Response, Error> {
    let email = email_of(&app, &token).await?;
    Ok(answer::html(
        StatusCode::OK,
        &page(&token, email, Problems::default()),
    ))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    password: String,
}

/// Sets the password, and signs in with it, as everybody does.
async fn set(
    State(app): State<Shared>,
    Path(token): Path<String>,
    Visit(client): Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    let email = email_of(&app, &token).await?;
    if let Err(error) = app.identity.reset_password(&token, &fields.password).await {
        let refusal = Refusal::of(error)?;
        return Ok(answer::html(
            refusal.status,
            &page(&token, email, refusal.problems),
        ));
    }
    match app
        .identity
        .sign_in(&email, &fields.password, &client)
        .await
    {
        Ok(started) => viewer::begin(&app, &started, "/tickets", Some(Flash::PasswordChanged)),
        // The password stands. Whatever kept her from signing in will be said there.
        Err(_) => Ok(answer::see_other("/sign-in")),
    }
}
