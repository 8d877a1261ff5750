//! What the database itself can do: one connection, 256 messages in a transaction, flushed as
//! Parlour flushes, with no server beside it. Nothing is read or checked first, and nothing delivered.
//!
//! Twice: the rows of the messages alone, and all that they leave in the tables, which is also the
//! numbers and times of their rooms and tickets, and what search is to index.

use parlour_protocol::Id;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::Scale;
use crate::machine::Mark;
use crate::people::{Kind, id};
use crate::report::Report;
use crate::seed::Seed;
use crate::subject::{Subject, Variant};

/// Messages in a set, each in a ticket of its own.
const SET: usize = 256;
const TEXT: &str = "I ordered two lamps last week and only one of them has arrived. Could you look where the other one is?";

/// When the first set was written, and from one to the next, in microseconds: of any day.
const BEGUN: i64 = 1_800_000_000_000_000;
const BETWEEN: i64 = 20_000;

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Inserts for a time.
///
/// # Errors
/// What the database reports.
pub async fn run(variant: Variant, scale: Scale, report: &mut Report) -> Result<(), String> {
    let seed = Seed {
        people: 10_000,
        messages: 0,
    };
    let mut subject = Subject::start(variant, seed).await;
    subject.stop_nodes().await;
    let result = insert(&subject, variant, scale, report).await;
    subject.end().await;
    result.map_err(|error| error.to_string())
}

async fn insert(
    subject: &Subject,
    variant: Variant,
    scale: Scale,
    report: &mut Report,
) -> sqlx::Result<()> {
    let whole = matches!(variant, Variant::WholePostgres | Variant::WholeSqlite);
    let mut connection = Connection::open(subject).await?;
    let mut set = Set::new();
    let mark = Mark::now(&subject.processes);
    let begun = Instant::now();
    while begun.elapsed() < scale.time {
        set.next();
        match &mut connection {
            Connection::Postgres(connection) => postgres(connection, &set, whole).await?,
            Connection::Sqlite(connection) => sqlite(connection, &set, whole).await?,
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let usage = mark.elapsed();
    let count = set.seq as f64 * SET as f64;
    report.note("stored", variant, count / seconds, usage.others);
    Ok(())
}

/// The next number of 256 rooms.
struct Set {
    seq: i64,
    at: i64,
    rooms: Vec<Uuid>,
    authors: Vec<Uuid>,
    cids: Vec<Uuid>,
}

impl Set {
    fn new() -> Self {
        Self {
            seq: 0,
            at: BEGUN,
            rooms: (0..SET).map(|n| uuid(id(Kind::Ticket, n))).collect(),
            authors: (0..SET).map(|n| uuid(id(Kind::Visitor, n))).collect(),
            cids: Vec::new(),
        }
    }

    fn next(&mut self) {
        self.seq += 1;
        self.at += BETWEEN;
        self.cids = (0..SET).map(|_| uuid(parlour_tests::id())).collect();
    }

    /// What search is to index: each room and its number.
    fn keys(&self) -> Vec<u8> {
        let keys = self.rooms.iter().flat_map(|room| {
            let seq = self.seq.to_be_bytes();
            room.as_bytes().iter().copied().chain(seq)
        });
        keys.collect()
    }
}

fn uuid(id: Id) -> Uuid {
    Uuid::from_bytes(id.0)
}

impl Connection {
    async fn open(subject: &Subject) -> sqlx::Result<Self> {
        Ok(match subject.database_url() {
            Some(url) => {
                // Rows by their keys, as the server's own connections are told.
                let plain = [
                    "enable_seqscan",
                    "enable_hashjoin",
                    "enable_mergejoin",
                    "jit",
                ];
                let options: PgConnectOptions = url.parse()?;
                let options = options.options(plain.map(|setting| (setting, "off")));
                Self::Postgres(options.connect().await?)
            }
            None => {
                let options = SqliteConnectOptions::new()
                    .filename(subject.database_file())
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true);
                Self::Sqlite(options.connect().await?)
            }
        })
    }
}

async fn postgres(connection: &mut PgConnection, set: &Set, whole: bool) -> sqlx::Result<()> {
    let text = if whole {
        "with noted as (
             insert into found_waiting (keys) values ($7)
         ), stored as (
             insert into messages (room, seq, cid, at, kind, author, author_role, text)
             select room, $1, cid, $2, 'text', author, 'visitor', $3
             from unnest($4::uuid[], $5::uuid[], $6::uuid[]) as new (room, cid, author)
         ), moved as (
             update tickets set rev = rev + 1, at = $2, preview = $3, preview_by = 'visitor'
             from unnest($4::uuid[]) as new (id) where tickets.id = new.id
         )
         update rooms set seq = $1, at = $2 from unnest($4::uuid[]) as new (id) where rooms.id = new.id"
    } else {
        "insert into messages (room, seq, cid, at, kind, author, author_role, text)
         select room, $1, cid, $2, 'text', author, 'visitor', $3
         from unnest($4::uuid[], $5::uuid[], $6::uuid[]) as new (room, cid, author)"
    };
    let query = sqlx::query(text)
        .bind(set.seq)
        .bind(set.at)
        .bind(TEXT)
        .bind(&set.rooms)
        .bind(&set.cids)
        .bind(&set.authors);
    let query = if whole { query.bind(set.keys()) } else { query };
    query.execute(connection).await?;
    Ok(())
}

async fn sqlite(connection: &mut SqliteConnection, set: &Set, whole: bool) -> sqlx::Result<()> {
    let rows = set.rooms.iter().zip(&set.cids).zip(&set.authors);
    let rows: Vec<[String; 3]> = rows
        .map(|((room, cid), author)| [room, cid, author].map(|id| id.simple().to_string()))
        .collect();
    let text = if whole {
        "insert into messages (room, seq, cid, at, kind, author, author_role, text)
         select unhex(value ->> 0), $1, unhex(value ->> 1), $2, 'text', unhex(value ->> 2), 'visitor', $3
         from jsonb_each($4);
         update rooms set seq = $1, at = $2 from jsonb_each($4) new where rooms.id = unhex(new.value ->> 0);
         update tickets set rev = rev + 1, at = $2, preview = $3, preview_by = 'visitor'
         from jsonb_each($4) new where tickets.id = unhex(new.value ->> 0);
         insert into found_waiting (keys) values ($5)"
    } else {
        "insert into messages (room, seq, cid, at, kind, author, author_role, text)
         select unhex(value ->> 0), $1, unhex(value ->> 1), $2, 'text', unhex(value ->> 2), 'visitor', $3
         from jsonb_each($4)"
    };
    connection.execute("begin immediate").await?;
    let query = sqlx::query(text)
        .bind(set.seq)
        .bind(set.at)
        .bind(TEXT)
        .bind(serde_json::to_string(&rows).unwrap_or_default());
    let query = if whole { query.bind(set.keys()) } else { query };
    query.execute(&mut *connection).await?;
    connection.execute("commit").await?;
    Ok(())
}
