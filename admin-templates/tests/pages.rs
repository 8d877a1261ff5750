//! Every page renders, and holds what a strict policy and assistive technology ask for.

#[path = "../examples/samples/mod.rs"]
mod samples;

use parlour_admin_templates::*;
use std::collections::HashSet;

/// The values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn no_inline_style_or_script_stands_in_a_page() {
    for (name, html) in samples::pages() {
        assert!(html.starts_with("<!doctype html>"), "{name}");
        assert!(!html.contains(" style="), "{name} has an inline style");
        assert!(!html.contains("<style"), "{name} has a style element");
        let scripts = html.matches("<script").count();
        let files =
            html.matches("<script src=").count() + html.matches("<script async src=").count();
        assert_eq!(scripts, files, "{name} has an inline script");
        for handler in ["onclick", "onload", "onerror", "onsubmit", "onchange"] {
            assert!(values(&html, handler).is_empty(), "{name} has {handler}");
        }
    }
}

#[test]
fn the_stylesheet_takes_in_every_part() {
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let sheet =
        std::fs::read_to_string(assets.join("dashboard.css")).expect("the stylesheet is there");
    for entry in std::fs::read_dir(assets.join("css")).expect("its parts are there") {
        let name = entry.expect("a part").file_name();
        let import = format!("@import \"./css/{}\";", name.to_string_lossy());
        assert!(sheet.contains(&import), "{import}");
    }
}

#[test]
fn ids_are_unique_and_what_refers_to_them_finds_them() {
    for (name, html) in samples::pages() {
        let ids = values(&html, "id");
        let known: HashSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "{name} uses an id twice");
        for attribute in [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "aria-controls",
            "popovertarget",
        ] {
            for id in values(&html, attribute)
                .into_iter()
                .flat_map(str::split_whitespace)
            {
                assert!(known.contains(id), "{name}: {attribute} refers to {id}");
            }
        }
        for href in values(&html, "href")
            .into_iter()
            .filter(|href| href.starts_with("#i-"))
        {
            assert!(
                known.contains(&href[1..]),
                "{name}: the sprite lacks {href}"
            );
        }
    }
}

#[test]
fn every_page_has_one_first_heading_and_a_title() {
    for (name, html) in samples::pages() {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert!(html.contains("<title>"), "{name}");
        assert!(html.contains("<main"), "{name}");
    }
}

#[test]
fn a_fragment_is_the_element_that_the_page_holds() {
    let page = samples::html(&TicketsPage {
        list: TicketListView {
            rows: vec![row()],
            ..TicketListView::default()
        },
        ticket: Some(TicketView {
            thread: ThreadView {
                messages: vec![message("<em>hi</em>")],
                ..ThreadView::default()
            },
            ..TicketView::default()
        }),
        ..TicketsPage::default()
    });
    assert!(page.contains(message_fragment(&message("<em>hi</em>")).trim()));
    assert!(page.contains(ticket_row_fragment(&row()).trim()));
}

#[test]
fn only_sanitised_markup_passes_unescaped() {
    let evil = "<img src=x onerror=alert(1)>";
    let mut message = message("<em>fine</em>");
    message.author.name = evil.to_owned();
    let html = message_fragment(&message);
    assert!(html.contains("<em>fine</em>"));
    assert!(!html.contains("<img"), "{html}");

    let row = TicketRowView {
        preview: evil.to_owned(),
        visitor: PersonView::visitor("v", evil),
        ..row()
    };
    assert!(!ticket_row_fragment(&row).contains("<img"));

    let shell = Shell {
        live: Some(Live {
            agent_name: evil.to_owned(),
            ..Live::default()
        }),
        ..Shell::default()
    };
    assert!(
        !samples::html(&SitesPage {
            shell,
            ..SitesPage::default()
        })
        .contains("<img")
    );
}

#[test]
fn a_page_that_is_no_web_page_is_no_link() {
    let context = ContextView {
        page: Some(PageRef {
            url: "javascript:alert(1)".to_owned(),
            title: String::new(),
        }),
        referrer: Some("data:text/html,x".to_owned()),
        ..ContextView::default()
    };
    let ticket = TicketView {
        context,
        ..TicketView::default()
    };
    let html = samples::html(&TicketsPage {
        ticket: Some(ticket),
        ..TicketsPage::default()
    });
    assert!(
        values(&html, "href")
            .iter()
            .all(|href| !href.contains("javascript:") && !href.contains("data:"))
    );
}

#[test]
fn a_fragment_leaves_out_what_differs_from_agent_to_agent() {
    let html = ticket_row_fragment(&row());
    for personal in ["data-read", "aria-current", "?state"] {
        assert!(!html.contains(personal), "{personal}");
    }
    assert!(!message_fragment(&message("x")).contains("class=\"message own"));
}

#[test]
fn lists_keep_their_query_and_leave_out_the_defaults() {
    let list = TicketListView {
        assigned: Assigned::Mine,
        site: Some("s1".to_owned()),
        ..TicketListView::default()
    };
    assert_eq!(list.query(), "?assigned=mine&site=s1");
    assert_eq!(TicketListView::default().query(), "");
}

#[test]
fn times_are_in_utc_until_the_browser_speaks() {
    let at = Moment(1_795_529_000_123_456);
    assert_eq!(at.iso(), "2026-11-24T14:03:20.123Z");
    assert_eq!(at.utc(), "24 Nov 2026, 14:03 UTC");
    assert_eq!(Moment(i64::MAX).day(), "1 January 1970");
}

#[test]
fn faces_have_letters_of_any_script_and_never_panic() {
    let initials = |name: &str| PersonView::agent("a", name).initials();
    assert_eq!(initials("Ada Marsh"), "AM");
    assert_eq!(initials("  ada  van  der marsh "), "AM");
    assert_eq!(initials("Ada"), "A");
    assert_eq!(initials("نور الدين"), "نا");
    assert_eq!(initials(""), "?");
    assert_eq!(initials("🙂"), "?");
    assert!(PersonView::agent("0197", "x").tint() < 8);
}

fn message(html: &str) -> MessageView {
    MessageView {
        room: samples::id(30),
        seq: 7,
        cid: samples::id(1007),
        at: Moment(samples::NOW),
        rev: 0,
        author: samples::ben(),
        body: MessageBody::Text(SafeHtml::sanitised(html.to_owned())),
    }
}

fn row() -> TicketRowView {
    TicketRowView {
        id: samples::id(30),
        visitor: PersonView::visitor("v", "Mira"),
        preview: "hello".to_owned(),
        ..TicketRowView::default()
    }
}
