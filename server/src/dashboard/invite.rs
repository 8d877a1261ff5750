//! An invitation, accepted by its link.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use parlour_admin_templates::{InvitePage, Problems};
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
    Router::new().route("/invite/{token}", get(show).post(accept))
}

/// The page of an invitation that is good.
async fn page(
    app: &Shared,
    token: &str,
    name: String,
    problems: Problems,
) -> Result<InvitePage, Error> {
    let Purpose::Invite { email, role } = app.identity.link(token).await? else {
        return Err(Error::NotFound);
    };
    let inviter = app.identity.inviter(token).await?;
    Ok(InvitePage {
        bare: shell::bare(),
        action: format!("/invite/{token}"),
        inviter: inviter.unwrap_or_else(|| "The owner".to_owned()),
        email,
        rank: shell::rank(role),
        name,
        problems,
    })
}

async fn show(State(app): State<Shared>, Path(token): Path<String>) -> Result<Response, Error> {
    Ok(answer::html(
        StatusCode::OK,
        &page(&app, &token, String::new(), Problems::default()).await?,
    ))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    name: String,
    password: String,
}

async fn accept(
    State(app): State<Shared>,
    Path(token): Path<String>,
    Visit(client): Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    match app
        .identity
        .accept_invitation(&token, &fields.name, &fields.password, &client)
        .await
    {
        Ok(started) => viewer::begin(&app, &started, "/tickets", Some(Flash::Welcome)),
        Err(error) => {
            let refusal = Refusal::of_sign_in(error)?;
            Ok(answer::html(
                refusal.status,
                &page(&app, &token, fields.name, refusal.problems).await?,
            ))
        }
    }
}
