//! Why the database did not do what was asked.

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

/// Why the store could not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or not for this caller.
    #[error("not found")]
    NotFound,
    /// A rule of the schema was broken; the name of what already exists.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// A message's id was used for another message.
    #[error("the id {0} was used for another message")]
    Conflict(Uuid),
    /// Another agent has answered above what the author of this message had seen.
    #[error("another agent has answered before the message {0}")]
    Unseen(Uuid),
    /// The row is not in a state that allows this.
    #[error("{0}")]
    Refused(&'static str),
    /// The queue of the writer is full, the database is locked, the disk is full, or it shuts down.
    #[error("the database cannot do this now: {0}")]
    Unavailable(Arc<str>),
    /// Anything else that the database reports.
    #[error("the database failed: {0}")]
    Failed(Arc<str>),
}

/// What store functions return.
pub type Result<T> = std::result::Result<T, StoreError>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(database) => from_database(database.as_ref()),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_) => Self::Unavailable(error.to_string().into()),
            _ => Self::Failed(error.to_string().into()),
        }
    }
}

/// Constraints and what they keep apart: SQLite names the columns, PostgreSQL the constraint.
const UNIQUE: [(&str, &str, &str); 5] = [
    (
        "agents.email_key",
        "agents_email_key_key",
        "an agent with this e-mail address",
    ),
    ("agents_one_owner", "agents_one_owner", "an owner"),
    ("agents.role", "agents_one_owner", "an owner"),
    ("sites.key", "sites_key_key", "a site with this key"),
    ("origins", "origins_pkey", "this origin"),
];

/// Turns the databases' codes and the schema's constraint names into domain errors.
fn from_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let message = error.message();
    if error.is_unique_violation() {
        let noun = UNIQUE.iter().find(|(columns, constraint, _)| {
            error.constraint() == Some(constraint) || message.contains(columns)
        });
        return StoreError::Exists(noun.map_or("this row", |(_, _, noun)| noun));
    }
    let code = error.code().unwrap_or_default();
    if passes(&code) {
        return StoreError::Unavailable(message.into());
    }
    StoreError::Failed(message.into())
}

/// Whether the same may succeed later.
fn passes(code: &str) -> bool {
    match code.parse::<i32>() {
        // SQLite's extended codes carry the primary one in their low byte: busy, locked, I/O error,
        // full, cannot open.
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 14),
        // PostgreSQL's classes: connection, transaction rolled back, resources, lock not available
        // and cancelled, shut down; and a transaction that was read-only after a fail-over.
        _ => {
            ["08", "40", "53", "57"].contains(&code.get(..2).unwrap_or_default())
                || ["55P03", "25P03", "25006"].contains(&code)
        }
    }
}

/// Why the database could not be opened; each is one sentence for the owner.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or written.
    #[error("cannot write to the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another server uses the data.
    #[error("another Parlour server is using the data folder {}; stop it first, or choose another folder with PARLOUR_DATA", .0.display())]
    InUse(PathBuf),
    /// The file was written by a newer version.
    #[error(
        "the database {at} was written by a newer version of Parlour (it has migration {version}, which this version does not know)"
    )]
    Newer {
        /// Where it is.
        at: String,
        /// The migration that is not known.
        version: i64,
    },
    /// PostgreSQL cannot be used as it was configured.
    #[error("cannot use the database of DATABASE_URL ({at}): {reason}")]
    Postgres {
        /// Where it is, without the password.
        at: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is not a database, or damaged.
    #[error("the database {} is damaged or is not a Parlour database: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// A copy into it was interrupted.
    #[error("the copy into {0} is not finished; run `parlour copy` again")]
    Part(String),
    /// It was opened, and cannot be read.
    #[error("the database cannot be read: {0}")]
    Unreadable(String),
}
