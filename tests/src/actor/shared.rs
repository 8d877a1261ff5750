//! What the test and the task that drives the brain share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use parlour_protocol::Id;
use parlour_protocol::client::{Change, Client, Output, Pending};
use parlour_protocol::frame::TicketRow;
use tokio::sync::{Notify, watch};

use super::{Refused, visitor};
use crate::transcript::Transcript;

/// Who gets tokens, and how.
pub(super) enum Credentials {
    Visitor(visitor::Session),
    Agent(crate::Browser),
}

#[derive(Default)]
pub(super) struct Records {
    /// The outbox, as storage would hold it.
    pub(super) outbox: Vec<Pending>,
    pub(super) epoch: Option<Id>,
    pub(super) rows: BTreeMap<Id, TicketRow>,
    pub(super) lists: usize,
    pub(super) refused: Vec<Refused>,
    pub(super) closes: Vec<u16>,
    pub(super) renewals: usize,
    /// What the driver has to do.
    pub(super) todo: VecDeque<Output>,
    /// Every byte that was received.
    pub(super) received: String,
    /// A test must not go on after this.
    pub(super) fault: Option<String>,
}

impl Records {
    pub(super) fn take(&mut self, output: Output) {
        match output {
            Output::Save(pending) => {
                let known = self.outbox.iter_mut();
                match known.into_iter().find(|known| known.cid == pending.cid) {
                    Some(known) => *known = pending,
                    None => self.outbox.push(pending),
                }
            }
            Output::Unsave(cid) => self.outbox.retain(|pending| pending.cid != cid),
            Output::SaveEpoch(epoch) => self.epoch = Some(epoch),
            Output::Changed(Change::Error { code, room, cid }) => {
                self.refused.push((code, room, cid));
            }
            Output::Changed(Change::Row(row)) => {
                self.rows.insert(row.id, row);
            }
            Output::Changed(Change::List { rows, .. }) => {
                self.lists += 1;
                self.rows.extend(rows.into_iter().map(|row| (row.id, row)));
            }
            Output::Changed(_) => {}
            output => self.todo.push_back(output),
        }
    }
}

pub(super) struct Shared {
    pub(super) brain: Mutex<Client>,
    pub(super) records: Mutex<Records>,
    pub(super) credentials: tokio::sync::Mutex<Credentials>,
    pub(super) transcript: Transcript,
    pub(super) begun: Instant,
    /// A command was given.
    pub(super) wake: Notify,
    pub(super) changed: watch::Sender<u64>,
    /// Whether the network is there.
    pub(super) network: watch::Sender<bool>,
    pub(super) ended: AtomicBool,
}

impl Shared {
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn brain(&self) -> MutexGuard<'_, Client> {
        self.brain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn command<T>(&self, command: impl FnOnce(&mut Client, u64) -> T) -> T {
        let mut brain = self.brain();
        let result = command(&mut brain, self.now());
        self.drain(&mut brain);
        drop(brain);
        self.wake.notify_one();
        result
    }

    /// Takes what the brain wants done. Storage and view are served at once, as in a browser,
    /// where all of this is one turn; the rest waits for the driver.
    pub(super) fn drain(&self, brain: &mut Client) {
        let mut records = self.records();
        while let Some(output) = brain.poll() {
            records.take(output);
        }
        drop(records);
        self.tell();
    }

    pub(super) fn fault(&self, text: String) {
        self.records().fault.get_or_insert(text);
        self.tell();
    }

    pub(super) fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}
