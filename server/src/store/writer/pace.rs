//! When sets begin: where many write, messages share what a set costs, whatever its size.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::{BATCH, Job};
use crate::clock::{self, Alarm};

/// From the beginning of a set of several jobs to that of the next.
const INTERVAL: Duration = Duration::from_micros(2_500);
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
    alarm: Alarm,
}

impl Pace {
    /// Before the first set.
    pub(super) fn start() -> Self {
        Self {
            begun: clock::instant(),
            jobs: 0,
            author: None,
            alarm: Alarm::new(),
        }
    }

    /// Whether the next set begins at once: the last one took long, and several wait.
    pub(super) fn is_due(&self, queue: &mpsc::Receiver<Job>) -> bool {
        queue.len() >= SEVERAL && self.rest().is_zero()
    }

    /// How long it is until the next set may begin.
    fn rest(&self) -> Duration {
        if self.jobs >= SEVERAL {
            INTERVAL.saturating_sub(self.begun.elapsed())
        } else {
            Duration::ZERO
        }
    }

    /// Waits until the next set is to begin, and takes its jobs; false if there are none any more.
    pub(super) async fn take(
        &mut self,
        queue: &mut mpsc::Receiver<Job>,
        jobs: &mut Vec<Job>,
    ) -> bool {
        self.alarm.after(self.rest()).await;
        if queue.recv_many(jobs, BATCH).await == 0 {
            return false;
        }
        // Who writes one message after the other waits for nobody: nobody else may be writing.
        let author = author(jobs);
        if author.is_some() && author != self.author && self.begun.elapsed() < RECENT {
            // Whether another one comes or not, this is the set.
            tokio::select! {
                _ = queue.recv_many(jobs, BATCH) => {}
                () = self.alarm.after(FOR_ANOTHER) => {}
            }
        }
        self.begun = clock::instant();
        self.jobs = jobs.len();
        self.author = author.filter(|_| jobs.len() == 1);
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use parlour_protocol::frame::Role;

    use super::*;
    use crate::store::append::{Append, Author};

    fn message(author: u128) -> Job {
        let append = Append {
            room: Uuid::nil(),
            author: Author {
                id: Uuid::from_u128(author),
                role: Role::Visitor,
                name: String::new(),
            },
            seen: 0,
            drafts: Vec::new(),
            open: None,
        };
        Job::Append(append, Box::new(|_| ()), clock::instant())
    }

    #[tokio::test]
    async fn who_writes_alone_waits_for_nobody() {
        let (sender, mut queue) = mpsc::channel(BATCH);
        let mut pace = Pace::start();
        let mut jobs = Vec::new();
        pace.author = Some(Uuid::from_u128(1));
        for _ in 0..100 {
            sender.try_send(message(1)).expect("there is room");
            let taken = pace.take(&mut queue, &mut jobs).now_or_never();
            assert_eq!((taken, jobs.drain(..).count()), (Some(true), 1));
        }
    }

    #[tokio::test]
    async fn one_of_many_waits_for_another() {
        let (sender, mut queue) = mpsc::channel(BATCH);
        let mut pace = Pace::start();
        let mut jobs = Vec::new();
        // A machine that stood still in between has not heard of anybody just now.
        for attempt in 0..100 {
            sender.try_send(message(attempt)).expect("there is room");
            let mut taking = Box::pin(pace.take(&mut queue, &mut jobs));
            if taking.as_mut().now_or_never().is_none() {
                sender.try_send(message(1_000)).expect("there is room");
                assert!(taking.await);
                assert_eq!(jobs.len(), 2);
                return;
            }
            drop(taking);
            jobs.clear();
        }
        panic!("nobody waited");
    }
}
