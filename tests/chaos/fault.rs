//! What a fault is, and what came of one.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parlour_tests::postgres::Postgres;
use parlour_tests::stage::{Settled, Stage};
use serde_json::{Value, json};

use crate::setting::Setting;

/// One fault.
pub(crate) struct Fault {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What must hold, beside what must always hold.
    pub(crate) limit: &'static str,
    /// Why it is not tried on a setting.
    pub(crate) excluded: fn(&Setting) -> Option<&'static str>,
    /// Does it.
    pub(crate) run: fn(Ground) -> BoxFuture<'static, Outcome>,
}

/// What a fault has to work with.
pub(crate) struct Ground {
    pub(crate) setting: Setting,
    /// The PostgreSQL server, where there is one: its own to kill.
    pub(crate) postgres: Option<Postgres>,
    /// A folder for what it needs beside.
    pub(crate) scratch: PathBuf,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    rounds: u32,
    recovery: Duration,
    settled: Settled,
    measured: Vec<String>,
    broken: Vec<String>,
}

impl Outcome {
    /// A round is over, and all were back after this time.
    pub(crate) fn round(&mut self, recovery: Duration) {
        self.rounds += 1;
        self.recovery = self.recovery.max(recovery);
    }

    /// A figure that is told with the rest.
    pub(crate) fn note(&mut self, what: &str, value: impl Display) {
        self.measured.push(format!("{what} {value}"));
    }

    /// A figure that has a limit.
    pub(crate) fn limit(&mut self, what: &str, value: Duration, most: Duration) {
        let text = format!("{what} {}", seconds(value));
        self.expect(value <= most, &format!("{text}, {} at most", seconds(most)));
        self.measured.push(text);
    }

    /// Something that must hold.
    pub(crate) fn expect(&mut self, holds: bool, what: &str) {
        if !holds {
            self.broken.push(what.to_owned());
        }
    }

    /// Ends the load, compares, and holds the recovery to its limit.
    pub(crate) async fn settle(mut self, mut stage: Stage, most: Duration) -> Self {
        let (recovery, settled) = (self.recovery, stage.settle().await);
        self.settled = settled;
        self.expect(
            recovery <= most,
            &format!("recovery {}, {} at most", seconds(recovery), seconds(most)),
        );
        self
    }

    /// What was found where there is no stage.
    pub(crate) fn take(&mut self, settled: Settled) {
        self.settled = settled;
    }

    /// The answers that told a writer to try again.
    pub(crate) fn refusals(&self) -> (u64, Duration) {
        (self.settled.refused, self.settled.longest_refusal)
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.settled.acknowledged
    }

    pub(crate) fn json(&self) -> Value {
        let findings = &self.settled.findings;
        let mut broken = self.broken.clone();
        if !findings.is_empty() {
            broken.push(findings.to_string());
        }
        json!({
            "rounds": self.rounds,
            "acknowledged": self.settled.acknowledged,
            "lost": findings.lost.len(),
            "doubled": findings.doubled.len(),
            "out_of_order": findings.disordered.len(),
            "crossed": findings.crossed.len(),
            "recovery_seconds": (self.recovery.as_secs_f64() * 100.0).round() / 100.0,
            "measured": self.measured.join(", "),
            "held": broken.is_empty(),
            "reason": broken.join("; "),
        })
    }
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Memory and descriptors of the nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resources {
    memory: u64,
    descriptors: usize,
}

impl Resources {
    pub(crate) fn of(stage: &Stage) -> Self {
        let nodes = stage.cluster.nodes();
        Self {
            memory: nodes.iter().map(parlour_tests::Node::memory).sum(),
            descriptors: nodes.iter().map(parlour_tests::Node::descriptors).sum(),
        }
    }

    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// Holds the nodes to what they used before: descriptors to a tenth more, memory to a tenth
    /// and `spare` bytes more.
    pub(crate) async fn compare(&self, stage: &Stage, spare: u64, outcome: &mut Outcome) {
        let most = self.descriptors + self.descriptors / 10 + 2;
        let until = tokio::time::Instant::now() + parlour_tests::DEADLINE;
        let mut now = Self::of(stage);
        // What was closed is given back a moment later.
        while now.descriptors > most && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(100)).await;
            now = Self::of(stage);
        }
        let mebibytes = |bytes: u64| bytes / (1024 * 1024);
        outcome.note(
            "memory",
            format!("{} → {} MiB", mebibytes(self.memory), mebibytes(now.memory)),
        );
        outcome.note(
            "descriptors",
            format!("{} → {}", self.descriptors, now.descriptors),
        );
        outcome.expect(now.descriptors <= most, "descriptors are not given back");
        outcome.expect(
            now.memory <= self.memory + self.memory / 10 + spare,
            "memory is not given back",
        );
    }
}
