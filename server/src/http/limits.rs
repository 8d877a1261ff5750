//! How many requests one address may make. Frames have limits of their own ([`crate::chat::limits`]).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::middleware::NoOpMiddleware;
use tower::layer::util::Identity;
use tower::util::{Either, option_layer};
use tower_governor::governor::GovernorConfigBuilder;
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use super::address::ClientAddress;
use super::problem;
use crate::Shared;
use crate::bus::Allowance;
use crate::error::Error;

/// Addresses that have been quiet are forgotten this often.
const TIDY: Duration = Duration::from_secs(60);

/// The layer that counts. The configuration allows no rate of zero, with which there would be none.
pub(super) type Layer = Either<GovernorLayer<Caller, NoOpMiddleware, Body>, Identity>;

/// Counts by the client's address; one household usually has a whole /64 of IPv6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller;

impl KeyExtractor for Caller {
    type Key = IpAddr;

    fn extract<T>(&self, request: &Request<T>) -> Result<IpAddr, GovernorError> {
        let address = request
            .extensions()
            .get::<ClientAddress>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
        Ok(network(address))
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

/// Counts requests for visitors' sessions on all nodes: each may be a row in the database.
pub(super) async fn sessions_of_all(
    State(app): State<Shared>,
    Extension(client): Extension<ClientAddress>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let limits = &app.config.limits;
    let allowance = Allowance {
        per_second: limits.sessions_per_second,
        burst: limits.session_burst,
    };
    let who = network(client.0).to_string();
    match app.bus.spend("sessions", &who, 1, allowance).await {
        None => next.run(request).await,
        Some(wait) => problem::too_fast(wait.as_secs() + 1),
    }
}

/// Requests for visitors' sessions.
pub(super) fn sessions(app: &Shared) -> Layer {
    let limits = &app.config.limits;
    layer(
        app,
        limits.sessions_per_second,
        limits.session_burst,
        Vec::new(),
    )
}

/// Attempts to sign in, and uses of one-time links.
pub(super) fn sign_ins(app: &Shared) -> Layer {
    let limits = &app.config.limits;
    layer(
        app,
        limits.sign_ins_per_second,
        limits.sign_in_burst,
        vec![Method::POST],
    )
}

/// Other calls of the API.
pub(super) fn requests(app: &Shared) -> Layer {
    let limits = &app.config.limits;
    layer(
        app,
        limits.requests_per_second,
        limits.request_burst,
        Vec::new(),
    )
}

/// The dashboard's forms. Its pages are read as fast as one likes to click.
pub(super) fn forms(app: &Shared) -> Layer {
    let limits = &app.config.limits;
    layer(
        app,
        limits.requests_per_second,
        limits.request_burst,
        vec![Method::POST],
    )
}

fn layer(app: &Shared, per_second: u32, burst: u32, methods: Vec<Method>) -> Layer {
    let mut builder = GovernorConfigBuilder::default().key_extractor(Caller);
    builder
        .period(Duration::from_secs(1) / per_second.max(1))
        .burst_size(burst.max(1));
    if !methods.is_empty() {
        builder.methods(methods);
    }
    let config = builder.finish();
    if let Some(config) = &config {
        let limiter = std::sync::Arc::clone(config.limiter());
        let mut shutdown = app.shutdown.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TIDY);
            loop {
                tokio::select! {
                    _ = interval.tick() => limiter.retain_recent(),
                    _ = shutdown.wait_for(|stop| *stop) => return,
                }
            }
        });
    }
    option_layer(config.map(|config| GovernorLayer::new(config).error_handler(refuse)))
}

fn refuse(error: GovernorError) -> Response {
    match error {
        GovernorError::TooManyRequests { wait_time, .. } => problem::too_fast(wait_time + 1),
        other => Error::Internal(format!("a limit could not be applied: {other}")).into_response(),
    }
}
