//! When sets begin: where many write, messages share what a set costs, whatever its size.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::{BATCH, Job};

/// From the beginning of a set of several jobs to that of the next.
const INTERVAL: Duration = Duration::from_millis(3);
/// So many jobs are several.
const SEVERAL: usize = 3;
/// A set began so little time ago that another message is likely to come soon.
const RECENT: Duration = Duration::from_millis(5);
/// How long a message then waits for that one.
const FOR_ANOTHER: Duration = Duration::from_micros(2_500);

/// The last set.
pub(super) struct Pace {
    begun: Instant,
    jobs: usize,
    /// Who wrote it, if it was a single message.
    author: Option<Uuid>,
}

impl Pace {
    /// Before the first set.
    pub(super) fn start() -> Self {
        Self {
            begun: Instant::now(),
            jobs: 0,
            author: None,
        }
    }

    /// Waits until the next set is to begin, and takes its jobs; false if there are none any more.
    pub(super) async fn take(
        &mut self,
        queue: &mut mpsc::Receiver<Job>,
        jobs: &mut Vec<Job>,
    ) -> bool {
        if self.jobs >= SEVERAL {
            sleep_until(self.begun + INTERVAL).await;
        }
        if queue.recv_many(jobs, BATCH).await == 0 {
            return false;
        }
        // Who writes one message after the other waits for nobody: nobody else may be writing.
        let author = author(jobs);
        if author.is_some() && author != self.author && self.begun.elapsed() < RECENT {
            // Whether another one comes or not, this is the set.
            let _ = timeout(FOR_ANOTHER, queue.recv_many(jobs, BATCH)).await;
        }
        *self = Self {
            begun: Instant::now(),
            jobs: jobs.len(),
            author: author.filter(|_| jobs.len() == 1),
        };
        true
    }
}

/// Who wrote the message that the jobs are, if they are nothing else.
fn author(jobs: &[Job]) -> Option<Uuid> {
    match jobs {
        [Job::Append(append, ..)] => Some(append.author.id),
        _ => None,
    }
}
