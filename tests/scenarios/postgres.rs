//! PostgreSQL that is wrong, away, slow or locked: refused aloud, nothing lost, and it recovers by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parlour_protocol::close;
use parlour_protocol::frame::ErrorCode;
use parlour_tests::command::parlour;
use parlour_tests::database::{self, connect, hold_rooms, is_postgres};
use parlour_tests::findings;
use parlour_tests::load::{self, Writer, ready};
use parlour_tests::proxy::{Mode, Proxy};
use parlour_tests::{Node, Office, Visitor, Wire, id, within};

/// How long anybody waits for an answer at most.
const PROMISED: Duration = Duration::from_secs(5);

/// The server of this run, where it listens; nothing if this run has none.
fn server() -> Option<SocketAddr> {
    let url = database::server()?;
    Some(url.rsplit('@').next()?.parse().unwrap())
}

/// A node that reaches its database through a proxy.
async fn behind(proxy: &Proxy) -> Node {
    Node::with()
        .unlimited()
        .database_by(proxy.address())
        .start()
        .await
}

/// Waits until the node says of its database what is expected.
async fn until_ready(node: &Node, status: u16) {
    within("the state of the database", async {
        while ready(node).await != status {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Writes through a fault; nothing that was acknowledged may be lost or doubled.
async fn survive(node: &Node, fault: impl AsyncFnOnce()) {
    let mut office = Office::open(node).await;
    let visitor = Visitor::arrive(node, &office.site).await;
    let writer = Writer::begin(node, &visitor, &office.site.origin);
    let writers = [writer];
    load::reached(&writers, 200, Duration::from_secs(10)).await;
    fault().await;
    let before = *writers[0].count().borrow();
    load::reached(&writers, before + 200, Duration::from_secs(15)).await;
    let [writer] = writers;
    let (room, account) = writer.finish().await;
    let history = load::history(&mut office.owner.browser, room).await;
    findings::check(room, &account, &history);
    load::check_database(node.data()).await;
    node.assert_well().await;
}

/// Its connections end, and for a time there are no new ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_comes_back() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server).await;
    let node = behind(&proxy).await;
    survive(&node, async || {
        for _ in 0..3 {
            proxy.set(Mode::Refuse);
            until_ready(&node, 503).await;
            proxy.set(Mode::Pass);
            until_ready(&node, 200).await;
        }
    })
    .await;
}

/// It accepts and says nothing: writers are refused in time, and the memory stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_says_nothing_is_not_waited_for() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server).await;
    let node = behind(&proxy).await;
    survive(&node, async || {
        proxy.set(Mode::Stall);
        let begun = Instant::now();
        until_ready(&node, 503).await;
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "it waited too long"
        );
        proxy.set(Mode::Pass);
        until_ready(&node, 200).await;
    })
    .await;
}

/// However many wait before them, all are refused within the 5 s that are promised, writers and readers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_long_for_a_database_that_says_nothing() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server).await;
    // No socket is to be given up for its silence.
    let node = Node::with()
        .unlimited()
        .set("PARLOUR_HEARTBEAT_MS", 10_000)
        .database_by(proxy.address())
        .start()
        .await;
    let office = Office::open(&node).await;
    let mut wires = Vec::new();
    for _ in 0..3 {
        let visitor = Visitor::arrive(&node, &office.site).await;
        let ticket = visitor.open("before").await;
        wires.push((Wire::of(&visitor).await, ticket));
    }
    let late = Visitor::arrive(&node, &office.site).await;
    proxy.set(Mode::Stall);
    let sending = wires
        .iter_mut()
        .zip(0..)
        .map(|((wire, ticket), number)| async move {
            // One after the other, so that each is behind what another one waits for.
            tokio::time::sleep(Duration::from_millis(700) * number).await;
            let begun = Instant::now();
            wire.say(*ticket, &[(id(), "x")], false).await;
            let (code, retry, _) = wire.error().await;
            assert_eq!((code, retry), (ErrorCode::Unavailable, true));
            begun.elapsed()
        });
    let reading = async {
        let begun = Instant::now();
        let mut browser = office.owner.browser.clone();
        assert_eq!(browser.read("/api/v1/account").await.status, 503);
        begun.elapsed()
    };
    let late = &late;
    let opening = (0..3).map(|number| async move {
        // What the second asks waits behind what is asked for the first.
        tokio::time::sleep(Duration::from_millis(700) * number).await;
        let begun = Instant::now();
        // That her page is listed may still be known, but not who she is.
        match Wire::open("late", late.upgrade()).await {
            Ok(mut wire) => assert_eq!(wire.closed().await.0, close::RESTART),
            Err(status) => assert_eq!(status, 503),
        }
        begun.elapsed()
    });
    let (mut times, read, opened) = tokio::join!(join_all(sending), reading, join_all(opening));
    times.push(read);
    times.extend(opened);
    println!("{times:?}");
    assert!(times.iter().all(|time| *time < PROMISED), "{times:?}");
    proxy.set(Mode::Pass);
    until_ready(&node, 200).await;
    let (wire, ticket) = &mut wires[0];
    wire.say(*ticket, &[(id(), "x")], false).await;
    wire.ack().await;
}

