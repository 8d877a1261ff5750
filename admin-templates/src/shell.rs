//! What stands around every page.

use crate::words::{Rank, Word};
use parlour_protocol::frame::TicketState;
use serde::Serialize;

/// Addresses of the assets, with their hashes in them.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    /// `dashboard.css`.
    pub css: String,
    /// `theme.js`: small, and runs before the first paint.
    pub theme_js: String,
    /// `page.js`: what pages do without a connection.
    pub page_js: String,
    /// `favicon.svg`.
    pub favicon: String,
    /// `favicon-unread.svg`.
    pub favicon_unread: String,
}

/// The frame of the pages behind sign-in.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Who is signed in.
    pub me: Me,
    /// Which entry of the navigation is chosen.
    pub section: Section,
    /// The counts in the navigation.
    pub counts: NavCounts,
    /// Where the assets are.
    pub assets: Assets,
    /// What the live script needs; without it the page is not made live.
    pub live: Option<Live>,
    /// What was just done, or why it was not.
    pub toasts: Vec<Toast>,
}

/// The frame of the pages before sign-in, and of errors.
#[derive(Clone, Debug, Default)]
pub struct Bare {
    /// Where the assets are.
    pub assets: Assets,
}

/// The agent who is signed in.
#[derive(Clone, Debug, Default)]
pub struct Me {
    /// Her id.
    pub id: String,
    /// Her name.
    pub name: String,
    /// Her address.
    pub email: String,
    /// What she may do.
    pub rank: Rank,
}

impl Me {
    /// The same person, for her face.
    pub(crate) fn person(&self) -> crate::PersonView {
        crate::PersonView::agent(&self.id, &self.name)
    }
}

/// A part of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Section {
    /// Tickets.
    #[default]
    Tickets,
    /// Direct and team rooms.
    Rooms,
    /// What was searched for.
    Search,
    /// Agents.
    Agents,
    /// Sites.
    Sites,
    /// The own account.
    Account,
    /// None of them.
    Elsewhere,
}

impl Section {
    /// Its value in `data-section`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Tickets => "tickets",
            Self::Rooms => "rooms",
            Self::Search => "search",
            Self::Agents => "agents",
            Self::Sites => "sites",
            Self::Account => "account",
            Self::Elsewhere => "",
        }
    }
}

/// The counts in the navigation; 0 shows none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NavCounts {
    /// Open tickets, her own and nobody's, in which she has not read all that the visitor wrote.
    pub tickets: u64,
    /// Unread messages in direct and team rooms.
    pub rooms: u64,
}

/// A short message at the page's edge.
#[derive(Clone, Debug)]
pub struct Toast {
    /// How it went.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// How it is taken back.
    pub undo: Option<Undo>,
}

/// The form that takes back a change of a ticket's state.
#[derive(Clone, Debug)]
pub struct Undo {
    /// Where it goes.
    pub action: String,
    /// The state before.
    pub state: TicketState,
}

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It was done.
    Ok,
    /// It was refused.
    Danger,
}

impl Undo {
    /// The state's value in forms.
    pub(crate) fn key(&self) -> &'static str {
        self.state.key()
    }
}

impl Tone {
    /// Its value in `data-tone`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Danger => "danger",
        }
    }
}

/// What the live script is told, as JSON in `#live-data`'s attribute `data-live`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Live {
    /// `dashboard.js`.
    pub script_url: String,
    /// wasm-bindgen's glue.
    pub glue_url: String,
    /// The module itself.
    pub wasm_url: String,
    /// Where a cookie buys a token: `/api/v1/token`.
    pub token_url: String,
    /// `wss://…/socket`.
    pub socket_url: String,
    /// The agent's id.
    pub agent: String,
    /// The agent's name.
    pub agent_name: String,
    /// The rooms on screen, and what of them is there.
    pub rooms: Vec<LiveRoom>,
    /// The list of tickets on screen.
    pub list: Option<LiveList>,
    /// The ticket on screen.
    pub ticket: Option<String>,
}

/// A room on screen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LiveRoom {
    /// Its id.
    pub room: String,
    /// `public`, `staff`, `direct` or `team`.
    pub kind: &'static str,
    /// The newest sequence number on the page; 0 if none.
    pub seq: u64,
    /// The agent's read mark.
    pub read: u64,
}

/// The list of tickets on screen, as in a `sync` frame.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LiveList {
    /// `open`, `pending`, `snoozed` or `resolved`.
    pub state: &'static str,
    /// `all`, `mine` or `unassigned`.
    pub assigned: &'static str,
    /// Only this site's.
    pub site: Option<String>,
    /// Whether it is the first page: only there new tickets appear.
    pub first: bool,
}

impl Live {
    /// The JSON for the attribute, which the template escapes.
    pub(crate) fn json(&self) -> String {
        // Strings, numbers and options alone: it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Shell {
    /// Whether the section is the one on screen.
    pub(crate) fn is(&self, section: &str) -> bool {
        self.section.key() == section
    }

    /// The rank in words.
    pub(crate) fn rank(&self) -> &'static str {
        self.me.rank.word()
    }
}
