//! JSON Web Tokens (RFC 7519): HS256 and nothing else, with claims checked here by type.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use parlour_protocol::Id;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Identity, secret};
use crate::clock::{self, Micros, SECOND};
use crate::error::Error;
use crate::store::keys::{self, SigningKey};
use crate::wire;

const ISSUER: &str = "parlour";
const FOR_VISITORS: &str = "parlour-visitor";
const FOR_AGENTS: &str = "parlour-agent";
/// An agent's token is good for this many seconds, and once.
pub(crate) const AGENT_TOKEN: i64 = 60;
/// Longer than any token of ours.
const MOST_BYTES: usize = 2_048;
/// How far another node's clock may be ahead, in seconds.
const AHEAD: i64 = 5;
const ISSUED_AHEAD: i64 = 60;
/// A key signs for this long.
const KEY_SIGNS: Micros = 30 * 24 * 3_600 * SECOND;
/// A retired key is good for checking as long as a token can live.
const KEY_LINGERS: Micros = 2 * 3_600 * SECOND;
/// Agents' tokens that were used in the last minute; more than can be issued in it.
const MOST_REDEEMED: usize = 100_000;

/// Whom a token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A visitor of a site.
    Visitor {
        /// Her id.
        visitor: Uuid,
        /// The site.
        site: Uuid,
    },
    /// An agent.
    Agent {
        /// Her id.
        agent: Uuid,
        /// The sign-in that bought the token.
        sign_in: Uuid,
    },
}

/// What a good token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Whom it speaks for.
    pub subject: Subject,
    /// When it ends.
    pub expires_at: Micros,
    /// Its own id.
    pub jti: Uuid,
}

/// Why a token is not good. For the log: the client only learns that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("there is no token")]
    Missing,
    /// It is not a token of the one kind that is spoken here.
    #[error("the token is malformed")]
    Malformed,
    /// No key of ours signed it.
    #[error("the token was not signed here")]
    Signature,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It is from the future.
    #[error("the token is not good yet")]
    Early,
    /// It is for something else.
    #[error("the token is for something else")]
    Audience,
    /// It was used before.
    #[error("the token was used before")]
    Used,
}

/// Every claim is required and typed: a string for a number, or a list for a string, is malformed.
#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: Id,
    jti: Id,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_in: Option<Id>,
}

/// The keys, newest first.
#[derive(Default)]
pub(super) struct Keys {
    keys: RwLock<Arc<[SigningKey]>>,
}

impl Keys {
    fn all(&self) -> Arc<[SigningKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, keys: Vec<SigningKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }
}

/// Agents' tokens that were used.
pub(super) struct Redeemed {
    /// What was used before a restart is forgotten, so nothing older is taken.
    since: i64,
    used: Mutex<HashMap<Uuid, i64>>,
}

impl Redeemed {
    pub(super) fn new(now: Micros) -> Self {
        Self {
            since: now / SECOND,
            used: Mutex::default(),
        }
    }

    fn redeem(&self, jti: Uuid, issued: i64, expires: i64, now: Micros) -> Result<(), TokenError> {
        let now = now / SECOND;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST_REDEEMED {
            used.retain(|_, expires| *expires > now);
        }
        if issued < self.since || used.len() >= MOST_REDEEMED || used.contains_key(&jti) {
            return Err(TokenError::Used);
        }
        used.insert(jti, expires);
        Ok(())
    }

    pub(super) fn forget_expired(&self, now: Micros) {
        let now = now / SECOND;
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, expires| *expires > now);
    }
}

impl Identity {
    /// A visitor's token for one site, good for [`Identity::visitor_token_seconds`].
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no key.
    pub fn issue_visitor(&self, visitor: Uuid, site: Uuid) -> Result<String, Error> {
        self.issue(&payload(
            Subject::Visitor { visitor, site },
            clock::now(),
            self.visitor_token_seconds(),
        ))
    }

    /// An agent's token, good once and for [`AGENT_TOKEN`] seconds.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no key.
    pub fn issue_agent(&self, agent: Uuid, sign_in: Uuid) -> Result<String, Error> {
        self.issue(&payload(
            Subject::Agent { agent, sign_in },
            clock::now(),
            AGENT_TOKEN,
        ))
    }

    /// How long a visitor's token is good, in seconds.
    #[must_use]
    pub fn visitor_token_seconds(&self) -> i64 {
        i64::try_from(self.times.visitor_token.as_secs()).unwrap_or(AGENT_TOKEN)
    }

