//! Roles: what agents, admins and the owner may do.

use parlour_tests::cluster::beside;
use parlour_tests::office::PASSWORD;
use parlour_tests::{Browser, Node, Office, Request};
use serde_json::json;

/// Nobody raises herself, or touches who stands above her.
#[tokio::test]
async fn roles_are_held() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let mut ada = office.invite("Ada", "admin").await;
    let (owner, agent, admin) = (office.owner.id, anna.id, ada.id);
    let site = office.site.id;

    // An agent: no invitations, no roles, no sites.
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/invitations".to_owned(),
            json!({ "email": "x@office.test", "role": "agent" }),
        ),
        ("GET", "/api/v1/invitations".into(), json!({})),
        (
            "POST",
            "/api/v1/sites".into(),
            json!({ "name": "Mine", "origins": ["http://mine.test"] }),
        ),
        (
            "PATCH",
            format!("/api/v1/sites/{site}"),
            json!({ "origins": ["http://evil.test"] }),
        ),
        (
            "PATCH",
            format!("/api/v1/agents/{agent}"),
            json!({ "role": "admin" }),
        ),
        (
            "PATCH",
            format!("/api/v1/agents/{agent}"),
            json!({ "role": "owner" }),
        ),
        (
            "PATCH",
            format!("/api/v1/agents/{admin}"),
            json!({ "disabled": true }),
        ),
        (
            "PATCH",
            format!("/api/v1/agents/{owner}"),
            json!({ "disabled": true }),
        ),
        (
            "POST",
            format!("/api/v1/agents/{owner}/reset-link"),
            json!({}),
        ),
        (
            "POST",
            format!("/api/v1/agents/{admin}/reset-link"),
            json!({}),
        ),
    ] {
        let answer = anna.browser.call(method, &path, &body).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(!answer.text().contains("/reset/") && !answer.text().contains("/invite/"));
    }
    let forms = [
        (
            "/agents/invite".to_owned(),
            vec![("email", "x@office.test"), ("role", "admin")],
        ),
        (format!("/agents/{agent}/role"), vec![("role", "admin")]),
        (format!("/agents/{admin}/disable"), vec![]),
        (format!("/agents/{admin}/reset-link"), vec![]),
        (
            "/sites/new".into(),
            vec![
                ("name", "Mine"),
                ("origins", "http://mine.test"),
                ("colour", "#123456"),
                ("position", "right"),
            ],
        ),
        (
            format!("/sites/{site}"),
            vec![
                ("name", "Mine"),
                ("origins", "http://evil.test"),
                ("colour", "#123456"),
                ("position", "right"),
            ],
        ),
    ];
    for (path, fields) in &forms {
        assert_eq!(anna.browser.form(path, fields).await.status, 403, "{path}");
    }

    // An admin: agents and sites, but neither the owner nor other admins.
    for (path, body) in [
        (
            format!("/api/v1/agents/{owner}"),
            json!({ "disabled": true }),
        ),
        (
            format!("/api/v1/agents/{owner}"),
            json!({ "role": "agent" }),
        ),
        (
            format!("/api/v1/agents/{admin}"),
            json!({ "role": "owner" }),
        ),
        (
            format!("/api/v1/agents/{agent}"),
            json!({ "role": "owner" }),
        ),
    ] {
        let answer = ada.browser.call("PATCH", &path, &body).await;
        assert!(
            matches!(answer.status, 403 | 409 | 422),
            "{path} {body}: {}",
            answer.status
        );
    }
    let answer = ada
        .browser
        .call(
            "POST",
            &format!("/api/v1/agents/{owner}/reset-link"),
            &json!({}),
        )
        .await;
    assert_eq!(answer.status, 403);
    let answer = ada
        .browser
        .call(
            "POST",
            "/api/v1/invitations",
            &json!({ "email": "x@office.test", "role": "owner" }),
        )
        .await;
    assert!(matches!(answer.status, 403 | 422), "{}", answer.status);
    let _ = parlour_tests::office::invitation(&mut ada.browser, "new@office.test", "agent").await;
    let _ = parlour_tests::office::site(&mut ada.browser, "Second", "http://second.test").await;

    let agents = office
        .owner
        .browser
        .read("/api/v1/agents")
        .await
        .expect(200)
        .json();
    let role = |id: parlour_protocol::Id| {
        agents
            .as_array()
            .unwrap()
            .iter()
            .find(|agent| agent["id"] == id.text())
            .unwrap()["role"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (role(owner), role(agent), role(admin)),
        ("owner".into(), "agent".into(), "admin".into())
    );
    // The owner cannot lock herself out.
    let answer = office
        .owner
        .browser
        .call(
            "PATCH",
            &format!("/api/v1/agents/{owner}"),
            &json!({ "disabled": true }),
        )
        .await;
    assert_ne!(answer.status, 200);
    assert_eq!(
        office.owner.browser.read("/api/v1/account").await.status,
        200
    );
}

/// There is one owner, also when many follow set-up links at once: each node of an installation
/// prints one, and all are good until then.
#[tokio::test]
async fn there_is_one_owner() {
    let first = Node::with().unlimited().start().await;
    let second = beside(&first, Node::with().unlimited()).start().await;
    let links = [first.setup_path(), second.setup_path()];
    for link in &links {
        let page = Request::get(link).send(first.address()).await;
        assert_eq!(page.status, 200, "{link}");
    }
    let attempts = (0..6).map(|number| {
        let node = [&first, &second][number / 3];
        let (mut browser, link) = (Browser::new(node.address()), &links[number % 2]);
        async move {
            let email = format!("owner{number}@office.test");
            browser
                .form(
                    link,
                    &[("name", "Owner"), ("email", &email), ("password", PASSWORD)],
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
    assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
    for (link, node) in links.iter().zip([&second, &first]) {
        assert_eq!(Request::get(link).send(node.address()).await.status, 404);
    }
}

/// A name is what others see from then on; an address belongs to one account.
#[tokio::test]
async fn accounts_have_names_and_addresses() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    assert_eq!(
        anna.browser
            .form("/account", &[("form", "name"), ("name", "Anna K. <b>")])
            .await
            .status,
        303
    );
    let page = office.owner.browser.get("/agents").await.expect(200).text();
    assert!(
        page.contains("Anna K. &lt;b&gt;") || page.contains("Anna K. &#60;b&#62;"),
        "shown, and escaped"
    );
    for email in ["anna@office.test", "ANNA@Office.test"] {
        let answer = office
            .owner
            .browser
            .call(
                "POST",
                "/api/v1/invitations",
                &json!({ "email": email, "role": "agent" }),
            )
            .await;
        assert_eq!(answer.status, 409, "{email}");
    }
    for name in ["", " ", "\u{202e}evil", &"x".repeat(500)] {
        assert_eq!(
            anna.browser
                .form("/account", &[("form", "name"), ("name", name)])
                .await
                .status,
            422,
            "{name:?}"
        );
    }
}
