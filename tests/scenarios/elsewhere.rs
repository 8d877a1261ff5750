//! The routes behind the cookie, and requests to them that come from elsewhere.

use parlour_tests::{Answer, Browser, Node, Office, Request, Visitor};
use serde_json::json;

/// Line 8: a request that changes something must show that it comes from a page of ours.
#[tokio::test]
async fn the_cookies_routes_refuse_requests_from_elsewhere() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let own = node.origin();
    let routes = [
        ("POST", "/sign-in".to_owned()),
        ("POST", "/sign-out".into()),
        ("POST", format!("/tickets/{ticket}/messages")),
        ("POST", format!("/tickets/{ticket}/state")),
        ("POST", format!("/tickets/{ticket}/assignee")),
        ("POST", "/rooms".into()),
        ("POST", "/rooms/direct".into()),
        ("POST", "/agents/invite".into()),
        ("POST", format!("/agents/{}/disable", office.owner.id)),
        ("POST", "/sites/new".into()),
        ("POST", format!("/sites/{}", office.site.id)),
        ("POST", "/account".into()),
        ("POST", "/setup/site".into()),
        ("POST", "/api/v1/token".into()),
        ("POST", "/api/v1/sites".into()),
        ("POST", "/api/v1/invitations".into()),
        ("PATCH", format!("/api/v1/tickets/{ticket}")),
        ("POST", "/api/v1/sign-ins".into()),
        ("DELETE", "/api/v1/sign-ins".into()),
        ("DELETE", "/api/v1/sign-ins/current".into()),
        ("POST", "/api/v1/account/password".into()),
    ];
    let headers: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "http://evil.test")],
        &[("origin", "null")],
        &[("origin", &office.site.origin)],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[
            ("origin", "http://evil.test"),
            ("sec-fetch-site", "same-origin"),
        ],
    ];
    for (method, path) in &routes {
        for headers in headers {
            let mut request = Request::new(method, path).cookie(&office.owner.browser);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let request = match path.starts_with("/api/") {
                true => request.json(&json!({ "state": "resolved", "name": "x" })),
                false => request.form(&[("state", "resolved"), ("text", "x"), ("name", "x")]),
            };
            let answer: Answer = request.send(node.address()).await;
            assert_eq!(answer.status, 403, "{method} {path} with {headers:?}");
        }
    }
    // Nothing happened, and the sign-in is still good.
    let view = office
        .owner
        .browser
        .read(&format!("/api/v1/tickets/{ticket}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&view["state"], &view["position"]),
        (&json!("open"), &json!(1))
    );
}

/// Line 8: JSON routes take JSON alone, so that no form of another page can reach them.
#[tokio::test]
async fn json_routes_take_json_alone() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let body = json!({ "site": office.site.key, "page": "", "name": "x", "email": "x@office.test", "role": "agent", "password": "x" }).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let request = |path: &str| {
            let request = Request::post(path).body(body.clone());
            if kind.is_empty() {
                request
            } else {
                request.header("content-type", kind)
            }
        };
        let answer = request("/api/v1/sessions")
            .header("origin", &office.site.origin)
            .send(node.address())
            .await;
        assert_eq!(answer.status, 415, "{kind:?}");
        for path in [
            "/api/v1/sites",
            "/api/v1/invitations",
            "/api/v1/sign-ins",
            "/api/v1/account/password",
        ] {
            let answer = request(path)
                .cookie(&office.owner.browser)
                .header("origin", &node.origin())
                .send(node.address())
                .await;
            assert_eq!(answer.status, 415, "{path} {kind:?}");
        }
    }
    assert_eq!(
        office
            .owner
            .browser
            .read("/api/v1/sites")
            .await
            .expect(200)
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// Line 9: what only reads changes nothing.
#[tokio::test]
async fn reading_changes_nothing() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        for path in [
            "/sign-out".to_owned(),
            format!("/tickets/{ticket}/state?state=resolved"),
            format!("/tickets/{ticket}/messages?text=x"),
            format!("/tickets/{ticket}/assignee?assignee={}", office.owner.id),
            format!("/agents/{}/disable", office.owner.id),
            "/agents/invite?email=x@office.test&role=agent".into(),
            "/rooms/direct".into(),
            "/api/v1/token".into(),
        ] {
            let answer = Request::new(method, &path)
                .cookie(&office.owner.browser)
                .send(node.address())
                .await;
            assert!(
                matches!(answer.status, 403 | 404 | 405 | 200 | 204),
                "{method} {path}: {}",
                answer.status
            );
            assert!(
                method != "GET" || matches!(answer.status, 404 | 405),
                "{method} {path}: {}",
                answer.status
            );
        }
    }
    let view = office
        .owner
        .browser
        .read(&format!("/api/v1/tickets/{ticket}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&view["state"], &view["assignee"], &view["position"]),
        (&json!("open"), &json!(null), &json!(1))
    );
    // A link that is looked at is not used up.
    let fresh = Node::start().await;
    let mut browser = Browser::new(fresh.address());
    for _ in 0..3 {
        assert_eq!(browser.get(&fresh.setup_path()).await.status, 200);
        assert_eq!(
            Request::new("HEAD", &fresh.setup_path())
                .send(fresh.address())
                .await
                .status,
            200
        );
    }
    parlour_tests::office::owner(&fresh, "Olivia").await;
}
