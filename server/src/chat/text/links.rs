//! Addresses: which may be links, and where they stand in plain text.

use super::Runs;
use parlour_protocol::text::Run;
use url::Url;

/// The longest address that becomes a link, in bytes.
const MAX_HREF: usize = 2_000;

/// An address as the target of a link, if its scheme is `http`, `https`, `mailto` or `tel`
/// and nothing about it is odd.
pub(super) fn href(address: &str) -> Option<String> {
    let odd = |char: char| char.is_whitespace() || super::is_unsafe(char) || char == '\\';
    if address.len() > MAX_HREF || address.contains(odd) {
        return None;
    }
    let url = Url::parse(address).ok()?;
    let good = match url.scheme() {
        // Without the slashes browsers read it as the same, people do not.
        "http" | "https" => address.get(url.scheme().len()..)?.starts_with("://"),
        "mailto" => {
            matches!(url.path().split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty())
        }
        "tel" => url.path().contains(|char: char| char.is_ascii_digit()),
        _ => false,
    };
    good.then(|| address.to_owned())
}

/// Links the addresses in runs that are neither code nor links yet.
pub(super) fn link(runs: Vec<Run>) -> Vec<Run> {
    let mut linked = Runs::default();
    for run in runs {
        if run.code || run.href.is_some() {
            linked.push(run);
            continue;
        }
        let mut rest = run.text.as_str();
        while let Some((before, address, after)) = next(rest) {
            linked.push(Run {
                text: before.to_owned(),
                ..run.clone()
            });
            linked.push(Run {
                text: address.to_owned(),
                href: Some(address.to_owned()),
                ..run.clone()
            });
            rest = after;
        }
        linked.push(Run {
            text: rest.to_owned(),
            ..run.clone()
        });
    }
    linked.0
}

/// The first address in a text: what stands before it, itself, and what follows.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut previous = ' ';
    let mut from = 0;
    for (start, char) in text.char_indices() {
        if start >= from && !previous.is_alphanumeric() && is_scheme(&text[start..]) {
            let end = start + extent(&text[start..]);
            if href(&text[start..end]).is_some() {
                return Some((&text[..start], &text[start..end], &text[end..]));
            }
            // Never looked at twice: a long text of bad addresses must not cost its square.
            from = end;
        }
        previous = char;
    }
    None
}

fn is_scheme(text: &str) -> bool {
    let starts = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("https://") || starts("http://") || starts("mailto:")
}

/// How many bytes belong to the address at the start of a text, without the punctuation
/// of the sentence around it. A closing bracket belongs to it if it was opened in it.
fn extent(text: &str) -> usize {
    let stops = |char: char| {
        char.is_whitespace() || char.is_control() || matches!(char, '<' | '>' | '"' | '`' | '\\')
            // Scripts that set no space after an address.
            || matches!(char, '\u{3000}'..='\u{303f}' | '\u{ff01}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
    };
    let mut address = &text[..text.find(stops).unwrap_or(text.len())];
    let mut excess = [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| {
        let opened = address.matches(open).count();
        (close, address.matches(close).count().saturating_sub(opened))
    });
    while let Some(last) = address.chars().next_back() {
        let bracket = excess
            .iter_mut()
            .find(|(close, count)| *close == last && *count > 0);
        if let Some((_, count)) = bracket {
            *count -= 1;
        } else if !matches!(
            last,
            '.' | ','
                | ';'
                | ':'
                | '!'
                | '?'
                | '\''
                | '*'
                | '_'
                | '~'
                | '…'
                | '’'
                | '”'
                | '»'
                | '“'
        ) {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}
