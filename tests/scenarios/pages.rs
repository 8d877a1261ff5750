//! The dashboard's pages without any script, and what the widget is loaded by.

use parlour_tests::{Browser, Node, Office, Request, Visitor, id};

/// From the set-up link to the first message, as a newcomer does it in a browser without JavaScript.
#[tokio::test]
async fn the_first_run_works_without_a_script() {
    let node = Node::start().await;
    let mut browser = Browser::new(node.address());
    assert_eq!(browser.get("/").await.status, 303);
    let page = browser.get(&node.setup_path()).await.expect(200).text();
    assert!(page.contains("name=\"password\""));
    let answer = browser
        .form(
            &node.setup_path(),
            &[
                ("name", "Olivia"),
                ("email", "olivia@office.test"),
                ("password", parlour_tests::office::PASSWORD),
            ],
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/setup/site"))
    );
    assert_eq!(browser.get("/setup/site").await.status, 200);
    let wrong = browser
        .form(
            "/setup/site",
            &[
                ("name", "Shop"),
                ("origins", "shop.test"),
                ("colour", "#aa3300"),
                ("greeting", ""),
                ("position", "right"),
                ("locale", ""),
            ],
        )
        .await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    let said: Vec<&str> = text
        .split("class=\"field-error\"")
        .skip(1)
        .filter_map(|part| part.split("</p>").next())
        .collect();
    assert!(
        said.iter().any(|said| said.contains("https://shop.test")),
        "{said:?}"
    );
    let answer = browser
        .form(
            "/setup/site",
            &[
                ("name", "Shop"),
                ("origins", "http://shop.test\nhttp://www.shop.test"),
                ("colour", "#aa3300"),
                ("greeting", "Hello there"),
                ("position", "left"),
                ("locale", ""),
            ],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let install = answer.header("location").unwrap().to_owned();
    assert!(install.ends_with("/install"), "{install}");
    let page = browser.get(&install).await.expect(200).text();
    let sites = browser.read("/api/v1/sites").await.expect(200).json();
    let key = sites[0]["key"].as_str().unwrap();
    assert!(
        page.contains(&format!("{}/w/{key}.js", node.origin())),
        "the snippet"
    );
    assert!(page.contains(&format!("/test/{key}")), "the test page");
    assert!(
        page.contains("Waiting for the first visitor") && page.contains("data-state=\"waiting\"")
    );
    let test = Request::get(&format!("/test/{key}"))
        .send(node.address())
        .await
        .expect(200)
        .text();
    assert!(test.contains(&format!("/w/{key}.js")));
    let loader = Request::get(&format!("/w/{key}.js"))
        .send(node.address())
        .await
        .expect(200);
    assert!(
        loader.text().contains("Hello there") && loader.text().to_lowercase().contains("#aa3300")
    );
    assert!(
        loader
            .header("content-type")
            .is_some_and(|kind| kind.contains("javascript"))
    );
    assert!(
        loader
            .header("cache-control")
            .is_some_and(|cache| cache.contains("max-age=60")),
        "{:?}",
        loader.header("cache-control")
    );
    assert_eq!(loader.header("set-cookie"), None);

    let site = parlour_tests::Site {
        id: parlour_tests::office::id_of(&sites[0]["id"]),
        key: key.into(),
        origin: "http://shop.test".into(),
    };
    let visitor = Visitor::arrive(&node, &site).await;
    let ticket = visitor.open("my first question").await;
    let list = browser.get("/tickets").await.expect(200).text();
    assert!(list.contains("my first question") && list.contains(&ticket.text()));
    let answer = browser
        .form(
            &format!("/tickets/{ticket}/messages"),
            &[
                ("text", "my first answer"),
                ("cid", &id().text()),
                ("room", "public"),
            ],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    visitor.expect("my first answer").await;
    let thread = browser
        .get(&format!("/tickets/{ticket}"))
        .await
        .expect(200)
        .text();
    assert!(thread.contains("my first question") && thread.contains("my first answer"));
    let page = browser.get(&install).await.expect(200).text();
    assert!(
        page.contains("data-state=\"arrived\"") && page.contains(&format!("/tickets/{ticket}")),
        "it leads to the first message"
    );
}

/// A form that is sent twice writes once.
#[tokio::test]
async fn a_form_that_is_sent_twice_writes_once() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let cid = id().text();
    for _ in 0..3 {
        let answer = office
            .owner
            .browser
            .form(
                &format!("/tickets/{ticket}/messages"),
                &[("text", "once"), ("cid", &cid), ("room", "public")],
            )
            .await;
        assert_eq!(answer.status, 303);
    }
    visitor.say("end").await;
    assert_eq!(visitor.texts(ticket), ["hello", "once", "end"]);
    // Nothing to say, and too much of it.
    for text in [" ", &"x".repeat(8_001)] {
        let answer = office
            .owner
            .browser
            .form(
                &format!("/tickets/{ticket}/messages"),
                &[("text", text), ("cid", &id().text()), ("room", "public")],
            )
            .await;
        assert_eq!(answer.status, 422);
    }
}

/// Older entries of a long thread, page by page and without a script.
#[tokio::test]
async fn a_long_thread_is_read_page_by_page() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("message-1-").await;
    for number in 2..=130 {
        visitor.write(&format!("message-{number}-"));
    }
    visitor.expect("message-130-").await;
    let mut seen = Vec::new();
    let mut path = format!("/tickets/{ticket}");
    for _ in 0..10 {
        let page = office.owner.browser.get(&path).await.expect(200).text();
        seen.extend((1..=130).filter(|number| page.contains(&format!("message-{number}-"))));
        let older = page
            .split("href=\"")
            .skip(1)
            .filter_map(|part| part.split('"').next())
            .find(|href| href.contains("before=") && href.contains(&ticket.text()));
        match older {
            Some(href) => path = href.replace("&amp;", "&").replace("&#38;", "&"),
            None => break,
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=130).collect::<Vec<_>>());
}

