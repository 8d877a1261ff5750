//! What a run came to, once it is known that nothing was lost, doubled or swapped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parlour_protocol::Id;
use tokio::task::JoinSet;

use crate::client::Socket;
use crate::load::{self, Account, Pace, Run, chain};
use crate::machine::{Mark, Processes, Usage};

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Half of them are below it.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
}

impl Latency {
    /// Of microseconds.
    #[must_use]
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let at = |share: f64| {
            let index = (micros.len() as f64 * share) as usize;
            micros
                .get(index.min(micros.len().saturating_sub(1)))
                .map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
        };
        Self {
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        }
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Messages that were acknowledged.
    pub acked: f64,
    /// Messages that arrived at readers.
    pub delivered: f64,
    /// From the first message to the last acknowledgement.
    pub ack_seconds: f64,
    /// From the first message to the last arrival.
    pub seconds: f64,
    /// To the acknowledgement.
    pub ack: Latency,
    /// To the arrival at a reader.
    pub delivery: Latency,
    /// Processor time.
    pub usage: Usage,
}

/// The connections of a run.
#[derive(Default)]
pub struct Crowd {
    /// Those who write.
    pub writers: Vec<Socket>,
    /// Those who read.
    pub readers: Vec<Socket>,
    /// Messages that were acknowledged in all runs.
    pub acked: u64,
}

impl Crowd {
    /// Writes for a time, reads everything, and checks it.
    ///
    /// # Errors
    /// The first thing that must never be.
    pub async fn run(
        &mut self,
        processes: &Processes,
        pace: Pace,
        time: Duration,
    ) -> Result<Outcome, String> {
        let rooms = self.writers.iter().chain(&self.readers);
        let rooms = rooms.map(|socket| crate::people::number(socket.room()) + 1);
        let run = Run::begin(rooms.max().unwrap_or(0), time);
        let mark = Mark::now(processes);
        let mut writing = JoinSet::new();
        for (number, socket) in (0..).zip(self.writers.drain(..)) {
            writing.spawn(load::write(socket, Arc::clone(&run), pace, number));
        }
        let mut reading = JoinSet::new();
        for socket in self.readers.drain(..) {
            reading.spawn(load::read(socket, Arc::clone(&run)));
        }
        let mut written = writing.join_all().await;
        run.written();
        let mut read = reading.join_all().await;
        let usage = match pace {
            Pace::Answered(_) => mark.settled().await,
            Pace::Every(_) | Pace::Heard(..) => mark.elapsed(),
        };
        check(&written, &read)?;
        let mut outcome = summary(&mut written, &mut read);
        outcome.usage = usage;
        self.acked += outcome.acked as u64;
        let back = |accounts: Vec<Account>| accounts.into_iter().filter_map(|own| own.socket);
        self.writers = back(written).collect();
        self.readers = back(read).collect();
        Ok(outcome)
    }
}

fn summary(written: &mut [Account], read: &mut [Account]) -> Outcome {
    let last = |accounts: &[Account]| {
        let last = accounts.iter().map(|account| account.last).max();
        last.unwrap_or(0) as f64 / 1_000_000.0
    };
    let count = |accounts: &[Account]| {
        let count: usize = accounts.iter().map(|own| own.latencies.len()).sum();
        count as f64
    };
    let gather = |accounts: &mut [Account]| {
        let all = accounts.iter_mut().flat_map(|own| own.latencies.drain(..));
        Latency::of(all.collect())
    };
    Outcome {
        acked: count(written),
        delivered: count(read),
        ack_seconds: last(written),
        seconds: last(written).max(last(read)),
        ack: gather(written),
        delivery: gather(read),
        usage: Usage::default(),
    }
}

/// Everything that was acknowledged arrived at each reader of its room, once and in order.
fn check(written: &[Account], read: &[Account]) -> Result<(), String> {
    if let Some(fault) = written
        .iter()
        .chain(read)
        .find_map(|own| own.faults.first())
    {
        return Err(fault.clone());
    }
    let mut rooms: HashMap<Id, Vec<(u64, Id)>> = HashMap::new();
    for account in written {
        rooms
            .entry(account.room)
            .or_default()
            .extend(&account.acked);
    }
    for acked in rooms.values_mut() {
        acked.sort_unstable();
    }
    for account in read {
        let acked = rooms.get(&account.room).map_or(&[][..], Vec::as_slice);
        let mut position = account.from;
        let hash = acked.iter().fold(0, |hash, (seq, cid)| {
            position += 1;
            if *seq == position {
                chain(hash, *seq, *cid)
            } else {
                !hash
            }
        });
        if hash != account.hash || account.latencies.len() != acked.len() {
            return Err(format!(
                "{} messages were acknowledged and {} arrived, or others, or in another order",
                acked.len(),
                account.latencies.len()
            ));
        }
    }
    Ok(())
}
