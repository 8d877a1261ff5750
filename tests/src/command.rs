//! The commands of the binary, beside `serve`.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::node::binary;
use crate::within;

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit code; nothing after a signal.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Outcome {
    /// The same, if it succeeded.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    #[must_use]
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    /// The one sentence on standard error of a command that failed.
    ///
    /// # Panics
    /// If it succeeded, or said more or less than one line.
    #[track_caller]
    #[must_use]
    pub fn sentence(&self) -> &str {
        assert!(
            self.code.is_some_and(|code| code != 0),
            "it should have failed: {self:?}"
        );
        let lines: Vec<&str> = self
            .err
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert_eq!(lines.len(), 1, "one sentence was expected:\n{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        lines[0]
    }
}

/// Runs a command with an environment that holds nothing but `settings`.
///
/// # Panics
/// If it does not end in time.
pub async fn parlour(arguments: &[&str], data: &Path, settings: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
        .env("PARLOUR_DATA", data)
        .env("PARLOUR_ADDR", "127.0.0.1:0")
        .envs(crate::database::url_of(data).map(|url| ("DATABASE_URL", url)))
        .envs(settings.iter().copied());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let what = format!("the end of parlour {}", arguments.join(" "));
    let output = within(&what, command.output()).await.unwrap();
    Outcome {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
