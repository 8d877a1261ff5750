//! Sites: what their widget looks like, and which origins may carry it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use parlour_protocol::Id;
use serde::{Deserialize, Serialize};

use crate::Shared;
use crate::error::Error;
use crate::http::extract::{self, Manager, PathId};
use crate::identity::{SignedIn, SiteDraft};
use crate::store::sites::Site;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/sites", get(list).post(create))
        .route("/sites/{id}", get(one).patch(change))
}

/// A site, as the API shows it. Times are microseconds since 1970.
#[derive(Serialize)]
struct SiteView {
    id: Id,
    key: String,
    name: String,
    color: String,
    greeting: String,
    position: String,
    locale: String,
    origins: Vec<String>,
    created_at: i64,
    seen_at: Option<i64>,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            id: crate::wire(site.id),
            key: site.key,
            name: site.name,
            color: site.color,
            greeting: site.greeting,
            position: site.position,
            locale: site.locale,
            origins: site.origins,
            created_at: site.created_at,
            seen_at: site.seen_at,
        }
    }
}

/// What is to be set; what is missing stays, or gets its default in a new site.
#[derive(Deserialize)]
struct Fields {
    name: Option<String>,
    color: Option<String>,
    greeting: Option<String>,
    position: Option<String>,
    locale: Option<String>,
    origins: Option<Vec<String>>,
}

impl Fields {
    fn over(self, draft: SiteDraft) -> SiteDraft {
        SiteDraft {
            name: self.name.unwrap_or(draft.name),
            color: self.color.unwrap_or(draft.color),
            greeting: self.greeting.unwrap_or(draft.greeting),
            position: self.position.unwrap_or(draft.position),
            locale: self.locale.unwrap_or(draft.locale),
            origins: self.origins.unwrap_or(draft.origins),
        }
    }
}

async fn list(State(app): State<Shared>, _caller: SignedIn) -> Result<Json<Vec<SiteView>>, Error> {
    Ok(super::list(app.store.sites().await?))
}

async fn one(
    State(app): State<Shared>,
    _caller: SignedIn,
    PathId(id): PathId,
) -> Result<Json<SiteView>, Error> {
    Ok(Json(app.store.site(id).await?.into()))
}

async fn create(
    State(app): State<Shared>,
    Manager(caller): Manager,
    extract::Json(fields): extract::Json<Fields>,
) -> Result<(StatusCode, Json<SiteView>), Error> {
    let site = app
        .identity
        .create_site(&caller.actor(), fields.over(SiteDraft::default()))
        .await?;
    Ok((StatusCode::CREATED, Json(site.into())))
}

async fn change(
    State(app): State<Shared>,
    Manager(caller): Manager,
    PathId(id): PathId,
    extract::Json(fields): extract::Json<Fields>,
) -> Result<Json<SiteView>, Error> {
    let draft = fields.over(app.store.site(id).await?.into());
    Ok(Json(
        app.identity
            .update_site(&caller.actor(), id, draft)
            .await?
            .into(),
    ))
}
