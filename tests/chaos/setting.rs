//! The databases and buses that a fault is tried on.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use parlour_tests::stage::Plan;

/// Where a node keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// What a fault is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) database: Database,
    pub(crate) redis: bool,
    pub(crate) quick: bool,
}

/// How long everything may take; what is not run by then has not held.
pub(crate) fn budget(quick: bool) -> Duration {
    Duration::from_secs(60 * if quick { 10 } else { 90 })
}

impl Setting {
    /// All of them; of a quick run the two that differ most.
    pub(crate) fn all(quick: bool) -> impl Iterator<Item = Self> {
        let databases = [Database::Sqlite, Database::Postgres];
        let all = databases.into_iter().flat_map(move |database| {
            [false, true].map(|redis| Self {
                database,
                redis,
                quick,
            })
        });
        all.filter(|setting| !setting.quick || setting.is_postgres() == setting.redis)
    }

    /// Several nodes need PostgreSQL, and Redis to tell one another what is new.
    pub(crate) fn nodes(&self) -> usize {
        if self.is_postgres() && self.redis {
            2
        } else {
            1
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.database == Database::Postgres
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::new(self.nodes(), self.redis)
    }

    /// One number for a whole run, another for a quick one.
    pub(crate) fn rounds(&self, whole: u32, quick: u32) -> u32 {
        if self.quick { quick } else { whole }
    }

    /// How long one fault may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(if self.quick { 90 } else { 600 })
    }

    pub(crate) fn database(&self) -> &'static str {
        match self.database {
            Database::Sqlite => "SQLite",
            Database::Postgres => "PostgreSQL",
        }
    }

    pub(crate) fn bus(&self) -> &'static str {
        if self.redis { "Redis" } else { "local" }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extent = if self.quick { "quick" } else { "whole" };
        write!(f, "{}-{}-{extent}", self.database(), self.bus())
    }
}

impl FromStr for Setting {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = Self::all(false).chain(Self::all(true));
        all.into_iter()
            .find(|setting| setting.to_string() == text)
            .ok_or(())
    }
}
