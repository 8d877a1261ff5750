//! The list of tickets, as its address asks for it.

use parlour_admin_templates::{
    Assigned, LiveList, RowOnPage, SiteRef, TicketCounts, TicketListView, Word,
};
use parlour_protocol::frame::TicketState;
use parlour_protocol::limits;
use serde::Deserialize;
use uuid::Uuid;

use super::live::row_view;
use super::viewer::Viewer;
use crate::Shared;
use crate::error::Error;
use crate::store::sites::Site;
use crate::store::tickets::{self, Below, Counts, Filter, state_parse};

/// What stands in an address. A value that is unknown counts as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    state: String,
    assigned: String,
    site: String,
    cursor: String,
    /// Of a ticket's page: where its older page ends.
    pub(super) before: String,
}

/// Which list, and from where.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    state: TicketState,
    assigned: Assigned,
    site: Option<Uuid>,
    below: Option<Below>,
}

impl Query {
    /// What an address asks for.
    pub(super) fn of(params: &Params) -> Self {
        Self {
            state: state_parse(&params.state).unwrap_or_default(),
            assigned: match params.assigned.as_str() {
                "mine" => Assigned::Mine,
                "unassigned" => Assigned::Unassigned,
                _ => Assigned::All,
            },
            site: Uuid::try_parse(&params.site).ok(),
            below: below(&params.cursor),
        }
    }

    /// The list without its place in it, for links, with a leading `?`; empty for the default one.
    pub(super) fn text(&self) -> String {
        self.view().query()
    }

    fn view(&self) -> TicketListView {
        TicketListView {
            state: self.state,
            assigned: self.assigned,
            site: self.site.map(|site| site.to_string()),
            paged: self.below.is_some(),
            ..TicketListView::default()
        }
    }

    /// What the live script is told of the list.
    pub(super) fn live(&self) -> LiveList {
        LiveList {
            state: self.state.key(),
            assigned: self.assigned.key(),
            site: self.site.map(|site| site.to_string()),
            first: self.below.is_none(),
        }
    }

    fn filter(&self, agent: Uuid) -> Filter {
        let assigned = match self.assigned {
            Assigned::All => tickets::Assigned::All,
            Assigned::Mine => tickets::Assigned::To(agent),
            Assigned::Unassigned => tickets::Assigned::Nobody,
        };
        Filter {
            state: self.state,
            assigned,
            site: self.site,
        }
    }
}

/// A place in the list: `{at}.{ticket}`.
fn below(cursor: &str) -> Option<Below> {
    let (at, id) = cursor.split_once('.')?;
    Some(Below {
        at: at.parse().ok()?,
        id: Uuid::try_parse(id).ok()?,
    })
}

/// Reads the list; `current` is the ticket on screen.
///
/// # Errors
/// What the store reports.
pub(super) async fn load(
    app: &Shared,
    viewer: &Viewer,
    query: &Query,
    current: Option<Uuid>,
) -> Result<TicketListView, Error> {
    let limit = limits::LIST;
    let wanted = i64::try_from(limit).unwrap_or(50) + 1;
    let filter = query.filter(viewer.agent.id);
    let (mut found, counts, sites) = tokio::try_join!(
        app.store.ticket_list(&filter, query.below, wanted),
        app.store.ticket_counts(viewer.agent.id),
        app.store.sites(),
    )?;
    let more = found.len() > limit;
    found.truncate(limit);
    let ids: Vec<Uuid> = found.iter().map(|ticket| ticket.id).collect();
    let unread = app.store.unread_tickets(viewer.agent.id, &ids).await?;
    let text = query.text();
    let rows = found.iter().map(|ticket| {
        let own = unread.get(&ticket.id).copied().unwrap_or_default();
        let page = RowOnPage {
            read: Some(crate::unsigned(own.read)),
            unread: crate::unsigned(own.count),
            current: current == Some(ticket.id),
            query: text.clone(),
        };
        row_view(ticket, app.chat.presence.state(ticket.visitor.id), page)
    });
    Ok(TicketListView {
        rows: rows.collect(),
        sites: sites.iter().map(site_ref).collect(),
        counts: view_counts(counts),
        next: found
            .last()
            .filter(|_| more)
            .map(|last| format!("{}.{}", last.at, last.id)),
        ..query.view()
    })
}

fn site_ref(site: &Site) -> SiteRef {
    SiteRef {
        id: site.id.to_string(),
        name: site.name.clone(),
    }
}

fn view_counts(counts: Counts) -> TicketCounts {
    TicketCounts {
        mine: crate::unsigned(counts.mine),
        unassigned: crate::unsigned(counts.unassigned),
        open: crate::unsigned(counts.open),
        pending: crate::unsigned(counts.pending),
        snoozed: crate::unsigned(counts.snoozed),
        resolved: crate::unsigned(counts.resolved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_list() {
        let params = Params {
            state: "resolved".into(),
            assigned: "mine".into(),
            cursor: "x".into(),
            ..Params::default()
        };
        let query = Query::of(&params);
        assert_eq!(query.text(), "?state=resolved&assigned=mine");
        assert!(query.live().first);
        let unknown = Params {
            state: "'; drop".into(),
            assigned: "<b>".into(),
            site: "..".into(),
            ..Params::default()
        };
        assert_eq!(Query::of(&unknown).text(), "");
    }

    #[test]
    fn a_cursor_is_a_time_and_a_ticket() {
        let id = Uuid::new_v4();
        assert_eq!(below(&format!("12.{id}")), Some(Below { at: 12, id }));
        for bad in ["", "12", ".", "12.", "x.y"] {
            assert_eq!(below(bad), None);
        }
    }
}
