//! The table: what stands in it, and the goals.

use crate::subject::Variant;

/// What a goal asks of a ratio, or of a value where nothing is compared.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// Not below it.
    AtLeast(f64),
    /// Not above it.
    AtMost(f64),
}

impl Bound {
    /// Whether a value keeps it.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    /// As the table shows it.
    #[must_use]
    pub fn show(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
        }
    }
}

/// A line.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it says.
    pub figure: &'static str,
    /// In what.
    pub unit: &'static str,
    /// The name of the samples.
    pub metric: &'static str,
    /// Whose samples are Parlour's.
    pub parlour: Variant,
    /// Whose are the peer's.
    pub peer: Option<Variant>,
    /// Whose are the floor's.
    pub floor: Option<Variant>,
    /// Whose the ratio is to.
    pub against: Option<Variant>,
    /// The goal of the ratio, or of Parlour's value where there is none.
    pub goal: Option<Bound>,
}

const fn row(
    figure: &'static str,
    unit: &'static str,
    metric: &'static str,
    parlour: Variant,
) -> Row {
    Row {
        figure,
        unit,
        metric,
        parlour,
        peer: None,
        floor: None,
        against: None,
        goal: None,
    }
}

impl Row {
    const fn peer(mut self, variant: Variant) -> Self {
        self.peer = Some(variant);
        self.against = Some(variant);
        self
    }

    const fn floor(mut self, variant: Variant) -> Self {
        self.floor = Some(variant);
        self
    }

    const fn against(mut self, variant: Variant) -> Self {
        self.against = Some(variant);
        self
    }

    const fn at_least(mut self, bound: f64) -> Self {
        self.goal = Some(Bound::AtLeast(bound));
        self
    }

    const fn at_most(mut self, bound: f64) -> Self {
        self.goal = Some(Bound::AtMost(bound));
        self
    }
}

use Variant::{
    BarePostgres, BareSqlite, Floor, Nodes, Peer, PeerNodes, PeerSets, Postgres, Sqlite,
    WholePostgres, WholeSqlite,
};

const RATE: &str = "messages/s";
const CPU: &str = "CPU s / 1,000";
const MS: &str = "ms";

