//! An agent opens her inbox over 100,000 tickets, and searches a million messages.

use parlour_tests::Office;
use tokio::time::Instant;

use super::Scale;
use crate::outcome::Latency;
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

const SEED: Seed = Seed {
    people: 100_000,
    messages: 10,
};

/// Asks again and again, over a new connection each time.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let subject = Subject::start(variant, SEED).await;
    let result = ask(&subject, variant, scale, report).await;
    subject.end().await;
    result
}

async fn ask(
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    let node = subject.nodes.first().ok_or("there is no node")?;
    let mut browser = Office::open(node).await.owner.browser;
    let mut times = Vec::with_capacity(scale.requests);
    for _ in 0..scale.requests {
        let begun = Instant::now();
        let page = browser.get("/tickets").await;
        times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        if page.status != 200 || !page.text().contains("Visitor ") {
            return Err(format!("the inbox answered {}", page.status));
        }
    }
    let latency = Latency::of(times);
    report.note("page p50", variant, latency.p50, 0.0);
    report.note("page p99", variant, latency.p99, 0.0);
    let search = "/api/v1/search?q=parcel";
    if browser.read(search).await.status != 200 {
        report.remark(format!(
            "search is left out ({variant:?}): GET {search} is not built"
        ));
        return Ok(());
    }
    let mut times = Vec::with_capacity(scale.requests);
    for _ in 0..scale.requests {
        let begun = Instant::now();
        let _ = browser.read(search).await.expect(200);
        times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    report.note("search p99", variant, Latency::of(times).p99, 0.0);
    Ok(())
}
