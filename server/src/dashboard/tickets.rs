//! Tickets: the list, a ticket with its thread, and the forms on it.

use axum::extract::{Query as Address, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::REFERER;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use parlour_admin_templates::{LiveRoom, Section, TicketView, TicketsPage, Undo};
use parlour_protocol::frame::TicketState;
use serde::Deserialize;
use uuid::Uuid;

use super::answer::{self, Wants};
use super::around;
use super::flash::Flash;
use super::messages::{self, Refused};
use super::shell::{self, Wanted};
use super::thread::{self, Before};
use super::ticket_list::{self, Params, Query};
use super::viewer::{Key, Viewer};
use crate::Shared;
use crate::error::Error;
use crate::store::tickets::Ticket;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(async || answer::see_other("/tickets")))
        .route("/tickets", get(list))
        .route("/tickets/{id}", get(show))
        .route("/tickets/{id}/messages", post(write))
        .route("/tickets/{id}/read", post(read))
        .route("/tickets/{id}/assignee", post(assignee))
}

async fn list(
    State(app): State<Shared>,
    viewer: Viewer,
    Address(params): Address<Params>,
) -> Result<Response, Error> {
    let query = Query::of(&params);
    let wanted = Wanted {
        list: Some(query.live()),
        ..Wanted::default()
    };
    let (shell, list) = tokio::try_join!(
        shell::of(&app, &viewer, Section::Tickets, wanted),
        ticket_list::load(&app, &viewer, &query, None),
    )?;
    let page = TicketsPage {
        shell,
        list,
        ticket: None,
    };
    Ok(answer::page(&app, &viewer, StatusCode::OK, &page))
}

async fn show(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Address(params): Address<Params>,
) -> Result<Response, Error> {
    let query = Query::of(&params);
    render(
        &app,
        &viewer,
        id,
        &query,
        Before::parse(&params.before),
        None,
    )
    .await
}

/// The page of a ticket; `refused` is a message that was not stored.
async fn render(
    app: &Shared,
    viewer: &Viewer,
    id: Uuid,
    query: &Query,
    before: Option<Before>,
    refused: Option<(&messages::Form, &Refused)>,
) -> Result<Response, Error> {
    let actor = viewer.actor();
    let ticket = app.store.ticket(id).await?;
    app.chat.enter(&actor, ticket.id).await?;
    let text = query.text();
    let thread = thread::of_ticket(&app.chat, &actor, &ticket, before, &text).await?;
    let own = app.store.unread_tickets(viewer.agent.id, &[id]).await?;
    let unread = own.get(&id).is_some_and(|own| own.count > 0);
    let wanted = Wanted {
        // An older page does not grow at its end.
        rooms: if before.is_none() {
            live_rooms(app, viewer, &ticket, thread.newest).await?
        } else {
            Vec::new()
        },
        list: Some(query.live()),
        ticket: Some(id.to_string()),
    };
    let action = format!("/tickets/{id}/messages{text}");
    let (mut shell, list) = tokio::try_join!(
        shell::of(app, viewer, Section::Tickets, wanted),
        ticket_list::load(app, viewer, query, Some(id)),
    )?;
    if viewer.flash == Some(Flash::Resolved) && ticket.state == TicketState::Resolved {
        for toast in &mut shell.toasts {
            toast.undo = Some(Undo {
                action: format!("/tickets/{id}/state"),
                state: TicketState::Open,
            });
        }
    }
    let page = TicketsPage {
        shell,
        list,
        ticket: Some(TicketView {
            read_up_to: (unread && before.is_none()).then(|| crate::unsigned(thread.newest.0)),
            thread: thread.view,
            composer: messages::composer(action, thread.newest.0, refused),
            ..around::view(app, &ticket).await?
        }),
    };
    let status = refused.map_or(StatusCode::OK, |(_, why)| why.status());
    Ok(answer::page(app, viewer, status, &page))
}

