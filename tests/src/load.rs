//! Writers that keep account: which message was acknowledged with which number, and which not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlour_protocol::frame::{Draft, Event, Open};
use parlour_protocol::limits::MAX_BATCH;
use parlour_protocol::{ClientFrame, Id, ServerFrame, VERSION};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use crate::wire::Upgrade;
use crate::{Browser, Heard, Node, Request, Visitor, Wire, id};

/// How long a writer waits before it tries a server that is down again.
const RETRY: Duration = Duration::from_millis(20);

/// Silence of two heartbeats and a second means that the server is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// What a writer knows.
#[derive(Debug, Default)]
pub struct Account {
    /// The numbers that were acknowledged.
    pub acknowledged: HashMap<Id, u64>,
    /// What every message said.
    pub texts: HashMap<Id, String>,
    /// Acknowledgements that said "stored before".
    pub repeated: u64,
    /// Retryable errors.
    pub refused: u64,
    /// How long a retryable error was waited for at most.
    pub longest_refusal: Duration,
    /// How long each batch waited for its acknowledgement, over everything that came between.
    pub waits: Vec<Duration>,
    /// What must never be.
    pub faults: Vec<String>,
}

impl Account {
    fn refuse(&mut self, after: Duration) {
        self.refused += 1;
        self.longest_refusal = self.longest_refusal.max(after);
    }

    /// What two writers of one room know together.
    pub fn merge(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.texts.extend(other.texts);
        self.repeated += other.repeated;
        self.refused += other.refused;
        self.longest_refusal = self.longest_refusal.max(other.longest_refusal);
        self.waits.extend(other.waits);
        self.faults.extend(other.faults);
    }
}

/// What is sent until it is acknowledged.
struct Batch {
    drafts: Vec<Draft>,
    begun: Instant,
}

/// A writer in a ticket of its own.
pub struct Writer {
    /// The ticket.
    pub room: Id,
    account: Arc<Mutex<Account>>,
    stop: watch::Sender<bool>,
    count: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Begins to write, batch after batch, whatever happens to the server.
    #[must_use]
    pub fn begin(node: &Node, visitor: &Visitor, origin: &str) -> Self {
        let upgrade = Upgrade::new(node.address(), origin, &visitor.token());
        Self::begin_in(id(), upgrade, MAX_BATCH, Duration::ZERO)
    }

    /// The same in a room that others may write in too: batches of this size, and after each a
    /// pause.
    #[must_use]
    pub fn begin_in(room: Id, upgrade: Upgrade, size: usize, pause: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (counted, count) = watch::channel(0);
        let account = Arc::<Mutex<Account>>::default();
        let pen = Pen {
            upgrade,
            room,
            size,
            pause,
            account: Arc::clone(&account),
            stopped,
            counted,
        };
        Self {
            room,
            account,
            stop,
            count,
            task: tokio::spawn(pen.write()),
        }
    }

    /// How many messages were acknowledged; changes as they come.
    #[must_use]
    pub fn count(&self) -> watch::Receiver<u64> {
        self.count.clone()
    }

    /// Ends it once everything that it has begun is acknowledged.
    ///
    /// # Panics
    /// If that does not come, or something happened that must never be.
    pub async fn finish(self) -> (Id, Account) {
        self.stop.send_replace(true);
        crate::within("the last acknowledgement", self.task)
            .await
            .unwrap();
        let account = std::mem::take(&mut *lock(&self.account));
        assert!(account.faults.is_empty(), "{:?}", account.faults);
        (self.room, account)
    }

    /// What it knows now.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }
}

fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Pen {
    upgrade: Upgrade,
    room: Id,
    size: usize,
    pause: Duration,
    account: Arc<Mutex<Account>>,
    stopped: watch::Receiver<bool>,
    counted: watch::Sender<u64>,
}

