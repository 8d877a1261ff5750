//! Secrets that are handed out once and stored as a hash.

use sha2::{Digest as _, Sha256};

use crate::error::Error;

const BYTES: usize = 32;

/// 256 random bits, as 64 hexadecimal digits.
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self(crate::hex(&random::<BYTES>()?)))
    }

    /// The secret itself, for the one answer that carries it.
    pub(super) fn reveal(self) -> String {
        self.0
    }

    pub(super) fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Unavailable(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// What is stored of a secret. A plain hash is enough: there are 256 random bits in it.
pub(super) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Whether a text can be one of our secrets at all.
pub(super) fn is_plausible(text: &str) -> bool {
    text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_plausible() {
        let one = Secret::new().expect("a secret");
        let other = Secret::new().expect("a secret");
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.hash().len(), 32);
        assert!(is_plausible(&one.reveal()));
        assert!(
            !is_plausible("") && !is_plausible(&"g".repeat(64)) && !is_plausible(&"a".repeat(63))
        );
    }
}
