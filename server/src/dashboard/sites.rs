//! Sites: the list, their form, the snippet, and pages that carry it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Json, Router};
use parlour_admin_templates::{
    InstallPage, Position, Problems, Section, SiteForm, SitePage, SiteRow, SitesPage, SnippetView,
    TestPage,
};
use serde::{Deserialize, Serialize};

use super::answer::{self, Wants};
use super::flash::Flash;
use super::forms::Refusal;
use super::shell::{self, Wanted};
use super::viewer::{Key, Viewer};
use crate::Shared;
use crate::error::Error;
use crate::identity::SiteDraft;
use crate::store::sites::Site;

/// The widget's languages.
const LOCALES: [(&str, &str); 2] = [("en", "English"), ("de", "Deutsch")];

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/sites", get(list))
        .route("/sites/new", get(new).post(create))
        .route("/sites/{id}", get(edit).post(save))
        .route("/sites/{id}/install", get(install))
        .route("/sites/{id}/seen", get(seen))
        .route("/test/{key}", get(test))
}

/// The form's fields.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
    /// One a line.
    origins: String,
    colour: String,
    greeting: String,
    position: String,
    locale: String,
}

impl Fields {
    /// What the rules check.
    pub(super) fn draft(&self) -> SiteDraft {
        SiteDraft {
            name: self.name.clone(),
            color: self.colour.clone(),
            greeting: self.greeting.clone(),
            position: self.position.clone(),
            locale: self.locale.clone(),
            origins: self.origins.lines().map(str::to_owned).collect(),
        }
    }

    /// The form again, with what was typed.
    pub(super) fn form(self, problems: Problems) -> SiteForm {
        SiteForm {
            name: self.name,
            origins: self.origins,
            colour: self.colour,
            greeting: self.greeting,
            position: position(&self.position),
            locale: self.locale,
            locales: LOCALES
                .iter()
                .map(|(code, name)| ((*code).to_owned(), (*name).to_owned()))
                .collect(),
            problems,
        }
    }
}

impl From<SiteDraft> for Fields {
    fn from(draft: SiteDraft) -> Self {
        Self {
            name: draft.name,
            origins: draft.origins.join("\n"),
            colour: draft.color,
            greeting: draft.greeting,
            position: draft.position,
            locale: draft.locale,
        }
    }
}

fn position(text: &str) -> Position {
    if text == "left" {
        Position::Left
    } else {
        Position::Right
    }
}

/// The form of a new site.
pub(super) fn empty_form() -> SiteForm {
    Fields::from(SiteDraft::default()).form(Problems::default())
}

fn snippet(app: &Shared, site: &Site) -> SnippetView {
    let loader = app.config.public_url.join(&format!("/w/{}.js", site.key));
    SnippetView {
        code: format!("<script async src=\"{loader}\"></script>"),
        // Where the widget calls: whoever came by another name of this machine goes there.
        test_url: app.config.public_url.join(&format!("/test/{}", site.key)),
    }
}

async fn list(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    let open = app.store.open_by_site().await?;
    let sites = app.store.sites().await?.into_iter().map(|site| SiteRow {
        id: site.id.to_string(),
        name: site.name,
        origins: site.origins,
        open: crate::unsigned(open.get(&site.id).copied().unwrap_or(0)),
        visited: site.seen_at.is_some(),
    });
    let page = SitesPage {
        shell: shell::of(&app, &viewer, Section::Sites, Wanted::default()).await?,
        sites: sites.collect(),
        may_change: viewer.may_manage().is_ok(),
    };
    Ok(answer::page(&app, &viewer, StatusCode::OK, &page))
}

async fn new(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    viewer.may_manage()?;
    render(&app, &viewer, StatusCode::OK, None, empty_form()).await
}

async fn edit(State(app): State<Shared>, viewer: Viewer, Key(id): Key) -> Result<Response, Error> {
    viewer.may_manage()?;
    let site = app.store.site(id).await?;
    let form = Fields::from(SiteDraft::from(site.clone())).form(Problems::default());
    render(&app, &viewer, StatusCode::OK, Some(&site), form).await
}

async fn render(
    app: &Shared,
    viewer: &Viewer,
    status: StatusCode,
    site: Option<&Site>,
    form: SiteForm,
) -> Result<Response, Error> {
    let page = SitePage {
        shell: shell::of(app, viewer, Section::Sites, Wanted::default()).await?,
        id: site.map(|site| site.id.to_string()),
        form,
        snippet: site.map(|site| snippet(app, site)),
    };
    Ok(answer::page(app, viewer, status, &page))
}

async fn create(
    State(app): State<Shared>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
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
            Some(Flash::SiteAdded),
        )),
        Err(error) => refuse(&app, &viewer, None, fields, error).await,
    }
}

async fn save(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    match app
        .identity
        .update_site(&viewer.identity_actor(), id, fields.draft())
        .await
    {
        Ok(site) => Ok(answer::done(
            &app,
            &viewer,
            &format!("/sites/{}", site.id),
            Some(Flash::SiteSaved),
        )),
        Err(error) => {
            viewer.may_manage()?;
            let site = app.store.site(id).await?;
            refuse(&app, &viewer, Some(&site), fields, error).await
        }
    }
}

async fn refuse(
    app: &Shared,
    viewer: &Viewer,
    site: Option<&Site>,
    fields: Fields,
    error: Error,
) -> Result<Response, Error> {
    if viewer.wants == Wants::Data {
        return Err(error);
    }
    let refusal = Refusal::of(error)?;
    render(
        app,
        viewer,
        refusal.status,
        site,
        fields.form(refusal.problems),
    )
    .await
}

async fn install(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
) -> Result<Response, Error> {
    let site = app.store.site(id).await?;
    let page = InstallPage {
        shell: shell::of(&app, &viewer, Section::Sites, Wanted::default()).await?,
        id: id.to_string(),
        snippet: snippet(&app, &site),
        closed: site.origins.is_empty(),
        name: site.name,
        first_ticket: app
            .store
            .first_ticket(id)
            .await?
            .map(|ticket| ticket.to_string()),
    };
    Ok(answer::page(&app, &viewer, StatusCode::OK, &page))
}

/// Whether anybody was there yet.
#[derive(Serialize)]
struct Seen {
    /// Whether the widget was opened on any page.
    seen: bool,
    /// The ticket that was opened first.
    ticket: Option<String>,
}

/// What the install page asks again and again.
async fn seen(State(app): State<Shared>, _viewer: Viewer, Key(id): Key) -> Result<Response, Error> {
    let site = app.store.site(id).await?;
    let ticket = app
        .store
        .first_ticket(id)
        .await?
        .map(|ticket| ticket.to_string());
    let seen = Seen {
        seen: site.seen_at.is_some(),
        ticket,
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(seen)).into_response())
}

/// A plain page with the snippet. What it shows is as public as the snippet itself.
async fn test(State(app): State<Shared>, Path(key): Path<String>) -> Result<Response, Error> {
    let site = app.store.site_by_key(&key).await?;
    let page = TestPage {
        assets: shell::assets(),
        // A path, so that it works by whatever name this machine was called.
        loader_url: format!("/w/{}.js", site.key),
        name: site.name,
    };
    Ok(answer::html(StatusCode::OK, &page))
}
