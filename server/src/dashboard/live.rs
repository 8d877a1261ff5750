//! Fragments: an entry or a row as the dashboard shows it, made once for all agents.
//! Pages use the same views, so an entry looks the same however it came.

use parlour_admin_templates::{
    MessageView, Moment, PersonView, PreviewBy, RowOnPage, SiteRef, Tick, TicketRowView,
    message_fragment, ticket_row_fragment,
};
use parlour_protocol::frame::{Availability, Body, Event};

use crate::chat::text;
use crate::store::tickets::{Ticket, Visitor};

/// The longest preview in a list, in characters.
const PREVIEW: usize = 140;

/// The event with its fragment.
#[must_use]
pub fn with_html(event: Event) -> Event {
    let html = message_fragment(&message_view(&event));
    Event {
        html: Some(html),
        ..event
    }
}

/// An entry for a page. Its text goes through the sanitiser.
#[must_use]
pub fn message_view(event: &Event) -> MessageView {
    let html = match &event.body {
        Body::Text { runs } | Body::Note { runs } => text::html(runs),
        Body::Happened { .. } | Body::Deleted => String::new(),
    };
    MessageView::from_event(event, html)
}

/// A ticket's row; `presence` is the visitor's.
#[must_use]
pub fn row_html(ticket: &Ticket, presence: Availability) -> String {
    ticket_row_fragment(&row_view(ticket, presence, RowOnPage::default()))
}

/// A ticket's row for a page; `page` is what only that page knows.
#[must_use]
pub fn row_view(ticket: &Ticket, presence: Availability, page: RowOnPage) -> TicketRowView {
    let (delivered, read) = ticket.marks;
    let tick = match ticket.position {
        position if read >= position => Tick::Read,
        position if delivered >= position => Tick::Delivered,
        _ => Tick::Sent,
    };
    TicketRowView {
        id: ticket.id.to_string(),
        rev: crate::unsigned(ticket.rev),
        position: crate::unsigned(ticket.position),
        at: Moment(ticket.at),
        state: ticket.state,
        snoozed_until: ticket.snoozed_until.map(Moment),
        assignee: ticket
            .assignee
            .as_ref()
            .map(|(id, name)| PersonView::agent(id.to_string(), name.clone())),
        visitor: PersonView::visitor(ticket.visitor.id.to_string(), visitor_name(&ticket.visitor))
            .with_presence(presence),
        site: SiteRef {
            id: ticket.site.to_string(),
            name: ticket.site_name.clone(),
        },
        preview: preview(ticket),
        preview_by: match &ticket.preview_by {
            Some(name) => {
                PreviewBy::Agent(name.split_whitespace().next().unwrap_or(name).to_owned())
            }
            None => PreviewBy::Visitor,
        },
        tick: ticket.preview_by.is_some().then_some(tick),
        page,
    }
}

/// The newest text in one line: agents write a small Markdown, visitors do not.
fn preview(ticket: &Ticket) -> String {
    let runs = if ticket.preview_by.is_some() {
        text::runs_markdown(&ticket.preview)
    } else {
        text::runs_plain(&ticket.preview)
    };
    text::preview(&runs, PREVIEW)
}

/// A visitor's name, or what stands for it.
#[must_use]
pub fn visitor_name(visitor: &Visitor) -> String {
    match (visitor.name.as_str(), visitor.browser.as_str()) {
        ("", "") => "Visitor".to_owned(),
        ("", browser) => format!("Visitor · {browser}"),
        (name, _) => name.to_owned(),
    }
}
