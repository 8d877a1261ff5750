//! The agents of the installation.

use crate::form::{LinkPurpose, OneTimeLink, Problems};
use crate::moment::Moment;
use crate::person::PersonView;
use crate::shell::Shell;
use crate::words::{Rank, Word};
use askama::Template;

/// An agent's row.
#[derive(Clone, Debug, Default)]
pub struct AgentRow {
    /// Who, and whether she is there.
    pub person: PersonView,
    /// Her address.
    pub email: String,
    /// What she may do.
    pub rank: Rank,
    /// Whether she is kept out.
    pub disabled: bool,
    /// When she was last there.
    pub last_seen: Option<Moment>,
    /// Whether the one who looks may change her role, keep her out, or make a reset link.
    pub may_change: bool,
}

/// An invitation that was not accepted yet.
#[derive(Clone, Debug, Default)]
pub struct InvitationRow {
    /// For whom.
    pub email: String,
    /// As what.
    pub rank: Rank,
    /// Until when it can be accepted.
    pub expires: Moment,
}

/// `GET /agents`; also the answer to the forms on it.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "pages/agents.html")]
pub struct AgentsPage {
    /// The frame.
    pub shell: Shell,
    /// All agents.
    pub agents: Vec<AgentRow>,
    /// Open invitations.
    pub invitations: Vec<InvitationRow>,
    /// A link that was just made; shown once.
    pub link: Option<OneTimeLink>,
    /// Whether the one who looks may invite.
    pub may_invite: bool,
    /// The roles that she may give.
    pub ranks: Vec<Rank>,
    /// The invitation's address, after a refusal.
    pub email: String,
    /// Why it was refused; fields: `email`, `role`.
    pub problems: Problems,
}
