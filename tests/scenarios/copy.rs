//! `parlour copy`: an installation moves from SQLite to PostgreSQL and back.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use parlour_tests::command::parlour;
use parlour_tests::database::{connect, is_postgres, url_of};
use parlour_tests::findings;
use parlour_tests::load::{self, Writer};
use parlour_tests::node::{binary, folder};
use parlour_tests::{Node, Office, Visitor, within};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Texts that JSON and the two databases write in different ways.
const TEXTS: [&str; 5] = [
    "plain",
    "\"quoted\" \\u0000 \\\\ and 'single'",
    "a line\nand\ttabs \u{1} \u{7f} \u{2028}",
    "👩‍👩‍👧 ß Å 日本語",
    "zero \0 inside",
];

/// A server on SQLite, also where this run uses PostgreSQL.
async fn on_sqlite() -> Node {
    Node::with()
        .unlimited()
        .set("DATABASE_URL", "")
        .start()
        .await
}

/// The folder's SQLite as an end of a copy.
fn sqlite(data: &Path) -> String {
    format!("sqlite:{}", data.display())
}

/// Begins a copy, and kills it while it waits for a table that somebody holds.
async fn interrupted(from: &Path, to: &Path) {
    let _ = parlour(&["migrate"], to, &[]).await.success();
    let mut other = connect(to).await;
    for statement in ["begin", "lock table messages in exclusive mode"] {
        sqlx::query(statement).execute(&mut other).await.unwrap();
    }
    let mut child = tokio::process::Command::new(binary())
        .args(["copy", "--from", &sqlite(from)])
        .env_clear()
        .envs(url_of(to).map(|url| ("DATABASE_URL", url)))
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    within("the table before the one that is held", async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("members: ") {
                return;
            }
        }
        panic!("the copy ended");
    })
    .await;
    child.kill().await.unwrap();
}

/// The tables that hold what people have entered.
async fn tables(data: &Path) -> Vec<String> {
    let sql = "select table_name::text from information_schema.tables where table_schema = current_schema()
        and table_name not in ('_sqlx_migrations', 'copying') and table_name not like 'found%'";
    let mut connection = connect(data).await;
    sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_moves_and_moves_back() {
    if !is_postgres() {
        return;
    }
    let mut old = on_sqlite().await;
    let mut office = Office::open(&old).await;
    let visitor = Visitor::arrive(&old, &office.site).await;
    let room = visitor.open(TEXTS[0]).await;
    for text in &TEXTS[1..] {
        visitor.say(text).await;
    }
    let writers = [Writer::begin(&old, &visitor, &office.site.origin)];
    load::reached(&writers, 1_200, Duration::from_secs(20)).await;
    let [writer] = writers;
    let (long, account) = writer.finish().await;
    let mut expected = load::history(&mut office.owner.browser, room).await;
    // Its database is PostgreSQL's.
    let mut new = Node::with().unlimited().joins().stopped();
    let from = sqlite(old.data());
    let refused = parlour(&["copy", "--from", &from], new.data(), &[]).await;
    assert!(refused.sentence().contains("stop it"), "a server runs");
    assert!(old.terminate().await.0.success());

    interrupted(old.data(), new.data()).await;
    let refused = parlour(&["serve"], new.data(), &[]).await;
    assert!(refused.sentence().contains("not finished"), "a part of it");
    let done = parlour(&["copy", "--from", &from], new.data(), &[]).await;
    let done = done.success();
    assert!(
        done.out.contains("messages") && done.out.contains("SHA-256"),
        "{}",
        done.out
    );
    for table in tables(new.data()).await {
        assert!(done.out.contains(&table), "{table}: {}", done.out);
    }
    let refused = parlour(&["copy", "--from", &from], new.data(), &[]).await;
    assert!(refused.sentence().contains("already"), "not over another");

    // Whoever was signed in still is, and everything is there.
    new.start_again().await;
    let mut owner = office.owner.at(&new);
    for event in &mut expected {
        *event = replaced(event);
    }
    assert_eq!(load::history(&mut owner.browser, room).await, expected);
    let history = load::history(&mut owner.browser, long).await;
    findings::check(long, &account, &history);
    let found = owner.browser.read("/api/v1/search?q=quoted").await;
    assert!(found.text().contains("quoted"), "{}", found.text());
    assert!(new.terminate().await.0.success());

    let back = folder();
    let arguments = [
        "copy",
        "--from",
        &url_of(new.data()).unwrap(),
        "--to",
        &sqlite(back.path()),
    ];
    let _ = parlour(&arguments, new.data(), &[]).await.success();
    let builder = Node::with().unlimited().joins().set("DATABASE_URL", "");
    let again = builder.data(back).start().await;
    let mut owner = office.owner.at(&again);
    assert_eq!(load::history(&mut owner.browser, room).await, expected);
    assert_eq!(load::history(&mut owner.browser, long).await, history);
    again.assert_well().await;
}

/// The event as PostgreSQL has it, which has no text with the character zero.
fn replaced(event: &parlour_protocol::frame::Event) -> parlour_protocol::frame::Event {
    let text = serde_json::to_string(event).unwrap();
    serde_json::from_str(&text.replace(" \\u0000 ", " \\ufffd ")).unwrap()
}

#[tokio::test]
async fn wrong_ends_are_one_sentence() {
    let empty = folder();
    let nowhere = parlour(
        &["copy", "--to", "postgres://nobody@127.0.0.1:9/none"],
        empty.path(),
        &[],
    )
    .await;
    assert!(nowhere.sentence().contains("no installation"));
    let one = sqlite(empty.path());
    for end in ["mysql://host/name", "sqlite:", "."] {
        let outcome = parlour(&["copy", "--from", &one, "--to", end], empty.path(), &[]).await;
        assert_eq!(outcome.code, Some(2), "{end}");
    }
    let node = on_sqlite().await;
    let same = parlour(
        &["copy", "--from", &sqlite(node.data()), "--to", &one],
        empty.path(),
        &[],
    )
    .await;
    assert!(same.sentence().contains("another Parlour server"));
}
