//! What forms say when they were refused.

/// What is wrong with a form, by field.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// About the form as a whole.
    pub whole: Option<String>,
    /// Field name and sentence.
    pub fields: Vec<(&'static str, String)>,
}

impl Problems {
    /// One sentence about the form as a whole.
    #[must_use]
    pub fn whole(text: impl Into<String>) -> Self {
        Self {
            whole: Some(text.into()),
            fields: Vec::new(),
        }
    }

    /// Adds a sentence about a field.
    #[must_use]
    pub fn with(mut self, field: &'static str, text: impl Into<String>) -> Self {
        self.fields.push((field, text.into()));
        self
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_none() && self.fields.is_empty()
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(name, _)| *name == field)
            .map(|(_, text)| text.as_str())
    }
}

/// A link that works once, shown once.
#[derive(Clone, Debug)]
pub struct OneTimeLink {
    /// The address.
    pub url: String,
    /// For whom: an e-mail address or a name.
    pub person: String,
    /// For how long it works, in minutes.
    pub minutes: u32,
    /// What it is for.
    pub purpose: LinkPurpose,
}

/// What a one-time link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// To join as an agent.
    Invitation,
    /// To choose a new password.
    Reset,
}

impl OneTimeLink {
    /// "60 minutes", "3 days".
    pub(crate) fn lasting(&self) -> String {
        match self.minutes {
            0..120 => format!("{} minutes", self.minutes),
            120..2880 => format!("{} hours", self.minutes / 60),
            _ => format!("{} days", self.minutes / 1440),
        }
    }
}
