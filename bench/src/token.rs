//! Tokens as each subject issues them, signed here so that a run need not ask for thousands.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use crate::people::{Kind, id};

/// Seconds that a token is good: longer than any run.
const GOOD_FOR: u64 = 3_600;

/// Who signs.
pub enum Issuer {
    /// Nobody: the relay asks for nothing.
    Nobody,
    /// Parlour, with the key from its database.
    Parlour {
        /// The key's id.
        kid: String,
        /// The key.
        secret: Vec<u8>,
    },
    /// The peer.
    Peer {
        /// The key.
        secret: String,
    },
}

impl Issuer {
    /// A person's token; nothing where none is asked for.
    #[must_use]
    pub fn token(&self, person: usize) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let visitor = id(Kind::Visitor, person).text();
        let (kid, claims, secret) = match self {
            Self::Nobody => return String::new(),
            Self::Parlour { kid, secret } => (
                Some(kid.clone()),
                json!({
                    "iss": "parlour", "aud": "parlour-visitor", "sub": visitor,
                    "jti": parlour_tests::id().text(), "iat": now, "nbf": now, "exp": now + GOOD_FOR,
                    "site": id(Kind::Site, 0).text(),
                }),
                secret.as_slice(),
            ),
            Self::Peer { secret } => (
                None,
                json!({
                    "iss": "peer", "aud": "visitor", "sub": visitor, "iat": now, "exp": now + GOOD_FOR,
                }),
                secret.as_bytes(),
            ),
        };
        let header = Header {
            kid,
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims, &EncodingKey::from_secret(secret)).expect("a token")
    }
}
