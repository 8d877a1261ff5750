//! One-time links: set-up, invitation and reset.

use parlour_tests::database::connect;
use parlour_tests::office::{PASSWORD, link_in};
use parlour_tests::{Browser, Node, Office, Request};
use serde_json::json;

/// Line 30: a one-time link is good once, for an hour, and for what it was made for.
#[tokio::test]
async fn one_time_links_are_good_once() {
    let node = Node::with().unlimited().start().await;
    let setup = node.setup_path();
    let mut office = Office::open(&node).await;
    let mut browser = Browser::new(node.address());
    let owner = [
        ("name", "Mallory"),
        ("email", "mallory@evil.test"),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.get(&setup).await.status, 404);
    assert_eq!(browser.form(&setup, &owner).await.status, 404);

    let invite =
        parlour_tests::office::invitation(&mut office.owner.browser, "anna@office.test", "agent")
            .await;
    // Not for anything else.
    let token = invite.rsplit('/').next().unwrap();
    for path in [format!("/reset/{token}"), format!("/setup/{token}")] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
        assert_eq!(browser.form(&path, &owner).await.status, 404, "{path}");
    }
    let anna = parlour_tests::office::accept(
        Browser::new(node.address()),
        &invite,
        "Anna",
        "anna@office.test",
    )
    .await;
    assert_eq!(browser.get(&invite).await.status, 404);
    assert_eq!(
        browser
            .form(&invite, &[("name", "Again"), ("password", PASSWORD)])
            .await
            .status,
        404
    );

    // Two at once: one of them.
    let invite =
        parlour_tests::office::invitation(&mut office.owner.browser, "ben@office.test", "agent")
            .await;
    let attempts = (0..4).map(|number| {
        let (mut browser, invite) = (Browser::new(node.address()), invite.clone());
        async move {
            browser
                .form(
                    &invite,
                    &[("name", &format!("Ben {number}")), ("password", PASSWORD)],
                )
                .await
                .status
        }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 303).count(),
        1,
        "{statuses:?}"
    );

    let path = format!("/api/v1/agents/{}/reset-link", anna.id);
    let first = link_in(
        &office
            .owner
            .browser
            .call("POST", &path, &json!({}))
            .await
            .expect(201)
            .text(),
        "/reset/",
    );
    let second = link_in(
        &office
            .owner
            .browser
            .call("POST", &path, &json!({}))
            .await
            .expect(201)
            .text(),
        "/reset/",
    );
    assert_eq!(
        browser.get(&first).await.status,
        404,
        "a new link makes the old one void"
    );
    // A password that is refused does not use the link up.
    assert_eq!(
        browser.form(&second, &[("password", "short")]).await.status,
        422
    );
    assert_eq!(
        browser
            .form(&second, &[("password", "a fine new password")])
            .await
            .status,
        303
    );
    assert_eq!(
        Browser::new(node.address())
            .form(&second, &[("password", "a fine new password")])
            .await
            .status,
        404
    );
    assert_eq!(
        anna.browser.clone().read("/api/v1/account").await.status,
        401,
        "older sign-ins are over"
    );

    // After its time, which is an hour at most.
    let late =
        parlour_tests::office::invitation(&mut office.owner.browser, "carla@office.test", "agent")
            .await;
    let mut connection = connect(node.data()).await;
    let longest: i64 = sqlx::query_scalar("select max(ends_at - created_at) from links")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(longest <= 3_600 * 1_000_000);
    sqlx::query("update links set ends_at = created_at where used_at is null")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(browser.get(&late).await.status, 404);
    assert_eq!(
        browser
            .form(&late, &[("name", "Carla"), ("password", PASSWORD)])
            .await
            .status,
        404
    );
    for token in ["", "x", &"0".repeat(64), "..", "%00"] {
        let answer = browser.get(&format!("/invite/{token}")).await;
        assert_eq!(answer.status, 404, "{token:?}");
    }
}

/// Line 30: the host of a link comes from the configuration, never from a request.
#[tokio::test]
async fn links_lead_here_whatever_host_was_asked_for() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let answer = Request::post("/api/v1/invitations")
        .cookie(&office.owner.browser)
        .header("origin", &node.origin())
        .header("host", "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("forwarded", "host=evil.test")
        .json(&json!({ "email": "anna@office.test", "role": "agent" }))
        .send(node.address())
        .await;
    assert!(!answer.text().contains("evil"), "{}", answer.text());
    let page = office
        .owner
        .browser
        .form(
            "/agents/invite",
            &[("email", "ben@office.test"), ("role", "agent")],
        )
        .await
        .expect(200);
    assert!(page.text().contains(&format!("{}/invite/", node.origin())));
}
