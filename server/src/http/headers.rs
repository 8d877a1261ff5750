//! Headers that every answer carries.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::Shared;

/// A page: only our own files and calls, no frames around it. The widget on our own pages, and
/// the dashboard's script, are WebAssembly.
const PAGE: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const ONE_YEAR: &str = "max-age=31536000; includeSubDomains";
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

/// Adds what is missing; a header that a route has set stays.
pub(super) async fn add(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    if is_page {
        set(header::CONTENT_SECURITY_POLICY, PAGE);
        set(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    }
    if app.config.public_url.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_strict() {
        for part in [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(PAGE.contains(part), "{part}");
        }
        assert!(
            !PAGE.contains("unsafe-inline")
                && !PAGE.contains("'unsafe-eval'")
                && !PAGE.contains('*')
        );
        assert!(!PAGE.contains("  ") && !PAGE.contains('\n'), "{PAGE}");
        assert!(PAGE.ends_with("frame-ancestors 'none'"));
    }
}
