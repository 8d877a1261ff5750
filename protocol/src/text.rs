//! A message's text as runs: what the widget builds nodes from, without any HTML.

/// A stretch of text of one style. Line breaks stand in `text` as `\n`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Run {
    /// The characters, never empty.
    pub text: String,
    /// Strong emphasis.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub strong: bool,
    /// Emphasis.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub emphasis: bool,
    /// Code, in a fixed-width face.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
    pub code: bool,
    /// The address of a link; only `http`, `https`, `mailto` and `tel`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub href: Option<String>,
}

impl Run {
    /// A run without any style.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it by reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}
