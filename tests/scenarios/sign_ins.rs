//! Signing in and out, and what ends a sign-in.

use std::net::IpAddr;

use parlour_protocol::close;
use parlour_tests::forge::database;
use parlour_tests::office::{PASSWORD, link_in};
use parlour_tests::{Answer, Browser, Colleague, Node, Office, Request, id};
use serde_json::json;

const EMAIL: &str = "olivia@office.test";

async fn sign_in(browser: &mut Browser, email: &str, password: &str) -> Answer {
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

/// Line 25: what is stored is argon2id at OWASP's cost.
#[tokio::test]
async fn passwords_are_stored_as_argon2id() {
    let node = Node::start().await;
    let _office = Office::open(&node).await;
    let mut connection = database(node.data()).await;
    let hash: String = sqlx::query_scalar("select password from agents")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
    let parameter = |name: &str| -> u32 {
        let fields = hash.split('$').nth(3).unwrap();
        fields
            .split(',')
            .find_map(|field| field.strip_prefix(name))
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(
        parameter("m=") >= 19_456 && parameter("t=") >= 2 && parameter("p=") == 1,
        "{hash}"
    );
}

/// Line 27: ten failures of an account or an address in a window; other headers do not help.
#[tokio::test]
async fn guessing_is_slowed_down() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let attacker: IpAddr = "127.6.6.6".parse().unwrap();
    let attempt = async |password: &str, from: IpAddr, forwarded: Option<String>| {
        let mut request = Request::post("/api/v1/sign-ins")
            .header("origin", &node.origin())
            .json(&json!({ "email": EMAIL, "password": password }))
            .from(from);
        if let Some(forwarded) = forwarded {
            for name in [
                "x-forwarded-for",
                "x-real-ip",
                "forwarded",
                "cf-connecting-ip",
                "true-client-ip",
            ] {
                request = request.header(name, &forwarded);
            }
        }
        request.send(node.address()).await
    };
    for number in 0..10 {
        assert_eq!(
            attempt("wrong password", attacker, None).await.status,
            401,
            "attempt {number}"
        );
    }
    for number in 0..5 {
        let answer = attempt("wrong password", attacker, Some(format!("10.0.0.{number}"))).await;
        assert_eq!(answer.status, 429);
        assert!(
            answer
                .header("retry-after")
                .is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0))
        );
    }
    // Also the right password, from there.
    assert_eq!(attempt(PASSWORD, attacker, None).await.status, 429);
    let mut there = Browser::new(node.address()).from(attacker);
    assert_eq!(
        there
            .form("/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
            .await
            .status,
        429
    );
    // Her own password, from her own address, gets her in.
    assert_eq!(
        attempt(PASSWORD, "127.0.0.1".parse().unwrap(), None)
            .await
            .status,
        200
    );
    // Who guesses at many accounts from one address is stopped as well.
    let sprayer: IpAddr = "127.7.7.7".parse().unwrap();
    let mut last = 0;
    for number in 0..11 {
        let request = Request::post("/api/v1/sign-ins")
            .header("origin", &node.origin())
            .from(sprayer);
        last = request
            .json(&json!({ "email": format!("agent{number}@office.test"), "password": "guess" }))
            .send(node.address())
            .await
            .status;
    }
    assert_eq!(last, 429);
    // The change of a password is no way around it.
    let mut browser = office
        .owner
        .browser
        .clone()
        .from("127.8.8.8".parse().unwrap());
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(
            browser
                .call(
                    "POST",
                    "/api/v1/account/password",
                    &json!({ "current": "guess", "new": "something quite new" }),
                )
                .await
                .status,
        );
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
}

/// Line 27: behind a proxy that the owner has named, its last word about the address counts.
#[tokio::test]
async fn a_named_proxy_is_believed() {
    let node = Node::with()
        .unlimited()
        .set("PARLOUR_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
        .start()
        .await;
    let _office = Office::open(&node).await;
    let attempt = async |forwarded: String| {
        let body = json!({ "email": "nobody@office.test", "password": "guess it" });
        let request = Request::post("/api/v1/sign-ins")
            .header("origin", &node.origin())
            .header("x-forwarded-for", &forwarded)
            .json(&body);
        request.send(node.address()).await.status
    };
    let mut statuses = Vec::new();
    for number in 0..12 {
        // What the client itself wrote stands before it, and counts for nothing.
        statuses.push(attempt(format!("198.51.100.{number}, 203.0.113.9, 10.1.1.1")).await);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    assert_eq!(attempt("203.0.113.10".into()).await, 401, "another client");
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
    let mut connection = database(node.data()).await;
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

/// Line 26: eight characters or more, any of Unicode, nothing that everybody uses, nothing cut off.
#[tokio::test]
async fn passwords_have_few_rules() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let link =
        parlour_tests::office::invitation(&mut office.owner.browser, "anna@office.test", "agent")
            .await;
    let mut browser = Browser::new(node.address());
    for password in [
        "",
        "short12",
        "12345678",
        "password1",
        "PASSWORD",
        "iloveyou",
    ] {
        let answer = browser
            .form(&link, &[("name", "Anna"), ("password", password)])
            .await;
        assert_eq!(answer.status, 422, "{password:?}");
        assert!(
            password.is_empty() || !answer.text().contains(&format!("value=\"{password}\"")),
            "it is not sent back"
        );
    }
    let long = "ä long wörd with 🦆 and spaces, ".repeat(4);
    assert!(long.chars().count() > 64);
    assert_eq!(
        browser
            .form(&link, &[("name", "Anna"), ("password", &long)])
            .await
            .status,
        303
    );
    for (password, status) in [
        (long.clone(), 200),
        (long[..long.len() - 1].to_owned(), 401),
        (long.chars().take(64).collect(), 401),
        (long.to_uppercase(), 401),
    ] {
        assert_eq!(
            sign_in(
                &mut Browser::new(node.address()),
                "anna@office.test",
                &password
            )
            .await
            .status,
            status
        );
    }
    let unknown = id();
    assert_eq!(
        office
            .owner
            .browser
            .read(&format!("/api/v1/agents/{unknown}"))
            .await
            .status,
        404
    );
}
