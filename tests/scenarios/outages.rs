//! Two nodes under load, and what they stand on taken away: nothing is lost, nothing is doubled,
//! and every reader on every node is shown the same, in the same order.

use std::time::{Duration, Instant};

use parlour_protocol::Id;
use parlour_tests::load::{self, Account, Writer};
use parlour_tests::reader::Reader;
use parlour_tests::{Cluster, Office, Visitor};

/// How long all have to catch up, once what was taken is there again.
const CAUGHT_UP: Duration = Duration::from_secs(5);

/// Two tickets: one visitor writes on both nodes, the other on the first alone, so that on the
/// second nothing but Redis or the database tells of it. Each node has two agents who read both.
struct Load {
    cluster: Cluster,
    office: Office,
    rooms: [Id; 2],
    writers: Vec<Writer>,
    readers: Vec<Reader>,
}

impl Load {
    async fn begin() -> Self {
        let (cluster, office) = Cluster::of(2).await;
        let (mut rooms, mut writers) = (Vec::new(), Vec::new());
        for other in [1, 0] {
            let visitor = Visitor::arrive(&cluster[0], &office.site).await;
            let other = visitor.tab_at(&cluster[other]).await;
            let room = visitor.open("first").await;
            for tab in [&visitor, &other] {
                let pace = Duration::from_millis(10);
                writers.push(Writer::begin_in(room, tab.upgrade(), 2, pace));
            }
            rooms.push(room);
        }
        let rooms = [rooms[0], rooms[1]];
        let readers = (0..4).map(|number| {
            let agent = office.owner.at(&cluster[number % 2]);
            Reader::begin(&agent, &rooms)
        });
        Self {
            readers: readers.collect(),
            cluster,
            office,
            rooms,
            writers,
        }
    }

    /// Goes on until so many more are acknowledged.
    async fn goes_on(&self, more: u64) {
        let now: u64 = self
            .writers
            .iter()
            .map(|writer| *writer.count().borrow())
            .sum();
        load::reached(&self.writers, now + more, Duration::from_secs(20)).await;
    }

    /// Waits until every reader was shown everything that is acknowledged now; how long it took.
    async fn catches_up(&self) -> Duration {
        let begun = Instant::now();
        for (index, writer) in self.writers.iter().enumerate() {
            let newest = writer.account().acknowledged.values().copied().max();
            for reader in &self.readers {
                let room = self.rooms[index / 2];
                reader.reaches(room, newest.unwrap_or(0), CAUGHT_UP).await;
            }
        }
        begun.elapsed()
    }

    /// Ends, and compares everything with everything; how many were acknowledged.
    async fn settle(mut self) -> u64 {
        let mut accounts = [Account::default(), Account::default()];
        for (index, writer) in self.writers.drain(..).enumerate() {
            accounts[index / 2].merge(writer.finish().await.1);
        }
        let mut total = 0;
        for (room, mut account) in self.rooms.into_iter().zip(accounts) {
            let history = load::history(&mut self.office.owner.browser, room).await;
            let first = &history[0];
            account.texts.insert(first.cid, "first".into());
            load::check(room, &account, &history);
            let stored: Vec<_> = history.iter().map(|event| (event.seq, event.cid)).collect();
            for reader in &self.readers {
                reader.reaches(room, history.len() as u64, CAUGHT_UP).await;
                let seen = reader.seen();
                assert_eq!(seen.resets, 0);
                assert!(seen.entries[&room] == stored, "a reader saw something else");
            }
            total += account.acknowledged.len() as u64;
        }
        self.cluster.assert_well().await;
        total
    }

    /// No reader had to come back: what went wrong was made good for it.
    fn nobody_was_closed(&self) {
        for reader in &self.readers {
            assert_eq!(reader.seen().closes, Vec::<u16>::new());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_die_and_come_back() {
    let mut load = Load::begin().await;
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        load.goes_on(200).await;
        load.cluster.redis.kill().await;
        load.goes_on(300).await;
        load.cluster.redis.start_again().await;
        longest = longest.max(load.catches_up().await);
        load.cluster.expect_redis("up").await;
    }
    load.nobody_was_closed();
    println!("caught up within {longest:?}");
    println!("{} acknowledged", load.settle().await);
}

/// Frozen, emptied, and its connections cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_ill() {
    let load = Load::begin().await;
    load.goes_on(200).await;
    load.cluster.redis.freeze().await;
    load.goes_on(300).await;
    load.catches_up().await;
    load.cluster.redis.thaw().await;
    load.catches_up().await;
    for command in [
        "FLUSHALL",
        "CLIENT KILL TYPE pubsub",
        "CLIENT KILL TYPE normal",
        "DEBUG SLEEP 1.5",
        "CLIENT PAUSE 700 ALL",
    ] {
        load.goes_on(100).await;
        load.cluster.redis.command(command).await;
        load.goes_on(100).await;
        load.catches_up().await;
    }
    load.cluster.expect_redis("up").await;
    load.nobody_was_closed();
    println!("{} acknowledged", load.settle().await);
}

/// The readers of the node that stays are shown everything; those of the other come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_may_die() {
    let mut load = Load::begin().await;
    for index in [1, 0, 1] {
        load.goes_on(300).await;
        load.cluster[index].kill().await;
        load.goes_on(200).await;
        load.cluster[index].start_again().await;
        load.goes_on(200).await;
        load.catches_up().await;
    }
    println!("{} acknowledged", load.settle().await);
}
