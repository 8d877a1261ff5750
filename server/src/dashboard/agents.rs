//! Agents: who is there, invitations, roles.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use parlour_admin_templates::{
    AgentRow, AgentsPage, InvitationRow, LinkPurpose, Moment, OneTimeLink, PersonView, Problems,
    Rank, Section,
};
use serde::Deserialize;
use uuid::Uuid;

use super::answer::{self, Wants};
use super::flash::Flash;
use super::forms::Refusal;
use super::shell::{self, Wanted};
use super::viewer::{Key, Viewer};
use crate::Shared;
use crate::clock::{self, SECOND};
use crate::error::Error;
use crate::identity::{self, AgentRole};

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/agents", get(list))
        .route("/agents/invite", post(invite))
        .route("/agents/{id}/role", post(role))
        .route("/agents/{id}/disable", post(disable))
        .route("/agents/{id}/enable", post(enable))
        .route("/agents/{id}/reset-link", post(reset_link))
}

/// What differs from one answer to another.
#[derive(Default)]
struct Outcome {
    link: Option<OneTimeLink>,
    email: String,
    problems: Problems,
}

async fn list(State(app): State<Shared>, viewer: Viewer) -> Result<Response, Error> {
    render(&app, &viewer, StatusCode::OK, Outcome::default()).await
}

async fn render(
    app: &Shared,
    viewer: &Viewer,
    status: StatusCode,
    outcome: Outcome,
) -> Result<Response, Error> {
    let actor = viewer.identity_actor();
    let manages = actor.may_manage().is_ok();
    let seen: HashMap<Uuid, i64> = app.store.agents_last_seen().await?;
    let agents = app.store.agents().await?;
    let rows = agents.iter().map(|agent| AgentRow {
        person: PersonView::agent(agent.id.to_string(), agent.name.clone())
            .with_presence(app.chat.presence.state(agent.id)),
        email: agent.email.clone(),
        rank: shell::rank(agent.role),
        disabled: agent.disabled_at.is_some(),
        last_seen: Some(Moment(
            seen.get(&agent.id).copied().unwrap_or(agent.created_at),
        )),
        may_change: actor.may_change(agent).is_ok(),
    });
    let invitations = if manages {
        app.identity.invitations(&actor).await?
    } else {
        Vec::new()
    };
    let roles = [AgentRole::Admin, AgentRole::Agent].into_iter();
    let page = AgentsPage {
        shell: shell::of(app, viewer, Section::Agents, Wanted::default()).await?,
        agents: rows.collect(),
        invitations: invitations
            .into_iter()
            .map(|invitation| InvitationRow {
                email: invitation.email,
                rank: shell::rank(invitation.role),
                expires: Moment(invitation.ends_at),
            })
            .collect(),
        link: outcome.link,
        may_invite: manages,
        ranks: roles
            .filter(|role| actor.may_invite(*role).is_ok())
            .map(shell::rank)
            .collect::<Vec<Rank>>(),
        email: outcome.email,
        problems: outcome.problems,
    };
    Ok(answer::page(app, viewer, status, &page))
}

/// A link for the page that shows it once: it cannot be had again, so there is no redirect.
fn once(link: &identity::OneTimeLink, person: String, purpose: LinkPurpose) -> OneTimeLink {
    let minutes = (link.ends_at - clock::now() + 30 * SECOND) / (60 * SECOND);
    OneTimeLink {
        url: link.url.clone(),
        person,
        minutes: u32::try_from(minutes).unwrap_or(0),
        purpose,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InviteForm {
    email: String,
    role: String,
}

fn parse_role(text: &str) -> Result<AgentRole, Error> {
    AgentRole::parse(text).ok_or_else(|| Error::Invalid {
        field: "role",
        reason: "choose admin or agent".into(),
    })
}

async fn invite(
    State(app): State<Shared>,
    viewer: Viewer,
    Form(form): Form<InviteForm>,
) -> Result<Response, Error> {
    let result = match parse_role(&form.role) {
        Ok(role) => {
            app.identity
                .invite(&viewer.identity_actor(), &form.email, role)
                .await
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(link) => {
            let link = once(&link, form.email, LinkPurpose::Invitation);
            show_link(&app, &viewer, link).await
        }
        Err(error) if viewer.wants == Wants::Data => Err(error),
        Err(error) => {
            let refusal = Refusal::of(error)?;
            let outcome = Outcome {
                email: form.email,
                problems: refusal.problems,
                ..Outcome::default()
            };
            render(&app, &viewer, refusal.status, outcome).await
        }
    }
}

async fn reset_link(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
) -> Result<Response, Error> {
    let link = app
        .identity
        .reset_link(&viewer.identity_actor(), id)
        .await?;
    let name = app.store.agent(id).await?.name;
    show_link(&app, &viewer, once(&link, name, LinkPurpose::Reset)).await
}

async fn show_link(app: &Shared, viewer: &Viewer, link: OneTimeLink) -> Result<Response, Error> {
    let outcome = Outcome {
        link: Some(link),
        ..Outcome::default()
    };
    render(app, viewer, StatusCode::OK, outcome).await
}

#[derive(Deserialize)]
struct RoleForm {
    role: String,
}

async fn role(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Form(form): Form<RoleForm>,
) -> Result<Response, Error> {
    app.identity
        .set_role(&viewer.identity_actor(), id, parse_role(&form.role)?)
        .await?;
    Ok(done(&app, &viewer, Flash::RoleChanged))
}

fn done(app: &Shared, viewer: &Viewer, flash: Flash) -> Response {
    answer::done(app, viewer, "/agents", Some(flash))
}

async fn disable(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
) -> Result<Response, Error> {
    app.identity.disable(&viewer.identity_actor(), id).await?;
    Ok(done(&app, &viewer, Flash::Disabled))
}

async fn enable(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
) -> Result<Response, Error> {
    app.identity.enable(&viewer.identity_actor(), id).await?;
    Ok(done(&app, &viewer, Flash::Enabled))
}
