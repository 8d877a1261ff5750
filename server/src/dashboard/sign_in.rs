//! Signing in and out.

use axum::extract::{Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use parlour_admin_templates::{Problems, SignInPage};
use serde::Deserialize;

use super::answer::{self, local_path};
use super::flash::Flash;
use super::forms::Refusal;
use super::shell;
use super::viewer::{self, MaybeViewer};
use crate::Shared;
use crate::error::Error;
use crate::http::extract::Visit;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sign-in", get(show).post(enter))
        .route("/sign-out", post(leave))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Params {
    next: String,
}

async fn show(
    State(app): State<Shared>,
    MaybeViewer(viewer): MaybeViewer,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> Response {
    let next = local_path(&params.next);
    if viewer.is_some() {
        return answer::see_other(next.unwrap_or("/tickets"));
    }
    let flash = Flash::of(&headers);
    let page = SignInPage {
        bare: shell::bare(),
        email: String::new(),
        next: next.unwrap_or_default().to_owned(),
        notice: flash.map(|flash| flash.toast().text),
        problems: Problems::default(),
    };
    let mut response = answer::html(StatusCode::OK, &page);
    if let Some(cookie) = flash.and_then(|_| Flash::forget(&app)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    email: String,
    password: String,
    next: String,
}

async fn enter(
    State(app): State<Shared>,
    Visit(client): Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    let next = local_path(&fields.next);
    let error = match app
        .identity
        .sign_in(&fields.email, &fields.password, &client)
        .await
    {
        Ok(started) => return viewer::begin(&app, &started, next.unwrap_or("/tickets"), None),
        Err(error) => error,
    };
    let refusal = Refusal::of_sign_in(error)?;
    let page = SignInPage {
        bare: shell::bare(),
        email: fields.email.clone(),
        next: next.unwrap_or_default().to_owned(),
        notice: None,
        problems: refusal.problems,
    };
    let mut response = answer::html(refusal.status, &page);
    if let Some(after) = refusal.after {
        response.headers_mut().insert(RETRY_AFTER, after.into());
    }
    Ok(response)
}

async fn leave(
    State(app): State<Shared>,
    MaybeViewer(viewer): MaybeViewer,
) -> Result<Response, Error> {
    if let Some(viewer) = viewer {
        app.identity.sign_out(&viewer.signed_in()).await?;
    }
    viewer::end(&app)
}
