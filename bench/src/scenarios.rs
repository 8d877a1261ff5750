//! What is done to a subject, one file each.

use std::time::Duration;

use crate::report::Report;
use crate::subject::Variant;

pub mod bare;
pub mod chat;
pub mod idle;
pub mod inbox;
pub mod room;
pub mod storm;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Each measurement lasts this long.
    pub time: Duration,
    /// How often everything is measured.
    pub repeats: usize,
    /// Requests for a page.
    pub requests: usize,
}

impl Scale {
    /// A look, or the whole.
    #[must_use]
    pub fn of(quick: bool) -> Self {
        if quick {
            Self {
                time: Duration::from_secs(4),
                repeats: 1,
                requests: 200,
            }
        } else {
            Self {
                time: Duration::from_secs(8),
                repeats: 3,
                requests: 500,
            }
        }
    }
}

/// A scenario, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Messages at two rates, and as many as can be.
    Chat,
    /// The same on one node and on two, with Redis.
    Nodes,
    /// Messages in ten times as many rooms.
    Rooms,
    /// 10,000 connections that do nothing.
    Idle,
    /// One room with 1,000 readers.
    Room,
    /// 2,000 connections dropped at once.
    Storm,
    /// The agents' first page, and search.
    Inbox,
}

/// Everything, in the order of the run.
pub const ALL: &[(&str, Scenario)] = &[
    ("chat", Scenario::Chat),
    ("nodes", Scenario::Nodes),
    ("rooms", Scenario::Rooms),
    ("idle", Scenario::Idle),
    ("room", Scenario::Room),
    ("storm", Scenario::Storm),
    ("inbox", Scenario::Inbox),
];

impl Scenario {
    /// What it is done to.
    #[must_use]
    pub fn variants(self) -> &'static [Variant] {
        use Variant::*;
        match self {
            Self::Chat => &[
                Postgres,
                Peer,
                PeerSets,
                Sqlite,
                Floor,
                BarePostgres,
                WholePostgres,
                BareSqlite,
                WholeSqlite,
            ],
            Self::Nodes => &[Nodes(1), Nodes(2), PeerNodes(2)],
            Self::Rooms => &[Postgres, Peer],
            Self::Idle => &[Postgres, Peer, Sqlite, Floor, Nodes(1), Nodes(2)],
            Self::Room => &[Postgres, Peer, Floor, Nodes(1), Nodes(2)],
            Self::Storm => &[Postgres, Peer, Sqlite, Nodes(1), Nodes(2)],
            Self::Inbox => &[Postgres, Sqlite],
        }
    }

    /// Does it once.
    ///
    /// # Errors
    /// What must never be: a message that was lost, doubled or swapped, a connection refused.
    pub async fn run(
        self,
        variant: Variant,
        scale: Scale,
        report: &mut Report,
    ) -> Result<(), String> {
        match (self, variant) {
            (
                Self::Chat,
                Variant::BarePostgres
                | Variant::WholePostgres
                | Variant::BareSqlite
                | Variant::WholeSqlite,
            ) => bare::run(variant, scale, report).await,
            (Self::Chat | Self::Nodes, _) => chat::run(variant, scale, report).await,
            (Self::Rooms, _) => chat::many(variant, scale, report).await,
            (Self::Idle, _) => idle::run(variant, report).await,
            (Self::Room, _) => room::run(variant, scale, report).await,
            (Self::Storm, _) => storm::run(variant, report).await,
            (Self::Inbox, _) => inbox::run(variant, scale, report).await,
        }
    }
}
