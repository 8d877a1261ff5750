//! `POST /socket`: for clients that a proxy keeps from WebSockets.
//!
//! A request brings frames, the first of them `hello`. It is executed whole and answered with
//! what the frames were answered with; or, if a stream of events is asked for, with that and
//! what follows ([`super::stream`]). Nothing is kept between requests, so any node serves any.

use std::net::IpAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use parlour_protocol::{close, limits};
use serde_json::value::RawValue;

use super::{HELLO_TIMEOUT, OVER_LIMIT_PAUSE, opening, stream};
use crate::Shared;
use crate::error::Error;
use crate::http::address::ClientAddress;
use crate::http::{cookie, extract, origin, problem};
use crate::identity::{Claims, Subject};
use crate::session::{self, Next, Refused, Session};

/// The largest body: room for a few of the largest frames.
const MAX_BODY: usize = 4 * limits::MAX_FRAME;
/// Answers of one request that may wait, beside those to its `hello`. A socket sends them between
/// two frames; here they are all in memory at once.
const MAX_WAITING: usize = 1024 * 1024;
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The route, beside that of WebSockets.
pub fn router(app: &Shared) -> Router<Shared> {
    Router::new()
        .route("/socket", post(exchange).options(origin::preflight))
        .layer(from_fn_with_state(app.clone(), origin::widget))
}

async fn exchange(
    State(app): State<Shared>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let claims = claims(&app, &parts.headers).await?;
    if !says(&parts.headers, header::CONTENT_TYPE, "application/json") {
        return Err(problem::document(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send JSON, with Content-Type: application/json",
        ));
    }
    let body = read(body).await?;
    let Ok(frames) = serde_json::from_slice::<Vec<&RawValue>>(&body) else {
        return Err(problem::document(
            StatusCode::BAD_REQUEST,
            "bad_json",
            "the body is not an array of frames",
        ));
    };
    let frames: Vec<_> = frames
        .into_iter()
        .map(|frame| frame.get().to_owned())
        .collect();
    if says(&parts.headers, header::ACCEPT, "text/event-stream") {
        let (session, publications) =
            session::begin(app.clone(), claims, address, opening::active(&frames))
                .await
                .map_err(refused)?;
        let asked = stream::Asked::of(&app, &parts.headers);
        let body = stream::begin(app, session, publications, frames, asked);
        return Ok(answer("text/event-stream", body));
    }
    let body = execute(app, claims, address, &frames).await?;
    Ok(answer("application/json", Body::from(body)))
}

/// What is asked for by a bearer's token is a visitor's, and by a cookie an agent's.
async fn claims(app: &Shared, headers: &HeaderMap) -> Result<Claims, Response> {
    if let Some(token) = extract::bearer(headers) {
        let claims = app.identity.check(token).await;
        match origin::may_connect(app, headers, claims.as_ref().ok()).await {
            Ok(true) => {}
            Ok(false) => return Err(origin::refused()),
            Err(error) => return Err(Error::from(error).into_response()),
        }
        return match claims {
            Ok(claims) if matches!(claims.subject, Subject::Visitor { .. }) => Ok(claims),
            Ok(_) => Err(extract::unauthorized()),
            Err(error) => {
                tracing::info!(reason = %error, "a request for a connection was refused");
                Err(extract::unauthorized())
            }
        };
    }
    let Some(cookie) = cookie::of(headers) else {
        return Err(extract::unauthorized());
    };
    if !origin::is_from_here(app, headers) {
        return Err(origin::foreign(headers));
    }
    let found = app.identity.connects(&cookie).await;
    found
        .map_err(Error::into_response)?
        .ok_or_else(extract::unauthorized)
}

async fn read(body: Body) -> Result<axum::body::Bytes, Response> {
    match tokio::time::timeout(HELLO_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(problem::document(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is too large, or was cut off",
        )),
        Err(_) => Err(problem::document(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "the body did not arrive in time",
        )),
    }
}

async fn execute(
    app: Shared,
    claims: Claims,
    address: IpAddr,
    frames: &[String],
) -> Result<String, Response> {
    let mut session = session::alone(app, claims, address)
        .await
        .map_err(refused)?;
    let next = receive(&mut session, frames).await;
    let mut answers: Vec<String> = session.drain().map(|frame| frame.to_string()).collect();
    if let Next::Close(code) = next {
        answers.push(stream::closing(code));
    }
    Ok(format!("[{}]", answers.join(",")))
}

/// Hands the frames to the session, until one of them ends it, or the answers are too many.
pub(super) async fn receive(session: &mut Session, frames: &[String]) -> Next {
    let mut most = usize::MAX;
    for (number, frame) in frames.iter().enumerate() {
        if session.waiting() > most {
            return Next::Close(close::TOO_SLOW);
        }
        if frame.len() > limits::MAX_FRAME {
            return Next::Close(close::TOO_LARGE);
        }
        let next = session.receive(frame).await;
        if next != Next::Go {
            return next;
        }
        if number == 0 {
            most = session.waiting() + MAX_WAITING;
        }
    }
    if frames.is_empty() {
        return Next::Close(close::BAD_FRAME);
    }
    Next::Go
}

/// Why there is no session, before anything else was said.
fn refused(Refused(code): Refused) -> Response {
    match code {
        close::UNAUTHORIZED => extract::unauthorized(),
        close::OVER_LIMIT => problem::too_fast(OVER_LIMIT_PAUSE.as_secs()),
        _ => Error::Unavailable("a session could not begin".into()).into_response(),
    }
}

/// Nothing on the way may keep an answer, or hold it back until it is complete.
fn answer(kind: &'static str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (X_ACCEL_BUFFERING, "no"),
    ];
    (headers, body).into_response()
}

fn says(headers: &HeaderMap, name: HeaderName, what: &str) -> bool {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.to_ascii_lowercase().contains(what))
}
