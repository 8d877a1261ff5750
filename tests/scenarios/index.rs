//! The index of search: what is in it, and what becomes of it when it is made anew.

use futures_util::future::join;
use parlour_tests::command::parlour;
use parlour_tests::database::{connect, indexed, is_postgres};
use parlour_tests::{Browser, Node};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::search::{found, marked, office_with, search};

/// Edits, deletions and a new index leave nothing behind of what was said before.
#[tokio::test]
async fn what_was_deleted_is_not_found() {
    let mut node = Node::with().unlimited().start().await;
    let (mut office, visitor, _) = office_with(&node, &["first secret", "second secret"]).await;
    let before = found(&mut office.owner.browser, "secret").await;
    assert_eq!(before, ["second [secret]", "first [secret]"]);
    let mut database = connect(node.data()).await;
    for sql in [
        "update messages set text = 'first edited' where text = 'first secret'",
        "update messages set kind = 'deleted', text = '' where text = 'second secret'",
    ] {
        database.execute(sql).await.unwrap();
    }
    let browser = &mut office.owner.browser;
    assert_eq!(found(browser, "secret").await, [""; 0]);
    assert_eq!(found(browser, "edited").await, ["first [edited]"]);
    visitor.say("third").await;
    let _ = indexed(node.data()).await;
    assert_eq!(found(browser, "secret").await, [""; 0]);
    assert_eq!(found(browser, "edited").await, ["first [edited]"]);
    // It stays where it was.
    let edit =
        "update messages set text = 'first edited, for the third time' where text = 'first edited'";
    database.execute(edit).await.unwrap();
    visitor.say("last").await;
    let _ = indexed(node.data()).await;
    let said = ["[third]", "first edited, for the [third] time"];
    assert_eq!(found(browser, "third").await, said);
    database
        .execute("update visitors set name = 'Zoë Quill', email = 'zoe@quill.test'")
        .await
        .unwrap();
    drop(database);

    node.terminate().await;
    let outcome = parlour(&["index"], node.data(), &[]).await.success();
    assert!(
        outcome.out.contains("4 messages and visitors"),
        "{}",
        outcome.out
    );
    node.start_again().await;
    let browser = &mut office.owner.browser;
    let edited = "first [edited], for the third time";
    assert_eq!(found(browser, "edited").await, [edited]);
    let answer = search(browser, "zoe quill").await;
    assert_eq!(marked(&answer["people"][0]["name"]), "[Zoë] [Quill]");
    assert_eq!(marked(&answer["people"][0]["email"]), "[zoe]@[quill].test");
    assert_eq!(answer["people"][0]["role"], "visitor");
    assert_eq!(answer["people"][0]["ticket"], answer["tickets"][0]["id"]);
    assert_eq!(search(browser, "oliv").await["people"][0]["role"], "agent");

    let mut database = connect(node.data()).await;
    database
        .execute("delete from messages where text like 'first edited%'")
        .await
        .unwrap();
    assert_eq!(found(browser, "edited").await, [""; 0]);
}

