//! Routes, headers, problem documents, assets, and the REST API.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::Error;
use crate::{Shared, dashboard, transport};

pub mod address;
mod api;
pub mod assets;
mod assets_table;
pub mod compression;
pub mod cookie;
pub mod extract;
pub mod headers;
mod health;
pub mod limits;
mod loader;
mod log;
pub mod origin;
pub mod problem;

/// The largest body of a form or an API call, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Everything that is served.
pub fn router(app: Shared) -> Router {
    let csrf = from_fn_with_state(app.clone(), origin::require_own);
    let pages = dashboard::router()
        .layer(limits::forms(&app))
        .merge(dashboard::doors().layer(limits::sign_ins(&app)))
        .layer(csrf);
    Router::new()
        .merge(health::router())
        .merge(assets::router())
        .merge(loader::router())
        .merge(transport::websocket::router())
        .merge(transport::router(&app))
        .merge(api::router(&app))
        .merge(pages)
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(problem::as_page))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), headers::add))
        .layer(from_fn(log::requests))
        .layer(from_fn_with_state(app.clone(), address::find))
        .with_state(app)
}

async fn nothing_here() -> Error {
    Error::NotFound
}

/// The router adds `Allow`.
async fn wrong_method(request: Request) -> Response {
    let detail = format!("this address does not answer {}", request.method());
    problem::document(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        &detail,
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let mut response = Error::Internal(format!(
        "a handler panicked: {}",
        text.unwrap_or("without words")
    ))
    .into_response();
    response.headers_mut().insert(
        header::CONNECTION,
        header::HeaderValue::from_static("close"),
    );
    response
}
