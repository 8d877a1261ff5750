//! An agent opens her inbox over 100,000 tickets, and searches a million messages.

use parlour_tests::office::team_room;
use parlour_tests::{Browser, Office};
use tokio::time::Instant;

use super::Scale;
use crate::outcome::Latency;
use crate::report::Report;
use crate::seed::{self, Seed};
use crate::subject::{Subject, Variant};

const SEED: Seed = Seed {
    people: 100_000,
    messages: 10,
};
/// The newest messages of all: of a room that she is no member of.
const PRIVATE: usize = 50_000;

/// What she asks, in turn: a word in every message, two of them, a beginning, a phrase; words of one
/// message in ten, of ten messages, new and old ones, and of none. Most stand in the private
/// room as well.
const QUESTIONS: &[&str] = &[
    "parcel",
    "where+please",
    "parc",
    "pl",
    "%22where+is+my%22",
    "%22message+7%22",
    "parcel+99321",
    "54321",
    "17+parcel",
    "xylophone",
    "parcel+xylophone",
];

/// Asks again and again, over a new connection each time.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let mut subject = Subject::start(variant, SEED).await;
    let result = ask(&mut subject, variant, scale, report).await;
    subject.end().await;
    result
}

async fn ask(
    subject: &mut Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> Result<(), String> {
    let node = subject.nodes.first().ok_or("there is no node")?;
    let mut office = Office::open(node).await;
    let mut colleague = office.invite("Anna", "agent").await;
    let room = team_room(&mut colleague.browser, "Night shift", &[]).await;
    let mut connection = subject.connect().await;
    seed::private(&mut connection, room, colleague.id, PRIVATE).await;
    drop(connection);
    subject.index().await?;

    let browser = &mut office.owner.browser;
    let page = latency(browser, scale.requests, &["/tickets"], |text| {
        text.contains("Visitor ")
    })
    .await?;
    report.note("page p50", variant, page.p50, 0.0);
    report.note("page p99", variant, page.p99, 0.0);
    let paths: Vec<String> = QUESTIONS
        .iter()
        .map(|question| format!("/api/v1/search?q={question}"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let room = room.text();
    let hidden = |text: &str| !text.contains(&room) && !text.contains("Night shift");
    let search = latency(browser, scale.requests, &paths, hidden).await?;
    report.note("search p50", variant, search.p50, 0.0);
    report.note("search p99", variant, search.p99, 0.0);
    found(browser, &room).await
}

/// The time to the whole answer of each of `paths` in turn; what is no answer as it should be is an error.
async fn latency(
    browser: &mut Browser,
    requests: usize,
    paths: &[&str],
    is_right: impl Fn(&str) -> bool,
) -> Result<Latency, String> {
    let mut times = Vec::with_capacity(requests);
    for path in paths.iter().cycle().take(requests) {
        let begun = Instant::now();
        let answer = browser.read(path).await;
        times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        if answer.status != 200 || !is_right(&answer.text()) {
            return Err(format!("{path} answered {}", answer.status));
        }
    }
    Ok(Latency::of(times))
}

/// A search that finds nothing is quick: each question has as many messages as were stored, up to
/// a page of them.
async fn found(browser: &mut Browser, private: &str) -> Result<(), String> {
    for (question, expected) in QUESTIONS
        .iter()
        .zip([20, 20, 20, 20, 20, 20, 10, 10, 10, 0, 0])
    {
        let path = format!("/api/v1/search?q={question}");
        let answer = browser.read(&path).await.expect(200).json();
        let messages = answer["messages"].as_array().map_or(0, Vec::len);
        if messages != expected || answer.to_string().contains(private) {
            return Err(format!("{path} found {messages} messages"));
        }
    }
    Ok(())
}
