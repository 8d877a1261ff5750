//! Agents and invitations.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use parlour_protocol::Id;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Shared;
use crate::error::Error;
use crate::http::extract::{self, Manager, PathId};
use crate::identity::{AgentRole, OneTimeLink, SignedIn};
use crate::store::agents::Agent;
use crate::store::links::Invitation;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/agents", get(list))
        .route("/agents/{id}", get(one).patch(change))
        .route("/agents/{id}/reset-link", post(reset_link))
        .route("/invitations", get(invitations).post(invite))
}

/// An agent, as the API shows her. Times are microseconds since 1970.
#[derive(Serialize)]
pub(super) struct AgentView {
    id: Id,
    name: String,
    email: String,
    role: &'static str,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        Self {
            id: crate::wire(agent.id),
            name: agent.name,
            email: agent.email,
            role: agent.role.text(),
            created_at: agent.created_at,
            disabled_at: agent.disabled_at,
        }
    }
}

/// A link that was just made: the only answer that ever shows it.
#[derive(Serialize)]
struct LinkView {
    url: String,
    ends_at: i64,
}

impl From<OneTimeLink> for LinkView {
    fn from(link: OneTimeLink) -> Self {
        Self {
            url: link.url,
            ends_at: link.ends_at,
        }
    }
}

async fn list(State(app): State<Shared>, _caller: SignedIn) -> Result<Json<Vec<AgentView>>, Error> {
    Ok(super::list(app.store.agents().await?))
}

async fn one(
    State(app): State<Shared>,
    _caller: SignedIn,
    PathId(id): PathId,
) -> Result<Json<AgentView>, Error> {
    Ok(Json(app.store.agent(id).await?.into()))
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AgentRole, D::Error> {
    let text = String::deserialize(deserializer)?;
    AgentRole::parse(&text)
        .ok_or_else(|| serde::de::Error::custom("expected owner, admin or agent"))
}

fn maybe_role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AgentRole>, D::Error> {
    role(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Change {
    #[serde(default, deserialize_with = "maybe_role")]
    role: Option<AgentRole>,
    disabled: Option<bool>,
}

async fn change(
    State(app): State<Shared>,
    Manager(caller): Manager,
    PathId(id): PathId,
    extract::Json(change): extract::Json<Change>,
) -> Result<Json<AgentView>, Error> {
    let actor = caller.actor();
    if let Some(role) = change.role {
        app.identity.set_role(&actor, id, role).await?;
    }
    match change.disabled {
        Some(true) => app.identity.disable(&actor, id).await?,
        Some(false) => app.identity.enable(&actor, id).await?,
        None => {}
    }
    Ok(Json(app.store.agent(id).await?.into()))
}

async fn reset_link(
    State(app): State<Shared>,
    Manager(caller): Manager,
    PathId(id): PathId,
) -> Result<(StatusCode, Json<LinkView>), Error> {
    let link = app.identity.reset_link(&caller.actor(), id).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

#[derive(Deserialize)]
struct Invite {
    email: String,
    #[serde(deserialize_with = "role")]
    role: AgentRole,
}

async fn invite(
    State(app): State<Shared>,
    Manager(caller): Manager,
    extract::Json(asked): extract::Json<Invite>,
) -> Result<(StatusCode, Json<LinkView>), Error> {
    let link = app
        .identity
        .invite(&caller.actor(), &asked.email, asked.role)
        .await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

#[derive(Serialize)]
struct InvitationView {
    email: String,
    role: &'static str,
    created_at: i64,
    ends_at: i64,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            email: invitation.email,
            role: invitation.role.text(),
            created_at: invitation.created_at,
            ends_at: invitation.ends_at,
        }
    }
}

async fn invitations(
    State(app): State<Shared>,
    Manager(caller): Manager,
) -> Result<Json<Vec<InvitationView>>, Error> {
    Ok(super::list(
        app.identity.invitations(&caller.actor()).await?,
    ))
}
