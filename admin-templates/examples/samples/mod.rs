//! Sample data: one evening at the desk of a small outdoor shop.

mod settings;
mod threads;
mod tickets;

use askama::Template;
use parlour_admin_templates::*;
use parlour_protocol::frame::Availability;

/// 24 November 2026, 14:03:20 UTC, in microseconds.
pub(crate) const NOW: i64 = 1_795_529_000_000_000;
pub(crate) const MINUTE: i64 = 60_000_000;

/// Every page in every state worth looking at: a name, and the HTML.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    let mut pages = tickets::pages();
    pages.extend(settings::pages());
    pages
}

#[expect(
    clippy::expect_used,
    reason = "sample data; the gallery and the tests want to hear of it"
)]
pub(crate) fn html(page: &impl Template) -> String {
    page.render()
        .expect("a template of strings and numbers renders")
}

pub(crate) fn assets() -> Assets {
    Assets {
        css: "dashboard.css".into(),
        theme_js: "theme.js".into(),
        page_js: "page.js".into(),
        favicon: "favicon.svg".into(),
        favicon_unread: "favicon-unread.svg".into(),
    }
}

pub(crate) fn bare() -> Bare {
    Bare { assets: assets() }
}

pub(crate) fn shell(section: Section) -> Shell {
    Shell {
        me: Me {
            id: id(1),
            name: "Ada Marsh".into(),
            email: "ada@fjordandfir.example".into(),
            rank: Rank::Owner,
        },
        section,
        counts: NavCounts {
            tickets: 4,
            rooms: 2,
        },
        assets: assets(),
        live: None,
        toasts: Vec::new(),
    }
}

/// A fixed UUID.
pub(crate) fn id(n: u32) -> String {
    format!("0197c1d2-5a00-7000-8000-{n:012x}")
}

pub(crate) fn minutes_ago(minutes: i64) -> Moment {
    Moment(NOW - minutes * MINUTE)
}

pub(crate) fn ada() -> PersonView {
    PersonView::agent(id(1), "Ada Marsh").with_presence(Availability::Online)
}

pub(crate) fn ben() -> PersonView {
    PersonView::agent(id(2), "Ben Okafor").with_presence(Availability::Online)
}

pub(crate) fn clara() -> PersonView {
    PersonView::agent(id(3), "Clara Lindqvist").with_presence(Availability::Away)
}

pub(crate) fn dmitri() -> PersonView {
    PersonView::agent(id(4), "Dmitri Petrov")
}
