//! One SQL text for both databases: queries with `$1` binds, and the enums behind them.
//!
//! What differs between the two (lists of ids, the larger of two values) is asked of
//! [`Database`], so that the difference stands in the text that needs it.

use std::marker::PhantomData;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{ColumnIndex, Decode, Executor as _, Row as _, SqlSafeStr, SqlStr, Type};

mod value;

pub use value::{Value, array};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in the data folder.
    Sqlite,
    /// PostgreSQL, by `DATABASE_URL`.
    Postgres,
}

impl Database {
    /// The rows of a list of ids, which is bound as [`Value::Ids`] at `place` (`$1`): a table with
    /// one column, `id`.
    #[must_use]
    pub fn ids(self, place: &str) -> String {
        match self {
            Self::Sqlite => format!("(select unhex(value) as id from json_each({place}))"),
            Self::Postgres => format!("(select unnest({place}) as id)"),
        }
    }

    /// The condition that a value is in a list, which is bound as [`Value::Integers`] or
    /// [`Value::Texts`] at `place` (`$1`).
    #[must_use]
    pub fn among(self, place: &str) -> String {
        match self {
            Self::Sqlite => format!("in (select value from json_each({place}))"),
            Self::Postgres => format!("= any({place})"),
        }
    }

    /// The order of tickets `t`, newest first, as an index has it. On PostgreSQL the index knows the
    /// time by its period only.
    #[must_use]
    pub fn newest_tickets(self) -> &'static str {
        match self {
            Self::Sqlite => "t.at desc, t.id desc",
            Self::Postgres => "t.period desc, t.at desc, t.id desc",
        }
    }

    /// The function that gives the smaller, and the one that gives the larger of its arguments.
    #[must_use]
    pub fn least_greatest(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("min", "max"),
            Self::Postgres => ("least", "greatest"),
        }
    }
}

/// What a write gets to work on: a connection inside its transaction.
pub enum Connection {
    /// The writer's.
    Sqlite(SqliteConnection),
    /// One of the pool's.
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// Which database it is.
    #[must_use]
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) => Database::Sqlite,
            Self::Postgres(_) => Database::Postgres,
        }
    }

    /// Begins, ends and undoes transactions, and parts of them.
    pub(super) async fn control(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql).await.map(drop),
            Self::Postgres(connection) => connection.execute(sql).await.map(drop),
        }
    }
}

/// Connections for reading.
#[derive(Clone)]
pub enum Pool {
    /// They cannot write.
    Sqlite(SqlitePool),
    /// The same ones also write.
    Postgres(PgPool),
}

impl Pool {
    /// Which database it is.
    #[must_use]
    pub fn database(&self) -> Database {
        match self {
            Self::Sqlite(_) => Database::Sqlite,
            Self::Postgres(_) => Database::Postgres,
        }
    }
}

/// Where a query runs.
pub enum Target<'a> {
    /// Inside a transaction.
    Connection(&'a mut Connection),
    /// On a connection of its own.
    Pool(&'a Pool),
}

impl Target<'_> {
    /// Which database it is.
    pub(super) fn database(&self) -> Database {
        match self {
            Self::Connection(connection) => connection.database(),
            Self::Pool(pool) => pool.database(),
        }
    }

    /// The same for one more query.
    pub(super) fn again(&mut self) -> Target<'_> {
        match self {
            Self::Connection(connection) => Target::Connection(connection),
            Self::Pool(pool) => Target::Pool(pool),
        }
    }
}

impl<'a> From<&'a mut Connection> for Target<'a> {
    fn from(connection: &'a mut Connection) -> Self {
        Self::Connection(connection)
    }
}

impl<'a> From<&'a Pool> for Target<'a> {
    fn from(pool: &'a Pool) -> Self {
        Self::Pool(pool)
    }
}

/// A statement with its values.
pub struct Query {
    sql: SqlStr,
    values: Vec<Value>,
}

/// A statement; `$1` in it is the first value that is bound.
pub fn query(sql: impl SqlSafeStr) -> Query {
    Query {
        sql: sql.into_sql_str(),
        values: Vec::new(),
    }
}

