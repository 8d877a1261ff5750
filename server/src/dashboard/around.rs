//! What stands around a ticket's thread: its head and its context, on the page and by themselves,
//! for a page that renews them.

use axum::Router;
use axum::extract::{Query as Address, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use parlour_admin_templates::{AroundFragment, Moment, PersonView, SiteRef, TicketView};

use super::answer;
use super::ticket_list::{Params, Query};
use super::viewer::{Key, Viewer};
use super::{context, live};
use crate::Shared;
use crate::error::Error;
use crate::store::tickets::Ticket;

/// The route.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/tickets/{id}/around", get(around))
}

async fn around(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Address(params): Address<Params>,
) -> Result<Response, Error> {
    let ticket = app.store.ticket(id).await?;
    app.chat.enter(&viewer.actor(), ticket.id).await?;
    let fragment = AroundFragment {
        me: viewer.agent.id.to_string(),
        query: Query::of(&params).text(),
        ticket: view(&app, &ticket).await?,
    };
    Ok(answer::html(StatusCode::OK, &fragment))
}

/// A ticket as pages show it, without its thread and composer.
///
/// # Errors
/// What the store reports.
pub(super) async fn view(app: &Shared, ticket: &Ticket) -> Result<TicketView, Error> {
    let visitor = &ticket.visitor;
    let assignee = ticket.assignee.as_ref();
    Ok(TicketView {
        id: ticket.id.to_string(),
        state: ticket.state,
        snoozed_until: ticket.snoozed_until.map(Moment),
        visitor: PersonView::visitor(visitor.id.to_string(), live::visitor_name(visitor))
            .with_presence(app.chat.presence.state(visitor.id)),
        assignee: assignee.map(|(id, name)| PersonView::agent(id.to_string(), name.clone())),
        agents: agents(app).await?,
        site: SiteRef {
            id: ticket.site.to_string(),
            name: ticket.site_name.clone(),
        },
        context: context::of(app, ticket).await?,
        ..TicketView::default()
    })
}

/// All agents who are not disabled, and whether they are there.
async fn agents(app: &Shared) -> Result<Vec<PersonView>, Error> {
    let agents = app.store.agent_names().await?;
    Ok(agents
        .into_iter()
        .map(|(id, name)| {
            PersonView::agent(id.to_string(), name).with_presence(app.chat.presence.state(id))
        })
        .collect())
}
