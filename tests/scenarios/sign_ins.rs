//! Signing in and out, and what ends a sign-in.

use parlour_protocol::close;
use parlour_tests::office::PASSWORD;
use parlour_tests::{Answer, Browser, Colleague, Node, Office, Request};
use serde_json::json;

pub(crate) const EMAIL: &str = "olivia@office.test";

pub(crate) async fn sign_in(browser: &mut Browser, email: &str, password: &str) -> Answer {
    browser
        .call(
            "POST",
            "/api/v1/sign-ins",
            &json!({ "email": email, "password": password }),
        )
        .await
}

/// A second browser of somebody.
async fn another(colleague: &Colleague) -> Colleague {
    let mut browser = Browser::new(colleague.browser.address());
    assert_eq!(
        sign_in(&mut browser, &colleague.email, PASSWORD)
            .await
            .status,
        200
    );
    Colleague {
        browser,
        ..colleague.clone()
    }
}

/// Lines 6, 7 and 29: a locked-up cookie, another one each time, and in no body.
#[tokio::test]
async fn a_sign_in_is_a_locked_up_cookie() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let mut seen = vec![office.owner.browser.sign_in().unwrap().to_owned()];
    for by_form in [true, false, true, false] {
        // Whoever brings a cookie along gets another one.
        let mut browser = office.owner.browser.clone();
        let answer = match by_form {
            true => {
                browser
                    .form(
                        "/sign-in",
                        &[
                            ("email", EMAIL),
                            ("password", PASSWORD),
                            ("next", "/account"),
                        ],
                    )
                    .await
            }
            false => sign_in(&mut browser, EMAIL, PASSWORD).await,
        };
        assert_eq!(
            answer.status,
            if by_form { 303 } else { 200 },
            "{}",
            answer.text()
        );
        let cookies: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, value)| name == "set-cookie" && value.starts_with("__Host-parlour="))
            .collect();
        assert_eq!(cookies.len(), 1);
        let cookie = &cookies[0].1;
        for part in ["Secure", "HttpOnly", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(
            cookie.contains("SameSite=Lax") || cookie.contains("SameSite=Strict"),
            "{cookie}"
        );
        assert!(!cookie.contains("Domain"), "{cookie}");
        let value = browser.sign_in().unwrap().to_owned();
        assert!(value.len() >= 32, "128 bits at least");
        assert!(!answer.text().contains(&value));
        for path in [
            "/tickets",
            "/account",
            "/api/v1/account",
            "/api/v1/sign-ins",
        ] {
            assert!(!browser.get(path).await.text().contains(&value), "{path}");
        }
        assert!(!seen.contains(&value));
        seen.push(value);
    }
    // An address to go on to stays here.
    for next in [
        "//evil.test",
        "https://evil.test/",
        "/\\evil.test",
        "javascript:alert(1)",
        "/tickets\r\nx-evil: 1",
    ] {
        let mut browser = Browser::new(node.address());
        let answer = browser
            .form(
                "/sign-in",
                &[("email", EMAIL), ("password", PASSWORD), ("next", next)],
            )
            .await;
        let location = answer.header("location").unwrap_or_default();
        assert!(
            location.starts_with('/') && !location.starts_with("//") && !location.contains("evil"),
            "{next}: {location}"
        );
        assert_eq!(answer.header("x-evil"), None);
    }
}

/// Line 6: where a browser would drop the cookie in silence, it says why.
#[tokio::test]
async fn where_no_cookie_is_kept_it_says_so() {
    let node = Node::with()
        .set("PARLOUR_PUBLIC_URL", "http://chat.example.com")
        .start()
        .await;
    let own = "http://chat.example.com";
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let answer = Request::post("/api/v1/sign-ins")
        .header("origin", own)
        .json(&body)
        .send(node.address())
        .await;
    assert_eq!(answer.code(), "no_cookies", "{}", answer.text());
    assert!(answer.text().contains("https"));
    assert_eq!(answer.header("set-cookie"), None);
}

/// Line 28, and no difference between an unknown name and a wrong password.
#[tokio::test]
async fn wrong_credentials_look_alike() {
    let node = Node::with()
        .unlimited()
        .set("PARLOUR_SIGN_IN_FAILURES", 1_000)
        .start()
        .await;
    let _office = Office::open(&node).await;
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong password"),
        ("nobody@office.test", PASSWORD),
        ("admin", "admin"),
        ("admin@admin", "admin"),
        ("", ""),
        ("' or 1=1 --", "x"),
    ] {
        let mut browser = Browser::new(node.address());
        let answer = sign_in(&mut browser, email, password).await;
        assert_eq!(browser.sign_in(), None);
        answers.push((answer.status, answer.text()));
        let page = browser
            .form("/sign-in", &[("email", email), ("password", password)])
            .await;
        assert_eq!(page.status, 401, "{email:?}");
        assert_eq!(page.header("set-cookie"), None);
    }
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.0 == 401),
        "{answers:?}"
    );
    // Before there is an owner there is nobody at all.
    let fresh = Node::start().await;
    for (email, password) in [("admin", "admin"), ("owner@parlour", "parlour"), ("", "")] {
        assert_eq!(
            sign_in(&mut Browser::new(fresh.address()), email, password)
                .await
                .status,
            401
        );
    }
}

