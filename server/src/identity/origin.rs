//! Web origins (RFC 6454), as browsers write them.

use url::Url;

/// Scheme, host and port, in the one form that a browser sends: `https://shop.example`,
/// `http://localhost:8000`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// Why a text is not an origin; a sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OriginError(String);

impl Origin {
    /// Reads an origin in any case, with the default port or without it, with a final slash or without it.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let refuse = |reason: String| Err(OriginError(reason));
        if text.is_empty() {
            return refuse("write an address such as https://shop.example".into());
        }
        if text.chars().count() > 300 {
            return refuse("this address is too long".into());
        }
        if text.contains('*') {
            return refuse(format!("{text} has a wildcard; write each address out"));
        }
        if !text.contains("://") {
            return refuse(format!("{text} lacks its scheme; write https://{text}"));
        }
        let Ok(url) = Url::parse(text) else {
            return refuse(format!(
                "{text} is not an address such as https://shop.example"
            ));
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse(format!("{text} must begin with https:// or http://"));
        }
        let origin = url.origin().ascii_serialization();
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(format!(
                "an address with a name or password in it cannot be listed; write {origin}"
            ));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return refuse(format!(
                "{text} has more than scheme, host and port; write {origin}"
            ));
        }
        Ok(Self(origin))
    }

    /// The text that a browser sends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text that a browser sends.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_get_one_form() {
        for (text, expected) in [
            ("https://shop.example", "https://shop.example"),
            (" HTTPS://Shop.Example:443/ ", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(Origin::parse(text).expect(text).as_str(), expected);
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused_with_a_sentence() {
        for (text, hint) in [
            ("", "https://shop.example"),
            ("null", "scheme"),
            ("shop.example", "https://shop.example"),
            ("https://shop.example/page", "write https://shop.example"),
            ("https://shop.example?x", "write https://shop.example"),
            ("https://shop.example#x", "write https://shop.example"),
            ("https://me:pw@shop.example", "write https://shop.example"),
            ("https://*.example", "wildcard"),
            ("file:///etc/passwd", "https://"),
            ("javascript://x", "https://"),
            ("https://", "not an address"),
            ("https://a b", "not an address"),
        ] {
            let sentence = Origin::parse(text).expect_err(text).to_string();
            assert!(sentence.contains(hint), "{text}: {sentence}");
            assert!(!sentence.contains("pw@"), "{sentence}");
        }
    }
}