/// The answer to a commit is lost: the same ids are sent again, and appear once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_of_the_database_doubles_nothing() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server).await;
    let node = behind(&proxy).await;
    survive(&node, async || {
        for _ in 0..5 {
            proxy.set(Mode::LoseAnswersTo("commit"));
            tokio::time::sleep(Duration::from_millis(100)).await;
            proxy.cut().await;
            until_ready(&node, 200).await;
        }
    })
    .await;
}

/// Somebody holds the rooms for longer than a write may wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_table_is_waited_for_or_refused() {
    if !is_postgres() {
        return;
    }
    let node = Node::with().unlimited().start().await;
    survive(&node, async || {
        let mut other = connect(node.data()).await;
        hold_rooms(&mut other).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        drop(other);
    })
    .await;
}

/// A wrong address, a server that is not there, a database that is not there: one sentence, no password.
#[tokio::test]
async fn a_wrong_address_is_one_sentence_without_the_password() {
    let folder = parlour_tests::node::folder();
    let mut wrong = vec![
        (
            "mysql://ann:canary@127.0.0.1/chat".to_owned(),
            "must be the address of a PostgreSQL",
        ),
        (
            "not an address canary".to_owned(),
            "must be the address of a PostgreSQL",
        ),
    ];
    if let Some(server) = server() {
        wrong.push((
            format!("postgres://postgres:canary@{server}/no_such_database"),
            "no_such_database",
        ));
        wrong.push((
            format!("postgres://nobody_there:canary@{server}/postgres"),
            "nobody_there",
        ));
    }
    for (url, expected) in wrong {
        let outcome = parlour(&["migrate"], folder.path(), &[("DATABASE_URL", &url)]).await;
        let sentence = outcome.sentence();
        assert!(sentence.contains(expected), "{sentence}");
        assert!(sentence.contains("DATABASE_URL"), "{sentence}");
        assert!(!sentence.contains("canary"), "{sentence}");
    }
}

/// Both schemas have the same tables and columns, but for what searches and what follows from another column.
#[tokio::test]
async fn both_databases_have_the_same_columns() {
    if !is_postgres() {
        return;
    }
    let node = Node::start().await;
    let folder = parlour_tests::node::folder();
    let _ = parlour(&["migrate"], folder.path(), &[]).await.success();
    let postgres = columns(
        node.data(),
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'public' and is_generated = 'NEVER' order by 1",
    );
    let sqlite = columns(
        folder.path(),
        "select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c
         where m.type = 'table' order by 1",
    );
    assert_eq!(sqlite.await, postgres.await);
}

async fn columns(data: &std::path::Path, sql: &'static str) -> Vec<String> {
    let mut connection = connect(data).await;
    let all: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let ours = |name: &String| {
        !["_sqlx", "sqlite_", "found"]
            .iter()
            .any(|other| name.starts_with(other))
    };
    let mut ours: Vec<String> = all.into_iter().filter(ours).collect();
    ours.sort();
    assert!(ours.len() > 50, "{ours:?}");
    ours
}
