//! Customers write, each in a ticket of her own, and a second connection of hers reads.

use std::time::Duration;

use super::Scale;
use crate::load::Pace;
use crate::outcome::{Crowd, Outcome};
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

/// Tickets in which somebody writes.
const ROOMS: usize = 256;
/// Tickets that are there beside them.
const SEED: Seed = Seed {
    people: 10_000,
    messages: 0,
};
/// Messages a second, all tickets together.
const RATES: [u32; 2] = [500, 2_000];
const WARM_UP: Duration = Duration::from_secs(1);

/// At both rates, and saturated.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let subject = Subject::start(variant, SEED).await;
    let result = phases(&subject, variant, scale, report).await;
    subject.end().await;
    result
}

async fn phases(
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    let mut crowd = crowd(subject).await?;
    for rate in RATES {
        let pace = Pace::Every(Duration::from_secs(1) * ROOMS as u32 / rate);
        crowd.run(&subject.processes, pace, WARM_UP).await?;
        let outcome = crowd.run(&subject.processes, pace, scale.time).await?;
        let when = format!("at {rate}/s");
        note(report, variant, &outcome, &when);
        for (what, latency) in [("ack", outcome.ack), ("delivery", outcome.delivery)] {
            for (share, value) in [
                ("p50", latency.p50),
                ("p95", latency.p95),
                ("p99", latency.p99),
            ] {
                report.note(
                    &format!("{what} {share} {when}"),
                    variant,
                    value,
                    outcome.usage.others,
                );
            }
        }
    }
    full(&mut crowd, subject, variant, scale, report).await
}

/// Saturated alone.
///
/// # Errors
/// What must never be.
pub async fn saturate(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let subject = Subject::start(variant, SEED).await;
    let result = match crowd(&subject).await {
        Ok(mut crowd) => full(&mut crowd, &subject, variant, scale, report).await,
        Err(error) => Err(error),
    };
    subject.end().await;
    result
}

async fn crowd(subject: &Subject) -> Result<Crowd, String> {
    Ok(Crowd {
        writers: subject.join_all(0..ROOMS, 0, 0).await?,
        readers: subject.join_all(0..ROOMS, 1, 0).await?,
        acked: 0,
    })
}

async fn full(
    crowd: &mut Crowd,
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    crowd
        .run(&subject.processes, Pace::Answered, WARM_UP)
        .await?;
    let outcome = crowd
        .run(&subject.processes, Pace::Answered, scale.time)
        .await?;
    let usage = outcome.usage;
    note(report, variant, &outcome, "saturated");
    report.note(
        "stored",
        variant,
        outcome.acked / outcome.ack_seconds,
        usage.others,
    );
    report.note(
        "per CPU second",
        variant,
        outcome.acked / usage.service(),
        usage.others,
    );
    eprintln!(
        "   {:.0} messages/s; CPU: server {:.0} %, PostgreSQL {:.0} %, Redis {:.0} %, generator {:.0} %, others {:.0} %",
        outcome.acked / outcome.ack_seconds,
        usage.server / usage.wall * 100.0,
        usage.database / usage.wall * 100.0,
        usage.bus / usage.wall * 100.0,
        usage.generator / usage.wall * 100.0,
        usage.others * 100.0,
    );
    subject.check_stored(crowd.acked).await
}

fn note(report: &mut Report, variant: Variant, outcome: &Outcome, when: &str) {
    let usage = outcome.usage;
    let thousands = outcome.acked / 1_000.0;
    for (what, seconds) in [
        ("service", usage.service()),
        ("server", usage.server),
        ("database", usage.database),
    ] {
        report.note(
            &format!("{what} CPU {when}"),
            variant,
            seconds / thousands,
            usage.others,
        );
    }
}
