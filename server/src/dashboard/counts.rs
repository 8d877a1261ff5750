//! What waits for an agent, as her pages ask for it after each change: numbers differ from one
//! agent to the next, so they cannot travel with a row, which is the same for all.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use parlour_protocol::frame::Availability;
use parlour_protocol::limits;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::viewer::Viewer;
use crate::Shared;
use crate::error::Error;

/// The route.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/tickets/counts", get(counts))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// The tickets on screen, with dots between. What is no id counts as absent.
    rows: String,
}

/// The numbers on a page.
#[derive(Serialize)]
struct Counts {
    /// Tickets that wait for the agent: the badge in the navigation.
    waiting: u64,
    /// On the list's tabs.
    tabs: Tabs,
    /// By ticket, those that were asked for.
    rows: BTreeMap<Uuid, Row>,
}

#[derive(Serialize)]
struct Tabs {
    mine: u64,
    unassigned: u64,
    open: u64,
    pending: u64,
    snoozed: u64,
    resolved: u64,
}

#[derive(Serialize)]
struct Row {
    /// The agent's read mark.
    read: u64,
    /// The visitor's messages above it.
    unread: u64,
    /// The visitor, and whether she is there: a page that was cut off did not hear of it.
    visitor: Uuid,
    presence: Availability,
}

async fn counts(
    State(app): State<Shared>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let ids = asked.rows.split('.').take(limits::LIST);
    let ids: Vec<Uuid> = ids.filter_map(|id| Uuid::try_parse(id).ok()).collect();
    let agent = viewer.agent.id;
    let tabs = app.store.ticket_counts(agent).await?;
    let unread = app.store.unread_tickets(agent, &ids).await?;
    let answer = Counts {
        waiting: crate::unsigned(app.store.waiting(agent).await?),
        tabs: Tabs {
            mine: crate::unsigned(tabs.mine),
            unassigned: crate::unsigned(tabs.unassigned),
            open: crate::unsigned(tabs.open),
            pending: crate::unsigned(tabs.pending),
            snoozed: crate::unsigned(tabs.snoozed),
            resolved: crate::unsigned(tabs.resolved),
        },
        rows: unread
            .into_iter()
            .map(|(id, own)| {
                let row = Row {
                    read: crate::unsigned(own.read),
                    unread: crate::unsigned(own.count),
                    visitor: own.visitor,
                    presence: app.chat.presence.state(own.visitor),
                };
                (id, row)
            })
            .collect(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}
