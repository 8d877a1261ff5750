//! The visitor's session: what the server is told, and what it answers.

use crate::clock::now;
use crate::js::{document, window};
use parlour_protocol::close;
use parlour_protocol::codec::json::{self, Value, Writer};

/// A session that the server has given.
#[derive(Debug, PartialEq)]
pub(crate) struct Session {
    pub(crate) token: String,
    /// Until then, in the milliseconds of [`now`], the token is good.
    pub(crate) until: u64,
    pub(crate) secret: String,
    /// The socket's address.
    pub(crate) socket: String,
}

impl Session {
    /// Reads the server's answer.
    pub(crate) fn read(answer: &str, now: u64) -> Option<Self> {
        let value = json::parse(answer).ok()?;
        let text = |name| value.get(name).and_then(Value::text).map(str::to_owned);
        let seconds = value.get("expires_in").and_then(Value::unsigned)?;
        Some(Self {
            token: text("token")?,
            until: now.saturating_add(seconds.saturating_mul(1000)),
            secret: text("secret")?,
            socket: text("socket")?,
        })
    }

    /// In this time, in milliseconds, it should be renewed: a minute before its end.
    pub(crate) fn renewal(&self) -> u64 {
        let left = self.until.saturating_sub(now());
        left.saturating_sub(60_000).max(left / 2).max(1000)
    }

    /// Whether a new connection may still be made with it.
    pub(crate) fn good(&self) -> bool {
        self.until > now() + 60_000
    }
}

/// What the server is told of the visitor.
pub(crate) struct Visit<'a> {
    pub(crate) site: &'a str,
    pub(crate) secret: Option<&'a str>,
    pub(crate) locale: &'a str,
    pub(crate) zone: Option<String>,
}

impl Visit<'_> {
    /// The body that asks for a session.
    pub(crate) fn write(&self) -> String {
        let mut json = Writer::new();
        json.object().key("site").text(self.site);
        if let Some(secret) = self.secret {
            json.key("secret").text(secret);
        }
        write_page(&mut json);
        json.key("referrer").text(&document().referrer());
        json.key("locale").text(self.locale);
        if let Some(zone) = &self.zone {
            json.key("zone").text(zone);
        }
        json.end_object();
        json.finish()
    }
}

/// The body that tells of another page in the same session.
pub(crate) fn page() -> String {
    let mut json = Writer::new();
    write_page(json.object());
    json.end_object();
    json.finish()
}

fn write_page(json: &mut Writer) {
    json.key("page")
        .text(&address())
        .key("title")
        .text(&document().title());
}

/// The address of the page.
pub(crate) fn address() -> String {
    window().location().href()
}

/// The close code that means the same to the brain as this refusal of a session.
pub(crate) fn refusal(status: u16) -> u16 {
    match status {
        // Coming back would be refused again: the origin is not listed, or there is no such site.
        400 | 403 | 404 | 410 | 422 => close::FORBIDDEN,
        429 => close::OVER_LIMIT,
        _ => close::LOST,
    }
}

/// The machine's word for a problem (RFC 9457), as far as the answer has one.
pub(crate) fn problem(answer: &str) -> String {
    let value = json::parse(answer).unwrap_or(Value::Null);
    value
        .get("code")
        .and_then(Value::text)
        .unwrap_or("unavailable")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = r#"{"token":"t","expires_in":900,"secret":"s","visitor":"v","socket":"wss://c/socket"}"#;
        let session = Session {
            token: "t".into(),
            until: 900_007,
            secret: "s".into(),
            socket: "wss://c/socket".into(),
        };
        assert_eq!(Session::read(answer, 7), Some(session));
        for answer in [
            "",
            "{}",
            r#"{"token":"t","expires_in":-1,"secret":"s","socket":"w"}"#,
        ] {
            assert_eq!(Session::read(answer, 7), None, "{answer}");
        }
    }

    #[test]
    fn problems_are_named() {
        assert_eq!(
            problem(r#"{"status":403,"code":"origin_not_allowed"}"#),
            "origin_not_allowed"
        );
        assert_eq!(problem("<html>"), "unavailable");
        assert_eq!(refusal(403), close::FORBIDDEN);
        assert_eq!(refusal(0), close::LOST);
        assert_eq!(refusal(503), close::LOST);
    }
}
