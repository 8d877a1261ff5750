//! What stands around every page.

use parlour_admin_templates::{Assets, Bare, Live, LiveList, LiveRoom, Me, NavCounts, Rank, Section, Shell};

use super::viewer::Viewer;
use crate::Shared;
use crate::error::Error;
use crate::http::assets;
use crate::identity::AgentRole;
use crate::store::tickets::Counts;

/// What a page wants to be live of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The rooms on screen.
    pub(super) rooms: Vec<LiveRoom>,
    /// The list on screen.
    pub(super) list: Option<LiveList>,
    /// The ticket on screen.
    pub(super) ticket: Option<String>,
}

/// The frame of a page behind sign-in.
///
/// # Errors
/// What the store reports.
pub(super) async fn of(app: &Shared, viewer: &Viewer, section: Section, wanted: Wanted) -> Result<Shell, Error> {
    let counts = app.store.ticket_counts(viewer.agent.id).await?;
    with_counts(app, viewer, section, wanted, counts).await
}

/// The same for a page that has counted the tickets already.
///
/// # Errors
/// What the store reports.
pub(super) async fn with_counts(app: &Shared, viewer: &Viewer, section: Section, wanted: Wanted, counts: Counts) -> Result<Shell, Error> {
    let unread = app.store.room_news(viewer.agent.id).await?.values().map(|news| news.unread).sum();
    let agent = &viewer.agent;
    Ok(Shell {
        me: Me { id: agent.id.to_string(), name: agent.name.clone(), email: agent.email.clone(), rank: rank(agent.role) },
        section,
        counts: NavCounts { tickets: crate::unsigned(counts.mine + counts.unassigned), rooms: crate::unsigned(unread) },
        assets: assets(),
        live: Some(live(app, viewer, wanted)),
        toasts: viewer.flash.iter().map(|flash| flash.toast()).collect(),
    })
}

fn live(app: &Shared, viewer: &Viewer, wanted: Wanted) -> Live {
    Live {
        script_url: assets::url("dashboard.js").to_owned(),
        glue_url: assets::url("widget.js").to_owned(),
        wasm_url: assets::url("widget.wasm").to_owned(),
        token_url: "/api/v1/token".to_owned(),
        socket_url: viewer.socket.clone().unwrap_or_else(|| app.config.public_url.socket()),
        agent: viewer.agent.id.to_string(),
        agent_name: viewer.agent.name.clone(),
        rooms: wanted.rooms,
        list: wanted.list,
        ticket: wanted.ticket,
    }
}

/// Where the assets of pages are.
pub(super) fn assets() -> Assets {
    Assets {
        css: assets::url("dashboard.css").to_owned(),
        theme_js: assets::url("theme.js").to_owned(),
        page_js: assets::url("page.js").to_owned(),
        favicon: assets::url("favicon.svg").to_owned(),
        favicon_unread: assets::url("favicon-unread.svg").to_owned(),
    }
}

/// The frame of a page before sign-in.
pub(super) fn bare() -> Bare {
    Bare { assets: assets() }
}

/// A role, as pages show it.
pub(super) fn rank(role: AgentRole) -> Rank {
    match role {
        AgentRole::Owner => Rank::Owner,
        AgentRole::Admin => Rank::Admin,
        AgentRole::Agent => Rank::Agent,
    }
}
