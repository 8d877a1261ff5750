//! Who may call from where: origins and CORS.

use parlour_tests::wire::Upgrade;
use parlour_tests::{Node, Office, Request, Visitor, Wire, id};
use serde_json::json;

/// Origins that are not the one that is listed, though some look like it.
fn strangers(listed: &str) -> Vec<String> {
    let host = listed.trim_start_matches("http://");
    vec![
        "http://evil.test".into(),
        format!("https://{host}"),
        format!("http://{host}:8080"),
        format!("http://{host}.evil.test"),
        format!("http://evil.test/{host}"),
        format!("http://sub.{host}"),
        format!("http://{host}@evil.test"),
        format!("http://evil.test#{host}"),
        format!("http://{host} http://evil.test"),
        format!("{host}"),
        "null".into(),
        "file://".into(),
        "*".into(),
        String::new(),
    ]
}

fn session(key: &str) -> Request {
    Request::post("/api/v1/sessions")
        .json(&json!({ "site": key, "page": "http://shop.test/", "title": "" }))
}

/// Line 10: the session is refused where it is issued, with a reason that the console can show.
#[tokio::test]
async fn sessions_are_refused_to_pages_that_are_not_listed() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let other =
        parlour_tests::office::site(&mut office.owner.browser, "Other", "http://other.test").await;
    let mut foreign = strangers(&office.site.origin);
    foreign.push(other.origin.clone());
    for origin in &foreign {
        let answer = session(&office.site.key)
            .header("origin", origin)
            .send(node.address())
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "origin_not_allowed"),
            "{origin:?}"
        );
        assert_eq!(
            answer
                .header("access-control-allow-origin")
                .filter(|allowed| *allowed == "*"),
            None
        );
        assert!(!answer.text().contains("token\""));
    }
    let answer = session(&office.site.key).send(node.address()).await;
    assert_eq!(answer.status, 403, "without an origin");
    let answer = session("nothing")
        .header("origin", &office.site.origin)
        .send(node.address())
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (404, "unknown_site")
    );

    let answer = session(&office.site.key)
        .header("origin", &office.site.origin)
        .send(node.address())
        .await
        .expect(200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(office.site.origin.as_str())
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert!(
        answer
            .header("vary")
            .is_some_and(|vary| vary.to_lowercase().contains("origin"))
    );

    // What is taken off the list is refused at once.
    let path = format!("/api/v1/sites/{}", office.site.id);
    let answer = office
        .owner
        .browser
        .call("PATCH", &path, &json!({ "origins": ["http://new.test"] }))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        session(&office.site.key)
            .header("origin", &office.site.origin)
            .send(node.address())
            .await
            .status,
        403
    );
    assert_eq!(
        session(&office.site.key)
            .header("origin", "http://new.test")
            .send(node.address())
            .await
            .status,
        200
    );
}

/// Line 11: and again at the socket, before the upgrade, for visitors and agents.
#[tokio::test]
async fn sockets_are_refused_before_the_upgrade() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let other =
        parlour_tests::office::site(&mut office.owner.browser, "Other", "http://other.test").await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let mut foreign = strangers(&office.site.origin);
    foreign.push(other.origin.clone());
    for origin in &foreign {
        for token in [visitor.token(), office.owner.token().await] {
            let opened = Wire::open("foreign", Upgrade::new(node.address(), origin, &token)).await;
            assert_eq!(opened.err(), Some(403), "{origin:?}");
        }
    }
    // A listed page may not open an agent's socket.
    let token = office.owner.token().await;
    let opened = Wire::open(
        "agent",
        Upgrade::new(node.address(), &office.site.origin, &token),
    )
    .await;
    assert_eq!(opened.err(), Some(403));
    // Without an origin; and without a token from nowhere.
    let upgrade = Upgrade::bare(node.address()).header(
        "sec-websocket-protocol",
        &format!("parlour.v1, {}", visitor.token()),
    );
    assert_eq!(Wire::open("no origin", upgrade).await.err(), Some(403));
    let upgrade = Upgrade::bare(node.address()).header("origin", "http://evil.test");
    assert_eq!(Wire::open("nobody", upgrade).await.err(), Some(403));
    // The test page of Parlour itself carries the widget.
    let own = Upgrade::new(node.address(), &node.origin(), &visitor.token());
    Wire::open("test page", own).await.unwrap().hello().await;
    // A site that loses the origin loses the next socket.
    let path = format!("/api/v1/sites/{}", office.site.id);
    let answer = office
        .owner
        .browser
        .call("PATCH", &path, &json!({ "origins": ["http://new.test"] }))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(Wire::open("late", visitor.upgrade()).await.err(), Some(403));
}

/// Line 10: pre-flights and readable answers.
#[tokio::test]
async fn cors_names_one_origin_and_no_credentials() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let preflight = |path: &str, origin: &str| {
        Request::new("OPTIONS", path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "content-type,authorization",
            )
    };
    let rooms = format!("/api/v1/rooms/{}/messages", id());
    for path in ["/api/v1/sessions", &rooms] {
        let answer = preflight(path, &office.site.origin)
            .send(node.address())
            .await;
        assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(office.site.origin.as_str())
        );
        assert!(
            answer
                .header("access-control-allow-headers")
                .is_some_and(
                    |headers| headers.contains("authorization") && headers.contains("content-type")
                )
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .is_some_and(|methods| methods.contains("POST"))
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert!(
            answer
                .header("vary")
                .is_some_and(|vary| vary.to_lowercase().contains("origin"))
        );
        for origin in strangers(&office.site.origin) {
            let answer = preflight(path, &origin).send(node.address()).await;
            assert_eq!(
                answer.header("access-control-allow-origin"),
                None,
                "{origin:?}"
            );
            let answer = Request::get(path)
                .header("origin", &origin)
                .send(node.address())
                .await;
            assert_eq!(
                answer.header("access-control-allow-origin"),
                None,
                "{origin:?}"
            );
        }
    }
    // Routes behind the cookie let nobody else read.
    for path in [
        "/api/v1/tickets",
        "/api/v1/token",
        "/api/v1/agents",
        "/tickets",
        "/sign-in",
    ] {
        for request in [
            preflight(path, &office.site.origin),
            Request::get(path).header("origin", &office.site.origin),
        ] {
            let answer = request.send(node.address()).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
        }
    }
    // The widget's files are for everybody.
    let loader = Request::get(&format!("/w/{}.js", office.site.key))
        .send(node.address())
        .await;
    assert_eq!(
        loader.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    assert_eq!(loader.header("access-control-allow-origin"), Some("*"));
    assert_eq!(loader.header("access-control-allow-credentials"), None);
    // An answer to a token may be read by the listed page alone.
    let answer = visitor
        .read(&format!("/api/v1/rooms/{}/messages", id()))
        .await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some(office.site.origin.as_str())
    );
}
