//! What handlers ask a request for.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlour_protocol::Id;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::address::ClientAddress;
use super::{cookie, origin, problem};
use crate::Shared;
use crate::error::Error;
use crate::identity::{Client, SignedIn, Subject, browser_label};

/// The caller's address and browser.
#[derive(Clone, Debug)]
pub struct Visit(pub Client);

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        Ok(Self(Client {
            address,
            browser: browser(parts),
        }))
    }
}

fn browser(parts: &Parts) -> String {
    parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(browser_label)
        .unwrap_or_default()
}

/// Whoever is signed in, if anybody is.
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<SignedIn>);

impl FromRequestParts<Shared> for MaybeSignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        match cookie::of(&parts.headers) {
            Some(cookie) => Ok(Self(app.identity.signed_in(&cookie).await?)),
            None => Ok(Self(None)),
        }
    }
}

/// Whoever is signed in. Otherwise a page sends her to sign in, and the API answers 401.
impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let MaybeSignedIn(found) = MaybeSignedIn::from_request_parts(parts, app)
            .await
            .map_err(Error::into_response)?;
        found.ok_or_else(|| sign_in_first(parts))
    }
}

fn sign_in_first(parts: &Parts) -> Response {
    // A nested router shortens `uri`.
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |OriginalUri(uri)| uri);
    if uri.path().starts_with("/api/") {
        return Error::Unauthorized.into_response();
    }
    let location = match (parts.method == Method::GET, uri.path_and_query()) {
        (true, Some(here)) if here.path() != "/" => {
            let next: String =
                url::form_urlencoded::byte_serialize(here.as_str().as_bytes()).collect();
            format!("/sign-in?next={next}")
        }
        _ => "/sign-in".to_owned(),
    };
    match HeaderValue::from_str(&location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => Error::Unauthorized.into_response(),
    }
}

/// An owner or an admin.
#[derive(Clone, Debug)]
pub struct Manager(pub SignedIn);

impl FromRequestParts<Shared> for Manager {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        if signed_in.agent.role.manages() {
            Ok(Self(signed_in))
        } else {
            Err(Error::Forbidden.into_response())
        }
    }
}

/// A visitor with a good token, on a page that may carry the widget of her site.
#[derive(Clone, Copy, Debug)]
pub struct VisitorToken {
    /// The visitor.
    pub visitor: Uuid,
    /// Her site.
    pub site: Uuid,
}

impl FromRequestParts<Shared> for VisitorToken {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let claims = match bearer(&parts.headers) {
            Some(token) => app.identity.check(token).await.map_err(|error| {
                tracing::info!(reason = %error, "a visitor's token was refused");
                unauthorized()
            })?,
            None => return Err(unauthorized()),
        };
        let Subject::Visitor { visitor, site } = claims.subject else {
            return Err(unauthorized());
        };
        if let Some(given) = origin::of(&parts.headers)
            && !origin::may_carry(app, site, given)
                .await
                .map_err(Error::into_response)?
        {
            return Err(origin::refused());
        }
        Ok(Self { visitor, site })
    }
}

/// Whether the request brings a token at all.
pub(super) fn has_bearer(parts: &Parts) -> bool {
    parts.headers.contains_key(header::AUTHORIZATION)
}

/// The token that the request brings.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What whoever brings no good token gets.
pub fn unauthorized() -> Response {
    let mut response = problem::document(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "the token is missing, expired or not good",
    );
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// A JSON body: 415 for another type, 400 if it is not JSON, 422 if a value has the wrong type, 413 if it is too large.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let axum::Json(value) = axum::Json::from_request(request, state)
            .await
            .map_err(|rejection| not_json(&rejection))?;
        Ok(Self(value))
    }
}

fn not_json(rejection: &JsonRejection) -> Response {
    let (code, detail) = match rejection {
        JsonRejection::JsonDataError(error) => {
            // What serde says names fields and types, and nothing of ours.
            let source = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            return problem::document(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                &format!("a value is not of its type: {source}"),
            );
        }
        JsonRejection::MissingJsonContentType(_) => (
            "unsupported_media_type",
            "send JSON, with Content-Type: application/json",
        ),
        _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ("too_large", "the body is too large")
        }
        _ => ("bad_json", "the body is not JSON"),
    };
    problem::document(rejection.status(), code, detail)
}

/// The values after the question mark; 400 if they do not fit.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(_) => Err(problem::document(
                StatusCode::BAD_REQUEST,
                "bad_query",
                "a value in the address does not fit",
            )),
        }
    }
}

/// The id in the path. What is no id is nothing that exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathId(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::NotFound)?;
        Id::parse(&text)
            .map(|id| Self(Uuid::from_bytes(id.0)))
            .ok_or(Error::NotFound)
    }
}
