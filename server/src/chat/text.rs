//! What was typed: whether it is a message, and what others see of it.
//!
//! Stored is what was typed. On the way out it becomes runs: a visitor's text with
//! its addresses linked, an agent's with a small Markdown. Nothing here ever becomes
//! an image or anything else that a reader's browser would fetch.

mod html;
mod links;
mod markdown;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use html::html;

use parlour_protocol::limits;
use parlour_protocol::text::Run;
use std::borrow::Cow;

/// Why a text is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing in it can be seen.
    #[error("the text is empty")]
    Empty,
    /// Longer than [`limits::MAX_TEXT`].
    #[error("the text is too long")]
    TooLong,
}

/// Checks that a text is a message: 1 to [`limits::MAX_TEXT`] Unicode scalar values,
/// and not only white space and characters that cannot be seen.
///
/// # Errors
/// [`TextError`].
pub fn check(text: &str) -> Result<(), TextError> {
    if !text.chars().any(is_visible) {
        return Err(TextError::Empty);
    }
    if text.chars().count() > limits::MAX_TEXT {
        return Err(TextError::TooLong);
    }
    Ok(())
}

/// The runs of a visitor's text: as typed, with `http`, `https` and `mailto` addresses linked.
#[must_use]
pub fn runs_plain(text: &str) -> Vec<Run> {
    let mut runs = Runs::default();
    runs.push(Run::plain(tidy(text)));
    links::link(runs.0)
}

/// The runs of an agent's text: strong, emphasis, code and links of `CommonMark`; the
/// marks of lists, quotes, headings and HTML stay as typed, and an image becomes a link.
#[must_use]
pub fn runs_markdown(text: &str) -> Vec<Run> {
    let runs = links::link(markdown::runs(&tidy(text)));
    // Marks around nothing: better shown as typed than not at all.
    if runs.iter().any(|run| run.text.chars().any(is_visible)) {
        runs
    } else {
        runs_plain(text)
    }
}

/// The text of runs in one line of at most `max_chars` characters, cut with an ellipsis.
#[must_use]
pub fn preview(runs: &[Run], max_chars: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut gap = false;
    for char in runs.iter().flat_map(|run| run.text.chars()) {
        if char.is_whitespace() {
            gap = length > 0;
            continue;
        }
        let wanted = if gap {
            [Some(' '), Some(char)]
        } else {
            [None, Some(char)]
        };
        for char in wanted.into_iter().flatten() {
            if length == max_chars {
                line.pop();
                line.push_str(if max_chars > 0 { "…" } else { "" });
                return line;
            }
            line.push(char);
            length += 1;
        }
        gap = false;
    }
    line
}

/// Runs that grow: of equal style next to each other they become one, and none is empty.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, mut run: Run) {
        run.text = match safe(&run.text) {
            Cow::Borrowed(_) => run.text,
            Cow::Owned(text) => text,
        };
        if run.text.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if same_style(last, &run) => last.text.push_str(&run.text),
            _ => self.0.push(run),
        }
    }
}

fn same_style(one: &Run, other: &Run) -> bool {
    (one.strong, one.emphasis, one.code, &one.href)
        == (other.strong, other.emphasis, other.code, &other.href)
}

/// One kind of line break, no blank lines before the text and no white space after it.
fn tidy(text: &str) -> String {
    let text = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    safe(text.trim_end().trim_start_matches('\n')).into_owned()
}

/// Without control characters and without those that turn the direction of what follows,
/// which make a text or an address read as another. Directional marks do not and may stay.
fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().filter(|char| !is_unsafe(*char)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_unsafe(char: char) -> bool {
    let breaks_lines = matches!(char, '\n' | '\t');
    let turns = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (char.is_control() && !breaks_lines) || turns
}

/// Whether a character leaves ink. The list is Unicode's `Default_Ignorable_Code_Point`,
/// the Hangul fillers among it, and the blank Braille pattern.
fn is_visible(char: char) -> bool {
    let ignorable = matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    !(ignorable || char == '\u{2800}' || char.is_whitespace() || char.is_control())
}
