//! Nodes under load: writers that keep account and readers that note what they are shown, so that
//! something can be taken from the nodes and everything be compared with everything afterwards.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlour_protocol::Id;
use parlour_protocol::limits::MAX_BATCH;

use crate::findings::Findings;
use crate::load::{self, Account, Writer};
use crate::node::Builder;
use crate::proxy::{Proxy, Target};
use crate::reader::Reader;
use crate::{Cluster, Office, Redis, Visitor, Wire};

/// How long all have to agree once a fault is over.
pub const CONVERGED: Duration = Duration::from_secs(10);

/// What a stage is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    nodes: usize,
    redis: bool,
    batch: usize,
    pause: Duration,
    fronts: bool,
    database_by: Option<SocketAddr>,
    redis_by: Option<Arc<Proxy>>,
    settings: Vec<(&'static str, String)>,
}

impl Plan {
    /// So many nodes, with or without a Redis, and a load that leaves the machine some rest.
    #[must_use]
    pub fn new(nodes: usize, redis: bool) -> Self {
        Self {
            nodes,
            redis,
            batch: 2,
            pause: Duration::from_millis(10),
            fronts: false,
            database_by: None,
            redis_by: None,
            settings: Vec::new(),
        }
    }

    /// Writers that do not rest.
    #[must_use]
    pub fn busy(mut self) -> Self {
        (self.batch, self.pause) = (MAX_BATCH, Duration::ZERO);
        self
    }

    /// Clients reach each node through a proxy.
    #[must_use]
    pub fn behind_proxies(mut self) -> Self {
        self.fronts = true;
        self
    }

    /// Nodes reach their PostgreSQL database by way of this address, where a proxy stands.
    #[must_use]
    pub fn database_by(mut self, address: SocketAddr) -> Self {
        self.database_by = Some(address);
        self
    }

    /// Nodes reach their Redis by way of this proxy.
    #[must_use]
    pub fn redis_by(mut self, proxy: &Arc<Proxy>) -> Self {
        self.redis_by = Some(Arc::clone(proxy));
        self
    }

    /// Sets a variable of every node.
    #[must_use]
    pub fn set(mut self, variable: &'static str, value: impl ToString) -> Self {
        self.settings.push((variable, value.to_string()));
        self
    }
}

/// Nodes under load.
///
/// There are two tickets: one visitor writes on the first and on the last node, the other on the
/// first alone, so that on another one nothing but Redis or the database tells of it. Each node
/// has two agents who read both.
pub struct Stage {
    /// The nodes.
    pub cluster: Cluster,
    /// Who works there.
    pub office: Office,
    /// The tickets.
    pub rooms: [Id; 2],
    /// Two for each ticket.
    pub writers: Vec<Writer>,
    /// Two at each node.
    pub readers: Vec<Reader>,
    /// Before each node, if the plan says so.
    pub fronts: Vec<Arc<Proxy>>,
    visitors: Vec<Visitor>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Settled {
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Those that were acknowledged again after they had been sent again.
    pub repeated: u64,
    /// Answers that told a writer to try again.
    pub refused: u64,
    /// How long one of them was waited for at most.
    pub longest_refusal: Duration,
    /// What must not be.
    pub findings: Findings,
}

impl Stage {
    /// Starts everything.
    pub async fn begin(mut plan: Plan) -> Self {
        let redis = if plan.redis {
            Some(Redis::start().await)
        } else {
            None
        };
        if let (Some(redis), Some(proxy)) = (&redis, plan.redis_by.take()) {
            proxy.aim(Target::Unix(redis.socket().into()));
            plan = plan.set("REDIS_URL", format!("redis://{}", proxy.address()));
        }
        let mut fronts = Vec::new();
        for _ in 0..if plan.fronts { plan.nodes } else { 0 } {
            fronts.push(Arc::new(Proxy::idle().await));
        }
        // One address for all, as behind a balancer.
        if let Some(first) = fronts.first() {
            let url = format!("http://{}", first.address());
            plan = plan.set("PARLOUR_PUBLIC_URL", url);
        }
        let (cluster, office) = start(&plan, redis, &fronts).await;
        let (mut rooms, mut writers, mut visitors) = (Vec::new(), Vec::new(), Vec::new());
        for other in [plan.nodes - 1, 0] {
            let visitor = Visitor::arrive(&cluster[0], &office.site).await;
            let other = visitor.tab_at(&cluster[other]).await;
            let room = visitor.open("first").await;
            for tab in [&visitor, &other] {
                let upgrade = tab.upgrade();
                writers.push(Writer::begin_in(room, upgrade, plan.batch, plan.pause));
            }
            other.close();
            visitor.close();
            visitors.push(visitor);
            rooms.push(room);
        }
        let rooms = [rooms[0], rooms[1]];
        let readers = (0..2 * plan.nodes).map(|number| {
            let agent = office.owner.at(&cluster[number % plan.nodes]);
            Reader::begin(&agent, &rooms)
        });
        Self {
            readers: readers.collect(),
            cluster,
            office,
            rooms,
            writers,
            fronts,
            visitors,
        }
    }

