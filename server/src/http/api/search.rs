//! Search, for agents.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use parlour_protocol::Id;
use parlour_protocol::frame::{Role, RoomKind, TicketState};
use serde::{Deserialize, Serialize};

use crate::Shared;
use crate::chat::search::{self, Found, Piece, Question};
use crate::chat::{Actor, rooms};
use crate::error::Error;
use crate::http::extract::Query;
use crate::identity::SignedIn;
use crate::store::messages::Kind;
use crate::store::search::Message;
use crate::store::tickets::Ticket;

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/search", get(find))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

/// Times are microseconds since 1970.
#[derive(Serialize)]
struct View {
    people: Vec<PersonView>,
    tickets: Vec<TicketView>,
    messages: Vec<MessageView>,
    /// Where older messages begin; nothing on the last page.
    cursor: Option<String>,
}

/// A text in pieces, of which those that were asked for have `hit`.
type Text = Vec<PieceView>;

#[derive(Serialize)]
struct PieceView {
    text: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hit: bool,
}

#[derive(Serialize)]
struct PersonView {
    id: Id,
    role: Role,
    name: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    email: Text,
    /// A visitor's newest ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<Id>,
}

#[derive(Serialize)]
struct TicketView {
    id: Id,
    state: TicketState,
    visitor: Id,
    name: Text,
    email: Text,
    at: i64,
}

#[derive(Serialize)]
struct MessageView {
    room: Id,
    kind: RoomKind,
    /// The ticket that the room belongs to.
    ticket: Option<Id>,
    /// The room's name: the visitor's, the other agent's, or the team's.
    title: String,
    seq: u64,
    cid: Id,
    at: i64,
    note: bool,
    author: AuthorView,
    text: Text,
}

#[derive(Serialize)]
struct AuthorView {
    id: Id,
    role: Role,
    name: String,
}

fn text(pieces: Vec<Piece>) -> Text {
    pieces
        .into_iter()
        .map(|piece| PieceView {
            text: piece.text,
            hit: piece.hit,
        })
        .collect()
}

async fn find(
    State(app): State<Shared>,
    caller: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<View>, Error> {
    let before = match asked.cursor.as_deref() {
        Some(cursor) => Some(cursor.parse().map_err(|_| Error::Invalid {
            field: "cursor",
            reason: "use the cursor of a page".into(),
        })?),
        None => None,
    };
    let question = Question::parse(&asked.q);
    let actor = Actor::agent(caller.agent.id, caller.agent.name);
    let found = app.chat.search(&actor, &question, before).await?;
    Ok(Json(view(&found, &question)))
}

fn view(found: &Found, question: &Question) -> View {
    let person = |person: &search::Person| match person {
        search::Person::Agent(id, name) => PersonView {
            id: crate::wire(*id),
            role: Role::Agent,
            name: text(search::name_pieces(name, question)),
            email: Vec::new(),
            ticket: None,
        },
        search::Person::Visitor(visitor) => PersonView {
            id: crate::wire(visitor.id),
            role: Role::Visitor,
            name: text(search::name_pieces(&visitor.name, question)),
            email: text(search::name_pieces(&visitor.email, question)),
            ticket: visitor.ticket.map(crate::wire),
        },
    };
    View {
        people: found.people.iter().map(person).collect(),
        tickets: found
            .tickets
            .iter()
            .map(|found| ticket(found, question))
            .collect(),
        messages: found
            .messages
            .iter()
            .map(|found| message(found, question))
            .collect(),
        cursor: found.older.map(|place| place.to_string()),
    }
}

fn ticket(found: &Ticket, question: &Question) -> TicketView {
    TicketView {
        id: crate::wire(found.id),
        state: found.state,
        visitor: crate::wire(found.visitor.id),
        name: text(search::name_pieces(&found.visitor.name, question)),
        email: text(search::name_pieces(&found.visitor.email, question)),
        at: found.at,
    }
}

fn message(found: &Message, question: &Question) -> MessageView {
    let stored = &found.stored;
    MessageView {
        room: crate::wire(stored.room),
        kind: rooms::wire_kind(found.kind),
        ticket: found.ticket.map(crate::wire),
        title: found.title.clone(),
        seq: crate::unsigned(stored.seq),
        cid: crate::wire(stored.cid),
        at: stored.at,
        note: stored.kind == Kind::Note,
        author: AuthorView {
            id: crate::wire(stored.author),
            role: stored.author_role,
            name: stored.author_name.clone(),
        },
        text: text(search::message_excerpt(found, question)),
    }
}
