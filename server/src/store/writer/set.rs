//! A set: what was queued together, written in one transaction, and those told who wait for it.

use super::{Job, Source, Then, Work};
use crate::store::append::{self, Append, Appended, Kept, Scope};
use crate::store::postgres::Lent;
use crate::store::{Connection, Result, StoreError};

/// What was queued together: the messages first, and then everything else. Of those who wait for it, nobody
/// knows yet which came first.
#[derive(Default)]
pub(super) struct Set {
    appends: Vec<Append>,
    thens: Vec<Then<Appended>>,
    results: Vec<Result<Appended>>,
    runs: Vec<Box<dyn Work>>,
    /// Why nothing of it was written.
    error: Option<StoreError>,
}

impl Set {
    pub(super) fn of(jobs: Vec<Job>) -> Self {
        let mut set = Self::default();
        for job in jobs {
            match job {
                Job::Append(append, then, _) => {
                    set.appends.push(append);
                    set.thens.push(then);
                }
                Job::Run(work) => set.runs.push(work),
                Job::Close(done) => drop(done),
            }
        }
        set
    }

    /// Writes it.
    pub(super) async fn write(&mut self, source: &mut Source, kept: &mut Kept) {
        if self.appends.is_empty() && self.runs.is_empty() {
            return;
        }
        match source {
            Source::Own(connection) => {
                self.error = self.transaction(connection, kept).await.err();
                if self.error.is_some() {
                    // A failed commit may leave the transaction open.
                    let _ = connection.control("rollback").await;
                }
            }
            Source::Pool(lent) => {
                let appends: Vec<&Append> = self.appends.iter().collect();
                self.results = postgres_set(lent, kept, &appends).await;
            }
        }
    }

    /// Tells those who wait for it.
    pub(super) fn tell(mut self) {
        if let Some(error) = self.error {
            tracing::error!(%error, "a transaction failed; nothing of it was acknowledged");
            // The client may send again: nothing was stored.
            let error = StoreError::Unavailable(error.to_string().into());
            self.results = self.thens.iter().map(|_| Err(error.clone())).collect();
            for run in &mut self.runs {
                run.fail(error.clone());
            }
        }
        for (then, result) in self.thens.into_iter().zip(self.results) {
            then(result);
        }
        for run in self.runs {
            run.finish();
        }
    }

    async fn transaction(&mut self, connection: &mut Connection, kept: &mut Kept) -> Result<()> {
        let appends: Vec<&Append> = self.appends.iter().collect();
        // Two in one text: each text costs a turn of the connection's thread.
        let mut before = "begin immediate; savepoint run";
        // Messages are outside of any savepoint, for which every page that is changed would be copied.
        if !appends.is_empty() {
            let scope = if self.runs.is_empty() {
                Scope::Whole
            } else {
                Scope::Beginning
            };
            if let Some(results) = at_once(connection, kept, &appends, scope).await? {
                self.results = results;
                if scope == Scope::Whole {
                    return Ok(());
                }
            } else {
                // If it failed before it began, there is nothing to undo.
                let _ = connection.control("rollback").await;
                connection.control("begin immediate").await?;
                self.results = held(connection, kept, &appends).await?;
            }
            before = "savepoint run";
        }
        for run in &mut self.runs {
            connection.control(before).await?;
            if run.run(connection).await.is_err() {
                connection.control("rollback to run").await?;
            }
            before = "release run; savepoint run";
        }
        connection.control("commit").await?;
        Ok(())
    }
}

/// By what is kept; nothing if that is not possible for all together.
async fn at_once(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
    scope: Scope,
) -> Result<Option<Vec<Result<Appended>>>> {
    match append::append_at_once(connection, kept, appends, scope).await {
        Err(error) if !matches!(error, StoreError::Unavailable(_)) => {
            tracing::warn!(%error, count = appends.len(), "a set of messages failed");
            Ok(None)
        }
        results => results,
    }
}

/// A set in one transaction; if that is not possible for all of them, each in its own.
async fn postgres_set(
    lent: &mut Lent,
    kept: &mut Kept,
    appends: &[&Append],
) -> Vec<Result<Appended>> {
    let error = match lent.append(kept, appends).await {
        Ok(results) => return results,
        Err(error) => error,
    };
    tracing::warn!(%error, count = appends.len(), "a set of messages failed");
    if matches!(error, StoreError::Unavailable(_)) {
        return appends.iter().map(|_| Err(error.clone())).collect();
    }
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        let one = lent.append(kept, &[*append]).await;
        let none = || StoreError::Failed("an append had no result".into());
        results.push(one.and_then(|mut all| all.pop().unwrap_or_else(|| Err(none()))));
    }
    results
}

/// By reading; if that is not possible for all together, each on its own.
async fn held(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
) -> Result<Vec<Result<Appended>>> {
    let count = appends.len();
    match append::append(connection, kept, appends).await {
        Ok(results) => return Ok(results),
        Err(error) => {
            tracing::warn!(%error, count, "a set of messages failed; trying them one by one");
        }
    }
    connection.control("rollback; begin immediate").await?;
    one_by_one(connection, kept, appends).await
}

async fn one_by_one(
    connection: &mut Connection,
    kept: &mut Kept,
    appends: &[&Append],
) -> Result<Vec<Result<Appended>>> {
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        connection.control("savepoint one").await?;
        let result = append::append(connection, kept, &[append])
            .await
            .map(|mut all| all.pop());
        let result = match result {
            Ok(Some(result)) => result,
            Ok(None) => Err(StoreError::Failed("an append had no result".into())),
            Err(error) => {
                connection.control("rollback to one").await?;
                Err(error)
            }
        };
        connection.control("release one").await?;
        results.push(result);
    }
    Ok(results)
}
