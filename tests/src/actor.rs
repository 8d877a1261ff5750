//! Visitors and agents: the real brain, the widget's codec and a real socket.
//!
//! A task drives the brain as the widget and the dashboard's script do. The test gives
//! commands and waits for what it wants to see.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parlour_protocol::Id;
use parlour_protocol::client::{Client, Link, Options, Saved};
use parlour_protocol::frame::{Availability, Body, ErrorCode, Event, Open, View};
use parlour_protocol::text::Run;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::transcript::Transcript;
use crate::{DEADLINE, id};

mod agent;
mod drive;
mod shared;
mod visitor;

pub use agent::Agent;
pub use visitor::Visitor;

use shared::{Credentials, Records, Shared};

/// Something that the server refused.
pub type Refused = (ErrorCode, Option<Id>, Option<Id>);

/// A person with one tab open.
pub struct Actor {
    name: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Actor {
    fn begin(name: &str, credentials: Credentials, view: View, saved: Saved) -> Self {
        let seed = u64::from_le_bytes(
            uuid::Uuid::new_v4().into_bytes()[..8]
                .try_into()
                .unwrap_or_default(),
        );
        let mut brain = Client::new(Options {
            view,
            seed,
            outbox_limit: parlour_protocol::limits::MAX_OUTBOX,
        });
        let records = Records {
            outbox: saved.outbox.clone(),
            epoch: saved.epoch,
            ..Records::default()
        };
        brain.restore(saved, 0);
        let shared = Arc::new(Shared {
            brain: Mutex::new(brain),
            records: Mutex::new(records),
            credentials: tokio::sync::Mutex::new(credentials),
            transcript: Transcript::new(name),
            begun: Instant::now(),
            wake: Notify::new(),
            changed: watch::Sender::new(0),
            network: watch::Sender::new(true),
            ended: AtomicBool::new(false),
        });
        shared.command(|brain, now| brain.start(now));
        let task = tokio::spawn(drive::drive(Arc::clone(&shared)));
        Self {
            name: name.to_owned(),
            shared,
            task,
        }
    }

    /// Waits until `find` finds something in the brain.
    ///
    /// # Panics
    /// With the transcript, if it does not in time.
    pub async fn until<T>(&self, what: &str, find: impl Fn(&Client) -> Option<T>) -> T {
        self.wait(what, |shared| find(&shared.brain())).await
    }

    /// The same, for what takes longer by design.
    pub async fn until_within<T>(
        &self,
        time: Duration,
        what: &str,
        find: impl Fn(&Client) -> Option<T>,
    ) -> T {
        self.wait_within(time, what, |shared| find(&shared.brain()))
            .await
    }

    async fn wait<T>(&self, what: &str, find: impl Fn(&Shared) -> Option<T>) -> T {
        self.wait_within(DEADLINE, what, find).await
    }

    async fn wait_within<T>(
        &self,
        time: Duration,
        what: &str,
        find: impl Fn(&Shared) -> Option<T>,
    ) -> T {
        let mut changed = self.shared.changed.subscribe();
        let deadline = tokio::time::Instant::now() + time;
        loop {
            if let Some(fault) = &self.shared.records().fault {
                panic!("{}: {fault}\n{}", self.name, self.shared.transcript);
            }
            if let Some(found) = find(&self.shared) {
                return found;
            }
            let next = tokio::time::timeout_at(deadline, changed.changed()).await;
            if !matches!(next, Ok(Ok(()))) {
                panic!(
                    "{} waited in vain for {what}\n{}\n{}",
                    self.name,
                    self.windows(),
                    self.shared.transcript
                );
            }
        }
    }

    /// Waits until the server has welcomed her.
    pub async fn live(&self) {
        self.until("a live connection", |brain| {
            (brain.link() == Link::Live).then_some(())
        })
        .await;
    }

    /// Joins a room and waits until it is live.
    pub async fn join(&self, room: Id) {
        self.shared.command(|brain, now| brain.join(room, now));
        self.until("the room to be live", |brain| {
            brain.room(room).filter(|room| room.live()).map(|_| ())
        })
        .await;
    }

    /// Leaves a room.
    pub fn leave(&self, room: Id) {
        self.shared.command(|brain, now| brain.leave(room, now));
    }

    /// Writes, without waiting for anything.
    ///
    /// # Panics
    /// If the brain does not take it.
    pub fn write_in(&self, room: Id, text: &str, open: Option<Open>) -> Id {
        let cid = id();
        self.shared
            .command(|brain, now| brain.send(room, cid, text.to_owned(), open, now))
            .expect("room in the outbox");
        cid
    }

    /// Writes, and waits until the server has stored it and it stands in the window.
    pub async fn say_in(&self, room: Id, text: &str) -> Id {
        let cid = self.write_in(room, text, None);
        self.stored(room, cid).await;
        cid
    }

    /// Waits until an own message stands in the window, and no more in the outbox.
    pub async fn stored(&self, room: Id, cid: Id) -> u64 {
        self.until("an own message to be stored", |brain| {
            let room = brain.room(room)?;
            let entry = room.entries().iter().find(|entry| entry.cid == cid)?;
            room.pending()
                .iter()
                .all(|pending| pending.cid != cid)
                .then_some(entry.seq)
        })
        .await
    }

    /// Waits for an entry with this text in a room.
    pub async fn expect_in(&self, room: Id, text: &str) -> Event {
        self.until(&format!("{text:?}"), |brain| {
            brain
                .room(room)?
                .entries()
                .iter()
                .find(|entry| text_of(entry) == text)
                .cloned()
        })
        .await
    }

    /// Waits for an entry of any kind in a room.
    pub async fn expect_entry(&self, room: Id, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        self.until(what, |brain| {
            brain
                .room(room)?
                .entries()
                .iter()
                .find(|entry| is(entry))
                .cloned()
        })
        .await
    }

    /// Waits until this person types in a room, or does not any more.
    pub async fn expect_typing(&self, room: Id, who: Id, on: bool) {
        let what = if on { "typing" } else { "the end of typing" };
        self.until(what, |brain| {
            (brain
                .room(room)?
                .typing()
                .iter()
                .any(|person| person.id == who)
                == on)
                .then_some(())
        })
        .await;
    }

    /// Waits until she sees this agent in this state.
    pub async fn expect_presence(&self, who: Id, state: Availability) {
        self.until(&format!("{state:?}"), |brain| {
            brain
                .people()
                .iter()
                .any(|known| known.who.id == who && known.state == state)
                .then_some(())
        })
        .await;
    }

    /// Waits until she sees a member of a room in this state.
    pub async fn expect_presence_in(&self, room: Id, who: Id, state: Availability) {
        self.until(&format!("{state:?}"), |brain| {
            let people = &brain.room(room)?.state()?.people;
            people
                .iter()
                .any(|known| known.who.id == who && known.state == state)
                .then_some(())
        })
        .await;
    }

    /// Waits for something refused; says what.
    pub async fn expect_refusal(&self, what: &str, is: impl Fn(&Refused) -> bool) -> Refused {
        self.wait(what, |shared| {
            shared
                .records()
                .refused
                .iter()
                .find(|refused| is(refused))
                .copied()
        })
        .await
    }

    /// Waits until the connection was closed with this code.
    pub async fn expect_close(&self, code: u16) {
        self.wait(&format!("close {code}"), |shared| {
            shared.records().closes.contains(&code).then_some(())
        })
        .await;
    }

    /// Types a key.
    pub fn types(&self, room: Id) {
        self.shared
            .command(|brain, now| brain.typing(room, true, now));
    }

    /// Empties the composer.
    pub fn stops_typing(&self, room: Id) {
        self.shared
            .command(|brain, now| brain.typing(room, false, now));
    }

    /// Has everything of a room on screen.
    pub fn reads(&self, room: Id) {
        self.shared.command(|brain, now| {
            let newest = brain
                .room(room)
                .and_then(|room| room.entries().last())
                .map(|entry| entry.seq);
            if let Some(newest) = newest {
                brain.seen(room, newest, now);
            }
        });
    }

    /// Gives the brain any command.
    pub fn command<T>(&self, command: impl FnOnce(&mut Client, u64) -> T) -> T {
        self.shared.command(command)
    }

    /// Who she is.
    ///
    /// # Panics
    /// Before the first welcome.
    #[must_use]
    pub fn id(&self) -> Id {
        self.shared.brain().me().expect("a welcome").id
    }

    /// The texts of a room, in order; nothing for what is not text.
    #[must_use]
    pub fn texts(&self, room: Id) -> Vec<String> {
        self.shared
            .brain()
            .room(room)
            .map(|room| room.entries().iter().map(text_of).collect())
            .unwrap_or_default()
    }

    /// The entries of a room.
    #[must_use]
    pub fn entries(&self, room: Id) -> Vec<Event> {
        self.shared
            .brain()
            .room(room)
            .map(|room| room.entries().to_vec())
            .unwrap_or_default()
    }

    /// Every byte that she has received, over all connections.
    #[must_use]
    pub fn received(&self) -> String {
        self.shared.records().received.clone()
    }

    /// The codes that her connections were closed with.
    #[must_use]
    pub fn closes(&self) -> Vec<u16> {
        self.shared.records().closes.clone()
    }

    /// How often her token was renewed.
    #[must_use]
    pub fn renewals(&self) -> usize {
        self.shared.records().renewals
    }

    /// What was refused so far.
    #[must_use]
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.records().refused.clone()
    }

