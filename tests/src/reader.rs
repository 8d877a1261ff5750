//! Readers that note what they are shown, in the order in which they are, whatever happens to
//! the server. The brain would hide what comes twice or too early; they do not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use parlour_protocol::frame::Event;
use parlour_protocol::{ClientFrame, Id, ServerFrame, VERSION};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::load::SILENCE;
use crate::office::Colleague;
use crate::wire::Upgrade;
use crate::{Heard, Wire};

/// How long a reader waits before it tries a server that is down again.
const RETRY: Duration = Duration::from_millis(50);

/// What a reader was shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Of each room, in the order of arrival.
    pub entries: HashMap<Id, Vec<(u64, Id)>>,
    /// How often it started over with the newest page.
    pub resets: u64,
    /// Of the server's data, which the numbers belong to.
    epoch: Option<Id>,
    /// The codes that its connections were closed with.
    pub closes: Vec<u16>,
    /// What must never be.
    pub faults: Vec<String>,
}

/// An agent who reads rooms over a bare socket.
pub struct Reader {
    seen: Arc<Mutex<Seen>>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Stands for what lies before the page that a reader started over with.
    pub const BEFORE: Id = Id([0; 16]);

    /// Begins to read these rooms from their first entries on.
    #[must_use]
    pub fn begin(agent: &Colleague, rooms: &[Id]) -> Self {
        let (told, changed) = watch::channel(0);
        let seen = Arc::<Mutex<Seen>>::default();
        let eyes = Eyes {
            agent: agent.clone(),
            rooms: rooms.to_vec(),
            seen: Arc::clone(&seen),
            told,
        };
        Self {
            seen,
            changed,
            task: tokio::spawn(eyes.read()),
        }
    }

    /// What it was shown so far.
    ///
    /// # Panics
    /// If that was something that must never be.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        let seen = lock(&self.seen);
        assert!(seen.faults.is_empty(), "{:?}", seen.faults);
        seen
    }

    /// What it was shown so far, whatever that was.
    pub fn look(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// Waits until it was shown this number of a room.
    ///
    /// # Panics
    /// If it is not within the time.
    pub async fn reaches(&self, room: Id, seq: u64, within: Duration) {
        let mut changed = self.changed.clone();
        let deadline = tokio::time::Instant::now() + within;
        loop {
            changed.borrow_and_update();
            let last = self.look().last(room);
            if last >= seq {
                return;
            }
            assert!(
                tokio::time::timeout_at(deadline, changed.changed())
                    .await
                    .is_ok(),
                "{last} of {seq} in {room} within {within:?}; closed with {:?}",
                self.look().closes
            );
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    /// The newest number of a room; 0: nothing yet.
    #[must_use]
    pub fn last(&self, room: Id) -> u64 {
        self.entries
            .get(&room)
            .and_then(|entries| entries.last())
            .map_or(0, |(seq, _)| *seq)
    }

    fn take(&mut self, event: &Event) {
        let last = self.last(event.room);
        if event.seq != last + 1 {
            let fault = format!("{} came after {last} in {}", event.seq, event.room);
            self.faults.push(fault);
        }
        let entries = self.entries.entry(event.room).or_default();
        entries.push((event.seq, event.cid));
    }

    /// In another epoch than before nothing that was shown counts any more.
    fn welcome(&mut self, epoch: Id) {
        let before = self.epoch.replace(epoch);
        if before.is_some_and(|before| before != epoch) {
            self.resets += 1;
            self.entries.clear();
        }
    }

    fn start_over(&mut self, room: Id, before: u64) {
        self.resets += 1;
        let entries = self.entries.entry(room).or_default();
        entries.clear();
        // What lies before the page is not missed.
        entries.push((before, Reader::BEFORE));
    }
}

struct Eyes {
    agent: Colleague,
    rooms: Vec<Id>,
    seen: Arc<Mutex<Seen>>,
    told: watch::Sender<u64>,
}

impl Eyes {
    async fn read(self) {
        let browser = &self.agent.browser;
        loop {
            if let Ok(Ok(token)) = tokio::time::timeout(SILENCE, browser.try_token()).await {
                let upgrade = Upgrade::new(browser.address(), &browser.origin(), &token);
                if let Ok(wire) = Wire::try_open("reader", upgrade, SILENCE).await {
                    let code = self.over(wire).await;
                    lock(&self.seen).closes.push(code);
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Reads over one connection, until it is closed.
    async fn over(&self, mut wire: Wire) -> u16 {
        wire.send(&ClientFrame::Hello {
            v: VERSION,
            view: Default::default(),
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        loop {
            match wire.next_or_silence(SILENCE).await {
                Heard::Closed(code) => return code,
                Heard::Frame(ServerFrame::Welcome { epoch, .. }) => {
                    lock(&self.seen).welcome(epoch);
                    for room in &self.rooms {
                        let after = Some(lock(&self.seen).last(*room));
                        wire.join(*room, after).await;
                    }
                }
                Heard::Frame(ServerFrame::Error {
                    room: Some(room),
                    retry: true,
                    after,
                    ..
                }) => {
                    tokio::time::sleep(Duration::from_millis(after.min(200).into())).await;
                    let after = Some(lock(&self.seen).last(room));
                    wire.join(room, after).await;
                }
                Heard::Frame(frame) => self.take(frame),
            }
        }
    }

    fn take(&self, frame: ServerFrame) {
        let mut seen = lock(&self.seen);
        match frame {
            ServerFrame::Event(event) => seen.take(&event),
            ServerFrame::Page {
                room,
                events,
                reset,
                ..
            } => {
                let before = events.first().map_or(0, |event| event.seq - 1);
                if reset && before > 0 {
                    seen.start_over(room, before);
                }
                for event in &events {
                    seen.take(event);
                }
            }
            _ => return,
        }
        drop(seen);
        self.told.send_modify(|count| *count += 1);
    }
}
