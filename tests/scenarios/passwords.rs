//! Passwords: what is stored, what is allowed, and how guessing is slowed down.

use std::net::IpAddr;

use parlour_tests::database::connect;
use parlour_tests::office::PASSWORD;
use parlour_tests::{Browser, Node, Office, Request};
use serde_json::json;

use crate::sign_ins::{EMAIL, sign_in};

/// Line 25: what is stored is argon2id at OWASP's cost.
#[tokio::test]
async fn passwords_are_stored_as_argon2id() {
    let node = Node::start().await;
    let _office = Office::open(&node).await;
    let mut connection = connect(node.data()).await;
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
}
