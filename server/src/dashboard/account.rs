//! The own account.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use parlour_admin_templates::{AccountPage, Moment, Problems, Section, SignInRow};
use serde::Deserialize;

use super::answer::{self, Wants};
use super::flash::Flash;
use super::forms::{Refusal, sentence};
use super::shell::{self, Wanted};
use super::viewer::{Key, Viewer};
use crate::Shared;
use crate::error::Error;
use crate::http::extract::Visit;
use crate::identity::SignInError;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/account", get(show).post(change))
        .route("/account/signins/{id}/revoke", post(revoke))
}

async fn show(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    render(&app, &viewer, StatusCode::OK, Problems::default()).await
}

async fn render(
    app: &Shared,
    viewer: &Viewer,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Error> {
    let sign_ins = app.identity.sign_ins(&viewer.signed_in()).await?;
    let rows = sign_ins.into_iter().map(|sign_in| SignInRow {
        id: sign_in.id.to_string(),
        browser: if sign_in.browser.is_empty() {
            "A browser".to_owned()
        } else {
            sign_in.browser
        },
        address: sign_in.address,
        at: Moment(sign_in.created_at),
        last_seen: Moment(sign_in.used_at),
        current: sign_in.id == viewer.sign_in,
    });
    let page = AccountPage {
        shell: shell::of(app, viewer, Section::Account, Wanted::default()).await?,
        sign_ins: rows.collect(),
        problems,
    };
    Ok(answer::page(app, viewer, status, &page))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    /// Which form: `name` or `password`.
    form: String,
    name: String,
    current: String,
    password: String,
}

async fn change(
    State(app): State<Shared>,
    mut viewer: Viewer,
    Visit(client): Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    let caller = viewer.signed_in();
    let (result, flash) = match fields.form.as_str() {
        "name" => (
            app.identity
                .rename(&caller, &fields.name)
                .await
                .map_err(SignInError::from),
            Flash::NameSaved,
        ),
        "password" => (
            app.identity
                .change_password(&caller, &fields.current, &fields.password, &client)
                .await,
            Flash::PasswordChanged,
        ),
        _ => {
            return Err(Error::Invalid {
                field: "form",
                reason: "expected name or password".into(),
            });
        }
    };
    let error = match result {
        Ok(()) => return Ok(answer::done(&app, &viewer, "/account", Some(flash))),
        Err(SignInError::Wrong) => Error::Invalid {
            field: "current",
            reason: "this is not your password".into(),
        },
        Err(SignInError::Failed(error)) => error,
        Err(SignInError::TooFast { after_seconds }) => Error::TooFast { after_seconds },
        Err(error @ SignInError::NoCookies) => Error::Conflict(sentence(&error.to_string())),
    };
    if viewer.wants == Wants::Data {
        return Err(error);
    }
    let refusal = Refusal::of(error)?;
    if fields.form == "name" {
        // The field shows what was typed.
        viewer.agent.name = fields.name;
    }
    render(&app, &viewer, refusal.status, refusal.problems).await
}

async fn revoke(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
) -> Result<Response, Error> {
    app.identity.end_sign_in(&viewer.signed_in(), id).await?;
    if id == viewer.sign_in {
        return super::viewer::end(&app);
    }
    Ok(answer::done(
        &app,
        &viewer,
        "/account",
        Some(Flash::SignInRevoked),
    ))
}
