//! Runs as the dashboard's HTML.

use super::links;
use ammonia::{Builder, UrlRelative};
use parlour_protocol::text::Run;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The HTML of runs: `strong`, `em`, `code`, `a` and `br`, nothing else. It is escaped when
/// it is built, and sanitised all the same, so that one mistake is not enough.
#[must_use]
pub fn html(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        write(&mut out, run);
    }
    sanitise(&out)
}

pub(super) fn sanitise(html: &str) -> String {
    // A mark of byte order at the very start is dropped when HTML is read, also the one
    // that came to stand there because of what was dropped before it.
    SANITISER
        .clean(html)
        .to_string()
        .trim_start_matches('\u{feff}')
        .to_owned()
}

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(["a", "strong", "em", "code", "br"]))
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .set_tag_attribute_values(HashMap::from([(
            "a",
            HashMap::from([("target", "_blank")]),
        )]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(UrlRelative::Deny);
    builder
});

fn write(out: &mut String, run: &Run) {
    let href = run.href.as_deref().and_then(links::href);
    if let Some(href) = &href {
        out.push_str("<a href=\"");
        escape(out, href);
        out.push_str("\">");
    }
    let marks = [
        (run.strong, "strong"),
        (run.emphasis, "em"),
        (run.code, "code"),
    ];
    for (_, tag) in marks.iter().filter(|(on, _)| *on) {
        out.extend(["<", tag, ">"]);
    }
    for (number, line) in run.text.split('\n').enumerate() {
        out.push_str(if number > 0 { "<br>" } else { "" });
        escape(out, line);
    }
    for (_, tag) in marks.iter().rev().filter(|(on, _)| *on) {
        out.extend(["</", tag, ">"]);
    }
    if href.is_some() {
        out.push_str("</a>");
    }
}

fn escape(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
}
