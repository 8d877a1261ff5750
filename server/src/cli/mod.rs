//! The commands of the binary.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::bus::Bus;
use crate::config::{Config, ConfigError, Flags};
use crate::error::Error;
use crate::identity::Identity;
use crate::store::{OpenError, Opener, Store, StoreError};

mod address;
mod agent;
mod copy;
mod index;
mod log;
mod migrate;
mod process;
mod serve;
mod setup_link;
mod site;
mod supervisor;

/// Customer-support chat that you host as one binary.
#[derive(Debug, Parser)]
#[command(
    name = "parlour",
    version,
    about,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the widget and the dashboard until told to stop
    Serve,
    /// Create the database, or bring it up to this version, and end
    Migrate,
    /// Move an installation from SQLite to PostgreSQL, or back
    Copy(copy::Ends),
    /// Make the index of search anew from all that is stored; stop the server first
    Index,
    /// Print a new one-time link that creates the owner; older ones become void
    SetupLink,
    /// List, add and show sites
    Site(Nested<site::Command>),
    /// List, invite, disable and enable agents, and make links that reset their passwords
    Agent(Nested<agent::Command>),
}

#[derive(Debug, Args)]
struct Nested<T: Subcommand> {
    #[command(subcommand)]
    command: T,
}

/// Why a command failed; one sentence.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}")]
    Refused(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(match error {
            // On the command line the detail is for whoever reads it.
            Error::Unavailable(detail) | Error::Internal(detail) => {
                format!("the database cannot do this now: {detail}")
            }
            Error::Forbidden => {
                "this cannot be done to the owner, or to give somebody that role".into()
            }
            other => other.to_string(),
        })
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

/// Reads the command line and runs one command. A failure is one sentence on the error output.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("parlour: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = Config::load(&cli.flags)?;
    log::start(&config.log);
    process::prepare();
    // Before there are threads: it takes what it reads out of the environment.
    let inherited = listenfd::ListenFd::from_env();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::Refused(format!("the system gives no threads: {error}")))?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::run(config, inherited).await,
            Command::Migrate => migrate::run(config).await,
            Command::Copy(ends) => copy::run(config, ends).await,
            Command::Index => index::run(config).await,
            Command::SetupLink => setup_link::run(config).await,
            Command::Site(Nested { command }) => site::run(config, command).await,
            Command::Agent(Nested { command }) => agent::run(config, command).await,
        }
    })
}

/// Prints; whoever reads may stop at the first line that she wanted.
fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// The data, opened beside a server that may be running.
struct Desk {
    config: Config,
    store: Store,
    identity: Identity,
}

impl Desk {
    async fn open(config: Config) -> Result<Self, Failure> {
        let address = address::read(&config.data);
        let config = config.with_address_of_server(address);
        let store = Store::open(&config.database, Opener::CommandLine).await?;
        // Nobody listens here; the server sees what was changed within seconds.
        let bus = Bus::Local(std::sync::Arc::default());
        let identity = Identity::start(store.clone(), bus, &config).await?;
        Ok(Self {
            config,
            store,
            identity,
        })
    }

    async fn close(self) {
        self.store.close().await;
    }
}

/// Microseconds since 1970 as a date and time in UTC, for tables.
fn moment(at: crate::clock::Micros) -> String {
    let seconds = at.div_euclid(crate::clock::SECOND);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        rest / 3_600,
        rest / 60 % 60
    )
}

/// Days since 1970 as a date of the Gregorian calendar, by the years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        era * 400 + year_of_era + i64::from(month <= 2),
        month,
        day_of_year - (153 * shifted + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn moments_are_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_764_000_000, "2025-11-24 16:00 UTC"),
            (-60, "1969-12-31 23:59 UTC"),
        ] {
            assert_eq!(moment(seconds * crate::clock::SECOND), expected);
        }
    }
}
