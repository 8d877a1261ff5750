//! The pages before sign-in.

use crate::form::Problems;
use crate::shell::Bare;
use crate::words::Rank;
use askama::Template;

/// `GET /sign-in`. Fields: `email`, `password`, `next`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/sign_in.html")]
pub struct SignInPage {
    /// The frame.
    pub bare: Bare,
    /// The address, after a refusal.
    pub email: String,
    /// Where to go afterwards: a path of this server, or empty.
    pub next: String,
    /// What happened before: "You have signed out."
    pub notice: Option<String>,
    /// Why it was refused.
    pub problems: Problems,
}

/// `GET /setup/{token}`: the owner. Fields: `name`, `email`, `password`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/setup_owner.html")]
pub struct SetupOwnerPage {
    /// The frame.
    pub bare: Bare,
    /// Where the form goes: `/setup/{token}`.
    pub action: String,
    /// The name, after a refusal.
    pub name: String,
    /// The address, after a refusal.
    pub email: String,
    /// Why it was refused.
    pub problems: Problems,
}

/// `GET /invite/{token}`. Fields: `name`, `password`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/invite.html")]
pub struct InvitePage {
    /// The frame.
    pub bare: Bare,
    /// Where the form goes: `/invite/{token}`.
    pub action: String,
    /// Who invited.
    pub inviter: String,
    /// For whom.
    pub email: String,
    /// As what.
    pub rank: Rank,
    /// The name, after a refusal.
    pub name: String,
    /// Why it was refused.
    pub problems: Problems,
}

/// `GET /reset/{token}`. Field: `password`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/reset.html")]
pub struct ResetPage {
    /// The frame.
    pub bare: Bare,
    /// Where the form goes: `/reset/{token}`.
    pub action: String,
    /// Whose password it is.
    pub email: String,
    /// Why it was refused.
    pub problems: Problems,
}
