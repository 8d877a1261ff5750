//! The static files: under hashed names, for ever, for every origin.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use super::assets_table::{ASSETS, Asset, LOADER};
use crate::Shared;
use crate::error::Error;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

static BY_PATH: LazyLock<HashMap<&str, &Asset>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| (asset.path, asset)).collect());
static URLS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    ASSETS
        .iter()
        .map(|asset| (asset.name, format!("/assets/{}", asset.path)))
        .collect()
});

/// The path of an asset, with its hash: `widget.js` → `/assets/parlour-….js`. Empty if the server
/// was built without it.
#[must_use]
pub fn url(name: &str) -> &'static str {
    URLS.get(name).map_or("", String::as_str)
}

pub(super) fn router() -> Router<Shared> {
    Router::new().route("/assets/{path}", get(serve))
}

async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = BY_PATH.get(path.as_str()) else {
        // Of another version, perhaps: the widget reads this answer, wherever it runs.
        let mut response = Error::NotFound.into_response();
        share(response.headers_mut());
        return response;
    };
    // The name holds the hash of the content.
    let etag = format!("\"{}\"", asset.path);
    let (encoding, body) = choose(asset, &headers);
    let mut response = if matches(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let answer = response.headers_mut();
    share(answer);
    answer.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.mime));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Lets every page use an answer that has nothing private.
pub(super) fn share(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
}

/// Whether the client has this content already.
pub(super) fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || plain(tag) == plain(etag))
}

fn choose(asset: &Asset, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let accepted = |wanted: &str| {
        headers
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|coding| accepts(coding, wanted))
    };
    if !asset.brotli.is_empty() && accepted("br") {
        (Some("br"), asset.brotli)
    } else if !asset.gzip.is_empty() && accepted("gzip") {
        (Some("gzip"), asset.gzip)
    } else {
        (None, asset.raw)
    }
}

/// Whether `br;q=0.9` and the like accepts a coding (RFC 9110, section 12.5.3).
fn accepts(coding: &str, wanted: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts
        .find_map(|part| part.strip_prefix("q="))
        .and_then(|weight| weight.parse::<f32>().ok());
    (name.eq_ignore_ascii_case(wanted) || name == "*") && weight.is_none_or(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    static ASSET: Asset = Asset {
        name: "a.js",
        path: "a-1.js",
        mime: "text/javascript",
        raw: b"raw",
        brotli: b"br",
        gzip: b"gz",
    };

    #[test]
    fn the_best_coding_that_is_accepted_is_chosen() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
            ("*", Some("br")),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept-encoding", accept.parse().expect("a header"));
            assert_eq!(choose(&ASSET, &headers).0, expected, "{accept}");
        }
        assert_eq!(choose(&ASSET, &HeaderMap::new()), (None, &b"raw"[..]));
    }

    #[test]
    fn tags_match_weakly() {
        let mut headers = HeaderMap::new();
        headers.insert("if-none-match", "\"b\", W/\"a\"".parse().expect("a header"));
        assert!(
            matches(&headers, "\"a\"")
                && matches(&headers, "W/\"b\"")
                && !matches(&headers, "\"c\"")
        );
    }
}
