//! A ticket with its thread and context, and the pages of the list and of a ticket.

use crate::message::{ComposerView, ThreadView};
use crate::moment::Moment;
use crate::person::PersonView;
use crate::shell::Shell;
use crate::ticket_list::{Assigned, PreviewBy, SiteRef, TicketListView, TicketRowView};
use crate::words::Word;
use askama::Template;
use parlour_protocol::frame::TicketState;

/// A ticket on screen.
#[derive(Clone, Debug, Default)]
pub struct TicketView {
    /// Its id, and its public room's.
    pub id: String,
    /// Its state.
    pub state: TicketState,
    /// If it is snoozed: until when.
    pub snoozed_until: Option<Moment>,
    /// Who asks, and whether she is there.
    pub visitor: PersonView,
    /// Whose it is.
    pub assignee: Option<PersonView>,
    /// To whom it may be given.
    pub agents: Vec<PersonView>,
    /// Its site.
    pub site: SiteRef,
    /// If the agent has not read all of it: the newest number of the public room on the page.
    pub read_up_to: Option<u64>,
    /// The entries of both rooms.
    pub thread: ThreadView,
    /// Where an answer or a note is written.
    pub composer: ComposerView,
    /// Who the visitor is.
    pub context: ContextView,
}

/// What is known about a ticket's visitor.
#[derive(Clone, Debug, Default)]
pub struct ContextView {
    /// Her e-mail address, if she gave one.
    pub email: Option<String>,
    /// The page that she is on, or was on last.
    pub page: Option<PageRef>,
    /// From where she came to the site.
    pub referrer: Option<String>,
    /// "Firefox 133 on Windows".
    pub browser: Option<String>,
    /// "German (Germany)", or `de-DE`.
    pub locale: Option<String>,
    /// "Europe/Berlin"; the browser shows the time there.
    pub zone: Option<String>,
    /// The time there when the page was made: "14:03".
    pub local_time: Option<String>,
    /// When she came for the first time.
    pub first_seen: Option<Moment>,
    /// When the ticket was opened.
    pub opened: Option<Moment>,
    /// Her other tickets, newest first.
    pub others: Vec<OtherTicket>,
    /// The agents who wrote in the ticket.
    pub participants: Vec<PersonView>,
}

/// A page of a site.
#[derive(Clone, Debug, Default)]
pub struct PageRef {
    /// Its address.
    pub url: String,
    /// Its title, or empty.
    pub title: String,
}

impl PageRef {
    /// The address without its scheme.
    pub(crate) fn short(&self) -> &str {
        self.url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest)
    }

    /// Whether it may be a link: a visitor's page says what it likes.
    pub(crate) fn is_link(&self) -> bool {
        is_web(&self.url)
    }
}

/// Whether an address is http or https.
pub(crate) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Another ticket of the same visitor.
#[derive(Clone, Debug, Default)]
pub struct OtherTicket {
    /// Its id.
    pub id: String,
    /// The beginning of its first message.
    pub preview: String,
    /// When something was last written in it.
    pub at: Moment,
    /// Its state.
    pub state: TicketState,
}

impl ContextView {
    /// The newest of her other tickets that is not resolved.
    pub(crate) fn open_elsewhere(&self) -> Option<&OtherTicket> {
        let mut others = self.others.iter();
        others.find(|other| other.state != TicketState::Resolved)
    }

    pub(crate) fn referrer_short(&self) -> &str {
        let url = self.referrer.as_deref().unwrap_or_default();
        url.split_once("://")
            .map_or(url, |(_, rest)| rest)
            .trim_end_matches('/')
    }

    pub(crate) fn referrer_link(&self) -> Option<&str> {
        self.referrer.as_deref().filter(|url| is_web(url))
    }
}

impl TicketView {
    pub(crate) fn is_assignee(&self, id: &str) -> bool {
        self.assignee.as_ref().is_some_and(|agent| agent.id == id)
    }
}

/// `GET /tickets` and `GET /tickets/{id}`: the list, and a ticket if one is chosen.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/tickets.html")]
pub struct TicketsPage {
    /// The frame.
    pub shell: Shell,
    /// The list.
    pub list: TicketListView,
    /// The ticket on screen.
    pub ticket: Option<TicketView>,
}

#[derive(Template)]
#[template(path = "partials/ticket_row.html")]
struct TicketRowFragment<'a> {
    row: &'a TicketRowView,
}

/// The HTML of one row. It renders the same element that pages contain.
#[must_use]
pub fn ticket_row_fragment(row: &TicketRowView) -> String {
    crate::render(&TicketRowFragment { row })
}

/// `GET /tickets/{id}/around`: the head and the context of a ticket's page, for the live script.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "partials/around.html")]
pub struct AroundFragment {
    /// The agent's id.
    pub me: String,
    /// The list's query, kept on the links.
    pub query: String,
    /// The ticket; its thread and composer are not shown.
    pub ticket: TicketView,
}
