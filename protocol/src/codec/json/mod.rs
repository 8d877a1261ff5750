//! A small JSON reader and writer (RFC 8259).

mod number;
mod read;
mod write;

pub use read::{SyntaxError, parse};
pub use write::Writer;

use std::borrow::Cow;

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How deep lists and objects may nest.
pub const MAX_DEPTH: u8 = 127;

/// A JSON value. Text without escapes is borrowed from what was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer from zero on.
    Unsigned(u64),
    /// An integer below zero.
    Negative(i64),
    /// Any other number, as written: with a fraction or an exponent, too large for
    /// the two above, or minus zero.
    Float(&'a str),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object, in the order written; names may repeat.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The field of this name in an object, the first if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        for (key, value) in self.entries() {
            if key == name {
                return Some(value);
            }
        }
        None
    }

    /// The string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is not below zero.
    #[must_use]
    pub fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it fits.
    #[must_use]
    pub fn signed(&self) -> Option<i64> {
        match self {
            Self::Unsigned(value) if *value <= i64::MAX as u64 => Some(*value as i64),
            Self::Negative(value) => Some(*value),
            _ => None,
        }
    }

    /// The items of a list; nothing for anything else.
    #[must_use]
    pub fn items(&self) -> &[Value<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The fields of an object; nothing for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Cow<'a, str>, Value<'a>)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }
}
