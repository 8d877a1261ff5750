//! All connections are lost at once; everybody comes back over half a second and catches up.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::Socket;
use crate::machine::Mark;
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

const CLIENTS: usize = 2_000;
/// Everybody has seen half of these.
const MESSAGES: u64 = 10;
const JITTER: u32 = 500;
const AGAIN: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(60);

/// Drops them and waits for all.
///
/// # Errors
/// What must never be.
pub async fn run(variant: Variant, report: &mut Report) -> Result<(), String> {
    let seed = Seed {
        people: CLIENTS,
        messages: MESSAGES as usize,
    };
    let subject = Arc::new(Subject::start(variant, seed).await);
    let result = drop_all(&subject, variant, report).await;
    if let Some(subject) = Arc::into_inner(subject) {
        subject.end().await;
    }
    result
}

async fn drop_all(
    subject: &Arc<Subject>,
    variant: Variant,
    report: &mut Report,
) -> Result<(), String> {
    let sockets = subject.join_all(0..CLIENTS, 0, MESSAGES).await?;
    let mark = Mark::now(&subject.processes);
    let begun = Instant::now();
    drop(sockets);
    let mut coming = JoinSet::new();
    for person in 0..CLIENTS {
        coming.spawn(come_back(Arc::clone(subject), person));
    }
    let back = coming.join_all().await;
    let seconds = begun.elapsed().as_secs_f64();
    let usage = mark.elapsed();
    for socket in back {
        let socket = socket?;
        if let Some(fault) = socket.faults.first() {
            return Err(fault.clone());
        }
        if socket.position != MESSAGES {
            return Err(format!("somebody came back to message {}", socket.position));
        }
    }
    report.note("storm", variant, seconds, usage.others);
    report.note("storm CPU", variant, usage.service(), usage.others);
    Ok(())
}

async fn come_back(subject: Arc<Subject>, person: usize) -> Result<Socket, String> {
    // The same for everybody who is measured, and spread evenly.
    let jitter = u32::try_from(person * 7_919 % JITTER as usize).unwrap_or(JITTER);
    sleep(Duration::from_millis(1) * jitter).await;
    let until = Instant::now() + MOST;
    loop {
        match subject.join(person, 0, MESSAGES / 2).await {
            Err(_) if Instant::now() < until => sleep(AGAIN).await,
            result => return result,
        }
    }
}
