//! The widget's JSON: frames without serde, `fmt` or panics, in few bytes of WebAssembly.
//!
//! In reading order:
//! - [`json`]: a reader into a tree and a writer, also for settings and storage
//! - `encode`: frames from the client
//! - `decode`: frames from the server
//!
//! It gives the answers that serde's derives give, down to their oddities (a
//! struct may also come as a list of its fields). `tests/codec.rs` holds both
//! to that. The one difference: texts above [`json::MAX_BYTES`] are refused.

pub mod json;

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// Why a text is not a frame from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Not JSON, nested too deep, or too long.
    Syntax(json::SyntaxError),
    /// A frame of a kind that this version does not know; it may be skipped.
    UnknownFrame,
    /// A field is missing, given twice, or of another type.
    Shape,
}

impl From<json::SyntaxError> for DecodeError {
    fn from(error: json::SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Syntax(error) => error.fmt(f),
            Self::UnknownFrame => f.write_str("a frame of an unknown kind"),
            Self::Shape => f.write_str("a frame with a wrong or missing field"),
        }
    }
}

impl core::error::Error for DecodeError {}
