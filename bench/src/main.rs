//! `make bench`: runs what is named, scenarios and subjects, or everything, and prints the table. `floor` is the bare
//! relay, in a process of its own.

#![allow(clippy::expect_used, reason = "what measures fails loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::signal::unix::{SignalKind, signal};

use parlour_bench::floor;
use parlour_bench::report::Report;
use parlour_bench::scenarios::{ALL, Scale, Scenario};
use parlour_bench::subject::{self, Variant};

/// The whole, at most.
const MOST: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(2_400));

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "floor") {
        let host = std::env::var("HOST").unwrap_or_else(|_| "127.0.0.1".into());
        let address = format!("{host}:0").parse().expect("HOST is an address");
        floor::serve(address).await.expect("the relay");
        return;
    }
    let chosen = choose(words);
    let quick = std::env::var_os("QUICK").is_some_and(|value| !value.is_empty() && value != "0");
    let most = if quick { MOST.0 } else { MOST.1 };
    let mut report = Report::default();
    // Whatever ends it, what was started is ended with it.
    let ended = tokio::select! {
        () = run(&chosen, Scale::of(quick), &mut report) => None,
        () = tokio::time::sleep(most) => Some("the time is up"),
        () = interrupted() => Some("interrupted"),
    };
    if let Some(reason) = ended {
        report.remark(format!("not everything was measured: {reason}"));
    }
    publish(&report, quick);
}

async fn interrupted() {
    let mut terminate = signal(SignalKind::terminate()).expect("a signal");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// What is done, and to whom: nobody named is everybody.
struct Chosen {
    scenarios: Vec<(&'static str, Scenario)>,
    subjects: Vec<String>,
}

fn subject_name(variant: Variant) -> String {
    format!("{variant:?}").to_lowercase()
}

/// Takes names of scenarios and of subjects, in any order.
fn choose(words: Vec<String>) -> Chosen {
    let is_scenario = |word: &String| ALL.iter().any(|(name, _)| name == word);
    let (asked, subjects): (Vec<_>, Vec<_>) = words.into_iter().partition(is_scenario);
    let subject_names: BTreeSet<String> = ALL
        .iter()
        .flat_map(|(_, scenario)| scenario.variants())
        .map(|variant| subject_name(*variant))
        .collect();
    if let Some(word) = subjects.iter().find(|word| !subject_names.contains(*word)) {
        let scenarios: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        let subjects: Vec<String> = subject_names.into_iter().collect();
        eprintln!(
            "{word} is no scenario ({}) and no subject ({})",
            scenarios.join(", "),
            subjects.join(", ")
        );
        std::process::exit(2);
    }
    let wanted =
        |(name, _): &&(&str, Scenario)| asked.is_empty() || asked.iter().any(|asked| asked == name);
    Chosen {
        scenarios: ALL.iter().filter(wanted).copied().collect(),
        subjects,
    }
}

/// Subjects take turns within each repeat, so that a slow minute of the machine hits all of them.
async fn run(chosen: &Chosen, scale: Scale, report: &mut Report) {
    for repeat in 1..=scale.repeats {
        for (name, scenario) in &chosen.scenarios {
            // Loading a million messages takes longest, and its answers differ least.
            if *scenario == Scenario::Inbox && repeat > 1 {
                continue;
            }
            for variant in scenario.variants() {
                let subjects = &chosen.subjects;
                if !subjects.is_empty() && !subjects.contains(&subject_name(*variant)) {
                    continue;
                }
                eprintln!("== {name}, {variant:?}, {repeat} of {}", scale.repeats);
                if let Err(fault) = scenario.run(*variant, scale, report).await {
                    report.remark(format!("{name}, {variant:?}: {fault}"));
                }
            }
        }
    }
}

fn publish(report: &Report, quick: bool) {
    let (table, mut value) = report.print();
    println!("{table}");
    println!(
        "ratio: parlour to peer, or to what the line names; others: the largest share of the machine that other programs had meanwhile"
    );
    let missed = report.missed();
    println!("{missed} goals were missed or not measured.");
    value["quick"] = json!(quick);
    value["peer"] = peer();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench.json");
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    fs::write(&file, text + "\n").expect("target/bench.json");
}

/// What the peer is, so that figures of another one are not taken for it.
fn peer() -> serde_json::Value {
    let folder = subject::peer_folder();
    let mut hash = Sha256::new();
    for name in [
        "limits.js",
        "package-lock.json",
        "schema.sql",
        "server.js",
        "store.js",
    ] {
        hash.update(fs::read(folder.join(name)).unwrap_or_default());
    }
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let package = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap_or_default();
    json!({
        "sha256": hash,
        "dependencies": package["dependencies"],
        "settings": {
            "transports": ["websocket"],
            "perMessageDeflate": false,
            "pool": 16,
            "processes": "1, and 2 with the Redis adapter where two nodes are measured",
        },
    })
}
