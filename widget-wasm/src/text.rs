//! A message's runs as nodes. This is where text from others enters the page, so it knows only
//! elements by name and text.

use crate::js::{Js, document};
use crate::node::make;
use parlour_protocol::text::Run;

/// Adds `runs` to `parent`.
pub(crate) fn fill(parent: &Js, runs: &[Run]) {
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

/// A fingerprint of what runs say and how, never 0 (FNV-1a, 64 bits).
pub(crate) fn print(runs: &[Run]) -> u64 {
    let mut hash = SEED;
    for run in runs {
        let style = [run.strong.into(), run.emphasis.into(), run.code.into()];
        hash = mix(hash, style, &run.text, run.href.as_deref().unwrap_or(""));
    }
    hash.max(1)
}

/// The fingerprint of a single run without any style.
pub(crate) fn print_plain(text: &str) -> u64 {
    mix(SEED, [0; 3], text, "").max(1)
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(mut hash: u64, style: [u8; 3], text: &str, href: &str) -> u64 {
    for part in [&style[..], text.as_bytes(), href.as_bytes()] {
        for byte in part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
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
    use super::{is_safe, print, print_plain};
    use parlour_protocol::text::Run;

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

    #[test]
    fn another_text_or_style_has_another_print() {
        let plain = [Run::plain("a")];
        let mut strong = plain.clone();
        strong[0].strong = true;
        let mut link = plain.clone();
        link[0].href = Some("https://a.example/".into());
        let prints = [
            print(&[]),
            print(&plain),
            print(&[Run::plain("b")]),
            print(&strong),
            print(&link),
        ];
        for (at, one) in prints.iter().enumerate() {
            assert!(*one != 0 && !prints[..at].contains(one));
        }
        assert_eq!(print(&plain), print_plain("a"));
    }
}
