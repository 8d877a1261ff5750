//! What stands around every page.

use parlour_admin_templates::{
    Assets, Bare, Live, LiveList, LiveRoom, Me, NavCounts, Rank, Section, Shell,
};

use super::viewer::Viewer;
use crate::Shared;
use crate::error::Error;
use crate::http::assets;
use crate::identity::AgentRole;

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
pub(super) async fn of(
    app: &Shared,
    viewer: &Viewer,
    section: Section,
    wanted: Wanted,
) -> Result<Shell, Error> {
    let agent = &viewer.agent;
    let (news, waiting) =
        tokio::try_join!(app.store.room_news(agent.id), app.store.waiting(agent.id))?;
    let unread = news.values().map(|news| news.unread).sum();
    Ok(Shell {
        me: Me {
            id: agent.id.to_string(),
            name: agent.name.clone(),
            email: agent.email.clone(),
            rank: rank(agent.role),
        },
        section,
        counts: NavCounts {
            tickets: crate::unsigned(waiting),
            rooms: crate::unsigned(unread),
        },
        assets: assets(),
        live: Some(live(app, viewer, wanted)),
        toasts: viewer.flash.iter().map(|flash| flash.toast()).collect(),
    })
}

fn live(app: &Shared, viewer: &Viewer, wanted: Wanted) -> Live {
    Live {
        script_url: asset("dashboard.js"),
        glue_url: asset("desk.js"),
        wasm_url: asset("desk.wasm"),
        token_url: "/api/v1/token".to_owned(),
        socket_url: viewer
            .socket
            .clone()
            .unwrap_or_else(|| app.config.public_url.socket()),
        agent: viewer.agent.id.to_string(),
        agent_name: viewer.agent.name.clone(),
        rooms: wanted.rooms,
        list: wanted.list,
        ticket: wanted.ticket,
    }
}

/// An asset's address. In a build without assets it names nothing, and the page says so by its look.
fn asset(name: &str) -> String {
    assets::url(name).to_owned()
}

/// Where the assets of pages are.
pub(super) fn assets() -> Assets {
    Assets {
        css: asset("dashboard.css"),
        theme_js: asset("theme.js"),
        page_js: asset("page.js"),
        favicon: asset("favicon.svg"),
        favicon_unread: asset("favicon-unread.svg"),
    }
}

/// The frame of a page before sign-in, and of errors.
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