/// What stands around a thread is rendered by itself, for a page that renews it.
#[tokio::test]
async fn the_head_and_the_context_of_a_ticket_are_renewed() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let browser = &mut office.owner.browser;
    let path = format!("/tickets/{ticket}/around?assigned=mine");
    let before = browser.get(&path).await.expect(200).text();
    assert!(before.contains("Nobody yet") && before.contains("/tickets?assigned=mine"));
    assert!(!before.contains("data-live-thread") && !before.contains("<html"));
    let moved = Request::new("PATCH", "/api/v1/sessions")
        .header("origin", &office.site.origin)
        .header("authorization", &format!("Bearer {}", visitor.token()))
        .json(&serde_json::json!({ "page": "http://shop.test/pay", "title": "Pay" }))
        .send(node.address())
        .await;
    assert_eq!(moved.status, 204);
    let answer = browser
        .form(
            &format!("/tickets/{ticket}/messages"),
            &[("text", "hi"), ("cid", &id().text()), ("room", "public")],
        )
        .await;
    assert_eq!(answer.status, 303);
    let after = browser.get(&path).await.expect(200).text();
    assert!(after.contains("http://shop.test/pay") && after.contains(">Pay<"));
    assert!(!after.contains("Nobody yet") && after.contains("data-state=\"online\""));
    let unknown = format!("/tickets/{}/around", id());
    assert_eq!(browser.get(&unknown).await.status, 404);
    let stranger = Request::get(&path).send(node.address()).await;
    assert!(!stranger.text().contains("hello"), "signed out");
}

/// A site without allowed origins is shut on every page, and its pages say so.
#[tokio::test]
async fn a_site_without_origins_is_shut_and_says_so() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let browser = &mut office.owner.browser;
    let fields = [
        ("name", "Shut"),
        ("origins", ""),
        ("colour", "#aa3300"),
        ("greeting", ""),
        ("position", "left"),
        ("locale", "de"),
    ];
    let answer = browser.form("/sites/new", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let install = answer.header("location").unwrap().to_owned();
    let page = browser.get(&install).await.expect(200).text();
    assert!(page.contains("No origin is allowed yet"));
    let list = browser.get("/sites").await.expect(200).text();
    assert!(list.contains("No page may carry it yet"));
    let form = install.trim_end_matches("/install");
    let form = browser.get(form).await.expect(200).text();
    assert!(form.contains("with none, only on the test page"));
    assert!(form.contains("Wir sind online"), "the drawing is in German");
    let sites = browser.read("/api/v1/sites").await.expect(200).json();
    let shut = sites.as_array().unwrap();
    let shut = shut.iter().find(|site| site["name"] == "Shut").unwrap();
    for (origin, status) in [("http://shop.test", 403), (node.origin().as_str(), 200)] {
        let answer = Request::post("/api/v1/sessions")
            .header("origin", origin)
            .json(&serde_json::json!({ "site": shut["key"] }))
            .send(node.address())
            .await;
        assert_eq!(answer.status, status, "{origin}");
    }
}

/// What was resolved is taken back by the toast's form; who leaves a room is asked first.
#[tokio::test]
async fn what_was_done_can_be_undone() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let browser = &mut office.owner.browser;
    let path = format!("/tickets/{ticket}");
    let state = format!("{path}/state");
    let answer = browser.form(&state, &[("state", "resolved")]).await;
    assert_eq!(answer.status, 303);
    let page = browser.get(&path).await.expect(200).text();
    let undo = "data-live-form=\"undo\"";
    let toast = page.split(undo).nth(1).expect("a toast with a form");
    assert!(toast.contains("name=\"state\" value=\"open\""));
    let answer = browser.form(&state, &[("state", "open")]).await;
    assert_eq!(answer.status, 303);
    let page = browser.get(&path).await.expect(200).text();
    assert!(!page.contains(undo) && page.contains("data-ticket-state=\"open\""));
    let room = parlour_tests::office::team_room(browser, "Back office", &[]).await;
    let page = browser.get(&format!("/rooms/{room}")).await.expect(200);
    assert!(page.text().contains("nobody can bring you back"));
}

/// A visitor's other open ticket is pointed out: the widget shows her one at a time.
#[tokio::test]
async fn another_open_ticket_of_the_visitor_is_pointed_out() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let first = visitor.open("the first matter").await;
    let second = visitor.open("the second matter").await;
    let browser = &mut office.owner.browser;
    let said = "another open ticket";
    for (one, other) in [(first, second), (second, first)] {
        let page = browser.get(&format!("/tickets/{one}")).await.expect(200);
        let page = page.text();
        let notice = page.split("thread-notice").nth(1).unwrap();
        let notice = notice.split("</div>").next().unwrap();
        assert!(notice.contains(said) && notice.contains(&other.text()));
    }
    let list = browser.get("/tickets").await.expect(200).text();
    assert!(list.contains(&first.text()) && list.contains(&second.text()));
    let state = format!("/tickets/{second}/state");
    let answer = browser.form(&state, &[("state", "resolved")]).await;
    assert_eq!(answer.status, 303);
    let around = format!("/tickets/{first}/around");
    let around = browser.get(&around).await.expect(200).text();
    assert!(!around.contains(said));
}
