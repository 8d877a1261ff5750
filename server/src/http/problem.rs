//! Problem documents (RFC 9457).

use askama::Template as _;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::dashboard;
use crate::error::Error;
use crate::identity::SignInError;

/// Marks an answer as a problem, so that a page can stand for it.
#[derive(Clone, Copy)]
struct Problem;

/// A problem document: `code` is for programs, `detail` for people.
#[must_use]
pub fn document(status: StatusCode, code: &str, detail: &str) -> Response {
    with(status, code, detail, None)
}

fn with(status: StatusCode, code: &str, detail: &str, field: Option<&str>) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
    });
    if let Some(field) = field {
        body["field"] = Value::from(field);
    }
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response.extensions_mut().insert(Problem);
    response
}

/// Too many, too fast.
#[must_use]
pub fn too_fast(after_seconds: u64) -> Response {
    let after_seconds = after_seconds.max(1);
    let detail = format!("too many requests; try again in {after_seconds} s");
    let mut response = document(StatusCode::TOO_MANY_REQUESTS, "too_fast", &detail);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, after_seconds.into());
    response
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        match self {
            Self::NotFound => document(StatusCode::NOT_FOUND, "not_found", &detail),
            Self::Forbidden => document(StatusCode::FORBIDDEN, "forbidden", &detail),
            Self::Unauthorized => document(StatusCode::UNAUTHORIZED, "unauthorized", &detail),
            Self::Invalid { field, reason } => with(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                &reason,
                Some(field),
            ),
            Self::Conflict(_) => document(StatusCode::CONFLICT, "conflict", &detail),
            Self::TooFast { after_seconds } => too_fast(after_seconds),
            Self::Unavailable(reason) => {
                tracing::warn!(error.detail = %reason, "a request could not be served now");
                let mut response =
                    document(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &detail);
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Internal(reason) => {
                tracing::error!(error.detail = %reason, "a request failed");
                document(StatusCode::INTERNAL_SERVER_ERROR, "internal", &detail)
            }
        }
    }
}

impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        let detail = self.to_string();
        match self {
            Self::Wrong => document(StatusCode::UNAUTHORIZED, "wrong_credentials", &detail),
            Self::TooFast { after_seconds } => too_fast(after_seconds),
            Self::NoCookies => document(StatusCode::CONFLICT, "no_cookies", &detail),
            Self::Failed(error) => error.into_response(),
        }
    }
}

/// Turns a problem into a page where a person looks at it. The dashboard dresses its own.
pub(super) async fn as_page(request: Request, next: Next) -> Response {
    const FOR_PROGRAMS: [&str; 6] = ["/api/", "/assets/", "/w/", "/socket", "/healthz", "/readyz"];
    let path = request.uri().path().to_owned();
    let for_a_person = prefers_html(request.headers())
        && !FOR_PROGRAMS.iter().any(|start| path.starts_with(start));
    let response = next.run(request).await;
    if !for_a_person || response.extensions().get::<Problem>().is_none() {
        return response;
    }
    let status = response.status();
    let Ok(html) = dashboard::error_page(status, &path).render() else {
        return response;
    };
    let mut page = (status, axum::response::Html(html)).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER, header::CONNECTION] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn prefers_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")))
}
