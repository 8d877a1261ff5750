//! Search: what is found, by whom, in which order, and what is never found.

use parlour_protocol::Id;
use parlour_tests::database::indexed;
use parlour_tests::office::{direct_room, staff_room, team_room};
use parlour_tests::{Browser, Node, Office, Request, Visitor};
use serde_json::Value;

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02x}").unwrap();
        all
    })
}

pub(crate) async fn search(browser: &mut Browser, question: &str) -> Value {
    let path = format!("/api/v1/search?q={}", encoded(question));
    browser.read(&path).await.expect(200).json()
}

/// A text with what was asked for in brackets.
pub(crate) fn marked(pieces: &Value) -> String {
    let piece = |piece: &Value| {
        let text = piece["text"].as_str().unwrap();
        if piece["hit"] == true {
            format!("[{text}]")
        } else {
            text.to_owned()
        }
    };
    pieces.as_array().unwrap().iter().map(piece).collect()
}

fn texts(answer: &Value) -> Vec<String> {
    let messages = answer["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| marked(&message["text"]))
        .collect()
}

pub(crate) async fn found(browser: &mut Browser, question: &str) -> Vec<String> {
    texts(&search(browser, question).await)
}

/// An office where a visitor has said `texts`, in order.
pub(crate) async fn office_with(node: &Node, texts: &[&str]) -> (Office, Visitor, Id) {
    let office = Office::open(node).await;
    let visitor = Visitor::arrive(node, &office.site).await;
    let mut ticket = None;
    for text in texts {
        match ticket {
            None => ticket = Some(visitor.open(text).await),
            Some(_) => {
                visitor.say(text).await;
            }
        }
    }
    (office, visitor, ticket.unwrap())
}

#[tokio::test]
async fn words_accents_beginnings_and_scripts_without_spaces() {
    let node = Node::with().unlimited().start().await;
    let said = [
        "Die Crème brûlée ist nicht geliefert",
        "Where is my late order?",
        "The order came LATE",
        "私は東京都に住んでいます",
        "東京と京都",
        "เมื่อไหร่จะส่งของ",
        "주문이 언제 도착하나요",
        "Straße 12, Łódź",
    ];
    let (mut office, _visitor, _) = office_with(&node, &said).await;
    let browser = &mut office.owner.browser;
    let expected = [
        ("creme", vec!["Die [Crème] brûlée ist nicht geliefert"]),
        (
            "BRULEE gel",
            vec!["Die Crème [brûlée] ist nicht [geliefert]"],
        ),
        (
            "brulee gelief",
            vec!["Die Crème [brûlée] ist nicht [geliefert]"],
        ),
        ("geliefertes", vec![]),
        (
            "late or",
            vec!["The [order] came [LATE]", "Where is my [late] [order]?"],
        ),
        ("\"late order\"", vec!["Where is my [late order]?"]),
        ("or late", vec![]),
        ("東京都", vec!["私は[東京都]に住んでいます"]),
        ("京都", vec!["東京と[京都]", "私は東[京都]に住んでいます"]),
        ("京", vec!["東[京]と[京]都", "私は東[京]都に住んでいます"]),
        ("ส่งของ", vec!["เมื่อไหร่จะ[ส่งของ]"]),
        ("주문", vec!["[주문]이 언제 도착하나요"]),
        ("strasse lodz", vec!["[Straße] 12, [Łódź]"]),
        ("nothing of that kind", vec![]),
    ];
    for (question, expected) in &expected {
        assert_eq!(&found(browser, question).await, expected, "{question}");
    }
    // What waits for the index is found as what is in it.
    assert_eq!(indexed(node.data()).await, 8);
    for (question, expected) in &expected {
        assert_eq!(&found(browser, question).await, expected, "{question}");
    }
}

/// What agents say to one another is found by those who are members now, and by nobody else.
#[tokio::test]
async fn only_what_one_may_read_is_found() {
    let node = Node::with().unlimited().start().await;
    let (mut office, visitor, ticket) = office_with(&node, &["canary of the visitor"]).await;
    let mut anna = office.invite("Anna", "agent").await;
    let mut ben = office.invite("Ben", "admin").await;
    let direct = direct_room(&mut anna.browser, ben.id).await;
    let team = team_room(&mut anna.browser, "Night shift", &[ben.id]).await;
    let desk = anna.dashboard().await;
    let staff = staff_room(&mut anna.browser, ticket).await;
    for (room, text) in [
        (direct, "canary of two"),
        (team, "canary of the team"),
        (staff, "canary of the staff"),
    ] {
        desk.join(room).await;
        desk.say_in(room, text).await;
    }
    let all = [
        "[canary] of the staff",
        "[canary] of the team",
        "[canary] of two",
        "[canary] of the visitor",
    ];
    assert_eq!(found(&mut anna.browser, "canary").await, all);
    assert_eq!(found(&mut ben.browser, "canary").await, all);
    let owner = search(&mut office.owner.browser, "canary").await;
    assert_eq!(texts(&owner), [all[0], all[3]]);
    assert!(!owner.to_string().contains("Night shift"));
    let page = office
        .owner
        .browser
        .get("/search?q=canary")
        .await
        .expect(200);
    assert!(!page.text().contains("of two") && !page.text().contains("of the team"));
    assert!(!page.text().contains("Night shift"));
    assert_eq!(indexed(node.data()).await, 4);
    assert_eq!(found(&mut anna.browser, "canary").await, all);
    let owner = search(&mut office.owner.browser, "canary").await;
    assert_eq!(texts(&owner), [all[0], all[3]]);

    // Who was removed has lost the room, and who comes back finds it again.
    let path = format!("/rooms/{team}/members/{}/remove", ben.id);
    let _ = anna.browser.form(&path, &[]).await.expect(303);
    assert_eq!(found(&mut ben.browser, "team canary").await, [""; 0]);
    let agent = ben.id.text();
    let path = format!("/rooms/{team}/members");
    let _ = anna
        .browser
        .form(&path, &[("agent", agent.as_str())])
        .await
        .expect(303);
    assert_eq!(found(&mut ben.browser, "canary").await, all);

    // Nobody else may search at all.
    let nobody = Request::get("/api/v1/search?q=canary");
    let _ = nobody.send(node.address()).await.expect(401);
    let _ = visitor.read("/api/v1/search?q=canary").await.expect(401);
}

/// The scope of a room is a term of the index, and nobody can ask for it.
#[tokio::test]
async fn a_question_is_words_and_nothing_else() {
    let node = Node::with().unlimited().start().await;
    let (mut office, _visitor, _) =
        office_with(&node, &["near miss: 'or' \"not\" a*b (c) 50%"]).await;
    let mut anna = office.invite("Anna", "agent").await;
    let direct = direct_room(&mut anna.browser, office.owner.id).await;
    let desk = anna.dashboard().await;
    desk.join(direct).await;
    desk.say_in(direct, "near canary").await;
    let mut ben = office.invite("Ben", "agent").await;
    let hostile = [
        "\" OR terms:near OR \"".to_owned(),
        "near*\" OR \"*".to_owned(),
        "NEAR(near miss, 2)".to_owned(),
        "near & !miss | 'x' <-> :*".to_owned(),
        "^near -miss {terms}: +".to_owned(),
        format!("@{} near", direct.text().replace('-', "")),
        "@t ~f0 near".to_owned(),
        "'); drop table found; --".to_owned(),
        "\\' \\\\ \\0 %_".to_owned(),
        "near\0miss".to_owned(),
        "<script>near</script>".to_owned(),
        "near ".repeat(2_000),
        "\"".repeat(3_000),
        "近".repeat(3_000),
        "e\u{301}".repeat(3_000),
    ];
    for question in &hostile {
        let answer = search(&mut ben.browser, question).await;
        assert!(!answer.to_string().contains("canary"), "{question}");
        let page = format!("/search?q={}", encoded(question));
        let page = ben.browser.get(&page).await.expect(200);
        assert!(!page.text().contains("<script>near"), "{question}");
    }
    for nothing in ["", " ", "\"\"", "*", "?!…", "()", "👍", "\u{301}"] {
        let answer = search(&mut ben.browser, nothing).await;
        for kind in ["people", "tickets", "messages"] {
            assert_eq!(answer[kind].as_array().unwrap().len(), 0, "{nothing}");
        }
    }
    let said = found(&mut ben.browser, "OR not near").await;
    assert_eq!(said, ["[near] miss: '[or]' \"[not]\" a*b (c) 50%"]);
    let _ = ben
        .browser
        .read("/api/v1/search?q=near&cursor=x")
        .await
        .expect(422);
    // Bytes that are no text read as none; an answer, and no fault of ours.
    let odd = ben.browser.read("/api/v1/search?q=%ff%fe").await;
    assert!(odd.status < 500, "{}", odd.status);
    node.assert_well().await;
}

/// The newest first, page by page, none twice and none left out, while new ones come.
#[tokio::test]
async fn pages_lead_to_the_oldest() {
    let node = Node::with().unlimited().start().await;
    let said: Vec<String> = (0..70).map(|number| format!("needle {number}")).collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let (mut office, visitor, ticket) = office_with(&node, &said).await;
    let browser = &mut office.owner.browser;
    let mut all = Vec::new();
    let mut path = "/api/v1/search?q=need".to_owned();
    loop {
        let page = browser.read(&path).await.expect(200).json();
        assert!(page["messages"].as_array().unwrap().len() <= 20);
        for message in page["messages"].as_array().unwrap() {
            assert_eq!(message["ticket"], ticket.text());
            assert_eq!(message["kind"], "public");
            all.push(message["seq"].as_u64().unwrap());
        }
        visitor.say("needle that came meanwhile").await;
        if all.len() == 40 {
            let _ = indexed(node.data()).await;
        }
        let Some(cursor) = page["cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/search?q=need&cursor={cursor}");
    }
    let expected: Vec<u64> = (1..=70).rev().collect();
    assert_eq!(all, expected);
}

/// A page without a script: what was found leads to where it was said.
#[tokio::test]
async fn the_page_leads_to_the_message() {
    let node = Node::with().unlimited().start().await;
    let said: Vec<String> = (0..130).map(|number| format!("message {number}")).collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let (mut office, _visitor, ticket) = office_with(&node, &said).await;
    let browser = &mut office.owner.browser;
    let empty = browser.get("/search").await.expect(200).text();
    assert!(empty.contains("name=\"q\""));
    let none = browser.get("/search?q=nowhere").await.expect(200).text();
    assert!(none.contains("Nothing found"), "{none}");
    let page = browser.get("/search?q=message").await.expect(200).text();
    assert!(page.contains("<mark>message</mark> 129"), "{page}");
    assert!(page.contains("/search?q=message&#38;cursor="), "{page}");

    for number in [3, 60, 129] {
        let page = browser
            .get(&format!("/search?q=%22message+{number}%22"))
            .await
            .expect(200)
            .text();
        let start = page.find("href=\"/found/").expect("a link") + 6;
        let path = page[start..].split('"').next().unwrap();
        let answer = browser.get(path).await.expect(303);
        let location = answer.header("location").unwrap().to_owned();
        assert!(
            location.starts_with(&format!("/tickets/{ticket}")),
            "{location}"
        );
        let (path, anchor) = location.split_once('#').unwrap();
        let thread = browser.get(path).await.expect(200).text();
        let (_, rest) = thread
            .split_once(&format!("id=\"{anchor}\""))
            .expect("the message is on the page");
        assert!(rest.contains(&format!("message {number}<")), "{number}");
    }
    let _ = browser
        .get(&format!("/found/{}/1", parlour_tests::id()))
        .await
        .expect(404);
    let _ = browser
        .get(&format!("/found/{ticket}/9999"))
        .await
        .expect(404);
}