/// Line 14: whatever ends a sign-in closes its sockets within seconds, and its cookie is void.
#[tokio::test]
async fn what_ends_a_sign_in_closes_its_sockets() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let mut anna = office.invite("Anna", "agent").await;
    let gone = async |colleague: &Colleague, socket: &parlour_tests::Agent, what: &str| {
        let begun = std::time::Instant::now();
        socket.expect_close(close::UNAUTHORIZED).await;
        assert!(begun.elapsed().as_secs() < 5, "{what}");
        for path in ["/api/v1/account", "/api/v1/tickets"] {
            assert_eq!(
                colleague.browser.clone().read(path).await.status,
                401,
                "{what}"
            );
        }
        assert_eq!(
            colleague
                .browser
                .clone()
                .call("POST", "/api/v1/token", &json!({}))
                .await
                .status,
            401,
            "{what}"
        );
        assert_eq!(
            colleague.browser.clone().get("/tickets").await.status,
            303,
            "{what}: to the sign-in page"
        );
    };

    // Signing out, by the form: the other browser stays.
    let other = another(&anna).await;
    let (socket, stays) = (anna.dashboard().await, other.dashboard().await);
    let cookie = anna.clone();
    assert_eq!(anna.browser.form("/sign-out", &[]).await.status, 303);
    assert_eq!(
        anna.browser.sign_in(),
        None,
        "the browser's cookie is taken away"
    );
    gone(&cookie, &socket, "signing out").await;
    stays.live().await;
    assert!(stays.closes().is_empty());

    // A new password ends all others.
    let mut anna = another(&anna).await;
    let own = anna.dashboard().await;
    let answer = anna
        .browser
        .call(
            "POST",
            "/api/v1/account/password",
            &json!({ "current": PASSWORD, "new": "another good password" }),
        )
        .await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    gone(&other, &stays, "another password").await;
    own.live().await;
    let answer = anna
        .browser
        .call(
            "POST",
            "/api/v1/account/password",
            &json!({ "current": "another good password", "new": PASSWORD }),
        )
        .await;
    assert_eq!(answer.status, 204);

    // Ending one from another browser.
    let second = another(&anna).await;
    let socket = second.dashboard().await;
    let list = anna
        .browser
        .read("/api/v1/sign-ins")
        .await
        .expect(200)
        .json();
    let other_id = list
        .as_array()
        .unwrap()
        .iter()
        .find(|sign_in| sign_in["current"] == false)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        anna.browser
            .form(&format!("/account/signins/{other_id}/revoke"), &[])
            .await
            .status,
        303
    );
    gone(&second, &socket, "a revocation").await;
    // Nobody ends somebody else's.
    let mine = anna
        .browser
        .read("/api/v1/sign-ins")
        .await
        .expect(200)
        .json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        office
            .owner
            .browser
            .call("DELETE", &format!("/api/v1/sign-ins/{mine}"), &json!({}))
            .await
            .status,
        404
    );

    // Another role.
    let third = another(&anna).await;
    let socket = third.dashboard().await;
    let answer = office
        .owner
        .browser
        .call(
            "PATCH",
            &format!("/api/v1/agents/{}", anna.id),
            &json!({ "role": "admin" }),
        )
        .await;
    assert_eq!(answer.status, 200);
    socket.expect_close(close::UNAUTHORIZED).await;

    // Disabled.
    let fourth = another(&anna).await;
    let socket = fourth.dashboard().await;
    assert_eq!(
        office
            .owner
            .browser
            .form(&format!("/agents/{}/disable", anna.id), &[])
            .await
            .status,
        303
    );
    gone(&fourth, &socket, "being disabled").await;
    let answer = sign_in(&mut Browser::new(node.address()), &anna.email, PASSWORD).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "wrong_credentials"),
        "it looks like a wrong password"
    );
    assert_eq!(
        office
            .owner
            .browser
            .form(&format!("/agents/{}/enable", anna.id), &[])
            .await
            .status,
        303
    );
    assert_eq!(
        sign_in(&mut Browser::new(node.address()), &anna.email, PASSWORD)
            .await
            .status,
        200
    );
    node.assert_well().await;
}

/// Lines 15 and 29: a sign-in ends by itself, used or not, and so does the socket.
#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let node = Node::with()
        .set("PARLOUR_SIGN_IN_LIFETIME", "4s")
        .start()
        .await;
    let office = Office::open(&node).await;
    let agent = office.owner.dashboard().await;
    agent.expect_close(close::UNAUTHORIZED).await;
    assert_eq!(
        office
            .owner
            .browser
            .clone()
            .read("/api/v1/account")
            .await
            .status,
        401
    );

    let node = Node::with().set("PARLOUR_SIGN_IN_IDLE", "3s").start().await;
    let office = Office::open(&node).await;
    parlour_tests::within("the end of an idle sign-in", async {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(3_500));
        ticks.tick().await;
        ticks.tick().await;
    })
    .await;
    assert_eq!(
        office
            .owner
            .browser
            .clone()
            .read("/api/v1/account")
            .await
            .status,
        401
    );
}
