//! The snippet's script, with a site's settings inlined: one request before anybody means to talk.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tower_http::compression::CompressionLayer;

use super::assets::{self, ASSETS, LOADER};
use super::origin;
use crate::Shared;
use crate::error::Error;
use crate::store::StoreError;
use crate::store::sites::Site;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/w/{file}", get(serve))
        .route("/w/{file}/origin", get(origin_of))
        .layer(CompressionLayer::new())
}

async fn serve(
    State(app): State<Shared>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Some(key) = file.strip_suffix(".js") else {
        return Ok(script(StatusCode::NOT_FOUND, UNKNOWN.into()));
    };
    let site = match app.store.site_by_key(key).await {
        Ok(site) => site,
        Err(StoreError::NotFound) => return Ok(script(StatusCode::NOT_FOUND, UNKNOWN.into())),
        Err(error) => return Err(error.into()),
    };
    let body = LOADER.replacen(
        "__SETTINGS__",
        &embedded(&settings(&site, app.config.public_url.origin())),
        1,
    );
    let etag = etag(&body);
    let mut response = if assets::matches(&headers, &etag) {
        script(StatusCode::NOT_MODIFIED, String::new())
    } else {
        script(StatusCode::OK, body)
    };
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

/// Tells a page whether it may carry the widget of a site. Its session is refused elsewhere, with an
/// answer that it may not read; this one every page may read, so that its console can say why.
async fn origin_of(
    State(app): State<Shared>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let mut response = match origin::carried(&app, &key, &headers).await? {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal,
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    assets::share(headers);
    Ok(response)
}

const UNKNOWN: &str = "// Parlour: there is no site with this key. Copy the snippet from the site's page once more.\n";

fn script(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    assets::share(headers);
    response
}

/// Weak, for the answer is compressed on its way.
fn etag(body: &str) -> String {
    let hash = Sha256::digest(body.as_bytes());
    let digits: String = hash
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("W/\"{digits}\"")
}

/// What the loader and the widget know of their site.
fn settings(site: &Site, base: &str) -> Value {
    let languages: Map<String, Value> = ASSETS
        .iter()
        .filter_map(|asset| {
            Some((
                asset
                    .name
                    .strip_prefix("lang-")?
                    .strip_suffix(".json")?
                    .to_owned(),
                assets::url(asset.name).into(),
            ))
        })
        .collect();
    json!({
        "site": site.key,
        "base": base,
        "name": site.name,
        "color": site.color,
        "onColor": readable_on(&site.color),
        "greeting": site.greeting,
        "position": site.position,
        "locale": site.locale,
        "js": assets::url("widget.js"),
        "wasm": assets::url("widget.wasm"),
        "css": assets::url("widget.css"),
        "langs": languages,
    })
}

/// JSON that may stand in any script, even one that stands in a page.
fn embedded(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Black or white, whichever has more contrast on `color` (WCAG 2.2, relative luminance).
fn readable_on(color: &str) -> &'static str {
    let channel = |at: usize| {
        let value = color
            .get(at..at + 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .map_or(0.0, f64::from)
            / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) {
        "#000000"
    } else {
        "#FFFFFF"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_cannot_leave_their_place() {
        let value = json!({ "greeting": "</script><!-- \u{2028}\u{2029} \"'\\" });
        let text = embedded(&value);
        assert!(
            !text.contains('<') && !text.contains('\u{2028}') && !text.contains('\u{2029}'),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn text_can_be_read_on_every_accent() {
        for (color, expected) in [
            ("#2F5BD8", "#FFFFFF"),
            ("#FFFFFF", "#000000"),
            ("#000000", "#FFFFFF"),
            ("#FFD400", "#000000"),
            ("bad", "#FFFFFF"),
        ] {
            assert_eq!(readable_on(color), expected, "{color}");
        }
    }
}
