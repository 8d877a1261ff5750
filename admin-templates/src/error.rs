//! What stands on a page that could not be shown.

use crate::shell::Bare;
use askama::Template;

/// Any error, in plain words.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/error.html")]
pub struct ErrorPage {
    /// The frame.
    pub bare: Bare,
    /// The HTTP status.
    pub status: u16,
    /// In a few words.
    pub title: String,
    /// In a sentence: what to do.
    pub text: String,
    /// Where to go from here, and in which words.
    pub action: Option<(String, String)>,
}

impl ErrorPage {
    /// The words for a status.
    #[must_use]
    pub fn of(status: u16, bare: Bare) -> Self {
        let (title, text) = match status {
            400 => ("That did not arrive whole", "Go back and try once more."),
            401 => ("You are signed out", "Sign in to go on."),
            403 => (
                "That is not yours to open",
                "Ask an owner or an admin if you need it.",
            ),
            404 => (
                "There is nothing here",
                "The address may be mistyped, or what was here is gone.",
            ),
            410 => (
                "That link is used up",
                "Each link works once, for a short time. Ask for a new one.",
            ),
            413 => ("That is too large", "Shorten it and try once more."),
            429 => ("Too many attempts", "Wait a minute, then try once more."),
            503 => (
                "Parlour cannot do that just now",
                "Nothing was changed. Try once more in a moment.",
            ),
            _ => (
                "Something went wrong on our side",
                "Nothing was changed. Try once more in a moment.",
            ),
        };
        let action = match status {
            401 => ("/sign-in".to_owned(), "Sign in".to_owned()),
            _ => ("/tickets".to_owned(), "Go to tickets".to_owned()),
        };
        Self {
            bare,
            status,
            title: title.to_owned(),
            text: text.to_owned(),
            action: Some(action),
        }
    }
}