impl Pen {
    async fn write(self) {
        let mut batch = self.batch();
        loop {
            let begun = Instant::now();
            match Wire::try_open("writer", self.upgrade.clone(), SILENCE).await {
                Ok(wire) => {
                    if self.over(wire, &mut batch).await {
                        return;
                    }
                }
                Err(503) => lock(&self.account).refuse(begun.elapsed()),
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn batch(&self) -> Batch {
        let mut account = lock(&self.account);
        let drafts: Vec<Draft> = (0..self.size)
            .map(|_| {
                let cid = id();
                Draft {
                    cid,
                    text: format!("message {cid}"),
                }
            })
            .collect();
        account
            .texts
            .extend(drafts.iter().map(|draft| (draft.cid, draft.text.clone())));
        Batch {
            drafts,
            begun: Instant::now(),
        }
    }

    /// Writes over one connection. True when it was told to stop and everything is acknowledged.
    async fn over(&self, mut wire: Wire, batch: &mut Batch) -> bool {
        wire.send(&ClientFrame::Hello {
            v: VERSION,
            view: Default::default(),
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        let mut repeat = true;
        let mut sent = Instant::now();
        loop {
            if repeat {
                sent = Instant::now();
                let open = Some(Open::default());
                wire.send(&ClientFrame::Send {
                    room: self.room,
                    seen: 0,
                    messages: batch.drafts.clone(),
                    open,
                })
                .await;
                repeat = false;
            }
            match wire.next_or_silence(SILENCE).await {
                Heard::Closed(_) => return false,
                Heard::Frame(ServerFrame::Ack { room, acks }) if room == self.room => {
                    self.note(batch, &acks);
                    if *self.stopped.borrow() {
                        return true;
                    }
                    if !self.pause.is_zero() {
                        tokio::time::sleep(self.pause).await;
                    }
                    *batch = self.batch();
                    repeat = true;
                }
                Heard::Frame(ServerFrame::Error {
                    retry, after, code, ..
                }) => {
                    if !retry {
                        lock(&self.account)
                            .faults
                            .push(format!("{code:?} without a retry"));
                        return true;
                    }
                    lock(&self.account).refuse(sent.elapsed());
                    tokio::time::sleep(Duration::from_millis(u64::from(after).min(200))).await;
                    repeat = true;
                }
                Heard::Frame(_) => {}
            }
        }
    }

    fn note(&self, batch: &Batch, acks: &[parlour_protocol::frame::Ack]) {
        let mut account = lock(&self.account);
        let named: Vec<Id> = acks.iter().map(|ack| ack.cid).collect();
        account.waits.push(batch.begun.elapsed());
        if named
            != batch
                .drafts
                .iter()
                .map(|draft| draft.cid)
                .collect::<Vec<_>>()
        {
            account
                .faults
                .push("an acknowledgement does not name the batch".into());
        }
        for ack in acks {
            account.repeated += u64::from(ack.dup);
            if account
                .acknowledged
                .insert(ack.cid, ack.seq)
                .is_some_and(|before| before != ack.seq)
            {
                account.faults.push(format!("{} has two numbers", ack.cid));
            }
        }
        self.counted.send_replace(account.acknowledged.len() as u64);
    }
}

/// Waits until all writers together have this many acknowledgements.
///
/// # Panics
/// If they do not within the time.
pub async fn reached(writers: &[Writer], wanted: u64, within: Duration) {
    let deadline = Instant::now() + within;
    let mut counts: Vec<_> = writers.iter().map(Writer::count).collect();
    loop {
        let total: u64 = counts
            .iter_mut()
            .map(|count| *count.borrow_and_update())
            .sum();
        if total >= wanted {
            return;
        }
        let changes = counts.iter_mut().map(|count| Box::pin(count.changed()));
        let any = futures_util::future::select_all(changes);
        assert!(
            tokio::time::timeout_at(deadline, any).await.is_ok(),
            "{total} of {wanted} acknowledgements within {within:?}"
        );
    }
}

/// All writers' acknowledgements, one after another, so far.
pub fn total(writers: &[Writer]) -> u64 {
    writers.iter().map(|writer| *writer.count().borrow()).sum()
}

/// A room's whole history over REST, oldest first.
pub async fn history(browser: &mut Browser, room: Id) -> Vec<Event> {
    let mut pages: Vec<Vec<Event>> = Vec::new();
    loop {
        let before = oldest(&pages);
        let path = format!("/api/v1/rooms/{room}/messages?before={before}");
        let mut page = browser.read(&path).await.expect(200).json();
        let older: Vec<Event> = serde_json::from_value(page["events"].take()).expect("events");
        let more = page["more"].as_bool().unwrap_or_default();
        assert!(
            !more || !older.is_empty(),
            "an empty page says that there is more"
        );
        pages.push(older);
        if !more {
            return in_order(pages);
        }
    }
}

/// The oldest number of pages that were read from the newest one on.
fn oldest(pages: &[Vec<Event>]) -> u64 {
    let oldest = pages.last().and_then(|page| page.first());
    oldest.map_or(0, |event| event.seq)
}

/// Joined once: a history that is moved for each page takes minutes.
fn in_order(pages: Vec<Vec<Event>>) -> Vec<Event> {
    pages.into_iter().rev().flatten().collect()
}

/// The same over a fresh socket of the room's visitor.
pub async fn history_by_socket(wire: &mut Wire, room: Id) -> Vec<Event> {
    wire.send(&ClientFrame::Join { room, after: None }).await;
    let mut pages: Vec<Vec<Event>> = Vec::new();
    loop {
        let (older, more) = wire
            .until("a page", |frame| match frame {
                ServerFrame::Page {
                    room: of,
                    events,
                    more,
                    ..
                } if *of == room => Some((events.clone(), *more)),
                _ => None,
            })
            .await;
        pages.push(older);
        if !more {
            return in_order(pages);
        }
        wire.send(&ClientFrame::History {
            room,
            before: oldest(&pages),
            after: 0,
        })
        .await;
    }
}

/// The database's own check, and that no room has a hole.
///
/// # Panics
/// If it finds anything.
pub async fn check_database(data: &std::path::Path) {
    let mut connection = crate::database::connect(data).await;
    let holes: i64 = sqlx::query_scalar(
        "select count(*) from rooms r where r.seq <> (select count(*) from messages m where m.room = r.id)
             or r.seq <> (select coalesce(max(m.seq), 0) from messages m where m.room = r.id)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(holes, 0, "rooms with a hole");
    if crate::database::url_of(data).is_some() {
        return;
    }
    let result: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(result, "ok");
    let broken: Option<String> =
        sqlx::query_scalar("select \"table\" from pragma_foreign_key_check limit 1")
            .fetch_optional(&mut connection)
            .await
            .unwrap();
    assert_eq!(broken, None, "foreign keys");
}

/// Whether a server answers: for faults that make it refuse.
pub async fn ready(node: &Node) -> u16 {
    Request::get("/readyz").send(node.listens()).await.status
}