/// A statement that was put together from constant pieces, none of them from outside.
pub fn query_built(sql: String) -> Query {
    query(sqlx::AssertSqlSafe(sql))
}

/// Sends a query to the database that the target is of.
macro_rules! run {
    ($query:expr, $target:expr, $method:ident, $map:expr) => {{
        let Query { sql, values } = $query;
        match $target.into() {
            Target::Connection(Connection::Sqlite(to)) => {
                sqlx::query_with(sql, value::sqlite(values)?)
                    .$method(to)
                    .await
                    .map($map)
            }
            Target::Connection(Connection::Postgres(to)) => {
                sqlx::query_with(sql, value::postgres(values)?)
                    .$method(&mut **to)
                    .await
                    .map($map)
            }
            Target::Pool(Pool::Sqlite(to)) => sqlx::query_with(sql, value::sqlite(values)?)
                .$method(to)
                .await
                .map($map),
            Target::Pool(Pool::Postgres(to)) => {
                let query = sqlx::query_with(sql, value::postgres(values)?);
                super::postgres::read(to, async |connection| query.$method(connection).await)
                    .await
                    .map($map)
            }
        }
    }};
}

impl Query {
    /// Binds the next value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it; how many rows it changed.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn execute(self, target: impl Into<Target<'_>>) -> sqlx::Result<u64> {
        run!(self, target, execute, |done| done.rows_affected())
    }

    /// The one row.
    ///
    /// # Errors
    /// [`sqlx::Error::RowNotFound`], and what the database reports.
    pub async fn fetch_one(self, target: impl Into<Target<'_>>) -> sqlx::Result<Row> {
        run!(self, target, fetch_one, Row::from)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn fetch_optional(self, target: impl Into<Target<'_>>) -> sqlx::Result<Option<Row>> {
        run!(self, target, fetch_optional, |row| row.map(Row::from))
    }

    /// All rows.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn fetch_all(self, target: impl Into<Target<'_>>) -> sqlx::Result<Vec<Row>> {
        run!(self, target, fetch_all, |rows| {
            rows.into_iter().map(Row::from).collect()
        })
    }
}

/// A statement of which only the first column is wanted.
pub struct Scalar<T>(Query, PhantomData<T>);

/// A statement of which only the first column is wanted.
pub fn query_scalar<T: Column>(sql: impl SqlSafeStr) -> Scalar<T> {
    Scalar(query(sql), PhantomData)
}

impl<T: Column> Scalar<T> {
    /// Binds the next value.
    #[must_use]
    pub fn bind(self, value: impl Into<Value>) -> Self {
        Self(self.0.bind(value), PhantomData)
    }

    /// Of the one row.
    ///
    /// # Errors
    /// As [`Query::fetch_one`].
    pub async fn fetch_one(self, target: impl Into<Target<'_>>) -> sqlx::Result<T> {
        self.0.fetch_one(target).await?.try_get(0)
    }

    /// Of the first row, if there is one.
    ///
    /// # Errors
    /// As [`Query::fetch_optional`].
    pub async fn fetch_optional(self, target: impl Into<Target<'_>>) -> sqlx::Result<Option<T>> {
        let row = self.0.fetch_optional(target).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    /// Of all rows.
    ///
    /// # Errors
    /// As [`Query::fetch_all`].
    pub async fn fetch_all(self, target: impl Into<Target<'_>>) -> sqlx::Result<Vec<T>> {
        let rows = self.0.fetch_all(target).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
}

/// A type that both databases have, owned.
pub trait Column: for<'r> Read<'r> {}
impl<T: for<'r> Read<'r>> Column for T {}

/// A type that both databases have.
pub trait Read<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}
impl<'r, T> Read<'r> for T where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

/// A row that was read.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

impl Row {
    /// A column, by its name or its place from 0.
    ///
    /// # Errors
    /// That there is none, or one of another type.
    pub fn try_get<'r, T: Read<'r>, I>(&'r self, index: I) -> sqlx::Result<T>
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(index),
            Self::Postgres(row) => row.try_get(index),
        }
    }
}
