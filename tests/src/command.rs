//! The commands of the binary, beside `serve`.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::DEADLINE;
use crate::node::binary;

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
/// If it does not end in time; it says what the command had printed until then.
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
    let mut child = command.spawn().expect("the binary");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdout = child.stdout.take().expect("its output");
    let mut stderr = child.stderr.take().expect("its errors");
    let ended = tokio::time::timeout(DEADLINE, async {
        let (read, read_too, status) = tokio::join!(
            stdout.read_to_end(&mut out),
            stderr.read_to_end(&mut err),
            child.wait()
        );
        read.and(read_too).and(status)
    })
    .await;
    let (out, err) = (text(&out), text(&err));
    let Ok(status) = ended else {
        panic!(
            "parlour {} did not end within {} s: {out}{err}",
            arguments.join(" "),
            DEADLINE.as_secs()
        );
    };
    Outcome {
        code: status.expect("its end").code(),
        out,
        err,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
