//! The cookie of a sign-in.

use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::error::Error;
use crate::identity::Started;

/// The prefix makes browsers hold it to `Secure`, `Path=/` and no `Domain`.
const NAME: &str = "__Host-parlour";

fn cookie(value: String, seconds: i64) -> Result<HeaderValue, Error> {
    let mut cookie = Cookie::build((NAME, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
        .to_string();
    cookie.push_str(&format!("; Max-Age={seconds}"));
    HeaderValue::from_str(&cookie).map_err(|_| Error::Internal("a cookie that is no header".into()))
}

/// The `Set-Cookie` of a sign-in that has just begun.
///
/// # Errors
/// [`Error::Internal`] if it is no header, which cannot be: it is hexadecimal.
pub fn set(started: &Started) -> Result<HeaderValue, Error> {
    cookie(started.cookie.clone(), started.seconds)
}

/// The `Set-Cookie` that takes the cookie away.
///
/// # Errors
/// As [`set`].
pub fn clear() -> Result<HeaderValue, Error> {
    cookie(String::new(), 0)
}

/// What the browser sent.
pub fn of(headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers)
        .get(NAME)
        .map(|cookie| cookie.value().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_locked_up() {
        let header = cookie("abc".into(), 60).expect("a header");
        let text = header.to_str().expect("text");
        assert!(text.starts_with("__Host-parlour=abc; "), "{text}");
        for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=60"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
        let mut headers = HeaderMap::new();
        headers.insert(
            "cookie",
            "a=b; __Host-parlour=abc; parlour=evil"
                .parse()
                .expect("a header"),
        );
        assert_eq!(of(&headers).as_deref(), Some("abc"));
    }
}
