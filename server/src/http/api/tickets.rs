//! Tickets and their state.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use parlour_protocol::Id;
use parlour_protocol::frame::{ListQuery, TicketState};
use serde::{Deserialize, Serialize};

use crate::Shared;
use crate::chat::{self, Actor};
use crate::error::Error;
use crate::http::extract::{self, PathId, Query};
use crate::identity::SignedIn;
use crate::store::states;
use crate::store::tickets::{Below, Ticket};

/// Tickets in one answer.
const PAGE: i64 = 50;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/tickets", get(list))
        .route("/tickets/{id}", get(one).patch(change))
}

/// A ticket, as the API shows it. Times are microseconds since 1970.
#[derive(Serialize)]
struct TicketView {
    id: Id,
    staff_room: Id,
    rev: u64,
    state: TicketState,
    /// If it is snoozed: when it opens by itself.
    snoozed_until: Option<i64>,
    site: Id,
    assignee: Option<Id>,
    visitor: VisitorView,
    position: u64,
    at: i64,
    created_at: i64,
    preview: String,
    page: String,
    title: String,
}

#[derive(Serialize)]
struct VisitorView {
    id: Id,
    name: String,
    email: String,
    page: String,
    title: String,
    referrer: String,
    browser: String,
    locale: String,
    zone: String,
    created_at: i64,
    seen_at: i64,
}

impl From<Ticket> for TicketView {
    fn from(ticket: Ticket) -> Self {
        let visitor = ticket.visitor;
        Self {
            id: crate::wire(ticket.id),
            staff_room: crate::wire(ticket.staff_room),
            rev: crate::unsigned(ticket.rev),
            state: ticket.state,
            snoozed_until: ticket.snoozed_until,
            site: crate::wire(ticket.site),
            assignee: ticket.assignee.map(|(id, _)| crate::wire(id)),
            position: crate::unsigned(ticket.position),
            at: ticket.at,
            created_at: ticket.created_at,
            preview: ticket.preview,
            page: ticket.page.0,
            title: ticket.page.1,
            visitor: VisitorView {
                id: crate::wire(visitor.id),
                name: visitor.name,
                email: visitor.email,
                page: visitor.page.0,
                title: visitor.page.1,
                referrer: visitor.referrer,
                browser: visitor.browser,
                locale: visitor.locale,
                zone: visitor.zone,
                created_at: visitor.seen.0,
                seen_at: visitor.seen.1,
            },
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    state: TicketState,
    #[serde(default)]
    assigned: String,
    site: Option<Id>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct List {
    tickets: Vec<TicketView>,
    /// Where the next page begins; nothing on the last one.
    cursor: Option<String>,
}

async fn list(
    State(app): State<Shared>,
    caller: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<List>, Error> {
    if !matches!(asked.assigned.as_str(), "" | "all" | "mine" | "unassigned") {
        return Err(Error::Invalid {
            field: "assigned",
            reason: "use all, mine or unassigned".into(),
        });
    }
    let below = match asked.cursor.as_deref() {
        Some(cursor) => Some(below(cursor).ok_or_else(|| Error::Invalid {
            field: "cursor",
            reason: "use the cursor of a page".into(),
        })?),
        None => None,
    };
    let query = ListQuery {
        state: asked.state,
        assigned: asked.assigned,
        site: asked.site,
    };
    let filter = chat::tickets::filter(&query, caller.agent.id);
    let mut tickets = app.store.ticket_list(&filter, below, PAGE + 1).await?;
    let more = tickets.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    if more {
        tickets.pop();
    }
    let cursor = tickets
        .last()
        .filter(|_| more)
        .map(|last| format!("{}_{}", last.at, last.id));
    Ok(Json(List {
        tickets: tickets.into_iter().map(Into::into).collect(),
        cursor,
    }))
}

fn below(cursor: &str) -> Option<Below> {
    let (at, id) = cursor.split_once('_')?;
    Some(Below {
        at: at.parse().ok()?,
        id: uuid::Uuid::from_bytes(Id::parse(id)?.0),
    })
}

async fn one(
    State(app): State<Shared>,
    _caller: SignedIn,
    PathId(id): PathId,
) -> Result<Json<TicketView>, Error> {
    Ok(Json(app.store.ticket(id).await?.into()))
}

#[derive(Deserialize)]
struct Change {
    state: Option<TicketState>,
    /// Until when, if `state` is `snoozed`.
    snoozed_until: Option<i64>,
    /// A missing field changes nothing; null takes the ticket from whoever has it.
    #[serde(default, deserialize_with = "present")]
    assignee: Option<Option<Id>>,
}

impl Change {
    fn state(&self) -> Result<Option<states::Change>, Error> {
        Ok(Some(match self.state {
            None => return Ok(None),
            Some(TicketState::Open) => states::Change::Open,
            Some(TicketState::Pending) => states::Change::Pending,
            Some(TicketState::Resolved) => states::Change::Resolved,
            Some(TicketState::Snoozed) => {
                let until = self.snoozed_until.ok_or_else(|| Error::Invalid {
                    field: "snoozed_until",
                    reason: "say until when, in microseconds since 1970".into(),
                })?;
                states::Change::Snoozed(until)
            }
        }))
    }
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Id>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn change(
    State(app): State<Shared>,
    caller: SignedIn,
    PathId(id): PathId,
    extract::Json(change): extract::Json<Change>,
) -> Result<Json<TicketView>, Error> {
    let actor = Actor::agent(caller.agent.id, caller.agent.name);
    let state = change.state()?;
    if let Some(assignee) = change.assignee {
        app.chat
            .assign(&actor, id, assignee.map(|id| uuid::Uuid::from_bytes(id.0)))
            .await?;
    }
    if let Some(state) = state {
        app.chat.set_state(&actor, id, state).await?;
    }
    Ok(Json(app.store.ticket(id).await?.into()))
}
