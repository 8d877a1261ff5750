//! The own account.

use crate::form::Problems;
use crate::moment::Moment;
use crate::shell::Shell;
use askama::Template;

/// A sign-in.
#[derive(Clone, Debug, Default)]
pub struct SignInRow {
    /// Its id.
    pub id: String,
    /// "Firefox on Linux".
    pub browser: String,
    /// The address it came from.
    pub address: String,
    /// When.
    pub at: Moment,
    /// When it was last used.
    pub last_seen: Moment,
    /// Whether it is the one that looks.
    pub current: bool,
}

/// `GET /account`. Its forms post to `/account` with `form=name` (`name`) or
/// `form=password` (`current`, `password`).
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/account.html")]
pub struct AccountPage {
    /// The frame; the name and address shown are its `me`.
    pub shell: Shell,
    /// The sign-ins, newest first.
    pub sign_ins: Vec<SignInRow>,
    /// Why a form was refused; fields: `name`, `current`, `password`.
    pub problems: Problems,
}
