//! How the dashboard answers: a page, a redirect after a form, or data for the live script.

use askama::Template;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::flash::Flash;
use super::viewer::Viewer;
use crate::Shared;
use crate::error::Error;

/// What a request wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// A page, or a redirect to one.
    Page,
    /// A status, and a problem document if it was refused: the live script sends a form.
    Data,
}

impl Wants {
    /// By the request's `Accept`.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepts = |kind| {
            let mut values = headers.get_all(ACCEPT).iter();
            values.any(|value| value.to_str().is_ok_and(|text| text.contains(kind)))
        };
        if !accepts("text/html")
            && (accepts("application/json") || accepts("application/problem+json"))
        {
            Self::Data
        } else {
            Self::Page
        }
    }
}

/// A page. It is about one person and this moment, so nobody keeps it.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CACHE_CONTROL, "no-store"),
            ];
            (status, headers, text).into_response()
        }
        Err(error) => {
            Error::Internal(format!("a page could not be rendered: {error}")).into_response()
        }
    }
}

/// A page for who is signed in; the toast of the redirect before it is shown once.
pub(super) fn page(
    app: &Shared,
    viewer: &Viewer,
    status: StatusCode,
    page: &impl Template,
) -> Response {
    let mut response = html(status, page);
    if viewer.flash.is_some()
        && let Some(cookie) = Flash::forget(app)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// To another page, by GET.
pub(super) fn see_other(path: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(path) else {
        return Error::Internal("a redirect to a path that is no header".into()).into_response();
    };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A form was accepted: for the script that is all, a browser goes on to `path`.
pub(super) fn done(app: &Shared, viewer: &Viewer, path: &str, flash: Option<Flash>) -> Response {
    if viewer.wants == Wants::Data {
        return (StatusCode::NO_CONTENT, [(CACHE_CONTROL, "no-store")]).into_response();
    }
    let mut response = see_other(path);
    if let Some(cookie) = flash.and_then(|flash| flash.cookie(app)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Whether `next` is a path of this server: one slash first, and nothing that a browser reads
/// as the start of another host. Anything else is `None`.
pub(super) fn local_path(next: &str) -> Option<&str> {
    let good = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.len() <= 2_000
        && next.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    good.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_followed() {
        for good in [
            "/",
            "/tickets",
            "/tickets/1?state=open&assigned=mine",
            "/a//b",
        ] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "tickets",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\r\nset-cookie: a=b",
            " /tickets",
            "/ü",
        ] {
            assert_eq!(local_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_browser_wants_pages_and_the_script_wants_data() {
        let with = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().expect("a header"));
            Wants::of(&headers)
        };
        assert_eq!(
            with("text/html,application/xhtml+xml,*/*;q=0.8"),
            Wants::Page
        );
        assert_eq!(with("*/*"), Wants::Page);
        assert_eq!(with("application/json"), Wants::Data);
        assert_eq!(Wants::of(&HeaderMap::new()), Wants::Page);
    }
}