async fn live_rooms(
    app: &Shared,
    viewer: &Viewer,
    ticket: &Ticket,
    newest: (i64, i64),
) -> Result<Vec<LiveRoom>, Error> {
    let read = app
        .store
        .read_marks(viewer.agent.id, &[ticket.id, ticket.staff_room])
        .await?;
    let room = |id: Uuid, kind, seq| LiveRoom {
        room: id.to_string(),
        kind,
        seq: crate::unsigned(seq),
        read: crate::unsigned(read.get(&id).copied().unwrap_or(0)),
    };
    Ok(vec![
        room(ticket.id, "public", newest.0),
        room(ticket.staff_room, "staff", newest.1),
    ])
}

async fn write(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    Address(params): Address<Params>,
    Form(form): Form<messages::Form>,
) -> Result<Response, Error> {
    let query = Query::of(&params);
    let ticket = app.store.ticket(id).await?;
    let room = if form.is_note() {
        ticket.staff_room
    } else {
        ticket.id
    };
    match messages::send(&app, &viewer, room, &form).await? {
        Ok(cid) => Ok(answer::done(
            &app,
            &viewer,
            &format!("/tickets/{id}{}#m-{cid}", query.text()),
            None,
        )),
        Err(why) if viewer.wants == Wants::Data => Err(why.error()),
        Err(why) => render(&app, &viewer, id, &query, None, Some((&form, &why))).await,
    }
}

#[derive(Deserialize)]
struct ReadForm {
    /// The newest number of the public room that was on the page.
    seq: u64,
}

/// She has read the page. The live script says so by itself; this is for pages without it.
async fn read(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    headers: HeaderMap,
    Form(form): Form<ReadForm>,
) -> Result<Response, Error> {
    let ticket = app.store.ticket(id).await?;
    app.chat.read(&viewer.actor(), ticket.id, form.seq).await?;
    Ok(answer::done(&app, &viewer, &back_to(id, &headers), None))
}

#[derive(Deserialize)]
struct AssigneeForm {
    /// An agent's id, or empty: nobody.
    assignee: String,
}

async fn assignee(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    headers: HeaderMap,
    Form(form): Form<AssigneeForm>,
) -> Result<Response, Error> {
    let agent = match form.assignee.as_str() {
        "" => None,
        text => Some(Uuid::try_parse(text).map_err(|_| Error::NotFound)?),
    };
    app.chat.assign(&viewer.actor(), id, agent).await?;
    let flash = if agent.is_some() {
        Flash::Assigned
    } else {
        Flash::Unassigned
    };
    Ok(answer::done(
        &app,
        &viewer,
        &back_to(id, &headers),
        Some(flash),
    ))
}

/// The ticket's page beside the list from where the form was sent. Of the referrer only what the
/// list's address may hold is taken over.
pub(super) fn back_to(id: Uuid, headers: &HeaderMap) -> String {
    let referrer = headers
        .get(REFERER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let query = referrer.split_once('?').map_or("", |(_, query)| query);
    let query = format!("/?{query}")
        .parse()
        .ok()
        .and_then(|uri| Address::<Params>::try_from_uri(&uri).ok());
    let text = query
        .map(|Address(params)| Query::of(&params).text())
        .unwrap_or_default();
    format!("/tickets/{id}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_the_list_it_came_from() {
        let id = Uuid::nil();
        let with = |referrer: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REFERER, referrer.parse().expect("a header"));
            back_to(id, &headers)
        };
        let here = format!("/tickets/{id}");
        assert_eq!(
            with("http://127.0.0.1:1/tickets/x?assigned=mine&cursor=1.2"),
            format!("{here}?assigned=mine")
        );
        assert_eq!(with("https://evil.example/?next=//evil.example"), here);
        assert_eq!(with("http://127.0.0.1:1/tickets"), here);
        assert_eq!(back_to(id, &HeaderMap::new()), here);
    }
}
