//! One error type for what a person's request can meet, from the rules down to the database.

use crate::store::StoreError;

/// Why a request was refused or failed. The edge turns it into a frame, a problem document or a page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there, or not for this caller: the two look alike.
    #[error("there is nothing here, or it is not yours")]
    NotFound,
    /// The caller may not do this.
    #[error("your role does not allow this")]
    Forbidden,
    /// Nobody is signed in, or the token is not good.
    #[error("sign in first")]
    Unauthorized,
    /// A value is not acceptable; the field, and a sentence that says what is expected.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, as the caller named it.
        field: &'static str,
        /// What is expected.
        reason: String,
    },
    /// It exists already, or its state does not allow this.
    #[error("{0}")]
    Conflict(String),
    /// Too many, too fast.
    #[error("too many requests; try again in {after_seconds} s")]
    TooFast {
        /// When it may succeed, in seconds.
        after_seconds: u64,
    },
    /// It cannot be done now, and may succeed later. The detail is for the log.
    #[error("this cannot be done now; try again in a moment")]
    Unavailable(String),
    /// A fault of ours. The detail is for the log.
    #[error("something went wrong on our side")]
    Internal(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Exists(noun) => Self::Conflict(format!("{noun} exists already")),
            StoreError::Conflict(_) => {
                Self::Conflict("this id was used for another message".into())
            }
            StoreError::Unseen(_) => Self::Conflict("another agent has answered meanwhile".into()),
            StoreError::Refused(reason) => Self::Conflict(reason.into()),
            StoreError::Unavailable(reason) => Self::Unavailable(reason.to_string()),
            StoreError::Failed(reason) => Self::Internal(reason.to_string()),
        }
    }
}
