//! One room with 1,000 readers.

use std::iter::repeat_n;
use std::time::Duration;

use super::Scale;
use crate::load::Pace;
use crate::outcome::Crowd;
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

const READERS: usize = 1_000;
/// Several, so that what is stored in one transaction can be sent in one write.
const WRITERS: usize = 8;
/// Messages that may be on their way to readers: far fewer than a connection's queue bears.
const AHEAD: u64 = 32;
const WARM_UP: Duration = Duration::from_secs(1);

/// Writes as quickly as all readers are served.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let seed = Seed {
        people: 100,
        messages: 0,
    };
    let subject = Subject::start(variant, seed).await;
    let result = fill(&subject, variant, scale, report).await;
    subject.end().await;
    result
}

async fn fill(
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    // Two lanes: where there are two nodes, half of the readers are on either.
    let mut readers = Vec::with_capacity(READERS);
    for lane in [0, 1] {
        readers.extend(subject.join_all(repeat_n(0, READERS / 2), lane, 0).await?);
    }
    let mut crowd = Crowd {
        writers: subject.join_all(repeat_n(0, WRITERS), 0, 0).await?,
        readers,
        acked: 0,
    };
    let pace = Pace::Heard(AHEAD, READERS as u64);
    crowd.run(&subject.processes, pace, WARM_UP).await?;
    let outcome = crowd.run(&subject.processes, pace, scale.time).await?;
    let usage = outcome.usage;
    report.note(
        "room",
        variant,
        outcome.delivered / outcome.seconds,
        usage.others,
    );
    report.note(
        "room CPU",
        variant,
        usage.server / outcome.delivered * 1_000_000.0,
        usage.others,
    );
    subject.check_stored(crowd.acked).await
}
