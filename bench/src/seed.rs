//! What a database holds before a run, written by SQL: people, tickets and messages.

use parlour_protocol::Id;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use crate::people::{Kind, sql};

/// The one origin of the one site.
pub const ORIGIN: &str = "http://shop.test";
/// Before any message of a run; microseconds.
const PAST: &str = "1700000000000000";

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// Visitors, and tickets: each has one.
    pub people: usize,
    /// Messages in each ticket.
    pub messages: usize,
}

/// A connection beside the server's own.
pub async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.expect("the database")
}

/// Runs statements.
pub async fn run(connection: &mut AnyConnection, statements: String) {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(connection)
        .await
        .expect("the data of a run");
}

/// The key that Parlour signs tokens with, and its id.
pub async fn signing_key(connection: &mut AnyConnection) -> (String, Vec<u8>) {
    let row = sqlx::query("select kid, secret from signing_keys where ends_at is null")
        .fetch_one(connection)
        .await
        .expect("a signing key");
    (row.get(0), row.get(1))
}

/// How many messages there are.
pub async fn messages(connection: &mut AnyConnection) -> i64 {
    let count = sqlx::query_scalar("select count(*) from messages");
    count.fetch_one(connection).await.expect("the messages")
}

/// A table with one column of whole numbers.
fn series(postgres: bool, column: &str, from: usize, to: usize) -> String {
    if postgres {
        format!("generate_series({from}, {to}) as of_{column}({column})")
    } else {
        format!(
            "(with recursive s({column}) as (select {from} union all select {column} + 1 from s where {column} < {to})
              select {column} from s) as of_{column}"
        )
    }
}

/// Fills Parlour's schema.
pub async fn parlour(connection: &mut AnyConnection, seed: Seed) {
    let postgres = connection.backend_name() == "PostgreSQL";
    let id = |kind, n: &str| sql(postgres, kind, n);
    let hash = if postgres {
        "decode(lpad(to_hex(i), 64, '0'), 'hex')"
    } else {
        "unhex(printf('%064x', i))"
    };
    let (visitor, ticket, staff) = (
        id(Kind::Visitor, "i"),
        id(Kind::Ticket, "i"),
        id(Kind::Staff, "i"),
    );
    let (site, message) = (id(Kind::Site, "0"), id(Kind::Message, "m"));
    let people = series(postgres, "i", 0, seed.people - 1);
    let at = format!("{PAST} + i * 1000 + {}", seed.messages);
    let mut all = format!(
        "begin;
         insert into sites (id, key, name, color, greeting, position, locale, created_at)
             values ({site}, 'bench', 'Shop', '#2F5BD8', '', 'right', 'en', {PAST});
         insert into origins (site, origin) values ({site}, '{ORIGIN}');
         insert into visitors (id, site, secret_hash, name, created_at, seen_at)
             select {visitor}, {site}, {hash}, 'Visitor ' || i, {PAST}, {PAST} from {people};
         insert into rooms (id, kind, seq, at, created_at)
             select {ticket}, 'public', {messages}, {at}, {PAST} from {people};
         insert into rooms (id, kind, created_at) select {staff}, 'staff', {PAST} from {people};
         insert into tickets (id, staff_room, site, visitor, state, at, preview, created_at)
             select {ticket}, {staff}, {site}, {visitor}, 'open', {at}, 'How do I return it?', {PAST} from {people};",
        messages = seed.messages,
    );
    if seed.messages > 0 {
        all.push_str(&format!(
            "insert into messages (room, seq, cid, at, kind, author, author_role, text)
                 select {ticket}, m, {message}, {PAST} + i * 1000 + m, 'text', {visitor}, 'visitor',
                        'Message ' || m || ' of ticket ' || i || ': where is my parcel, please?'
                 from {people}, {};",
            series(postgres, "m", 1, seed.messages),
        ));
    }
    // What was there before is indexed before, or is made anew where it is looked for.
    run(
        connection,
        all + "delete from found_waiting; commit; analyze;",
    )
    .await;
}

/// Messages of an agent in a room of agents, newer than those of all tickets.
pub async fn private(connection: &mut AnyConnection, room: Id, author: Id, count: usize) {
    let postgres = connection.backend_name() == "PostgreSQL";
    let literal = |id: Id| {
        if postgres {
            format!("cast('{}' as uuid)", id.text())
        } else {
            format!("unhex('{}')", id.text().replace('-', ""))
        }
    };
    let (room, author) = (literal(room), literal(author));
    let message = sql(postgres, Kind::Message, "m");
    let messages = series(postgres, "m", 1, count);
    let at = format!("{PAST} + 1000000000000 + m");
    run(
        connection,
        format!(
            "begin;
             insert into messages (room, seq, cid, at, kind, author, author_role, text)
                 select {room}, m + 1000, {message}, {at}, 'text', {author}, 'agent',
                        'Message ' || m || ': where is the parcel, please?' from {messages};
             update rooms set seq = 1000 + {count}, at = {PAST} + 1000000000000 + {count} where id = {room};
             commit;"
        ),
    )
    .await;
}

/// Makes and fills the peer's schema.
pub async fn peer(connection: &mut AnyConnection, seed: Seed) {
    let id = |kind, n: &str| sql(true, kind, n);
    let people = series(true, "i", 0, seed.people - 1);
    let (visitor, ticket, message) = (
        id(Kind::Visitor, "i"),
        id(Kind::Ticket, "i"),
        id(Kind::Message, "m"),
    );
    let schema = include_str!("../peer/schema.sql");
    run(
        connection,
        format!(
            "{schema}
             insert into conversations (id, visitor, seq, at, preview)
                 select {ticket}, {visitor}, {messages}, {PAST} + i * 1000 + {messages}, 'How do I return it?' from {people};
             insert into messages (conversation, seq, cid, at, author, text)
                 select {ticket}, m, {message}, {PAST} + i * 1000 + m, {visitor},
                        'Message ' || m || ' of ticket ' || i || ': where is my parcel, please?'
                 from {people}, generate_series(1, {messages}) as of_m(m);
             analyze;",
            messages = seed.messages,
        ),
    )
    .await;
}