    fn issue(&self, payload: &Payload) -> Result<String, Error> {
        let keys = self.keys.all();
        let key = keys
            .iter()
            .find(|key| key.ends_at.is_none())
            .ok_or_else(|| Error::Internal("there is no signing key".into()))?;
        sign(payload, key).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Checks a token. An agent's token is used up by it.
    ///
    /// # Errors
    /// A [`TokenError`]; clients only learn that the token is not good.
    // Async although nothing is awaited yet: with several nodes the use is noted in a store that all share.
    #[expect(
        clippy::unused_async,
        reason = "callers must not depend on where the use of a token is noted"
    )]
    pub async fn check(&self, token: &str) -> Result<Claims, TokenError> {
        let now = clock::now();
        let (claims, issued) = verify(token, &self.keys.all(), now)?;
        if let Subject::Agent { agent, sign_in } = claims.subject {
            self.redeemed
                .redeem(claims.jti, issued, claims.expires_at / SECOND, now)?;
            self.opened(agent, sign_in);
        }
        Ok(claims)
    }

    /// Reads the keys anew; makes one if there is none, or the newest has signed for long enough.
    pub(super) async fn refresh_keys(&self, now: Micros) -> crate::store::Result<()> {
        let mut keys = self.store.signing_keys(now).await?;
        let fresh = |key: &SigningKey| key.ends_at.is_none() && key.created_at > now - KEY_SIGNS;
        if !keys.iter().any(fresh) {
            let key = new_key(now)?;
            self.store
                .write(move |connection| {
                    Box::pin(async move {
                        keys::rotate(connection, &key, now + KEY_LINGERS, now - KEY_SIGNS).await
                    })
                })
                .await?;
            keys = self.store.signing_keys(now).await?;
        }
        self.keys.set(keys);
        Ok(())
    }

    pub(super) fn forget_expired_tokens(&self, now: Micros) {
        self.redeemed.forget_expired(now);
    }
}

fn new_key(now: Micros) -> crate::store::Result<SigningKey> {
    let secret = secret::random::<32>()
        .map_err(|error| crate::store::StoreError::Unavailable(error.to_string().into()))?;
    Ok(SigningKey {
        kid: clock::id().to_string(),
        secret: secret.to_vec(),
        created_at: now,
        ends_at: None,
    })
}

fn payload(subject: Subject, now: Micros, seconds: i64) -> Payload {
    let now = now / SECOND;
    let (aud, sub, site, sign_in) = match subject {
        Subject::Visitor { visitor, site } => (FOR_VISITORS, visitor, Some(wire(site)), None),
        Subject::Agent { agent, sign_in } => (FOR_AGENTS, agent, None, Some(wire(sign_in))),
    };
    Payload {
        iss: ISSUER.into(),
        aud: aud.into(),
        sub: wire(sub),
        jti: wire(clock::id()),
        iat: now,
        nbf: now,
        exp: now + seconds,
        site,
        sign_in,
    }
}

fn sign(payload: &Payload, key: &SigningKey) -> jsonwebtoken::errors::Result<String> {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.kid.clone());
    jsonwebtoken::encode(&header, payload, &EncodingKey::from_secret(&key.secret))
}

/// The claims of a good token, and when it was issued in seconds.
fn verify(token: &str, keys: &[SigningKey], now: Micros) -> Result<(Claims, i64), TokenError> {
    if token.len() > MOST_BYTES {
        return Err(TokenError::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
    // Keys come from our own table alone. A header that offers one is not ours.
    let offers_a_key = header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    if header.alg != Algorithm::HS256
        || header.typ.as_deref() != Some("JWT")
        || header.crit.is_some()
        || offers_a_key
    {
        return Err(TokenError::Malformed);
    }
    let key = header
        .kid
        .and_then(|kid| keys.iter().find(|key| key.kid == kid))
        .filter(|key| key.ends_at.is_none_or(|ends_at| ends_at > now))
        .ok_or(TokenError::Signature)?;
    let payload = signed_payload(token, key)?;
    let seconds = now / SECOND;
    if payload.exp <= seconds {
        return Err(TokenError::Expired);
    }
    if payload.nbf > seconds + AHEAD || payload.iat > seconds + ISSUED_AHEAD {
        return Err(TokenError::Early);
    }
    if payload.iss != ISSUER {
        return Err(TokenError::Audience);
    }
    let subject = match (payload.aud.as_str(), payload.site, payload.sign_in) {
        (FOR_VISITORS, Some(site), None) => Subject::Visitor {
            visitor: uuid(payload.sub),
            site: uuid(site),
        },
        (FOR_AGENTS, None, Some(sign_in)) => Subject::Agent {
            agent: uuid(payload.sub),
            sign_in: uuid(sign_in),
        },
        _ => return Err(TokenError::Audience),
    };
    Ok((
        Claims {
            subject,
            expires_at: payload.exp.saturating_mul(SECOND),
            jti: uuid(payload.jti),
        },
        payload.iat,
    ))
}

fn uuid(id: Id) -> Uuid {
    Uuid::from_bytes(id.0)
}

/// The library checks the signature; the claims are checked by [`verify`], with our clock and by type.
fn signed_payload(token: &str, key: &SigningKey) -> Result<Payload, TokenError> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded =
        jsonwebtoken::decode::<Payload>(token, &DecodingKey::from_secret(&key.secret), &validation);
    decoded
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => TokenError::Signature,
            _ => TokenError::Malformed,
        })
}

#[cfg(test)]
mod tests;
