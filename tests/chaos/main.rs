//! `parlour-chaos`: every fault that the reliability promise names, against real processes.
//!
//! - [`setting`]: the databases and buses, and how long it may take
//! - [`fault`]: what a fault is, and what came of one
//! - [`faults`]: all of them, one file a family
//! - [`child`]: runs one, in a process of its own
//! - [`report`]: the table, and `target/chaos.json`
//!
//! Each fault runs in a process of its own, so that what goes wrong in one ends with it, and
//! within a time. `parlour-chaos [WORD...]` runs the faults whose names hold one of the words.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    reason = "a harness fails loudly, and measures what it waits for"
)]

mod child;
mod fault;
mod faults;
mod report;
mod setting;

use std::process::ExitCode;
use std::time::Instant;

use parlour_tests::postgres::Template;
use tokio::signal::unix::{SignalKind, signal};

use child::Runner;
use fault::Fault;
use report::{Report, Row};
use setting::Setting;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mark, name, setting] = arguments.as_slice()
        && mark == child::MARK
    {
        child::run(name, setting).await;
        return ExitCode::SUCCESS;
    }
    let quick = std::env::var("QUICK").is_ok_and(|value| !value.is_empty() && value != "0");
    let wanted = |fault: &&Fault| {
        arguments.is_empty()
            || arguments
                .iter()
                .any(|word| fault.name.contains(word.as_str()))
    };
    let faults: Vec<Fault> = faults::all();
    let faults: Vec<&Fault> = faults.iter().filter(wanted).collect();
    if faults.is_empty() {
        eprintln!("no fault has such a name");
        return ExitCode::FAILURE;
    }
    let mut ended = signal(SignalKind::terminate()).expect("SIGTERM");
    let report = tokio::select! {
        report = run(&faults, quick) => report,
        // The runner ends what it has started when it is dropped.
        _ = tokio::signal::ctrl_c() => return ExitCode::FAILURE,
        _ = ended.recv() => return ExitCode::FAILURE,
    };
    report.write();
    print!("{report}");
    if report.held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(faults: &[&Fault], quick: bool) -> Report {
    let runner = Runner::new(Template::make().await);
    let mut report = Report::new(quick);
    let until = Instant::now() + setting::budget(quick);
    for fault in faults {
        for setting in Setting::all(quick) {
            let row = match (fault.excluded)(&setting) {
                Some(reason) => Row::excluded(fault, &setting, reason),
                None if Instant::now() > until => Row::late(fault, &setting),
                None => runner.run(fault, &setting).await,
            };
            eprintln!("{}", row.line());
            report.push(row);
            report.write();
        }
    }
    report
}
