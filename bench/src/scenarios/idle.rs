//! Many connections that do nothing: what they cost, and how quickly they come.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::machine::{self, Mark};
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

const SCALES: [usize; 3] = [1_000, 5_000, 10_000];
const SEED: Seed = Seed {
    people: 10_000,
    messages: 2,
};
/// Until buffers of the handshakes are given back.
const SETTLE: Duration = Duration::from_secs(2);

/// Connects and joins them, and looks at memory on the way.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, report: &mut Report) -> Result<(), String> {
    let subject = Subject::start(variant, SEED).await;
    let result = grow(&subject, variant, report).await;
    subject.end().await;
    result
}

async fn grow(subject: &Subject, variant: Variant, report: &mut Report) -> Result<(), String> {
    let mut idle = JoinSet::new();
    let resident = || machine::memory(&subject.processes.servers);
    let base = resident();
    report.note("memory with 0", variant, base, 0.0);
    let (mut joining, mut cpu, mut others) = (Duration::ZERO, 0.0, 0.0_f64);
    for scale in SCALES {
        let mark = Mark::now(&subject.processes);
        let begun = Instant::now();
        let cursor = if variant == Variant::Floor { 0 } else { 2 };
        for socket in subject.join_all(idle.len()..scale, 0, cursor).await? {
            idle.spawn(socket.idle());
        }
        joining += begun.elapsed();
        let usage = mark.elapsed();
        cpu += usage.service();
        others = others.max(usage.others);
        tokio::time::sleep(SETTLE).await;
        let lost = idle.try_join_next().is_some();
        if lost {
            return Err(format!("a connection was lost among {scale}"));
        }
        report.note(
            &format!("memory with {scale}"),
            variant,
            resident(),
            usage.others,
        );
    }
    let count = idle.len() as f64;
    report.note(
        "memory per connection",
        variant,
        (resident() - base) * 1_024.0 / count,
        others,
    );
    report.note("joined", variant, count / joining.as_secs_f64(), others);
    report.note("CPU to join", variant, cpu / count * 1_000.0, others);
    Ok(())
}
