//! Writers and readers, and the check that what was acknowledged arrived once and in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use parlour_protocol::Id;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::client::Socket;
use crate::dialect::{Arrived, Heard};
use crate::people;

/// How long acknowledgements and messages may take after the last one was written.
const SETTLE: Duration = Duration::from_secs(20);
/// What customers write has about this length.
const TEXT: &str = "I ordered two lamps last week and only one of them has arrived. Could you look where the other one is?";

/// How a writer writes.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// One message each so often in the mean, at moments that depend on nothing, whatever the server does.
    Every(Duration),
    /// So many messages at once, and the next one when one of them is acknowledged.
    Answered(usize),
    /// The next message when all but so many, of all writers together, have arrived at all
    /// readers, of whom there are so many: as fast as they are served, and no faster than their
    /// queues bear.
    Heard(u64, u64),
}

impl Pace {
    /// How long until the next message of a writer. Of people who know nothing of each other, pauses are
    /// distributed exponentially.
    fn pause(self, chance: &mut Rng) -> Duration {
        match self {
            Self::Every(period) => period.mul_f64(-(1.0 - chance.f64()).ln()),
            Self::Answered(_) | Self::Heard(..) => Duration::ZERO,
        }
    }
}

/// A run that writers and readers share.
pub struct Run {
    begun: Instant,
    until: Instant,
    /// For each room, the newest number that was acknowledged.
    newest: Vec<AtomicU64>,
    written: watch::Sender<bool>,
    /// Messages of those who write as they are heard, and arrivals at readers.
    written_ahead: AtomicU64,
    arrived: AtomicU64,
    progress: Notify,
}

impl Run {
    /// Begins now and writes for this long, in rooms with numbers below `rooms`.
    #[must_use]
    pub fn begin(rooms: usize, time: Duration) -> Arc<Self> {
        let begun = Instant::now();
        Arc::new(Self {
            begun,
            until: begun + time,
            newest: (0..rooms).map(|_| AtomicU64::new(0)).collect(),
            written: watch::Sender::new(false),
            written_ahead: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            progress: Notify::new(),
        })
    }

    /// All writers are done.
    pub fn written(&self) {
        self.written.send_replace(true);
    }

    /// Microseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn newest(&self, room: Id) -> &AtomicU64 {
        &self.newest[people::number(room)]
    }
}

/// What a connection has to tell after a run.
pub struct Account {
    /// The room.
    pub room: Id,
    /// Where the run began and ended.
    pub from: u64,
    /// A hash over numbers and ids in their order.
    pub hash: u64,
    /// Of a writer: numbers and ids as they were acknowledged.
    pub acked: Vec<(u64, Id)>,
    /// Microseconds: to the acknowledgement, or to the arrival.
    pub latencies: Vec<u32>,
    /// When the last acknowledgement or message came, in microseconds since the beginning.
    pub last: u64,
    /// What must never be.
    pub faults: Vec<String>,
    /// The connection, if it is still there.
    pub socket: Option<Socket>,
}

impl Account {
    fn new(socket: &Socket) -> Self {
        Self {
            room: socket.room(),
            from: socket.position,
            hash: 0,
            acked: Vec::new(),
            latencies: Vec::new(),
            last: 0,
            faults: Vec::new(),
            socket: None,
        }
    }

    fn end(mut self, mut socket: Socket, result: Result<(), String>) -> Self {
        self.faults.append(&mut socket.faults);
        match result {
            Ok(()) => self.socket = Some(socket),
            Err(fault) => self.faults.push(fault),
        }
        self
    }
}

