//! What every answer carries, and what an error tells.

use parlour_tests::{Answer, Node, Office, Request, Visitor, id};
use serde_json::json;

fn assert_headers(what: &str, answer: &Answer) {
    assert_eq!(
        answer.header("x-content-type-options"),
        Some("nosniff"),
        "{what}"
    );
    assert!(
        matches!(
            answer.header("referrer-policy"),
            Some("no-referrer" | "same-origin")
        ),
        "{what}"
    );
    assert_eq!(answer.header("server"), None, "{what}");
    assert_eq!(answer.header("x-powered-by"), None, "{what}");
    let is_page = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    if !is_page {
        return;
    }
    assert_eq!(
        answer.header("cross-origin-opener-policy"),
        Some("same-origin"),
        "{what}"
    );
    let policy = answer
        .header("content-security-policy")
        .unwrap_or_else(|| panic!("{what} has no policy"));
    let directive = |name: &str| {
        policy
            .split(';')
            .map(str::trim)
            .find_map(|part| part.strip_prefix(name).map(str::trim))
            .unwrap_or_else(|| panic!("{what}: {name} in {policy}"))
    };
    assert!(
        matches!(directive("default-src "), "'self'" | "'none'"),
        "{what}: {policy}"
    );
    assert_eq!(directive("object-src "), "'none'", "{what}");
    assert_eq!(directive("base-uri "), "'none'", "{what}");
    assert_eq!(directive("form-action "), "'self'", "{what}");
    assert!(
        matches!(directive("frame-ancestors "), "'none'"),
        "{what}: {policy}"
    );
    assert!(
        !policy.contains("unsafe-inline")
            && !policy.contains("'unsafe-eval'")
            && !policy.contains(" * ")
            && !policy.contains("data:"),
        "{what}: {policy}"
    );
    // With such a policy, what is written into the page must not need more.
    let html = answer.text();
    assert!(
        !html.contains("<script>")
            && !html.contains(" style=\"")
            && !html.contains(" onclick=")
            && !html.contains("javascript:"),
        "{what} needs an unsafe policy"
    );
}

/// Lines 1, 3, 4 and 5: on every answer, errors included.
#[tokio::test]
async fn every_answer_carries_its_headers() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let ticket = visitor.open("hello").await;
    let site = office.site.id;
    let key = office.site.key.clone();
    let mut pages = vec![
        "/".to_owned(),
        "/sign-in".into(),
        "/setup/nothing".into(),
        "/invite/nothing".into(),
        "/reset/nothing".into(),
        "/tickets".into(),
        format!("/tickets/{ticket}"),
        format!("/tickets/{ticket}?before=1"),
        format!("/tickets/{}", id()),
        "/tickets/nothing".into(),
        "/rooms".into(),
        format!("/rooms/{}", id()),
        "/agents".into(),
        "/sites".into(),
        "/sites/new".into(),
        format!("/sites/{site}"),
        format!("/sites/{site}/install"),
        "/setup/site".into(),
        "/account".into(),
        format!("/test/{key}"),
        "/test/nothing".into(),
        format!("/w/{key}.js"),
        "/w/nothing.js".into(),
        "/assets/nothing".into(),
        "/healthz".into(),
        "/readyz".into(),
        "/nothing".into(),
        "/api/v1/nothing".into(),
        "/api/v1/tickets".into(),
        "/api/v1/sign-ins".into(),
        "/socket".into(),
        "/%2e%2e/etc/passwd".into(),
        "/assets/..%2f..%2fetc%2fpasswd".into(),
    ];
    pages.extend(asset_paths(&mut office).await);
    for path in &pages {
        for signed_in in [true, false] {
            for (method, accept) in [
                ("GET", "text/html"),
                ("GET", "*/*"),
                ("HEAD", "text/html"),
                ("POST", "text/html"),
                ("PUT", "*/*"),
                ("OPTIONS", "*/*"),
            ] {
                let mut request = Request::new(method, path).header("accept", accept);
                if signed_in {
                    request = request.cookie(&office.owner.browser);
                }
                let answer = request.send(node.address()).await;
                let what = format!("{method} {path} ({accept}): {}", answer.status);
                assert!(answer.status < 500, "{what}: {}", answer.text());
                if method == "HEAD" || answer.body.is_empty() {
                    assert_eq!(
                        answer.header("x-content-type-options"),
                        Some("nosniff"),
                        "{what}"
                    );
                } else {
                    assert_headers(&what, &answer);
                }
                assert_eq!(
                    answer.header("strict-transport-security"),
                    None,
                    "{what}: over plain HTTP"
                );
            }
        }
    }
    node.assert_well().await;
}

async fn asset_paths(office: &mut Office) -> Vec<String> {
    let page = office
        .owner
        .browser
        .get("/tickets")
        .await
        .expect(200)
        .text();
    page.split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect()
}

