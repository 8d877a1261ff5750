//! SQL, and nothing else: one file per noun.
//!
//! Reads go through [`Store::reader`]. Messages, and every other write to SQLite, go through
//! the one writer's queue ([`writer`]), which commits whatever is queued in one transaction.
//! Nobody may await that queue while holding a connection of the readers' pool.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::config::DatabaseConfig;

mod error;
mod gather;
mod postgres;
mod shortened;
pub mod sql;
mod sqlite;

pub mod append;
pub mod context;
pub mod copy;
pub mod found;
pub mod joining;
mod kept;
pub mod members;
pub mod messages;
pub mod missed;
pub mod rooms;
pub mod search;
pub mod states;
pub mod tickets;
pub mod unread;
pub mod writer;

pub mod agents;
pub mod keys;
pub mod links;
pub mod sign_ins;
pub mod sites;
pub mod visitors;

pub use error::{OpenError, Result, StoreError};
use found::waiting::Waiting;
pub use sql::{Connection, Database, Pool};
use writer::Writer;

/// Whether the opener is the server, of which there may be one, or the command line beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// Takes the lock on the data folder.
    Server,
    /// Passes the lock: it reads and administers while the server runs.
    CommandLine,
    /// Takes the lock, and may find the part of a copy that was interrupted.
    Copy,
}

/// The database.
#[derive(Clone)]
pub struct Store {
    readers: Pool,
    joining: joining::Joining,
    writer: Writer,
    waiting: Waiting,
    epoch: Uuid,
    /// Of a data folder: held as long as the server runs.
    _lock: Option<Arc<std::fs::File>>,
}

impl Store {
    /// Opens the database that `config` names and migrates it. A data folder is made if it is missing.
    ///
    /// # Errors
    /// One of [`OpenError`], each a sentence that names the folder, file or address.
    pub async fn open(
        config: &DatabaseConfig,
        opener: Opener,
    ) -> std::result::Result<Self, OpenError> {
        let store = match config {
            DatabaseConfig::Sqlite(folder) => sqlite::open(folder, opener).await?,
            DatabaseConfig::Postgres(config) => postgres::open(config).await?,
        };
        if opener != Opener::Copy && store.is_part().await? {
            store.close().await;
            return Err(OpenError::Part(config.place()));
        }
        Ok(store)
    }

    /// Whether a copy into it was begun and not finished.
    async fn is_part(&self) -> std::result::Result<bool, OpenError> {
        let begun = sql::query("select one from copying")
            .fetch_optional(&self.readers)
            .await;
        match begun {
            Ok(row) => Ok(row.is_some()),
            Err(error) => Err(OpenError::Unreadable(error.to_string())),
        }
    }

    /// Which database it is.
    #[must_use]
    pub fn database(&self) -> Database {
        self.readers.database()
    }

    /// Connections for reading.
    #[must_use]
    pub fn reader(&self) -> &Pool {
        &self.readers
    }

    /// The epoch of this data: another one means that every cursor is void.
    #[must_use]
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Runs `work` in the writer's transaction and waits for the commit.
    ///
    /// # Errors
    /// What `work` returned (its own changes are undone then, and those of others stay), or
    /// [`StoreError::Unavailable`] if the transaction could not be committed.
    pub async fn write<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.write_and(work, |_| {}).await
    }

    /// As [`Store::write`]; `committed` sees the result after the commit, in the order of commits,
    /// also if nobody waits for the answer any more. It runs on the writer's task, so it must be quick.
    ///
    /// # Errors
    /// As [`Store::write`]; `committed` is not called then.
    pub async fn write_and<T, W, F>(&self, work: W, committed: F) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
        F: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let then = move |result: Result<T>| {
            if let Ok(value) = &result {
                committed(value);
            }
            drop(answer.send(result));
        };
        self.write_then(work, then).await?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has stopped".into())))
    }

    /// Queues `work`; `then` is called after the commit, on the writer's task and in the
    /// order of commits, so it must be quick.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the queue is full or closed; `then` is not called.
    pub async fn write_then<T, W, F>(&self, work: W, then: F) -> Result<()>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
        F: FnOnce(Result<T>) + Send + 'static,
    {
        self.writer.run(work, then).await
    }

    /// Puts messages into the next transaction and waits for the commit, but not for long.
    /// `committed` as in [`Store::write_and`].
    ///
    /// # Errors
    /// What is wrong with the messages; or [`StoreError::Unavailable`], and it is not known whether
    /// they are stored: the same may be tried again.
    pub async fn append<F>(&self, append: append::Append, committed: F) -> Result<append::Appended>
    where
        F: FnOnce(&append::Appended) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let waiting = self.waiting.clone();
        let then = move |result: Result<append::Appended>| {
            if let Ok(appended) = &result {
                waiting.add(appended);
                committed(appended);
            }
            // Nobody waits for it if the connection is gone; the messages are stored all the same.
            drop(answer.send(result));
        };
        let work = async {
            self.writer.append(append, Box::new(then)).await?;
            answered
                .await
                .unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has stopped".into())))
        };
        tokio::time::timeout(writer::PATIENCE, work)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("it took too long".into())))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn ping(&self) -> Result<()> {
        sql::query("select one from installation")
            .execute(&self.readers)
            .await?;
        Ok(())
    }

    /// Finishes what is queued and closes the files.
    pub async fn close(&self) {
        // The writer is the last of SQLite: only a connection that may write can fold the log into
        // the file. Of PostgreSQL it is the first, since it takes its connections from the pool.
        match &self.readers {
            Pool::Sqlite(readers) => {
                readers.close().await;
                self.writer.close().await;
            }
            Pool::Postgres(pool) => {
                self.writer.close().await;
                pool.close().await;
            }
        }
    }
}

async fn installation(connection: &mut Connection) -> sqlx::Result<Uuid> {
    sql::query("insert into installation (one, epoch, created_at) values (1, $1, $2) on conflict do nothing")
        .bind(Uuid::new_v4())
        .bind(crate::clock::now())
        .execute(&mut *connection)
        .await?;
    sql::query_scalar("select epoch from installation")
        .fetch_one(connection)
        .await
}
