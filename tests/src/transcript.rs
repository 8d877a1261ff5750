//! Who sent what to whom.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Lines that are printed when a test fails.
const SHOWN: usize = 60;
/// Characters of a line that are printed.
const WIDTH: usize = 400;

/// The frames of one connection after another, with their times.
#[derive(Debug)]
pub struct Transcript {
    name: String,
    begun: Instant,
    lines: Mutex<Vec<String>>,
}

impl Transcript {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            begun: Instant::now(),
            lines: Mutex::default(),
        }
    }

    /// A frame that was sent.
    pub fn sent(&self, text: &str) {
        self.note("→", text);
    }

    /// A frame that was received.
    pub fn received(&self, text: &str) {
        self.note("←", text);
    }

    /// Anything else.
    pub fn note(&self, mark: &str, text: &str) {
        let cut: String = text.chars().take(WIDTH).collect();
        let line = format!("{:>8.3} {mark} {cut}", self.begun.elapsed().as_secs_f64());
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = lines.len().saturating_sub(SHOWN);
        writeln!(
            f,
            "--- {} ({} lines, the last {} follow)",
            self.name,
            lines.len(),
            lines.len() - skipped
        )?;
        lines
            .iter()
            .skip(skipped)
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}
