//! The list of tickets: its rows, its counts, and what it is narrowed to.

use crate::moment::Moment;
use crate::person::PersonView;
use crate::words::{self, Word};
use parlour_protocol::frame::TicketState;

/// A ticket's row in the list; the fragment is the same for every agent.
#[derive(Clone, Debug, Default)]
pub struct TicketRowView {
    /// The ticket; the element's id is `t-{id}`.
    pub id: String,
    /// Its revision.
    pub rev: u64,
    /// The newest sequence number of its public room.
    pub position: u64,
    /// When something was last written in it.
    pub at: Moment,
    /// Its state.
    pub state: TicketState,
    /// If it is snoozed: until when.
    pub snoozed_until: Option<Moment>,
    /// Whose it is.
    pub assignee: Option<PersonView>,
    /// Who asks; `name` holds the fallback "Visitor · Berlin" if she gave none.
    pub visitor: PersonView,
    /// Its site.
    pub site: SiteRef,
    /// The beginning of the newest message, as plain text.
    pub preview: String,
    /// Who wrote it.
    pub preview_by: PreviewBy,
    /// If an agent wrote the newest message: how far it came.
    pub tick: Option<Tick>,
    /// What only the page knows; the default in a fragment.
    pub page: RowOnPage,
}

/// What a row says on one agent's page, and not in a fragment. The script carries it over.
#[derive(Clone, Debug, Default)]
pub struct RowOnPage {
    /// The agent's read mark in the public room: `data-read`.
    pub read: Option<u64>,
    /// How many of the visitor's messages she has not read.
    pub unread: u64,
    /// Whether it is the ticket on screen.
    pub current: bool,
    /// The list's query, kept on the link: `?state=open&assigned=mine`, or empty.
    pub query: String,
}

/// Who wrote the newest message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PreviewBy {
    /// The visitor.
    #[default]
    Visitor,
    /// An agent, by first name.
    Agent(String),
}

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Stored.
    Sent,
    /// On the reader's device.
    Delivered,
    /// On screen.
    Read,
}

impl Tick {
    /// Its value in `data-tick`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// A site's id and name.
#[derive(Clone, Debug, Default)]
pub struct SiteRef {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Whose tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assigned {
    /// Everybody's and nobody's.
    #[default]
    All,
    /// The agent's own.
    Mine,
    /// Nobody's.
    Unassigned,
}

impl Word for Assigned {
    fn key(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Mine => "Mine",
            Self::Unassigned => "Unassigned",
        }
    }
}

/// How many tickets there are in the chosen state (the first three) and in each state.
#[derive(Clone, Copy, Debug, Default)]
pub struct TicketCounts {
    /// Open and the agent's.
    pub mine: u64,
    /// Open and nobody's.
    pub unassigned: u64,
    /// Open.
    pub open: u64,
    /// Pending.
    pub pending: u64,
    /// Snoozed.
    pub snoozed: u64,
    /// Resolved.
    pub resolved: u64,
}

impl TicketCounts {
    /// Whether nobody has ever written.
    pub(crate) fn is_empty(&self) -> bool {
        self.open + self.pending + self.snoozed + self.resolved == 0
    }
}

/// The list pane.
#[derive(Clone, Debug, Default)]
pub struct TicketListView {
    /// The rows, newest first.
    pub rows: Vec<TicketRowView>,
    /// Only tickets in this state.
    pub state: TicketState,
    /// Only these.
    pub assigned: Assigned,
    /// Only this site's.
    pub site: Option<String>,
    /// The sites to choose from.
    pub sites: Vec<SiteRef>,
    /// The counts on the tabs.
    pub counts: TicketCounts,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

impl TicketListView {
    /// The list's query for links, with a leading `?`; empty for the default list.
    #[must_use]
    pub fn query(&self) -> String {
        self.query_of(self.state, self.assigned, self.site.as_deref())
    }

    fn query_of(&self, state: TicketState, assigned: Assigned, site: Option<&str>) -> String {
        let mut parts = Vec::new();
        if state != TicketState::Open {
            parts.push(format!("state={}", state.key()));
        }
        if assigned != Assigned::All {
            parts.push(format!("assigned={}", assigned.key()));
        }
        if let Some(site) = site {
            parts.push(format!("site={site}"));
        }
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }

    pub(crate) fn tabs(&self) -> [(Assigned, Option<String>); 3] {
        // Only open tickets are counted by assignee.
        let open = self.state == TicketState::Open;
        [
            (Assigned::All, Some(self.count(&self.state))),
            (
                Assigned::Mine,
                open.then(|| words::counted(self.counts.mine)),
            ),
            (
                Assigned::Unassigned,
                open.then(|| words::counted(self.counts.unassigned)),
            ),
        ]
    }

    pub(crate) fn states(&self) -> [TicketState; 4] {
        [
            TicketState::Open,
            TicketState::Pending,
            TicketState::Snoozed,
            TicketState::Resolved,
        ]
    }

    pub(crate) fn count(&self, state: &TicketState) -> String {
        words::counted(match state {
            TicketState::Open => self.counts.open,
            TicketState::Pending => self.counts.pending,
            TicketState::Snoozed => self.counts.snoozed,
            TicketState::Resolved => self.counts.resolved,
        })
    }

    pub(crate) fn with_assigned(&self, assigned: &Assigned) -> String {
        format!(
            "/tickets{}",
            self.query_of(self.state, *assigned, self.site.as_deref())
        )
    }

    pub(crate) fn with_state(&self, state: &TicketState) -> String {
        format!(
            "/tickets{}",
            self.query_of(*state, self.assigned, self.site.as_deref())
        )
    }

    pub(crate) fn with_site(&self, site: Option<&str>) -> String {
        format!("/tickets{}", self.query_of(self.state, self.assigned, site))
    }

    pub(crate) fn next_page(&self, cursor: &str) -> String {
        let query = self.query();
        let joint = if query.is_empty() { "?" } else { "&" };
        format!("/tickets{query}{joint}cursor={cursor}")
    }

    pub(crate) fn site_name(&self) -> &str {
        let chosen = self
            .site
            .as_deref()
            .and_then(|id| self.sites.iter().find(|site| site.id == id));
        chosen.map_or("All sites", |site| &site.name)
    }

    pub(crate) fn is_site(&self, id: &str) -> bool {
        self.site.as_deref() == Some(id)
    }

    /// The line of an empty list.
    pub(crate) fn empty_line(&self) -> &'static str {
        match (self.state, self.assigned) {
            (TicketState::Open, Assigned::Mine) => "No open ticket is yours.",
            (TicketState::Open, Assigned::Unassigned) => "Every open ticket has somebody.",
            (TicketState::Open, Assigned::All) => {
                "No open tickets. New ones appear here by themselves."
            }
            (TicketState::Pending, _) => "No ticket waits for a visitor.",
            (TicketState::Snoozed, _) => "No ticket is snoozed.",
            (TicketState::Resolved, _) => "Nothing has been resolved yet.",
        }
    }
}
