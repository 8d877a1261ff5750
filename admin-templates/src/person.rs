//! People, as pages show them.

use crate::words::Word;
use parlour_protocol::frame::{Availability, Person, Role};

/// A person with a name and a face made of initials.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// Her id.
    pub id: String,
    /// Her name; for a visitor without one what stands for it, as "Visitor · Berlin".
    pub name: String,
    /// On which side she stands.
    pub role: Role,
    /// Whether she is there.
    pub presence: Availability,
}

impl Default for PersonView {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            role: Role::Agent,
            presence: Availability::Offline,
        }
    }
}

impl PersonView {
    /// An agent.
    #[must_use]
    pub fn agent(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            ..Self::default()
        }
    }

    /// A visitor.
    #[must_use]
    pub fn visitor(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            role: Role::Visitor,
            ..Self::agent(id, name)
        }
    }

    /// The same person, being there or not.
    #[must_use]
    pub fn with_presence(self, presence: Availability) -> Self {
        Self { presence, ..self }
    }

    /// One or two letters; "?" if the name has none.
    #[must_use]
    pub fn initials(&self) -> String {
        let mut words = self
            .name
            .split_whitespace()
            .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        let first = words.next().unwrap_or('?');
        let last = words.next_back();
        first
            .to_uppercase()
            .chain(last.into_iter().flat_map(char::to_uppercase))
            .collect()
    }

    /// The class of the face's colour, one of eight, always the same for one id.
    #[must_use]
    pub fn tint(&self) -> u32 {
        // FNV-1a, folded: the last bytes of a version 7 UUID differ, the first hardly do.
        let hash = self.id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        (hash ^ hash >> 9 ^ hash >> 21) & 7
    }

    /// A visitor who gave no name is drawn without initials.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.role == Role::Visitor
            && self.name.split_whitespace().next() == Some(Role::Visitor.word())
    }

    /// The first word of the name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or(&self.name)
    }
}

impl From<&Person> for PersonView {
    fn from(person: &Person) -> Self {
        let name = if person.name.is_empty() {
            person.role.word()
        } else {
            &person.name
        };
        Self {
            id: person.id.to_string(),
            name: name.to_owned(),
            role: person.role,
            ..Self::default()
        }
    }
}