/// All lines, in the order of the table. What was not measured is left out.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("stored and acknowledged, PostgreSQL", RATE, "stored", Postgres).peer(Peer).floor(Floor).at_least(2.5),
    row("  against the peer with inserts of many rows", RATE, "stored", Postgres).peer(PeerSets).at_least(1.5),
    row("  against the bare insert of sets", RATE, "stored", Postgres).floor(BarePostgres).against(BarePostgres).at_least(0.5),
    row("  against all that sets leave in the tables", RATE, "stored", Postgres).floor(WholePostgres).against(WholePostgres).at_least(0.5),
    row("  one by one", RATE, "stored one by one", Postgres).peer(Peer).floor(Floor).at_least(2.5),
    row("  one by one, against inserts of many rows", RATE, "stored one by one", Postgres).peer(PeerSets).at_least(1.5),
    row("stored and acknowledged, SQLite", RATE, "stored", Sqlite).peer(Peer).floor(Floor).at_least(2.5),
    row("  against the bare insert of sets", RATE, "stored", Sqlite).floor(BareSqlite).against(BareSqlite).at_least(0.5),
    row("  against all that sets leave in the tables", RATE, "stored", Sqlite).floor(WholeSqlite).against(WholeSqlite).at_least(0.5),
    row("  one by one", RATE, "stored one by one", Sqlite).peer(Peer).floor(Floor).at_least(2.5),

    row("CPU, server and PostgreSQL, at 500/s", CPU, "service CPU at 500/s", Postgres).peer(Peer).floor(Floor).at_most(0.4),
    row("CPU, server and PostgreSQL, at 2,000/s", CPU, "service CPU at 2000/s", Postgres).peer(Peer).floor(Floor).at_most(0.4),
    row("CPU, server and PostgreSQL, saturated", CPU, "service CPU one by one", Postgres).peer(Peer).floor(Floor).at_most(0.333),
    row("  against the peer with inserts of many rows", CPU, "service CPU one by one", Postgres).peer(PeerSets),
    row("CPU, server and PostgreSQL, in bursts", CPU, "service CPU in bursts", Postgres).peer(Peer).floor(Floor).at_most(0.333),
    row("  against the peer with inserts of many rows", CPU, "service CPU in bursts", Postgres).peer(PeerSets),
    row("CPU of the server alone, at 500/s", CPU, "server CPU at 500/s", Postgres).peer(Peer).floor(Floor),
    row("  against the floor", CPU, "server CPU at 500/s", Postgres).floor(Floor).against(Floor).at_most(3.0),
    row("CPU of the server alone, at 2,000/s", CPU, "server CPU at 2000/s", Postgres).peer(Peer).floor(Floor),
    row("  against the floor", CPU, "server CPU at 2000/s", Postgres).floor(Floor).against(Floor).at_most(3.0),
    row("CPU of the server alone, saturated", CPU, "server CPU one by one", Postgres).peer(Peer).floor(Floor),
    row("  against the floor", CPU, "server CPU one by one", Postgres).floor(Floor).against(Floor),
    row("CPU of PostgreSQL alone, saturated", CPU, "database CPU one by one", Postgres).peer(Peer),
    row("CPU of the server with SQLite, saturated", CPU, "server CPU one by one", Sqlite).peer(Peer).floor(Floor),

    row("acknowledged, p50 at 500/s", MS, "ack p50 at 500/s", Postgres).peer(Peer).floor(Floor),
    row("acknowledged, p95 at 500/s", MS, "ack p95 at 500/s", Postgres).peer(Peer).floor(Floor),
    row("acknowledged, p99 at 500/s", MS, "ack p99 at 500/s", Postgres).peer(Peer).floor(Floor).at_most(0.8),
    row("acknowledged, p50 at 2,000/s", MS, "ack p50 at 2000/s", Postgres).peer(Peer).floor(Floor),
    row("acknowledged, p95 at 2,000/s", MS, "ack p95 at 2000/s", Postgres).peer(Peer).floor(Floor),
    row("acknowledged, p99 at 2,000/s", MS, "ack p99 at 2000/s", Postgres).peer(Peer).floor(Floor).at_most(0.5),
    row("  against the peer with inserts of many rows", MS, "ack p99 at 2000/s", Postgres).peer(PeerSets),
    row("acknowledged with SQLite, p99 at 500/s", MS, "ack p99 at 500/s", Sqlite).peer(Peer).floor(Floor),
    row("acknowledged with SQLite, p99 at 2,000/s", MS, "ack p99 at 2000/s", Sqlite).peer(Peer).floor(Floor),
    row("delivered, p50 at 500/s", MS, "delivery p50 at 500/s", Postgres).peer(Peer).floor(Floor),
    row("delivered, p95 at 500/s", MS, "delivery p95 at 500/s", Postgres).peer(Peer).floor(Floor),
    row("delivered, p99 at 500/s", MS, "delivery p99 at 500/s", Postgres).peer(Peer).floor(Floor),
    row("delivered, p50 at 2,000/s", MS, "delivery p50 at 2000/s", Postgres).peer(Peer).floor(Floor),
    row("delivered, p95 at 2,000/s", MS, "delivery p95 at 2000/s", Postgres).peer(Peer).floor(Floor),
    row("delivered, p99 at 2,000/s", MS, "delivery p99 at 2000/s", Postgres).peer(Peer).floor(Floor),

    row("memory without connections", "MiB", "memory with 0", Postgres).peer(Peer).floor(Floor).against(Peer),
    row("  Parlour's own bound", "MiB", "memory with 0", Postgres).at_most(25.0),
    row("memory without connections, SQLite", "MiB", "memory with 0", Sqlite).at_most(25.0),
    row("memory with 1,000 idle", "MiB", "memory with 1000", Postgres).peer(Peer).floor(Floor),
    row("memory with 5,000 idle", "MiB", "memory with 5000", Postgres).peer(Peer).floor(Floor),
    row("memory with 10,000 idle", "MiB", "memory with 10000", Postgres).peer(Peer).floor(Floor).at_most(0.55),
    row("memory with 10,000 idle, SQLite", "MiB", "memory with 10000", Sqlite).peer(Peer).floor(Floor).at_most(0.55),
    row("  above the base, per connection", "KiB", "memory per connection", Postgres).peer(Peer).floor(Floor),
    row("  Parlour's own bound", "KiB", "memory per connection", Postgres).at_most(10.0),
    row("accepted and joined, PostgreSQL", "per s", "joined", Postgres).peer(Peer).floor(Floor).at_least(4.0),
    row("accepted and joined, SQLite", "per s", "joined", Sqlite).peer(Peer).floor(Floor).at_least(4.0),
    row("CPU to join, server and PostgreSQL", CPU, "CPU to join", Postgres).peer(Peer).floor(Floor),

    row("one room of 1,000", "deliveries/s", "room", Postgres).peer(Peer).floor(Floor).at_least(2.0),
    row("  against the floor", "deliveries/s", "room", Postgres).floor(Floor).against(Floor).at_least(0.75),
    row("CPU of the server per delivery", "µs", "room CPU", Postgres).peer(Peer).floor(Floor).at_most(0.5),

    row("2,000 dropped, until all are caught up", "s", "storm", Postgres).peer(Peer).at_most(0.4),
    row("  CPU, server and PostgreSQL", "s", "storm CPU", Postgres).peer(Peer).at_most(0.25),
    row("2,000 dropped, with SQLite", "s", "storm", Sqlite).peer(Peer),

    row("two nodes, stored and acknowledged", RATE, "stored", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", RATE, "stored", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("  one by one", RATE, "stored one by one", Nodes(2)).peer(PeerNodes(2)),
    row("  one by one, against one node", RATE, "stored one by one", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes, messages per CPU second", "messages", "per CPU second one by one", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", "messages", "per CPU second one by one", Nodes(2)).floor(Nodes(1)).against(Nodes(1)).at_least(0.75),
    row("  in bursts, against one node", "messages", "per CPU second in bursts", Nodes(2)).floor(Nodes(1)).against(Nodes(1)).at_least(0.75),
    row("two nodes, CPU at 500/s, all together", CPU, "service CPU at 500/s", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", CPU, "service CPU at 500/s", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes, CPU at 2,000/s, all together", CPU, "service CPU at 2000/s", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", CPU, "service CPU at 2000/s", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes, acknowledged, p99 at 2,000/s", MS, "ack p99 at 2000/s", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", MS, "ack p99 at 2000/s", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes, delivered, p99 at 2,000/s", MS, "delivery p99 at 2000/s", Nodes(2)).peer(PeerNodes(2)),
    row("  against one node", MS, "delivery p99 at 2000/s", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes for one, memory with 10,000 idle", "MiB", "memory with 10000", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes for one, CPU to join", CPU, "CPU to join", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes for one, one room of 1,000", "deliveries/s", "room", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),
    row("two nodes for one, 2,000 dropped", "s", "storm", Nodes(2)).floor(Nodes(1)).against(Nodes(1)),

    row("ten times the rooms, CPU at 2,000/s", CPU, "service CPU over many rooms", Postgres).peer(Peer),
    row("  of the server alone", CPU, "server CPU over many rooms", Postgres).peer(Peer),
    row("ten times the rooms, acknowledged, p99", MS, "ack p99 over many rooms", Postgres).peer(Peer),

    row("inbox, first page, p50, PostgreSQL", MS, "page p50", Postgres),
    row("inbox, first page, p99, PostgreSQL", MS, "page p99", Postgres).at_most(20.0),
    row("inbox, first page, p50, SQLite", MS, "page p50", Sqlite),
    row("inbox, first page, p99, SQLite", MS, "page p99", Sqlite).at_most(20.0),
    row("search, p50, PostgreSQL", MS, "search p50", Postgres),
    row("search, p99, PostgreSQL", MS, "search p99", Postgres).at_most(30.0),
    row("search, p50, SQLite", MS, "search p50", Sqlite),
    row("search, p99, SQLite", MS, "search p99", Sqlite).at_most(30.0),
];
