//! Moves an installation to a database of the other kind, row for row.
//!
//! Both databases render a row as the same JSON array, in the order of its primary key. A set of
//! rows is compared with what stands at the other side in the same range of keys and written only
//! where that differs, so an interrupted copy goes on where it was, and a second one finds what
//! has changed since. The same rendering is what [`Copy::fingerprint`] hashes.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::sql::{self, Connection, Database, Pool};

use super::{Result, Store, StoreError};

mod table;

use table::{Line, Table};

/// Rows that are compared, and written in one transaction.
const SET: usize = 500;
const SAME: &str =
    "a copy goes from SQLite to PostgreSQL or back; for the same kind, use its own tools";

/// Every table, those that others refer to first. The index of search is made anew instead.
pub const TABLES: [&str; 13] = [
    "installation",
    "signing_keys",
    "sites",
    "origins",
    "agents",
    "sign_ins",
    "links",
    "visitors",
    "rooms",
    "tickets",
    "members",
    "messages",
    "jobs",
];

/// A table's rows, counted and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many there are.
    pub rows: u64,
    /// SHA-256 of all of them in the order of their keys.
    pub hash: [u8; 32],
}

/// A copy between two databases of different kinds.
pub struct Copy {
    from: Store,
    to: Store,
    tables: Vec<Table>,
}

impl Copy {
    /// Looks at both sides and marks the second as unfinished, so that no server starts on it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if both are of one kind, or the second holds anything but an earlier
    /// part of the same copy.
    pub async fn begin(from: Store, to: Store) -> Result<Self> {
        let (sqlite, postgres) = match (from.database(), to.database()) {
            (Database::Sqlite, Database::Postgres) => (from.reader(), to.reader()),
            (Database::Postgres, Database::Sqlite) => (to.reader(), from.reader()),
            _ => return Err(StoreError::Refused(SAME)),
        };
        let mut tables = Vec::with_capacity(TABLES.len());
        for name in TABLES {
            tables.push(Table::look_up(name, sqlite, postgres).await?);
        }
        let epoch = from.epoch();
        to.write(move |connection| Box::pin(claim(connection, epoch)))
            .await?;
        Ok(Self { from, to, tables })
    }

    /// Copies one of [`TABLES`]; `progress` hears how many rows are there so far.
    ///
    /// # Errors
    /// What either database reports. What was copied until then stays.
    pub async fn table(&self, name: &str, mut progress: impl FnMut(u64)) -> Result<()> {
        let table = self.find(name)?;
        let mut after = None;
        let mut rows = 0;
        loop {
            let set = table
                .lines(self.from.reader(), after.as_ref(), None)
                .await?;
            let until = (set.len() == SET).then(|| set.last().cloned()).flatten();
            let there = table
                .lines(self.to.reader(), after.as_ref(), until.as_ref())
                .await?;
            rows += set.len() as u64;
            if set != there {
                self.write(table, set, there).await?;
            }
            progress(rows);
            match until {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Counts and hashes a table at both sides: where it came from, and where it went.
    ///
    /// # Errors
    /// What either database reports.
    pub async fn fingerprints(&self, name: &str) -> Result<(Fingerprint, Fingerprint)> {
        let table = self.find(name)?;
        let from = fingerprint(table, self.from.reader()).await?;
        let to = fingerprint(table, self.to.reader()).await?;
        Ok((from, to))
    }

    /// How many rows a table has where it is copied from.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn count(&self, name: &str) -> Result<u64> {
        let table = self.find(name)?;
        let sql = format!("select count(*) from {}", table.name);
        let row = sql::query_built(sql).fetch_one(self.from.reader()).await?;
        Ok(crate::unsigned(row.try_get(0)?))
    }

    /// Makes the index of search, and takes the mark away: a server may start.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn finish(self) -> Result<()> {
        self.to.index().await?;
        self.to
            .write(|connection| {
                Box::pin(async move {
                    sql::query("delete from copying")
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    fn find(&self, name: &str) -> Result<&Table> {
        self.tables
            .iter()
            .find(|table| table.name == name)
            .ok_or(StoreError::NotFound)
    }

    async fn write(&self, table: &Table, set: Vec<Line>, there: Vec<Line>) -> Result<()> {
        let database = self.to.database();
        let keys: HashSet<String> = set.iter().map(|line| table.key(line)).collect();
        let known: HashSet<&Line> = there.iter().collect();
        let changed: Vec<&Line> = set.iter().filter(|line| !known.contains(line)).collect();
        let gone: Vec<&Line> = there
            .iter()
            .filter(|line| !keys.contains(&table.key(line)))
            .collect();
        let statements = [
            (table.delete(database), serde_json::json!(gone).to_string()),
            (
                table.upsert(database),
                serde_json::json!(changed).to_string(),
            ),
        ];
        self.to
            .write(move |connection| {
                Box::pin(async move {
                    for (sql, lines) in statements {
                        sql::query_built(sql)
                            .bind(lines)
                            .execute(&mut *connection)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn fingerprint(table: &Table, pool: &Pool) -> Result<Fingerprint> {
    let mut hash = Sha256::new();
    let mut rows = 0;
    let mut after = None;
    loop {
        let set = table.lines(pool, after.as_ref(), None).await?;
        for line in &set {
            hash.update(serde_json::json!(line).to_string());
            hash.update(b"\n");
        }
        rows += set.len() as u64;
        let full = set.len() == SET;
        after = set.into_iter().last();
        if !full {
            let hash = hash.finalize().into();
            return Ok(Fingerprint { rows, hash });
        }
    }
}

/// Takes the second database for the copy of the installation with this epoch.
async fn claim(connection: &mut Connection, epoch: Uuid) -> Result<()> {
    let begun: Option<Uuid> = sql::query_scalar("select epoch from copying")
        .fetch_optional(&mut *connection)
        .await?;
    match begun {
        Some(begun) if begun == epoch => return Ok(()),
        Some(_) => {
            return Err(StoreError::Refused(
                "the copy of another installation was begun there; empty the database first",
            ));
        }
        None => {}
    }
    // What a server makes at its first start may be there, but nothing that anybody entered.
    for table in ["sites", "agents", "rooms"] {
        let sql = format!("select count(*) from {table}");
        let row = sql::query_built(sql).fetch_one(&mut *connection).await?;
        if row.try_get::<i64, _>(0)? > 0 {
            return Err(StoreError::Refused(
                "there is an installation already; a copy needs an empty database",
            ));
        }
    }
    for table in ["installation", "signing_keys", "links", "jobs"] {
        sql::query_built(format!("delete from {table}"))
            .execute(&mut *connection)
            .await?;
    }
    sql::query("insert into copying (one, epoch, begun_at) values (1, $1, $2)")
        .bind(epoch)
        .bind(crate::clock::now())
        .execute(&mut *connection)
        .await?;
    Ok(())
}
