//! Tokens that the server must refuse: signed with its own key, read from its database, so
//! that a test fails for the one thing that is wrong with the token and for nothing else.

use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sqlx::Row as _;

/// The server's signing key.
#[derive(Clone)]
pub struct Forge {
    /// Its id.
    pub kid: String,
    secret: Vec<u8>,
}

impl Forge {
    /// Reads the key that signs now.
    pub async fn of(data: &Path) -> Self {
        let mut connection = crate::database::connect(data).await;
        let row = sqlx::query("select kid, secret from signing_keys where ends_at is null order by created_at desc limit 1")
            .fetch_one(&mut connection)
            .await
            .expect("a signing key");
        Self {
            kid: row.get(0),
            secret: row.get(1),
        }
    }

    /// The header of a good token.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "HS256", "kid": self.kid })
    }

    /// A token of any header and claims, with a good signature over them.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_with(Algorithm::HS256, header, claims)
    }

    /// The same, by another algorithm.
    #[must_use]
    pub fn sign_with(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = jsonwebtoken::crypto::sign(
            text.as_bytes(),
            &EncodingKey::from_secret(&self.secret),
            algorithm,
        )
        .unwrap();
        format!("{text}.{signature}")
    }

    /// A token without a signature.
    #[must_use]
    pub fn unsigned(header: &Value, claims: &Value) -> String {
        format!(
            "{}.{}.",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        )
    }
}

/// The claims of a token, as they are.
///
/// # Panics
/// If it is no token.
#[must_use]
pub fn claims(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(1).unwrap())).unwrap()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for URLs, without padding (RFC 4648, section 5).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Vec<u8> {
    let values: Vec<u32> = text
        .bytes()
        .map(|byte| DIGITS.iter().position(|digit| *digit == byte).unwrap() as u32)
        .collect();
    let mut bytes = Vec::new();
    for chunk in values.chunks(4) {
        let word = chunk.iter().fold(0, |word, value| word << 6 | value) << (6 * (4 - chunk.len()));
        bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_round_trips() {
        for text in ["", "a", "ab", "abc", "abcd", "\u{fe}\u{ff}??>>"] {
            assert_eq!(decode(&encode(text.as_bytes())), text.as_bytes());
        }
        assert_eq!(encode(b"Parlour"), "UGFybG91cg");
    }
}
