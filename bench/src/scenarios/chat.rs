//! Customers write, each in a ticket of her own, and a second connection of hers reads.

use std::time::Duration;

use parlour_protocol::limits::MAX_BATCH;

use super::Scale;
use crate::load::Pace;
use crate::outcome::{Crowd, Outcome};
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

/// Tickets in which somebody writes, and ten times as many.
const ROOMS: usize = 256;
const MANY_ROOMS: usize = 10 * ROOMS;
/// Tickets that are there beside them.
const SEED: Seed = Seed {
    people: 10_000,
    messages: 0,
};
/// Messages a second, all tickets together.
const RATES: [u32; 2] = [500, 2_000];
/// How many messages of each writer are under way where as many as possible are to be stored: she writes when
/// she is answered, or in bursts, of as many as one `send` of Parlour's carries.
const AHEAD: [(usize, &str); 2] = [(1, "one by one"), (MAX_BATCH, "in bursts")];
const WARM_UP: Duration = Duration::from_secs(1);

/// At both rates, and saturated.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    with_crowd(variant, ROOMS, async |crowd, subject| {
        phases(crowd, subject, variant, scale, report).await
    })
    .await
}

async fn phases(
    crowd: &mut Crowd,
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    for rate in RATES {
        let outcome = at(crowd, subject, scale, rate).await?;
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
    full(crowd, subject, variant, scale, report).await
}

/// At the higher rate, over ten times as many tickets.
///
/// # Errors
/// What must never be.
pub async fn many(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    with_crowd(variant, MANY_ROOMS, async |crowd, subject| {
        let outcome = at(crowd, subject, scale, RATES[1]).await?;
        note(report, variant, &outcome, "over many rooms");
        let (p99, others) = (outcome.ack.p99, outcome.usage.others);
        report.note("ack p99 over many rooms", variant, p99, others);
        subject.check_stored(crowd.acked).await
    })
    .await
}

/// Starts a subject, has a writer and a reader join each of so many tickets, and ends it afterwards.
async fn with_crowd(
    variant: Variant,
    rooms: usize,
    work: impl AsyncFnOnce(&mut Crowd, &Subject) -> Result<(), String>,
) -> Result<(), String> {
    let subject = Subject::start(variant, SEED).await;
    let result = match crowd(&subject, rooms).await {
        Ok(mut crowd) => work(&mut crowd, &subject).await,
        Err(error) => Err(error),
    };
    subject.end().await;
    result
}

async fn crowd(subject: &Subject, rooms: usize) -> Result<Crowd, String> {
    Ok(Crowd {
        writers: subject.join_all(0..rooms, 0, 0).await?,
        readers: subject.join_all(0..rooms, 1, 0).await?,
        acked: 0,
    })
}

/// So many messages a second, all tickets together.
async fn at(
    crowd: &mut Crowd,
    subject: &Subject,
    scale: Scale,
    rate: u32,
) -> Result<Outcome, String> {
    let writers = u32::try_from(crowd.writers.len()).unwrap_or(u32::MAX);
    let pace = Pace::Every(Duration::from_secs(1) * writers / rate);
    crowd.run(&subject.processes, pace, WARM_UP).await?;
    crowd.run(&subject.processes, pace, scale.time).await
}

async fn full(
    crowd: &mut Crowd,
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    let (mut most, mut others) = (0.0_f64, 0.0_f64);
    for (ahead, when) in AHEAD {
        let pace = Pace::Answered(ahead);
        crowd.run(&subject.processes, pace, WARM_UP).await?;
        let outcome = crowd.run(&subject.processes, pace, scale.time).await?;
        let usage = outcome.usage;
        let rate = outcome.acked / outcome.ack_seconds;
        (most, others) = (most.max(rate), others.max(usage.others));
        note(report, variant, &outcome, when);
        for (what, value) in [
            ("stored", rate),
            ("per CPU second", outcome.acked / usage.service()),
        ] {
            report.note(&format!("{what} {when}"), variant, value, usage.others);
        }
        eprintln!(
            "   {rate:.0} messages/s {when}; CPU: server {:.0} %, PostgreSQL {:.0} %, Redis {:.0} %, generator {:.0} %, others {:.0} %",
            usage.server / usage.wall * 100.0,
            usage.database / usage.wall * 100.0,
            usage.bus / usage.wall * 100.0,
            usage.generator / usage.wall * 100.0,
            usage.others * 100.0,
        );
    }
    report.note("stored", variant, most, others);
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
