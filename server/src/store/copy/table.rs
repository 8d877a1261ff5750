//! A table that both databases have, and the SQL that reads and writes its rows as JSON.

use super::SET;
use crate::store::sql::{self, Database, Pool};
use crate::store::{Result, StoreError};

/// How a column stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A number.
    Integer,
    /// A text.
    Text,
    /// Bytes, in hexadecimal.
    Bytes,
    /// 16 bytes, in hexadecimal; PostgreSQL has a type for them.
    Id,
}

impl Kind {
    fn of(postgres: &str) -> Option<Self> {
        match postgres {
            "bigint" => Some(Self::Integer),
            "text" => Some(Self::Text),
            "bytea" => Some(Self::Bytes),
            "uuid" => Some(Self::Id),
            _ => None,
        }
    }

    /// The column as a value of JSON.
    fn rendered(self, database: Database, column: &str) -> String {
        match (self, database) {
            (Self::Integer | Self::Text, _) => column.to_owned(),
            // Of null, `hex` would make an empty text.
            (Self::Bytes | Self::Id, Database::Sqlite) => {
                format!("iif({column} is null, null, lower(hex({column})))")
            }
            (Self::Bytes, Database::Postgres) => format!("encode({column}, 'hex')"),
            (Self::Id, Database::Postgres) => format!("encode(uuid_send({column}), 'hex')"),
        }
    }

    /// A text that came out of JSON as a value of the column.
    fn read(self, database: Database, text: &str) -> String {
        match (self, database) {
            (Self::Text, _) => text.to_owned(),
            (Self::Integer, _) => format!("cast({text} as bigint)"),
            (Self::Bytes | Self::Id, Database::Sqlite) => format!("unhex({text})"),
            (Self::Bytes, Database::Postgres) => format!("decode({text}, 'hex')"),
            (Self::Id, Database::Postgres) => format!("cast({text} as uuid)"),
        }
    }

    /// The column as it is compared: texts by their bytes, as `SQLite` does.
    fn ordered(self, database: Database, column: &str) -> String {
        match (self, database) {
            (Self::Text, Database::Postgres) => format!("{column} collate \"C\""),
            _ => column.to_owned(),
        }
    }
}

/// A table as both databases have it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The primary key's columns first.
    columns: Vec<(String, Kind)>,
    keys: usize,
}

/// A row in its canonical form; its first values are the key.
pub(super) type Line = Vec<serde_json::Value>;

impl Table {
    pub(super) async fn look_up(
        name: &'static str,
        sqlite: &Pool,
        postgres: &Pool,
    ) -> Result<Self> {
        let types = sql::query(
            "select column_name::text, data_type::text from information_schema.columns
            where table_schema = current_schema() and table_name = $1",
        )
        .bind(name)
        .fetch_all(postgres)
        .await?;
        let columns =
            sql::query("select name, pk from pragma_table_info($1) order by pk = 0, pk, name")
                .bind(name)
                .fetch_all(sqlite)
                .await?;
        let unknown = || StoreError::Failed(format!("the table {name} differs in both").into());
        let mut table = Self {
            name,
            columns: Vec::with_capacity(columns.len()),
            keys: 0,
        };
        for column in &columns {
            let column_name: String = column.try_get(0)?;
            table.keys += usize::from(column.try_get::<i64, _>(1)? > 0);
            let kind = types.iter().find_map(|row| {
                let same = row.try_get::<String, _>(0).ok()? == column_name;
                let kind: String = row.try_get(1).ok()?;
                same.then(|| Kind::of(&kind)).flatten()
            });
            table.columns.push((column_name, kind.ok_or_else(unknown)?));
        }
        Ok(table)
    }

    pub(super) fn key(&self, line: &Line) -> String {
        serde_json::json!(line.get(..self.keys)).to_string()
    }

    fn names(&self, columns: &[(String, Kind)]) -> String {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    /// At most [`SET`] rows behind the key of one row, or all up to the key of another.
    pub(super) async fn lines(
        &self,
        pool: &Pool,
        after: Option<&Line>,
        until: Option<&Line>,
    ) -> Result<Vec<Line>> {
        let database = pool.database();
        let keys = &self.columns[..self.keys];
        let order: Vec<String> = keys
            .iter()
            .map(|(name, kind)| kind.ordered(database, name))
            .collect();
        let order = order.join(", ");
        let values: Vec<String> = self
            .columns
            .iter()
            .map(|(name, kind)| kind.rendered(database, name))
            .collect();
        let array = match database {
            Database::Sqlite => "json_array",
            Database::Postgres => "json_build_array",
        };
        let mut binds = Vec::new();
        let mut bounds = Vec::new();
        for (bound, operator) in [(after, ">"), (until, "<=")] {
            let Some(line) = bound else { continue };
            let mut places = Vec::with_capacity(self.keys);
            for ((_, kind), value) in keys.iter().zip(line) {
                binds.push(text(value));
                places.push(kind.read(database, &format!("${}", binds.len())));
            }
            bounds.push(format!("({order}) {operator} ({})", places.join(", ")));
        }
        if bounds.is_empty() {
            bounds.push("true".into());
        }
        let limit = if until.is_some() {
            String::new()
        } else {
            format!(" limit {SET}")
        };
        let sql = format!(
            "select cast({array}({}) as text) from {} where {} order by {order}{limit}",
            values.join(", "),
            self.name,
            bounds.join(" and "),
        );
        let query = binds
            .into_iter()
            .fold(sql::query_built(sql), sql::Query::bind);
        let rows = query.fetch_all(pool).await?;
        rows.iter().map(|row| line(row.try_get(0)?)).collect()
    }

    pub(super) fn upsert(&self, database: Database) -> String {
        let (keys, rest) = self.columns.split_at(self.keys);
        let update = if rest.is_empty() {
            "nothing".to_owned()
        } else {
            let set: Vec<String> = rest
                .iter()
                .map(|(name, _)| format!("{name} = excluded.{name}"))
                .collect();
            format!("update set {}", set.join(", "))
        };
        format!(
            "insert into {} ({}) select {} from {} where true on conflict ({}) do {update}",
            self.name,
            self.names(&self.columns),
            values(&self.columns, database),
            each(database),
            self.names(keys),
        )
    }

    pub(super) fn delete(&self, database: Database) -> String {
        let keys = &self.columns[..self.keys];
        format!(
            "delete from {} where ({}) in (select {} from {})",
            self.name,
            self.names(keys),
            values(keys, database),
            each(database),
        )
    }
}

/// The lines that are bound at `$1`, as rows with one column, `line.value`.
fn each(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "jsonb_each($1) as line",
        Database::Postgres => "json_array_elements(cast($1 as json)) as line (value)",
    }
}

fn values(columns: &[(String, Kind)], database: Database) -> String {
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, (_, kind))| kind.read(database, &format!("(line.value ->> {place})")))
        .collect();
    values.join(", ")
}

/// PostgreSQL has no text with the character zero; it is replaced, as in every other write.
fn line(rendered: &str) -> Result<Line> {
    let mut line: Line = serde_json::from_str(rendered)
        .map_err(|error| StoreError::Failed(error.to_string().into()))?;
    for value in &mut line {
        if let serde_json::Value::String(text) = value
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
    Ok(line)
}

fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
