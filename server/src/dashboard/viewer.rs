//! Who looks at a page, and what her request tells.

use axum::extract::{FromRequestParts, Path};
use axum::http::header::{HOST, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::answer::{self, Wants};
use super::flash::Flash;
use crate::Shared;
use crate::chat::Actor;
use crate::error::Error;
use crate::http::cookie;
use crate::http::extract::MaybeSignedIn;
use crate::identity::{self, AgentIdentity, SignedIn, Started};

/// An agent who is signed in.
pub(super) struct Viewer {
    /// Who.
    pub(super) agent: AgentIdentity,
    /// The sign-in behind her cookie.
    pub(super) sign_in: Uuid,
    /// What she wants back.
    pub(super) wants: Wants,
    /// What was done before the redirect that led here.
    pub(super) flash: Option<Flash>,
    /// The socket's address, if she calls this machine by another of its own names.
    pub(super) socket: Option<String>,
}

impl Viewer {
    /// She, as the rules of chat see her.
    pub(super) fn actor(&self) -> Actor {
        Actor::agent(self.agent.id, self.agent.name.clone())
    }

    /// She, as the rules of accounts and sites see her.
    pub(super) fn identity_actor(&self) -> identity::Actor<'_> {
        identity::Actor::Agent(&self.agent)
    }

    /// She, and her sign-in.
    pub(super) fn signed_in(&self) -> SignedIn {
        SignedIn {
            agent: self.agent.clone(),
            sign_in: self.sign_in,
        }
    }

    /// Whether she manages sites and agents.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(super) fn may_manage(&self) -> Result<(), Error> {
        self.identity_actor().may_manage()
    }
}

impl FromRequestParts<Shared> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let MaybeViewer(viewer) = MaybeViewer::from_request_parts(parts, app).await?;
        viewer.ok_or(Error::Unauthorized)
    }
}

/// An agent who is signed in, or anybody.
pub(super) struct MaybeViewer(pub(super) Option<Viewer>);

impl FromRequestParts<Shared> for MaybeViewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let MaybeSignedIn(signed_in) = MaybeSignedIn::from_request_parts(parts, app).await?;
        let Some(SignedIn { agent, sign_in }) = signed_in else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Viewer {
            agent,
            sign_in,
            wants: Wants::of(&parts.headers),
            flash: Flash::of(&parts.headers),
            socket: socket(app, parts),
        })))
    }
}

/// Under which name the browser reaches the socket: a page may only connect to where it came
/// from. The request's `Host` is believed if it is one of this machine's own names.
fn socket(app: &Shared, parts: &Parts) -> Option<String> {
    let host = parts.headers.get(HOST)?.to_str().ok()?;
    let origin = format!("http://{host}");
    let own = &app.config.public_url;
    (origin != own.origin() && own.owns(&origin)).then(|| format!("ws://{host}/socket"))
}

/// An id in a path. What is none names nothing.
pub(super) struct Key(pub(super) Uuid);

impl FromRequestParts<Shared> for Key {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let id: String = path(parts, app).await?;
        Ok(Self(id_of(&id)?))
    }
}

/// Two ids in a path.
pub(super) struct Keys(pub(super) Uuid, pub(super) Uuid);

impl FromRequestParts<Shared> for Keys {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        let (first, second): (String, String) = path(parts, app).await?;
        Ok(Self(id_of(&first)?, id_of(&second)?))
    }
}

async fn path<T: DeserializeOwned + Send>(parts: &mut Parts, app: &Shared) -> Result<T, Error> {
    Path::from_request_parts(parts, app)
        .await
        .map(|Path(found)| found)
        .map_err(|_| Error::NotFound)
}

fn id_of(text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::NotFound)
}

/// Begins a sign-in: the cookie, and on to `path`.
pub(super) fn begin(
    app: &Shared,
    started: &Started,
    path: &str,
    flash: Option<Flash>,
) -> Result<Response, Error> {
    let mut response = answer::see_other(path);
    response
        .headers_mut()
        .append(SET_COOKIE, cookie::set(started)?);
    if let Some(flash) = flash.and_then(|flash| flash.cookie(app)) {
        response.headers_mut().append(SET_COOKIE, flash);
    }
    Ok(response)
}

/// Ends the browser's side of a sign-in.
pub(super) fn end(app: &Shared) -> Result<Response, Error> {
    let mut response = answer::see_other("/sign-in");
    response.headers_mut().append(SET_COOKIE, cookie::clear()?);
    if let Some(flash) = Flash::SignedOut.cookie(app) {
        response.headers_mut().append(SET_COOKIE, flash);
    }
    Ok(response)
}
