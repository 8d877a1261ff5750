//! Passwords: argon2id, off the async threads, two at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;

use super::{common, secret};
use crate::error::Error;

/// OWASP's choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes at a time: each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// Requests that may wait for their turn.
const QUEUE: usize = 64;
/// Characters of a password.
const LEAST: usize = 8;
const MOST: usize = 256;

/// Hashes and checks passwords.
pub(super) struct Passwords {
    turns: Semaphore,
    waiting: AtomicUsize,
    /// What a password is checked against where there is no account, so that it takes as long.
    nobody: String,
}

impl Passwords {
    pub(super) fn new() -> Result<Self, Error> {
        let nobody = hash_now(&crate::hex(&secret::random::<16>()?))?;
        Ok(Self {
            turns: Semaphore::new(AT_A_TIME),
            waiting: AtomicUsize::new(0),
            nobody,
        })
    }

    /// The hash to store, `$argon2id$…`.
    pub(super) async fn hash(&self, password: String) -> Result<String, Error> {
        self.in_turn(move || hash_now(&password)).await?
    }

    /// Whether `password` belongs to `hash`. Without a hash it is never right, and takes as long.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let right = self.in_turn(move || verify_now(&password, &hash)).await?;
        Ok(right && exists)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::TooFast { after_seconds: 5 });
        }
        let turn = self.turns.acquire().await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let _turn = turn.map_err(|_| Error::Unavailable("no more passwords are checked".into()))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::Internal(format!("a password's task failed: {error}")))
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, Error> {
    let salt: [u8; 16] = secret::random()?;
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether `password` may be chosen by the person with this name and address.
///
/// # Errors
/// [`Error::Invalid`] with a sentence that says what is wrong.
pub(super) fn check(password: &str, name: &str, email: &str) -> Result<(), Error> {
    let invalid = |reason: &str| {
        Err(Error::Invalid {
            field: "password",
            reason: reason.into(),
        })
    };
    let length = password.chars().count();
    if length < LEAST {
        return invalid("use at least 8 characters");
    }
    if length > MOST {
        return invalid("use at most 256 characters");
    }
    if common::is_common(password) {
        return invalid("this password is one of the first that would be guessed; choose another");
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    if [name, email, local]
        .iter()
        .any(|own| !own.is_empty() && common::is_built_on(&lower, &own.to_lowercase()))
    {
        return invalid(
            "your own name or e-mail address is easily guessed; choose another password",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_says_how_it_was_made_and_knows_its_password() {
        let passwords = Passwords::new().expect("passwords");
        let hash = passwords
            .hash("correct horse 🐎".into())
            .await
            .expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(
            passwords
                .verify("correct horse 🐎".into(), Some(hash.clone()))
                .await
                .expect("an answer")
        );
        assert!(
            !passwords
                .verify("correct horse".into(), Some(hash))
                .await
                .expect("an answer")
        );
        assert!(
            !passwords
                .verify("correct horse 🐎".into(), None)
                .await
                .expect("an answer")
        );
    }

    #[tokio::test]
    async fn nothing_is_cut_off() {
        let passwords = Passwords::new().expect("passwords");
        let long = "ä".repeat(200);
        let hash = passwords.hash(long.clone() + "x").await.expect("a hash");
        assert!(
            !passwords
                .verify(long + "y", Some(hash))
                .await
                .expect("an answer")
        );
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let good = |password: &str| check(password, "Ann Lee", "ann.lee@shop.example").is_ok();
        let long = |length| {
            "a long wäy home, "
                .chars()
                .cycle()
                .take(length)
                .collect::<String>()
        };
        assert!(good("пасхальныйзаяц") && good("łąka żółta") && good(&long(256)));
        assert!(!good("7 chars") && !good("🐎🐎🐎🐎") && !good(&long(257)));
        assert!(!good("Ann Lee1") && !good("ann.lee2024") && !good("ann.lee@shop.example"));
    }
}
