//! What was searched for, and found.

use crate::moment::Moment;
use crate::person::PersonView;
use crate::shell::Shell;
use crate::words::Word;
use askama::Template;
use parlour_protocol::frame::{Role, RoomKind, TicketState};

/// A piece of a text.
#[derive(Clone, Debug)]
pub struct PieceView {
    /// The text.
    pub text: String,
    /// Whether it was asked for.
    pub hit: bool,
}

/// An agent or a visitor.
#[derive(Clone, Debug)]
pub struct FoundPerson {
    /// Who.
    pub person: PersonView,
    /// Her name; a visitor's may be empty.
    pub name: Vec<PieceView>,
    /// A visitor's address.
    pub email: Vec<PieceView>,
    /// A visitor's newest ticket.
    pub ticket: Option<String>,
}

impl FoundPerson {
    pub(crate) fn is_visitor(&self) -> bool {
        self.person.role == Role::Visitor
    }
}

/// A ticket.
#[derive(Clone, Debug)]
pub struct FoundTicket {
    /// Its id.
    pub id: String,
    /// Its visitor.
    pub visitor: PersonView,
    /// Her name.
    pub name: Vec<PieceView>,
    /// Its state.
    pub state: TicketState,
    /// The beginning of its newest message.
    pub preview: String,
    /// When something was last written.
    pub at: Moment,
}

/// A message.
#[derive(Clone, Debug)]
pub struct FoundMessage {
    /// Its room.
    pub room: String,
    /// What kind of room.
    pub kind: RoomKind,
    /// A team room's name, the other of a direct room, a ticket's visitor.
    pub title: String,
    /// Its number.
    pub seq: u64,
    /// Who wrote it.
    pub author: PersonView,
    /// What was asked for, and what stands around it.
    pub text: Vec<PieceView>,
    /// When it was written.
    pub at: Moment,
}

impl FoundMessage {
    pub(crate) fn is_note(&self) -> bool {
        self.kind == RoomKind::Staff
    }

    /// Whether the place has a name of its own: a visitor's ticket is known by her.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.author.role != Role::Visitor
    }

    /// Where it was written, in words.
    pub(crate) fn place(&self) -> &'static str {
        match self.kind {
            _ if !self.is_elsewhere() => "Ticket",
            RoomKind::Public | RoomKind::Staff => "Ticket of",
            RoomKind::Direct => "Direct room with",
            RoomKind::Team => "Team room",
        }
    }
}

/// `GET /search`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/search.html")]
pub struct SearchPage {
    /// The frame.
    pub shell: Shell,
    /// What was typed.
    pub question: String,
    /// Whether there is a word in it.
    pub asked: bool,
    /// Whether newer messages are on another page.
    pub paged: bool,
    /// People.
    pub people: Vec<FoundPerson>,
    /// Tickets.
    pub tickets: Vec<FoundTicket>,
    /// Messages, the newest first.
    pub messages: Vec<FoundMessage>,
    /// The query of the page with older messages.
    pub older: Option<String>,
}

impl SearchPage {
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.tickets.is_empty() && self.messages.is_empty()
    }
}
