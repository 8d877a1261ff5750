//! What a refused form says.

use axum::http::StatusCode;
use parlour_admin_templates::Problems;

use crate::error::Error;
use crate::identity::SignInError;

/// Why a form was refused, for the page that shows it again.
pub(super) struct Refusal {
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// What is wrong, by field.
    pub(super) problems: Problems,
    /// In how many seconds it may succeed.
    pub(super) after: Option<u64>,
}

impl Refusal {
    fn new(status: StatusCode, problems: Problems) -> Self {
        Self {
            status,
            problems,
            after: None,
        }
    }

    /// What the person can mend on the form.
    ///
    /// # Errors
    /// The same error, if it is none of her making: it gets a page of its own.
    pub(super) fn of(error: Error) -> Result<Self, Error> {
        match error {
            Error::Invalid { field, reason } => {
                let problems = match field {
                    // Pages write it so.
                    "color" => Problems::default().with("colour", sentence(&reason)),
                    field => Problems::default().with(field, sentence(&reason)),
                };
                Ok(Self::new(StatusCode::UNPROCESSABLE_ENTITY, problems))
            }
            Error::Conflict(reason) => Ok(Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Problems::whole(sentence(&reason)),
            )),
            Error::TooFast { after_seconds } => Ok(Self {
                after: Some(after_seconds),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    Problems::whole(sentence(&error.to_string())),
                )
            }),
            error => Err(error),
        }
    }

    /// The same for who wants to sign in.
    ///
    /// # Errors
    /// As [`Refusal::of`].
    pub(super) fn of_sign_in(error: SignInError) -> Result<Self, Error> {
        let problems = Problems::whole(sentence(&error.to_string()));
        match error {
            SignInError::Wrong => Ok(Self::new(StatusCode::UNAUTHORIZED, problems)),
            SignInError::TooFast { after_seconds } => Ok(Self {
                after: Some(after_seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, problems)
            }),
            SignInError::NoCookies => Ok(Self::new(StatusCode::UNPROCESSABLE_ENTITY, problems)),
            SignInError::Failed(error) => Self::of(error),
        }
    }
}

/// A reason with a capital and a full stop.
pub(super) fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let mut text: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect();
    if !text.ends_with(['.', '?', '…']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_become_sentences() {
        assert_eq!(sentence("write a name"), "Write a name.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn fields_keep_their_place_and_faults_of_ours_stay_errors() {
        let refusal = Refusal::of(Error::Invalid {
            field: "color",
            reason: "write a colour such as #2F5BD8".into(),
        });
        let refusal = refusal.expect("a refusal");
        assert_eq!(refusal.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            refusal.problems.of("colour"),
            Some("Write a colour such as #2F5BD8.")
        );
        assert!(matches!(
            Refusal::of(Error::Internal("x".into())),
            Err(Error::Internal(_))
        ));
        assert!(matches!(Refusal::of(Error::NotFound), Err(Error::NotFound)));
    }
}