/// Line 3: once the public address is https.
#[tokio::test]
async fn over_https_browsers_are_told_to_stay_there() {
    let node = Node::with()
        .set("PARLOUR_PUBLIC_URL", "https://chat.example.com")
        .start()
        .await;
    for path in ["/sign-in", "/nothing", "/healthz"] {
        let answer = Request::get(path)
            .header("host", "chat.example.com")
            .send(node.address())
            .await;
        let value = answer
            .header("strict-transport-security")
            .unwrap_or_default()
            .to_owned();
        assert!(
            value.contains("max-age=31536000") && value.contains("includeSubDomains"),
            "{value:?}"
        );
    }
}

/// Line 4: also what has not changed.
#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let paths = asset_paths(&mut office).await;
    let mut paths: Vec<_> = paths
        .into_iter()
        .map(|path| path.split('#').next().unwrap().to_owned())
        .collect();
    paths.push(format!("/w/{}.js", office.site.key));
    for path in paths {
        let answer = Request::get(&path).send(node.address()).await.expect(200);
        let etag = answer
            .header("etag")
            .unwrap_or_else(|| panic!("{path} has no tag"))
            .to_owned();
        let again = Request::get(&path)
            .header("if-none-match", &etag)
            .send(node.address())
            .await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_headers(&path, &again);
        if path.starts_with("/assets/") {
            assert!(
                answer
                    .header("cache-control")
                    .is_some_and(|cache| cache.contains("immutable")),
                "{path}"
            );
            let packed = Request::get(&path)
                .header("accept-encoding", "gzip, br")
                .send(node.address())
                .await
                .expect(200);
            assert!(
                packed
                    .header("content-encoding")
                    .is_none_or(|coding| coding == "br"),
                "{path}"
            );
        }
    }
}

/// Line 38: errors say what is wrong with the request, and nothing of the inside.
#[tokio::test]
async fn errors_tell_nothing_of_the_inside() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let own = node.origin();
    let api = |method: &str, path: &str, body: &str| {
        Request::new(method, path)
            .cookie(&office.owner.browser)
            .header("origin", &own)
            .header("content-type", "application/json")
            .body(body)
    };
    let mut cases = vec![
        (404, Request::get("/nothing")),
        (404, Request::get("/api/v1/nothing")),
        (404, Request::get("/metrics")),
        (404, Request::get("/debug/pprof")),
        (404, Request::get("/parlour.db")),
        (404, Request::get("/.env")),
        (404, api("GET", "/api/v1/tickets/not-an-id", "")),
        (404, api("GET", &format!("/api/v1/tickets/{}", id()), "")),
        (
            404,
            Request::get("/tickets/%00").cookie(&office.owner.browser),
        ),
        (
            404,
            Request::get("/tickets/%ff").cookie(&office.owner.browser),
        ),
        (405, api("PUT", "/api/v1/tickets", "{}")),
        (405, api("DELETE", "/api/v1/sites", "")),
        (405, Request::post("/healthz")),
        (400, api("POST", "/api/v1/sites", "{")),
        (400, api("POST", "/api/v1/sites", "")),
        (400, api("POST", "/api/v1/sites", "\u{0}")),
        (422, api("POST", "/api/v1/sites", "{\"name\":5}")),
        (422, api("POST", "/api/v1/sites", "{\"name\":\"\"}")),
        (
            422,
            api(
                "POST",
                "/api/v1/sites",
                "{\"name\":\"x\",\"origins\":[\"nonsense\"]}",
            ),
        ),
        (
            422,
            api(
                "POST",
                "/api/v1/invitations",
                "{\"email\":\"nobody\",\"role\":\"agent\"}",
            ),
        ),
        (
            422,
            api(
                "POST",
                "/api/v1/invitations",
                "{\"email\":\"a@b.test\",\"role\":\"king\"}",
            ),
        ),
        (
            413,
            api(
                "POST",
                "/api/v1/sites",
                &format!("{{\"name\":\"{}\"}}", "x".repeat(200_000)),
            ),
        ),
        (401, Request::get("/api/v1/tickets")),
    ];
    cases.push((
        400,
        Request::post("/api/v1/sessions")
            .header("origin", &office.site.origin)
            .header("content-type", "application/json")
            .body("{\"site\":"),
    ));
    for (status, request) in cases {
        let answer = request.send(node.address()).await;
        assert_eq!(answer.status, status, "{request:?}: {}", answer.text());
        assert_headers("an error", &answer);
        if status == 405 {
            assert!(answer.header("allow").is_some(), "{request:?}");
        }
        let body = answer.text().to_lowercase();
        for inside in [
            "sqlx",
            "sqlite",
            "select ",
            "panicked",
            "src/",
            ".rs",
            "/work/",
            "backtrace",
            "axum",
            "serde",
            &node.data().display().to_string(),
        ] {
            assert!(!body.contains(inside), "{inside} in {body}");
        }
        if answer
            .header("content-type")
            .is_some_and(|kind| kind.contains("problem+json"))
        {
            let problem = answer.json();
            assert_eq!(problem["status"], json!(status));
            assert!(
                problem["title"].is_string()
                    && problem["detail"].is_string()
                    && problem["code"].is_string(),
                "{problem}"
            );
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
    node.assert_well().await;
}
