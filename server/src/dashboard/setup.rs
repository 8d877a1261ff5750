//! The first run: the owner, and the first site.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use parlour_admin_templates::{Problems, SetupOwnerPage, SetupSitePage};
use serde::Deserialize;

use super::answer::{self, Wants};
use super::flash::Flash;
use super::forms::Refusal;
use super::shell;
use super::sites;
use super::viewer::{self, Viewer};
use crate::Shared;
use crate::error::Error;
use crate::http::extract::Visit;
use crate::identity::Purpose;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/setup/site", get(show_site).post(create_site))
        .route("/setup/{token}", get(show_owner).post(create_owner))
}

async fn show_owner(
    State(app): State<Shared>,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    if app.identity.link(&token).await? != Purpose::Setup {
        return Err(Error::NotFound);
    }
    Ok(answer::html(
        StatusCode::OK,
        &owner_page(&token, Fields::default(), Problems::default()),
    ))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    name: String,
    email: String,
    password: String,
}

fn owner_page(token: &str, fields: Fields, problems: Problems) -> SetupOwnerPage {
    SetupOwnerPage {
        bare: shell::bare(),
        action: format!("/setup/{token}"),
        name: fields.name,
        email: fields.email,
        problems,
    }
}

async fn create_owner(
    State(app): State<Shared>,
    Path(token): Path<String>,
    Visit(client): Visit,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    let result = app
        .identity
        .create_owner(
            &token,
            &fields.name,
            &fields.email,
            &fields.password,
            &client,
        )
        .await;
    match result {
        Ok(started) => viewer::begin(&app, &started, "/setup/site", None),
        Err(error) => {
            let refusal = Refusal::of_sign_in(error)?;
            Ok(answer::html(
                refusal.status,
                &owner_page(&token, fields, refusal.problems),
            ))
        }
    }
}

/// The first site. Once there is one, more are added among the others.
async fn show_site(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    viewer.may_manage()?;
    if !app.store.sites().await?.is_empty() {
        return Ok(answer::see_other("/sites/new"));
    }
    let page = SetupSitePage {
        bare: shell::bare(),
        form: sites::empty_form(),
    };
    Ok(answer::html(StatusCode::OK, &page))
}

async fn create_site(
    State(app): State<Shared>,
    viewer: Viewer,
    Form(fields): Form<sites::Fields>,
) -> Result<Response, Error> {
    match app
        .identity
        .create_site(&viewer.identity_actor(), fields.draft())
        .await
    {
        Ok(site) => Ok(answer::done(
            &app,
            &viewer,
            &format!("/sites/{}/install", site.id),
            Some(Flash::Welcome),
        )),
        Err(error) if viewer.wants == Wants::Data => Err(error),
        Err(error) => {
            let refusal = Refusal::of(error)?;
            let page = SetupSitePage {
                bare: shell::bare(),
                form: fields.form(refusal.problems),
            };
            Ok(answer::html(refusal.status, &page))
        }
    }
}
