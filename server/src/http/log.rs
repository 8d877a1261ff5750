//! One line for each request: method, route, status and time. Never the address itself, for
//! links carry secrets in it, and never a header or a body.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use super::address::ClientAddress;
use crate::clock;

pub(super) async fn requests(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let address = request.extensions().get::<ClientAddress>().copied();
    let begun = clock::instant();
    let response = next.run(request).await;
    tracing::debug!(
        http.method = %method,
        http.route = route.as_deref().unwrap_or("none"),
        http.status = response.status().as_u16(),
        http.time_us = u64::try_from(clock::instant().duration_since(begun).as_micros()).unwrap_or(u64::MAX),
        client.address = ?address.map(|ClientAddress(address)| address),
        "answered"
    );
    response
}
