//! Search: the page, and the way from what was found to where it was said.

use axum::Router;
use axum::extract::{Path, Query as Address, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use parlour_admin_templates::{
    FoundMessage, FoundPerson, FoundTicket, Moment, PersonView, PieceView, SearchPage, Section,
};
use parlour_protocol::frame::{Person, Role};
use serde::Deserialize;
use uuid::Uuid;

use super::answer;
use super::live::visitor_name;
use super::shell::{self, Wanted};
use super::viewer::Viewer;
use crate::Shared;
use crate::chat::search::{self, Piece, Question};
use crate::chat::{rooms, text};
use crate::error::Error;
use crate::store::messages::Stored;
use crate::store::search::{Message, Visitor};
use crate::store::tickets::Ticket;

/// Newer entries that stand below a message that was found.
const BELOW: i64 = 20;
/// The longest preview of a ticket, in characters.
const PREVIEW: usize = 140;

/// The routes.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/search", get(show))
        .route("/found/{room}/{seq}", get(lead))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Params {
    q: String,
    cursor: String,
}

async fn show(
    State(app): State<Shared>,
    viewer: Viewer,
    Address(params): Address<Params>,
) -> Result<Response, Error> {
    let question = Question::parse(&params.q);
    let before = params.cursor.parse().ok();
    let found = app.chat.search(&viewer.actor(), &question, before).await?;
    let older = found.older.map(|place| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &params.q)
            .append_pair("cursor", &place.to_string())
            .finish()
    });
    let people = found.people.iter().map(|person| match person {
        search::Person::Agent(id, name) => agent(&app, *id, name, &question),
        search::Person::Visitor(found) => visitor(&app, found, &question),
    });
    let page = SearchPage {
        shell: shell::of(&app, &viewer, Section::Search, Wanted::default()).await?,
        asked: !question.is_empty(),
        paged: before.is_some(),
        people: people.collect(),
        tickets: found
            .tickets
            .iter()
            .map(|found| ticket(&app, found, &question))
            .collect(),
        messages: found
            .messages
            .iter()
            .map(|found| message(&app, found, &question))
            .collect(),
        older,
        question: params.q,
    };
    Ok(answer::page(&app, &viewer, StatusCode::OK, &page))
}

fn pieces(pieces: Vec<Piece>) -> Vec<PieceView> {
    pieces
        .into_iter()
        .map(|piece| PieceView {
            text: piece.text,
            hit: piece.hit,
        })
        .collect()
}

/// Who it is, by the name that others see.
fn person(app: &Shared, id: Uuid, role: Role, name: &str) -> PersonView {
    let person = Person {
        id: crate::wire(id),
        role,
        name: name.to_owned(),
    };
    PersonView::from(&person).with_presence(app.chat.presence.state(id))
}

fn agent(app: &Shared, id: Uuid, name: &str, question: &Question) -> FoundPerson {
    FoundPerson {
        person: person(app, id, Role::Agent, name),
        name: pieces(search::name_pieces(name, question)),
        email: Vec::new(),
        ticket: None,
    }
}

fn visitor(app: &Shared, found: &Visitor, question: &Question) -> FoundPerson {
    FoundPerson {
        person: person(app, found.id, Role::Visitor, &found.name),
        name: pieces(search::name_pieces(&found.name, question)),
        email: pieces(search::name_pieces(&found.email, question)),
        ticket: found.ticket.map(|ticket| ticket.to_string()),
    }
}

fn ticket(app: &Shared, found: &Ticket, question: &Question) -> FoundTicket {
    let runs = if found.preview_by.is_some() {
        text::runs_markdown(&found.preview)
    } else {
        text::runs_plain(&found.preview)
    };
    FoundTicket {
        id: found.id.to_string(),
        visitor: PersonView::visitor(found.visitor.id.to_string(), visitor_name(&found.visitor))
            .with_presence(app.chat.presence.state(found.visitor.id)),
        name: pieces(search::name_pieces(&found.visitor.name, question)),
        state: found.state,
        preview: text::preview(&runs, PREVIEW),
        at: Moment(found.at),
    }
}

fn message(app: &Shared, found: &Message, question: &Question) -> FoundMessage {
    let Stored {
        author,
        author_role,
        author_name,
        ..
    } = &found.stored;
    FoundMessage {
        room: found.stored.room.to_string(),
        kind: rooms::wire_kind(found.kind),
        title: if found.title.is_empty() {
            "a visitor".to_owned()
        } else {
            found.title.clone()
        },
        seq: crate::unsigned(found.stored.seq),
        author: person(app, *author, *author_role, author_name),
        text: pieces(search::message_excerpt(found, question)),
        at: Moment(found.stored.at),
    }
}

/// To the page of the thread that has the message on it. Only here it is looked for, and only
/// after the room was entered.
async fn lead(
    State(app): State<Shared>,
    viewer: Viewer,
    Path((room, seq)): Path<(String, String)>,
) -> Result<Response, Error> {
    let room = Uuid::try_parse(&room).map_err(|_| Error::NotFound)?;
    let seq: i64 = seq.parse().map_err(|_| Error::NotFound)?;
    let entered = app.chat.enter(&viewer.actor(), room).await?;
    let (at, ticket) = match &entered.ticket {
        Some((ticket, _, _)) => (format!("/tickets/{ticket}"), Some(*ticket)),
        None => (format!("/rooms/{room}"), None),
    };
    let other = match ticket {
        Some(ticket) if ticket == room => Some(app.store.ticket(ticket).await?.staff_room),
        other => other,
    };
    let (cid, ends) = app.store.around(room, other, seq, BELOW).await?;
    let before = match (ends, ticket) {
        (None, _) => String::new(),
        (Some((own, other)), Some(ticket)) if ticket == room => format!("?before={own}-{other}"),
        (Some((own, other)), Some(_)) => format!("?before={other}-{own}"),
        (Some((own, _)), None) => format!("?before={own}"),
    };
    Ok(answer::see_other(&format!("{at}{before}#m-{cid}")))
}
