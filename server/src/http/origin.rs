//! Which pages may call: Parlour's own for what a cookie opens, the listed ones for the widget.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::problem;
use crate::Shared;
use crate::error::Error;
use crate::identity::{Claims, Subject};
use crate::store::StoreError;
use crate::store::sites::Site;

/// Whether a browser's `Origin` is Parlour's own.
#[must_use]
pub fn is_own(app: &Shared, origin: &str) -> bool {
    app.config.public_url.owns(origin)
}

/// Whether a page that sent these headers may speak for whoever the claims name: her site lists
/// its origin, or it is our own. Without good claims any listed page may learn that they are not.
/// Fails closed: a request without an origin is not from a page that is listed.
///
/// # Errors
/// What the database reports.
pub async fn may_connect(
    app: &Shared,
    headers: &HeaderMap,
    claims: Option<&Claims>,
) -> Result<bool, StoreError> {
    let Some(given) = of(headers) else {
        return Ok(false);
    };
    if is_own(app, given) {
        return Ok(true);
    }
    match claims.map(|claims| claims.subject) {
        Some(Subject::Visitor { site, .. }) => app.store.origin_allowed(site, given).await,
        Some(Subject::Agent { .. }) => Ok(false),
        None => app.store.origin_known(given).await,
    }
}

/// Whether a page of our own sent the request.
#[must_use]
pub fn is_from_here(app: &Shared, headers: &HeaderMap) -> bool {
    comes_from_here(headers, |origin| is_own(app, origin))
}

/// The `Origin` of a request; `null` and what is not text stay what they are: never listed.
pub(super) fn of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ORIGIN)
        .map(|value| value.to_str().unwrap_or_default())
}

/// Whether a page of `origin` may act for a visitor of the site: a listed one, or the test page here.
pub(super) async fn may_carry(app: &Shared, site: Uuid, origin: &str) -> Result<bool, Error> {
    Ok(is_own(app, origin) || app.store.origin_allowed(site, origin).await?)
}

/// The site with this key, if a page that sent these headers may carry its widget; else what that
/// page is told. Fails closed: a request without an origin is not from a page that is listed.
pub(super) async fn carried(
    app: &Shared,
    key: &str,
    headers: &HeaderMap,
) -> Result<Result<Site, Response>, Error> {
    let site = match app.store.site_by_key(key).await {
        Ok(site) => site,
        Err(StoreError::NotFound) => {
            return Ok(Err(problem::document(
                StatusCode::NOT_FOUND,
                "unknown_site",
                "there is no site with this key",
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let given = of(headers).unwrap_or_default();
    if may_carry(app, site.id, given).await? {
        return Ok(Ok(site));
    }
    tracing::info!(site.key = %site.key, http.origin = ?given, "a page was refused: its origin is not listed");
    Ok(Err(refused()))
}

/// Refuses requests that change something, unless a page of our own sent them. A form of another
/// site would carry the cookie's right without its owner's will. Which header a browser sends
/// depends on its age; without either, it is not a page that we can know.
pub async fn require_own(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if safe || is_from_here(&app, request.headers()) {
        return next.run(request).await;
    }
    foreign(request.headers())
}

/// What a page elsewhere gets for what a cookie opens.
pub fn foreign(headers: &HeaderMap) -> Response {
    tracing::info!(http.origin = ?of(headers), "a request from elsewhere was refused");
    problem::document(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        "this request did not come from a page of Parlour's own address",
    )
}

fn comes_from_here(headers: &HeaderMap, is_own: impl Fn(&str) -> bool) -> bool {
    let site = headers
        .get("sec-fetch-site")
        .map(|value| value.to_str().unwrap_or_default());
    match (of(headers), site) {
        (None, None) => false,
        (origin, site) => {
            origin.is_none_or(is_own) && site.is_none_or(|site| site == "same-origin")
        }
    }
}

/// What a route of the widget has for `OPTIONS`; [`widget`] answers before it.
pub async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Answers pre-flights for the widget's routes, and lets listed pages read the answers.
///
/// A pre-flight does not say for which site it is, so any listed origin passes it; the route
/// itself then checks the site. What is refused there is not readable either.
pub async fn widget(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let origin = of(request.headers()).map(str::to_owned);
    let known = match &origin {
        Some(origin) if is_own(&app, origin) => true,
        Some(origin) => app.store.origin_known(origin).await.unwrap_or(false),
        None => false,
    };
    let preflight = *request.method() == Method::OPTIONS;
    let mut response = match (preflight, known) {
        (true, true) => StatusCode::NO_CONTENT.into_response(),
        (true, false) => refused(),
        (false, _) => next.run(request).await,
    };
    let readable = known && response.status() != StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let (true, Some(Ok(origin))) = (
        readable,
        origin.map(|origin| HeaderValue::from_str(&origin)),
    ) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
        if preflight {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, POST, PATCH"),
            );
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type, last-event-id, prefer"),
            );
            headers.insert(
                header::ACCESS_CONTROL_MAX_AGE,
                HeaderValue::from_static("600"),
            );
        }
    }
    response
}

/// What a page that is not listed gets.
pub fn refused() -> Response {
    problem::document(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        "this page's origin is not among the allowed origins of the site",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_must_show_that_it_comes_from_here() {
        const OWN: &str = "https://chat.example.com";
        for (origin, site, expected) in [
            (None, None, false),
            (Some(OWN), None, true),
            (None, Some("same-origin"), true),
            (Some(OWN), Some("same-origin"), true),
            (Some(OWN), Some("cross-site"), false),
            (Some("https://evil.example"), Some("same-origin"), false),
            (Some("https://evil.example"), None, false),
            (Some("null"), None, false),
            (Some("null"), Some("same-origin"), false),
            (None, Some("same-site"), false),
            (None, Some("cross-site"), false),
            (None, Some("none"), false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().expect("a header"));
                }
            }
            assert_eq!(
                comes_from_here(&headers, |origin| origin == OWN),
                expected,
                "{origin:?} {site:?}"
            );
        }
    }
}
