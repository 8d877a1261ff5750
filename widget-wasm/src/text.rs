//! A message's runs as nodes. This is where text from others enters the page, so it knows only
//! elements by name and text.

use crate::js::{Js, document};
use crate::node::make;
use parlour_protocol::text::Run;

/// Replaces what is in `parent` by `runs`.
pub(crate) fn fill(parent: &Js, runs: &[Run]) {
    parent.set_text("");
    for run in runs {
        let mut node = document().create_text_node(&run.text);
        for (on, tag) in [
            (run.code, "code"),
            (run.emphasis, "em"),
            (run.strong, "strong"),
        ] {
            if on {
                node = wrap(tag, &node);
            }
        }
        if let Some(href) = run.href.as_deref().filter(|href| is_safe(href)) {
            let link = wrap("a", &node);
            link.set_attribute("href", href);
            link.set_attribute("target", "_blank");
            link.set_attribute("rel", "noopener noreferrer nofollow");
            node = link;
        }
        parent.append(&node);
    }
}

fn wrap(tag: &str, node: &Js) -> Js {
    let element = make(tag, "");
    element.append(node);
    element
}

/// The server lets only these through; a second look costs nothing.
fn is_safe(href: &str) -> bool {
    let scheme = href
        .as_bytes()
        .split(|byte| *byte == b':')
        .next()
        .unwrap_or_default();
    [&b"http"[..], b"https", b"mailto", b"tel"]
        .iter()
        .any(|safe| scheme.eq_ignore_ascii_case(safe))
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn only_harmless_schemes_become_links() {
        for href in [
            "http://a.example/",
            "HTTPS://a.example",
            "mailto:a@b.example",
            "tel:+431",
        ] {
            assert!(is_safe(href), "{href}");
        }
        for href in [
            "javascript:alert(1)",
            "JavaScript:x",
            " http://a",
            "data:text/html,x",
            "//a.example",
            "",
            "ftp://a",
            "httpx:a",
        ] {
            assert!(!is_safe(href), "{href}");
        }
    }
}