/// Adds a message to a hash that depends on the order (FNV-1a, by words).
#[must_use]
pub fn chain(hash: u64, seq: u64, cid: Id) -> u64 {
    let mut hash = hash ^ 0xcbf2_9ce4_8422_2325;
    let (high, low) = cid.0.split_at(8);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    for word in [seq, word(high), word(low)] {
        hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

struct Writer {
    run: Arc<Run>,
    pace: Pace,
    chance: Rng,
    next: Instant,
    waiting: VecDeque<(Id, u64)>,
    under_way: VecDeque<(Id, u64)>,
    account: Account,
}

/// Writes over a connection at this pace. `number` names the writer: her moments are the same in each run.
pub async fn write(mut socket: Socket, run: Arc<Run>, pace: Pace, number: u64) -> Account {
    let mut chance = Rng::with_seed(number);
    let mut writer = Writer {
        next: run.begun + pace.pause(&mut chance),
        pace,
        chance,
        waiting: VecDeque::new(),
        under_way: VecDeque::new(),
        account: Account::new(&socket),
        run,
    };
    let result = writer.run(&mut socket).await;
    writer.account.end(socket, result)
}

impl Writer {
    async fn run(&mut self, socket: &mut Socket) -> Result<(), String> {
        let end = self.run.until + SETTLE;
        let run = Arc::clone(&self.run);
        loop {
            self.follow();
            self.send(socket).await?;
            let more = self.next < run.until;
            let follows = matches!(self.pace, Pace::Heard(..)) && Instant::now() < run.until;
            if !more && !follows && self.waiting.is_empty() && self.under_way.is_empty() {
                return Ok(());
            }
            let text = tokio::select! {
                text = socket.receive() => text?,
                () = sleep_until(self.next), if more => {
                    self.due();
                    continue;
                }
                () = run.progress.notified(), if follows => continue,
                () = sleep_until(run.until), if follows => continue,
                () = sleep_until(end) => {
                    let missing = self.under_way.len() + self.waiting.len();
                    return Err(format!("{missing} messages were not acknowledged in time"));
                }
            };
            match socket.hear(&text) {
                Heard::Acks(acks) => self.acknowledged(&acks)?,
                Heard::Answer(answer) => socket.transmit(answer).await?,
                Heard::Fault(fault) => return Err(fault),
                // Readers check what arrives. Not every server sends to the writer what she wrote.
                Heard::Event(_) | Heard::Page(..) | Heard::Other => {}
            }
        }
    }

    /// It is time for a message.
    fn due(&mut self) {
        let count = match self.pace {
            Pace::Answered(ahead) => ahead,
            Pace::Every(_) | Pace::Heard(..) => 1,
        };
        let now = self.run.now();
        let messages = (0..count).map(|_| (parlour_tests::id(), now));
        self.waiting.extend(messages);
        self.next = match self.pace {
            Pace::Every(_) => self.next + self.pace.pause(&mut self.chance),
            // Until the acknowledgement, or the readers.
            Pace::Answered(_) | Pace::Heard(..) => self.run.until,
        };
    }

    /// Writes on if the readers have followed.
    fn follow(&mut self) {
        let Pace::Heard(ahead, readers) = self.pace else {
            return;
        };
        let idle = self.waiting.is_empty() && self.under_way.is_empty();
        if !idle || self.account.acked.is_empty() || Instant::now() >= self.run.until {
            return;
        }
        let run = Arc::clone(&self.run);
        let heard = run.arrived.load(Ordering::Relaxed) / readers;
        let room = |written: u64| (written < heard + ahead).then_some(written + 1);
        if run
            .written_ahead
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok()
        {
            self.due();
            // Another writer may have room as well.
            run.progress.notify_one();
        }
    }

    fn acknowledged(&mut self, acks: &[(Option<Id>, u64)]) -> Result<(), String> {
        let now = self.run.now();
        for (cid, seq) in acks {
            let (expected, begun) = self.under_way.pop_front().ok_or("an answer to nothing")?;
            if cid.is_some_and(|cid| cid != expected) {
                return Err("an acknowledgement names another message".into());
            }
            self.account.acked.push((*seq, expected));
            self.account
                .latencies
                .push(u32::try_from(now - begun).unwrap_or(u32::MAX));
            self.run
                .newest(self.account.room)
                .fetch_max(*seq, Ordering::Relaxed);
        }
        self.account.last = now;
        if matches!(self.pace, Pace::Answered(_)) && Instant::now() < self.run.until {
            let messages = acks.iter().map(|_| (parlour_tests::id(), now));
            self.waiting.extend(messages);
        }
        Ok(())
    }

    async fn send(&mut self, socket: &mut Socket) -> Result<(), String> {
        let (batch, window) = socket.window();
        while !self.waiting.is_empty() && self.under_way.len() < window {
            let count = self.waiting.len().min(batch);
            let messages: Vec<(Id, String)> = self
                .waiting
                .iter()
                .take(count)
                .map(|(cid, begun)| (*cid, format!("{begun} {TEXT}")))
                .collect();
            socket.say(&messages).await?;
            self.under_way.extend(self.waiting.drain(..count));
        }
        Ok(())
    }
}

/// Reads over a connection until everything that was acknowledged has arrived.
pub async fn read(mut socket: Socket, run: Arc<Run>) -> Account {
    let mut account = Account::new(&socket);
    let result = reading(&mut socket, &run, &mut account).await;
    account.end(socket, result)
}

async fn reading(socket: &mut Socket, run: &Run, account: &mut Account) -> Result<(), String> {
    let mut written = run.written.subscribe();
    let mut done = false;
    loop {
        if done && socket.position >= run.newest(account.room).load(Ordering::Relaxed) {
            return Ok(());
        }
        let text = tokio::select! {
            text = timeout_at(run.until + SETTLE * 2, socket.receive()) => {
                text.map_err(|_| "messages did not arrive in time")??
            }
            _ = written.wait_for(|written| *written), if !done => {
                done = true;
                continue;
            }
        };
        match socket.hear(&text) {
            Heard::Event(arrived) => arrive(socket, run, account, &arrived),
            Heard::Answer(answer) => socket.transmit(answer).await?,
            Heard::Fault(fault) => return Err(fault),
            Heard::Page(..) | Heard::Acks(_) | Heard::Other => {}
        }
    }
}

fn arrive(socket: &mut Socket, run: &Run, account: &mut Account, arrived: &Arrived) {
    socket.note(arrived);
    account.hash = chain(account.hash, arrived.seq, arrived.cid);
    account.last = run.now();
    run.arrived.fetch_add(1, Ordering::Relaxed);
    run.progress.notify_one();
    account
        .latencies
        .push(u32::try_from(account.last.saturating_sub(arrived.sent)).unwrap_or(u32::MAX));
}
