//! One fault in a process of its own: what goes wrong in it ends with it, and within a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use parlour_tests::database;
use parlour_tests::postgres::{Postgres, Template};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::fault::{Fault, Ground};
use crate::faults::disk::may_mount;
use crate::report::{Row, target};
use crate::setting::Setting;

/// What a process is started with that runs one fault.
pub(crate) const MARK: &str = "--one";
/// Where PostgreSQL's template is.
const TEMPLATE: &str = "PARLOUR_CHAOS_TEMPLATE";
/// Where data goes.
const DATA: &str = "PARLOUR_TEST_DATA";

/// Runs one fault, and prints what came of it.
pub(crate) async fn run(name: &str, setting: &str) {
    let setting: Setting = setting.parse().expect("a setting");
    let faults = crate::faults::all();
    let fault = faults
        .iter()
        .find(|fault| fault.name == name)
        .expect("a fault");
    let postgres = if setting.is_postgres() {
        let template = std::env::var(TEMPLATE).expect(TEMPLATE);
        let server = Postgres::start(Path::new(&template)).await;
        database::choose(server.url());
        Some(server)
    } else {
        None
    };
    let ground = Ground {
        setting,
        postgres,
        scratch: std::env::var(DATA).expect(DATA).into(),
    };
    let value = match tokio::spawn((fault.run)(ground)).await {
        Ok(outcome) => outcome.json(),
        Err(error) => failed(&reason(error)),
    };
    println!("{value}");
}

fn reason(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "it was ended".into();
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("it panicked");
    text.lines().next().unwrap_or_default().to_owned()
}

fn failed(reason: &str) -> Value {
    json!({ "held": false, "reason": reason })
}

/// Starts a process for each fault, and ends it.
pub(crate) struct Runner {
    template: Template,
    data: TempDir,
    logs: PathBuf,
    /// Each fault has mounts of its own, which end with it.
    mounts: bool,
}

impl Runner {
    pub(crate) fn new(template: Template) -> Self {
        let logs = target().join("chaos-logs");
        std::fs::create_dir_all(&logs).unwrap();
        // On the disk that also holds the build: `/tmp` may be memory, where a flush means nothing.
        let data = tempfile::Builder::new()
            .prefix("chaos-")
            .tempdir_in(target())
            .unwrap();
        Self {
            template,
            data,
            logs,
            mounts: may_mount(),
        }
    }

    pub(crate) async fn run(&self, fault: &Fault, setting: &Setting) -> Row {
        let begun = Instant::now();
        let name = format!("{} {setting}", fault.name).replace([' ', ','], "-");
        let log = self.logs.join(format!("{name}.log"));
        let own = std::env::current_exe().unwrap();
        let mut command = Command::new(&own);
        if self.mounts {
            command = Command::new("unshare");
            command.arg("--mount").arg(&own);
        }
        let child = command
            .args([MARK, fault.name, &setting.to_string()])
            .env(TEMPLATE, self.template.path())
            .env(DATA, self.data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let group = Group(child.id().expect("it has just been started"));
        let ended = tokio::time::timeout(setting.patience(), child.wait_with_output()).await;
        drop(group);
        let value = match ended {
            Ok(Ok(output)) => {
                let text = String::from_utf8_lossy(&output.stdout);
                let last = text.lines().last().unwrap_or_default();
                serde_json::from_str(last).unwrap_or_else(|_| failed("it ended without a word"))
            }
            Ok(Err(error)) => failed(&error.to_string()),
            Err(_) => failed("it did not end in time"),
        };
        Row::of(fault, setting, value, begun.elapsed(), &log)
    }
}

/// The processes of one fault. What is left of them is ended.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        // An error means that there are none any more.
        let _ = std::process::Command::new("sh")
            .args(["-c", &format!("kill -KILL -{}", self.0)])
            .stderr(Stdio::null())
            .status();
    }
}
