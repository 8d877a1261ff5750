//! When sets begin, and what is in them: where many write, messages share what a set costs, whatever its size.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::Job;
use crate::clock::{self, Alarm};

/// Jobs in one set.
pub(super) const JOBS: usize = 256;
/// Messages after which a set takes no further job: each of them waits for all.
const MESSAGES: usize = 512;
/// From the beginning of a set of several jobs to that of the next; and how long after it came a message waits
/// until they are several.
const INTERVAL: Duration = Duration::from_micros(2_500);
/// So many jobs are several.
const SEVERAL: usize = 3;
/// A set began so little time ago that other messages are likely to come soon.
const RECENT: Duration = Duration::from_millis(5);

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

    /// Since when these few wait for others, if they do: some wrote just now. Who writes one message after the
    /// other waits for nobody, for nobody else may be writing.
    fn waits_since(&self, jobs: &[Job]) -> Option<Instant> {
        let Some(Job::Append(_, _, since)) = jobs.first() else {
            return None;
        };
        let alone = self.author.is_some() && author(jobs) == self.author;
        (jobs.len() < SEVERAL && !alone && self.begun.elapsed() < RECENT).then_some(*since)
    }

    /// Waits until the next set is to begin, and takes its jobs; false if there are none any more.
    pub(super) async fn take(
        &mut self,
        queue: &mut mpsc::Receiver<Job>,
        jobs: &mut Vec<Job>,
    ) -> bool {
        self.alarm.after(self.rest()).await;
        if !fill(queue, jobs).await {
            return false;
        }
        if let Some(since) = self.waits_since(jobs) {
            let rest = INTERVAL.saturating_sub(since.elapsed());
            let mut waited = pin!(self.alarm.after(rest));
            while jobs.len() < SEVERAL {
                tokio::select! {
                    biased;
                    () = &mut waited => break,
                    more = fill(queue, jobs) => if !more { break },
                }
            }
        }
        self.begun = clock::instant();
        self.jobs = jobs.len();
        self.author = author(jobs);
        true
    }
}

/// Waits for a job and takes it, and with it what else is queued, up to the size of a set; false if there
/// are none any more. Given up, it has taken none.
async fn fill(queue: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>) -> bool {
    let mut messages: usize = jobs.iter().map(messages_of).sum();
    let Some(mut job) = queue.recv().await else {
        return false;
    };
    loop {
        messages += messages_of(&job);
        jobs.push(job);
        if jobs.len() >= JOBS || messages >= MESSAGES {
            return true;
        }
        let Ok(more) = queue.try_recv() else {
            return true;
        };
        job = more;
    }
}

fn messages_of(job: &Job) -> usize {
    match job {
        Job::Append(append, ..) => append.drafts.len(),
        Job::Run(_) | Job::Close(_) => 0,
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
    use crate::store::append::{Append, Author, Draft};

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
        let (sender, mut queue) = mpsc::channel(JOBS);
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
    async fn few_of_many_wait_for_others() {
        let (sender, mut queue) = mpsc::channel(JOBS);
        let mut pace = Pace::start();
        let mut jobs = Vec::new();
        // A machine that stood still in between has not heard of anybody just now.
        for attempt in 0..100 {
            sender.try_send(message(attempt)).expect("there is room");
            let mut taking = Box::pin(pace.take(&mut queue, &mut jobs));
            if taking.as_mut().now_or_never().is_none() {
                sender.try_send(message(1_000)).expect("there is room");
                sender.try_send(message(1_001)).expect("there is room");
                assert!(taking.await);
                assert_eq!(jobs.len(), SEVERAL);
                return;
            }
            drop(taking);
            jobs.clear();
        }
        panic!("nobody waited");
    }

    #[tokio::test]
    async fn who_has_waited_waits_no_more() {
        let (sender, mut queue) = mpsc::channel(JOBS);
        let mut pace = Pace::start();
        let mut jobs = Vec::new();
        for author in [1, 2] {
            let mut job = message(author);
            if let Job::Append(_, _, since) = &mut job {
                *since -= INTERVAL;
            }
            sender.try_send(job).expect("there is room");
            let taken = pace.take(&mut queue, &mut jobs).now_or_never();
            assert_eq!((taken, jobs.drain(..).count()), (Some(true), 1));
        }
    }

    #[tokio::test]
    async fn a_set_ends_with_its_messages() {
        let (sender, mut queue) = mpsc::channel(JOBS);
        let mut pace = Pace::start();
        let draft = Draft {
            cid: clock::id(),
            text: String::new(),
        };
        for author in 0..JOBS as u128 {
            let mut job = message(author);
            if let Job::Append(append, ..) = &mut job {
                append.drafts = vec![draft.clone(); 16];
            }
            sender.try_send(job).expect("there is room");
        }
        let mut jobs = Vec::new();
        assert!(pace.take(&mut queue, &mut jobs).await);
        assert_eq!(jobs.len(), MESSAGES / 16);
    }
}