    /// Loses the network in the middle of whatever goes on.
    pub async fn cut(&self) {
        self.shared.network.send_replace(false);
        self.until("the loss of the connection", |brain| {
            (brain.link() != Link::Live).then_some(())
        })
        .await;
    }

    /// Has the network again; the browser says so.
    pub fn mend(&self) {
        self.shared.network.send_replace(true);
        self.shared.command(|brain, now| brain.online(now));
    }

    /// From the next connection on, a balancer sends her to this node.
    pub async fn moves_to(&self, node: &crate::Node) {
        self.shared.credentials.lock().await.moves_to(node);
    }

    /// What storage holds.
    #[must_use]
    pub fn saved(&self) -> Saved {
        let records = self.shared.records();
        Saved {
            epoch: records.epoch,
            outbox: records.outbox.clone(),
        }
    }

    /// Closes the tab without a word.
    pub fn close(&self) {
        self.shared.ended.store(true, Ordering::Release);
        self.task.abort();
    }

    /// What was sent and received.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.shared.transcript
    }

    fn windows(&self) -> String {
        let brain = self.shared.brain();
        let mut text = format!("link {:?}, rooms:", brain.link());
        for listed in brain.rooms() {
            text.push_str(&format!(" {}", listed.room));
        }
        text
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.task.abort();
        if std::thread::panicking() {
            eprintln!("{}", self.shared.transcript);
        } else if let Some(fault) = self.shared.records().fault.take() {
            panic!("{}: {fault}", self.name);
        }
    }
}

/// What an entry says in plain text.
#[must_use]
pub fn text_of(event: &Event) -> String {
    let join = |runs: &[Run]| runs.iter().map(|run| run.text.as_str()).collect();
    match &event.body {
        Body::Text { runs } | Body::Note { runs } => join(runs),
        Body::Happened { what, .. } => format!("*{what:?}*"),
        Body::Deleted => "*deleted*".into(),
    }
}
