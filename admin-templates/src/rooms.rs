//! The agents' own rooms: direct ones and team rooms.

use crate::form::Problems;
use crate::message::{ComposerView, ThreadView};
use crate::moment::Moment;
use crate::person::PersonView;
use crate::shell::Shell;
use crate::words::Word;
use askama::Template;
use parlour_protocol::frame::RoomKind;

/// A room's row in the list; its element's id is `r-{id}`.
#[derive(Clone, Debug)]
pub struct RoomRowView {
    /// Its id.
    pub id: String,
    /// Direct or team.
    pub kind: RoomKind,
    /// A team room's name; a direct room's is the other's.
    pub name: String,
    /// The other person of a direct room.
    pub peer: Option<PersonView>,
    /// The beginning of the newest message, as plain text, or empty.
    pub preview: String,
    /// When it was written.
    pub at: Option<Moment>,
    /// The newest sequence number.
    pub position: u64,
    /// The agent's read mark.
    pub read: u64,
    /// How many messages she has not read.
    pub unread: u64,
    /// Whether it is the room on screen.
    pub current: bool,
}

/// The list pane.
#[derive(Clone, Debug, Default)]
pub struct RoomListView {
    /// Direct rooms, newest first.
    pub direct: Vec<RoomRowView>,
    /// Team rooms, by name.
    pub teams: Vec<RoomRowView>,
}

impl RoomListView {
    pub(crate) fn is_empty(&self) -> bool {
        self.direct.is_empty() && self.teams.is_empty()
    }
}

/// A room on screen.
#[derive(Clone, Debug)]
pub struct RoomView {
    /// Its id.
    pub id: String,
    /// Direct or team.
    pub kind: RoomKind,
    /// Its name.
    pub name: String,
    /// The other person of a direct room.
    pub peer: Option<PersonView>,
    /// Who is in it.
    pub members: Vec<PersonView>,
    /// Who may be added.
    pub candidates: Vec<PersonView>,
    /// Its entries.
    pub thread: ThreadView,
    /// Where a message is written.
    pub composer: ComposerView,
}

impl RoomView {
    pub(crate) fn is_team(&self) -> bool {
        self.kind == RoomKind::Team
    }
}

/// The forms for a new room, shown where no room is chosen.
#[derive(Clone, Debug, Default)]
pub struct NewRoomView {
    /// All other agents who are not disabled.
    pub agents: Vec<PersonView>,
    /// The team room's name, after a refusal.
    pub name: String,
    /// The members chosen, after a refusal.
    pub members: Vec<String>,
    /// Why it was refused.
    pub problems: Problems,
}

impl NewRoomView {
    pub(crate) fn is_chosen(&self, id: &str) -> bool {
        self.members.iter().any(|member| member == id)
    }
}

/// `GET /rooms` and `GET /rooms/{id}`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/rooms.html")]
pub struct RoomsPage {
    /// The frame.
    pub shell: Shell,
    /// The list.
    pub list: RoomListView,
    /// The room on screen.
    pub room: Option<RoomView>,
    /// The forms for a new one; only shown if `room` is none.
    pub new: NewRoomView,
}

#[derive(Template)]
#[template(path = "partials/room_row.html")]
struct RoomRowFragment<'a> {
    row: &'a RoomRowView,
}

/// The HTML of one row. It renders the same element that pages contain.
#[must_use]
pub fn room_row_fragment(row: &RoomRowView) -> String {
    crate::render(&RoomRowFragment { row })
}