    /// Goes on until so many more are acknowledged.
    pub async fn goes_on(&self, more: u64) {
        let wanted = load::total(&self.writers) + more;
        load::reached(&self.writers, wanted, Duration::from_secs(20)).await;
    }

    /// Waits until every reader was shown everything that is acknowledged now; how long it took.
    pub async fn catches_up(&self) -> Duration {
        let begun = Instant::now();
        for (index, writer) in self.writers.iter().enumerate() {
            let newest = writer.account().acknowledged.values().copied().max();
            for reader in &self.readers {
                let room = self.rooms[index / 2];
                reader.reaches(room, newest.unwrap_or(0), CONVERGED).await;
            }
        }
        begun.elapsed()
    }

    /// Waits until every writer was acknowledged something new, and every reader was shown it;
    /// how long it took.
    ///
    /// # Panics
    /// If that does not come about.
    pub async fn recovers(&self) -> Duration {
        let begun = Instant::now();
        for writer in &self.writers {
            let mut count = writer.count();
            let before = *count.borrow();
            crate::within("a new acknowledgement", count.wait_for(|now| *now > before))
                .await
                .unwrap();
        }
        self.catches_up().await;
        begun.elapsed()
    }

    /// What the writers know of these is void: they were taken from the database.
    pub fn forget(&self, gone: &HashSet<Id>) {
        for writer in &self.writers {
            let mut account = writer.account();
            account.acknowledged.retain(|cid, _| !gone.contains(cid));
        }
    }

    /// Ends the load, and compares everything with everything.
    ///
    /// # Panics
    /// If it does not come to an end, a node is not well, or the database is not sound.
    pub async fn settle(&mut self) -> Settled {
        let mut settled = Settled::default();
        let mut accounts = [Account::default(), Account::default()];
        for (index, writer) in self.writers.drain(..).enumerate() {
            accounts[index / 2].merge(writer.finish().await.1);
        }
        for (index, account) in accounts.into_iter().enumerate() {
            settled.acknowledged += account.acknowledged.len() as u64;
            settled.repeated += account.repeated;
            settled.refused += account.refused;
            settled.longest_refusal = settled.longest_refusal.max(account.longest_refusal);
            settled.findings.merge(self.compare(index, account).await);
        }
        self.cluster.assert_well().await;
        load::check_database(self.cluster[0].data()).await;
        settled
    }

    async fn compare(&mut self, index: usize, mut account: Account) -> Findings {
        let room = self.rooms[index];
        let history = load::history(&mut self.office.owner.browser, room).await;
        if let Some(first) = history.first() {
            account.texts.insert(first.cid, "first".into());
        }
        let mut findings = Findings::of(room, &account, &history);
        for node in self.cluster.nodes() {
            let tab = self.visitors[index].tab_at(node).await;
            let mut wire = Wire::of(&tab).await;
            if load::history_by_socket(&mut wire, room).await != history {
                let text = format!("a fresh socket tells of another history of {room}");
                findings.disordered.push(text);
            }
            tab.close();
        }
        for reader in &self.readers {
            reader.reaches(room, history.len() as u64, CONVERGED).await;
            findings.compare(room, &reader.look(), &history);
        }
        findings
    }

    /// How many batches each writer has behind it.
    #[must_use]
    pub fn mark(&self) -> Vec<usize> {
        let writers = self.writers.iter();
        writers.map(|writer| writer.account().waits.len()).collect()
    }

    /// The 99th percentile of how long batches waited since then.
    #[must_use]
    pub fn p99_since(&self, mark: &[usize]) -> Duration {
        let waits = self.waits_since(mark);
        waits
            .get(waits.len() * 99 / 100)
            .copied()
            .unwrap_or_default()
    }

    /// How long a batch waited at most since then.
    #[must_use]
    pub fn longest_since(&self, mark: &[usize]) -> Duration {
        self.waits_since(mark).pop().unwrap_or_default()
    }

    /// The shortest first.
    fn waits_since(&self, mark: &[usize]) -> Vec<Duration> {
        let writers = self.writers.iter().zip(mark);
        let since = |(writer, from): (&Writer, &usize)| writer.account().waits[*from..].to_vec();
        let mut waits: Vec<Duration> = writers.flat_map(since).collect();
        waits.sort_unstable();
        waits
    }

    /// No reader had to come back or to start over: what went wrong was made good for it.
    ///
    /// # Panics
    /// If one had to.
    pub fn nobody_was_closed(&self) {
        for reader in &self.readers {
            assert_eq!(reader.seen().closes, Vec::<u16>::new());
        }
    }
}

async fn start(plan: &Plan, redis: Option<Redis>, fronts: &[Arc<Proxy>]) -> (Cluster, Office) {
    let settings = |index: usize, builder| {
        let front = fronts.get(index).cloned();
        let builder = front.into_iter().fold(builder, Builder::behind);
        let builder = plan
            .database_by
            .into_iter()
            .fold(builder, Builder::database_by);
        let settings = plan.settings.iter();
        settings.fold(builder, |builder, (name, value)| builder.set(name, value))
    };
    Cluster::over(redis, plan.nodes, settings).await
}
