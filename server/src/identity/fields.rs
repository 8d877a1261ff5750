//! What people type about themselves and their sites, checked and put in one form.

use crate::error::Error;

fn invalid(field: &'static str, reason: &str) -> Error {
    Error::Invalid {
        field,
        reason: reason.into(),
    }
}

/// A name of 1 to `most` characters, without controls, white space made single.
pub(super) fn name(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(invalid(field, "write a name"));
    }
    if text.chars().count() > most || text.chars().any(is_hidden) {
        return Err(invalid(
            field,
            &format!("use at most {most} visible characters"),
        ));
    }
    Ok(text)
}

/// An e-mail address. Only the mail itself can show whether it exists, so this keeps out
/// slips of the hand and header injection, and no more.
pub(super) fn email(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = text.len() <= 254
        && !text
            .chars()
            .any(|c| c.is_whitespace() || is_hidden(c) || "<>()[],;:\\\"".contains(c))
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !local.contains('@')
                && !domain.is_empty()
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        });
    if good {
        Ok(text.to_owned())
    } else {
        Err(invalid(
            "email",
            "write an e-mail address such as ann@shop.example",
        ))
    }
}

/// `#RRGGBB`, from either case.
pub(super) fn color(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = text.len() == 7
        && text.starts_with('#')
        && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if good {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(invalid("color", "write a colour such as #2F5BD8"))
    }
}

/// A language tag (RFC 5646) such as `en` or `de-AT`; its form only.
pub(super) fn locale(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let good = (2..=35).contains(&text.len())
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && text.as_bytes()[0].is_ascii_alphabetic();
    if good {
        Ok(text.to_owned())
    } else {
        Err(invalid("locale", "write a language such as en or de"))
    }
}

/// A text of several lines, at most `most` characters, without controls.
pub(super) fn prose(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(|c| c != '\n' && c != '\r' && is_hidden(c)) {
        return Err(invalid(
            field,
            &format!("use at most {most} visible characters"),
        ));
    }
    Ok(text.replace('\r', ""))
}

/// What a browser says about itself: cut at `most` characters rather than refused.
pub(super) fn told(text: &str, most: usize) -> String {
    text.chars()
        .filter(|c| !is_hidden(*c))
        .take(most)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The address of a web page; anything else is dropped, for it becomes a link.
pub(super) fn page(text: &str) -> String {
    let text = told(text, 2_048);
    let lower = text.get(..8).unwrap_or(&text).to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        text
    } else {
        String::new()
    }
}

/// Controls, and what turns the direction of the text around it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied() {
        assert_eq!(
            name("name", "  Ann \n Lee ", 60).expect("a name"),
            "Ann Lee"
        );
        for bad in ["", "  ", "a\u{202e}b", "a\u{0}b"] {
            assert!(name("name", bad, 60).is_err(), "{bad:?}");
        }
        assert!(name("name", &"x".repeat(61), 60).is_err());
    }

    #[test]
    fn addresses_have_a_local_part_and_a_domain() {
        assert_eq!(
            email(" Ann@Shop.Example ").expect("an address"),
            "Ann@Shop.Example"
        );
        for bad in [
            "",
            "ann",
            "@shop.example",
            "ann@",
            "a b@shop.example",
            "ann@shop.example\nBcc: x",
            "a@b@c",
            "<a@b>",
            "ann@.example",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn colours_and_languages_have_one_form() {
        assert_eq!(color("#2f5bd8").expect("a colour"), "#2F5BD8");
        for bad in ["2f5bd8", "#2f5bd", "#2f5bdg", "red", "#ééé"] {
            assert!(color(bad).is_err(), "{bad}");
        }
        assert!(locale("de-AT").is_ok() && locale("en").is_ok());
        for bad in ["", "e", "de_AT", "de--AT", "12", "\u{e4}\u{e4}"] {
            assert!(locale(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_pages_of_the_web_become_links() {
        assert_eq!(
            page("HTTPS://shop.example/x?y#z"),
            "HTTPS://shop.example/x?y#z"
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//shop.example",
            "file:///x",
            "",
        ] {
            assert_eq!(page(bad), "", "{bad}");
        }
        assert_eq!(told(&"ä".repeat(10), 3), "äää");
    }
}
