//! Runs as the dashboard's HTML.

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
    SANITISER.clean(html).to_string()
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
    if let Some(href) = &run.href {
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
    if run.href.is_some() {
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
