//! What every page may ask about a site: why its widget is refused.

use parlour_tests::{Node, Office, Request};

/// Line 10: a page that is not listed may not read the refusal of its session, but may read why.
#[tokio::test]
async fn a_page_that_is_not_listed_learns_why() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let path = format!("/w/{}/origin", office.site.key);
    let listed = Request::get(&path)
        .header("origin", &office.site.origin)
        .send(node.address())
        .await;
    assert_eq!(listed.status, 204);
    for (path, origin, expected) in [
        (&*path, "http://evil.test", (403, "origin_not_allowed")),
        (&path, "null", (403, "origin_not_allowed")),
        (&path, "", (403, "origin_not_allowed")),
        (
            "/w/nothing/origin",
            &office.site.origin,
            (404, "unknown_site"),
        ),
    ] {
        let answer = Request::get(path)
            .header("origin", origin)
            .send(node.address())
            .await;
        assert_eq!(
            (answer.status, &*answer.code()),
            expected,
            "{path} {origin:?}"
        );
        // For everybody to read, and nothing to keep.
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            !answer.text().contains(&office.site.origin),
            "the list itself is not told"
        );
    }
}
