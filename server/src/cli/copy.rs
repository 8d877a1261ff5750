//! `parlour copy`: an installation moves to a database of the other kind.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::{Failure, say};
use crate::clock;
use crate::config::{Config, DatabaseConfig, PostgresConfig, SecretUrl};
use crate::store::copy::{Copy, TABLES};
use crate::store::{Opener, Store};

/// Connections to PostgreSQL: it copies one set of rows at a time.
const CONNECTIONS: u32 = 2;
/// How often the progress is told.
const TELL: Duration = Duration::from_millis(500);
/// What an end must look like.
const EXPECTED: &str = "sqlite: and a data folder, or postgres://user:password@host/name";

#[derive(Debug, Args)]
pub(super) struct Ends {
    /// Where it is: sqlite:FOLDER or postgres://… [default: the data folder]
    #[arg(long, value_name = "DATABASE", value_parser = end)]
    from: Option<DatabaseConfig>,
    /// Where it goes; an address on the command line can be read by others on the machine
    /// [default: DATABASE_URL]
    #[arg(long, value_name = "DATABASE", value_parser = end)]
    to: Option<DatabaseConfig>,
}

fn end(text: &str) -> Result<DatabaseConfig, &'static str> {
    if let Some(folder) = text
        .strip_prefix("sqlite:")
        .filter(|folder| !folder.is_empty())
    {
        return Ok(DatabaseConfig::Sqlite(PathBuf::from(folder)));
    }
    let url = SecretUrl::parse(text, &["postgres", "postgresql"]).ok_or(EXPECTED)?;
    Ok(DatabaseConfig::Postgres(PostgresConfig {
        url,
        connections: CONNECTIONS,
    }))
}

pub(super) async fn run(config: Config, ends: Ends) -> Result<(), Failure> {
    let from = ends.from.unwrap_or(DatabaseConfig::Sqlite(config.data));
    let to = match (ends.to, config.database) {
        (Some(to), _) | (None, to @ DatabaseConfig::Postgres(_)) => to,
        (None, DatabaseConfig::Sqlite(_)) => {
            return Err(Failure::Refused(
                "where to? Set DATABASE_URL, or give --to".into(),
            ));
        }
    };
    if let DatabaseConfig::Sqlite(folder) = &from
        && !folder.join("parlour.db").is_file()
    {
        let place = from.place();
        return Err(Failure::Refused(format!(
            "there is no installation in {place}"
        )));
    }
    // The lock on a data folder keeps a server off it meanwhile.
    let source = Store::open(&from, Opener::Server).await?;
    let target = match Store::open(&to, Opener::Copy).await {
        Ok(target) => target,
        Err(error) => {
            source.close().await;
            return Err(error.into());
        }
    };
    let result = copy(source.clone(), target.clone()).await;
    source.close().await;
    target.close().await;
    say(&format!(
        "{}Everything in {} is in {} too. Start Parlour with that from now on.\n",
        result?,
        from.place(),
        to.place()
    ));
    Ok(())
}

async fn copy(source: Store, target: Store) -> Result<String, Failure> {
    let copy = Copy::begin(source, target).await?;
    for table in TABLES {
        let all = copy.count(table).await?;
        let mut told = clock::instant();
        copy.table(table, |rows| tell(&mut told, table, rows, all))
            .await?;
    }
    let mut report = String::new();
    for table in TABLES {
        let (from, to) = copy.fingerprints(table).await?;
        if from != to {
            return Err(Failure::Refused(format!(
                "{table} differs ({} rows and {} rows): something wrote meanwhile; stop it, and run this again",
                from.rows, to.rows
            )));
        }
        let start: String = from.hash[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        report.push_str(&format!(
            "{table:<14}{:>12} rows, SHA-256 {start}…\n",
            from.rows
        ));
    }
    copy.finish().await?;
    Ok(report)
}

/// On a terminal a line that is written over, elsewhere one when a table is there.
fn tell(told: &mut Instant, table: &str, rows: u64, all: u64) {
    let mut output = std::io::stderr();
    if rows < all && (!output.is_terminal() || told.elapsed() < TELL) {
        return;
    }
    *told = clock::instant();
    let end = if rows < all { '\r' } else { '\n' };
    // Whoever does not read on only misses the progress.
    let _ = write!(output, "{table}: {rows} of {all}{end}").and_then(|()| output.flush());
}