/// More than a block of the index holds, and blocks of which nothing is wanted.
#[tokio::test]
async fn a_long_history_is_found() {
    const COUNT: i64 = 20_000;
    let mut node = Node::with().unlimited().start().await;
    let (mut office, visitor, ticket) = office_with(&node, &["the oldest, with a needle"]).await;
    node.terminate().await;
    let mut database = connect(node.data()).await;
    let numbers = format!(
        "with recursive n (n) as (select 2 union all select n + 1 from n where n < {COUNT})"
    );
    let cid = match is_postgres() {
        true => "cast(lpad(to_hex(n), 32, '0') as uuid)",
        false => "unhex(printf('%032x', n))",
    };
    for sql in [
        format!(
            "{numbers} insert into messages (room, seq, cid, at, kind, author, author_role, text)
             select room, n, {cid}, at + n, kind, author, author_role,
                    'hay ' || n || case when n % 4000 = 0 then ' with a needle' else '' end
             from messages, n where seq = 1 and kind = 'text'"
        ),
        format!("update rooms set seq = {COUNT} where seq = 1"),
    ] {
        let _ = database.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let outcome = parlour(&["index"], node.data(), &[]).await.success();
    assert!(outcome.out.contains("20000 messages"), "{}", outcome.out);
    node.start_again().await;
    let visitor = visitor.reload().await;
    visitor.say("needle in no hay").await;

    let browser = &mut office.owner.browser;
    let mut expected = vec!["[needle] in no hay".to_owned()];
    for n in [20_000, 16_000, 12_000, 8_000, 4_000] {
        expected.push(format!("hay {n} with a [needle]"));
    }
    expected.push("the oldest, with a [needle]".into());
    assert_eq!(found(browser, "needle").await, expected);
    assert_eq!(found(browser, "hay 12000 need").await.len(), 1);
    assert_eq!(found(browser, "oldest needle").await.len(), 1);
    assert_eq!(found(browser, "needle nowhere").await.len(), 0);
    // Of a word in one old block, what is in others is not asked for again and again.
    assert_eq!(found(browser, "8000").await, ["hay [8000] with a needle"]);
    // Every message has one of these, and the newest page is from the newest block.
    let newest = search(browser, "\"hay\"").await;
    let seqs = newest["messages"].as_array().unwrap().iter();
    let seqs: Vec<u64> = seqs
        .map(|message| message["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs[0], 20_001);
    assert!(
        seqs[1..].iter().copied().eq((19_982..=20_000).rev()),
        "{seqs:?}"
    );

    // In an old block, after an edit.
    let edit = "update messages set text = 'hay and a late needle' where text = 'hay 5000'";
    let _ = database.execute(edit).await.unwrap();
    visitor.say("no more").await;
    assert_eq!(indexed(node.data()).await, COUNT + 2);
    let edited = "hay and a late [needle]".to_owned();
    expected.insert(5, edited);
    assert_eq!(found(browser, "needle").await, expected);
    assert_eq!(
        search(browser, "late needle").await["messages"][0]["ticket"],
        ticket.text()
    );
}

/// The numbers of all messages that are found, smallest first.
async fn all_found(browser: &mut Browser, question: &str) -> Vec<u64> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/search?q={question}{cursor}");
        let page = browser.read(&path).await.expect(200).json();
        let messages = page["messages"].as_array().unwrap().iter();
        all.extend(messages.map(|message| message["seq"].as_u64().unwrap()));
        let Some(next) = page["cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    all.sort_unstable();
    all
}

/// Beside a server on SQLite it is refused; beside one on PostgreSQL nothing is left out, and nothing is found twice.
#[tokio::test]
async fn a_new_index_beside_a_server() {
    const COUNT: u64 = 120;
    let node = Node::with().unlimited().start().await;
    let (mut office, visitor, _) = office_with(&node, &["needle 1"]).await;
    let browser = &mut office.owner.browser;
    if !is_postgres() {
        let outcome = parlour(&["index"], node.data(), &[]).await;
        let sentence = outcome.sentence();
        assert!(
            sentence.contains("another Parlour server is using"),
            "{sentence}"
        );
        visitor.say("needle 2").await;
        assert_eq!(found(browser, "needle").await, ["[needle] 2", "[needle] 1"]);
        node.assert_well().await;
        return;
    }
    let writing = async {
        for number in 2..=COUNT {
            visitor.say(&format!("needle {number}")).await;
        }
    };
    let indexing = async {
        for _ in 0..4 {
            let _ = parlour(&["index"], node.data(), &[]).await.success();
        }
    };
    join(writing, indexing).await;
    let expected: Vec<u64> = (1..=COUNT).collect();
    assert_eq!(all_found(browser, "needle").await, expected);
    assert_eq!(indexed(node.data()).await, i64::try_from(COUNT).unwrap());
    assert_eq!(all_found(browser, "needle").await, expected);
    node.assert_well().await;
}
