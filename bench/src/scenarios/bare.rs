//! The bare insert of sets: one connection, 256 messages in a statement and a transaction,
//! flushed as Parlour flushes. No locks, no numbers, no check of ids, nothing delivered.

use parlour_protocol::Id;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
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
    let subject = Subject::start(variant, seed).await;
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
    let mut connection = match subject.database_url() {
        Some(url) => Connection::Postgres(PgConnection::connect(&url).await?),
        None => {
            let options = SqliteConnectOptions::new()
                .filename(subject.database_file())
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true);
            Connection::Sqlite(options.connect().await?)
        }
    };
    let uuid = |id: Id| Uuid::from_bytes(id.0);
    let rooms: Vec<Uuid> = (0..SET).map(|n| uuid(id(Kind::Ticket, n))).collect();
    let authors: Vec<Uuid> = (0..SET).map(|n| uuid(id(Kind::Visitor, n))).collect();
    let mark = Mark::now(&subject.processes);
    let (begun, mut sets) = (Instant::now(), 0_i64);
    while begun.elapsed() < scale.time {
        sets += 1;
        let cids: Vec<Uuid> = (0..SET).map(|_| uuid(parlour_tests::id())).collect();
        connection.insert(sets, &rooms, &cids, &authors).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let usage = mark.elapsed();
    let count = sets as f64 * SET as f64;
    report.note("stored", variant, count / seconds, usage.others);
    Ok(())
}

impl Connection {
    async fn insert(
        &mut self,
        seq: i64,
        rooms: &[Uuid],
        cids: &[Uuid],
        authors: &[Uuid],
    ) -> sqlx::Result<()> {
        match self {
            Self::Postgres(connection) => {
                sqlx::query(
                    "insert into messages (room, seq, cid, at, kind, author, author_role, text)
                     select room, $1, cid, $1, 'text', author, 'visitor', $2
                     from unnest($3::uuid[], $4::uuid[], $5::uuid[]) as new (room, cid, author)",
                )
                .bind(seq)
                .bind(TEXT)
                .bind(rooms)
                .bind(cids)
                .bind(authors)
                .execute(connection)
                .await?;
            }
            Self::Sqlite(connection) => {
                let rows = rooms.iter().zip(cids).zip(authors);
                let rows: Vec<[String; 3]> = rows
                    .map(|((room, cid), author)| {
                        [room, cid, author].map(|id| id.simple().to_string())
                    })
                    .collect();
                sqlx::query(
                    "insert into messages (room, seq, cid, at, kind, author, author_role, text)
                     select unhex(value ->> 0), $1, unhex(value ->> 1), $1, 'text', unhex(value ->> 2), 'visitor', $2
                     from json_each($3)",
                )
                .bind(seq)
                .bind(TEXT)
                .bind(serde_json::to_string(&rows).unwrap_or_default())
                .execute(connection)
                .await?;
            }
        }
        Ok(())
    }
}
