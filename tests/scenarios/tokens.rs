//! Tokens that are not good: upgraded, then closed with 4401 before any data; and 401 over REST.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::Algorithm;
use parlour_protocol::frame::ServerFrame;
use parlour_protocol::{ClientFrame, SUBPROTOCOL, close};
use parlour_tests::database::connect;
use parlour_tests::forge::{self, Forge};
use parlour_tests::wire::Upgrade;
use parlour_tests::{Node, Office, Request, Visitor, Wire, id};
use serde_json::{Value, json};

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Asserts that a token opens neither the socket nor the REST API.
async fn assert_refused(node: &Node, origin: &str, what: &str, token: &str) {
    let mut wire = Wire::open(what, Upgrade::new(node.address(), origin, token))
        .await
        .unwrap_or_else(|status| panic!("{what}: the upgrade was answered with {status}"));
    let (code, before) = wire.closed().await;
    assert_eq!((code, before), (close::UNAUTHORIZED, Vec::new()), "{what}");
    let answer = Request::get(&format!("/api/v1/rooms/{}/messages", id()))
        .header("authorization", &format!("Bearer {token}"))
        .header("origin", origin)
        .send(node.address())
        .await;
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    assert!(!answer.text().contains(token) || token.is_empty(), "{what}");
}

/// Lines 12, 20 to 23: each of these tokens has a good signature unless the signature is what is wrong.
#[tokio::test]
async fn forged_tokens_are_closed_before_any_data() {
    let node = Node::with().unlimited().start().await;
    let mut office = Office::open(&node).await;
    let origin = office.site.origin.clone();
    let visitor = Visitor::arrive(&node, &office.site).await;
    let good = visitor.token();
    let forge = Forge::of(node.data()).await;
    let (header, claims) = (forge.header(), forge::claims(&good));

    // The forge itself is right: what it signs unchanged is taken.
    let token = forge.sign(&header, &claims);
    let mut wire = Wire::open("unchanged", Upgrade::new(node.address(), &origin, &token))
        .await
        .unwrap();
    wire.hello().await;

    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        forge.sign(&header, &claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        forge.sign(&header, &claims)
    };
    let headed = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        forge.sign(&header, &claims)
    };
    let parts: Vec<&str> = good.split('.').collect();
    let jwk = json!({ "kty": "oct", "k": "AAAA", "alg": "HS256", "kid": forge.kid });
    let mut cases: Vec<(String, String)> = Vec::new();
    let mut case = |what: &str, token: String| cases.push((what.to_owned(), token));
    // Line 20.
    for alg in ["none", "None", "NONE", "nOnE", "hs256", "HS257", ""] {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        case(
            &format!("alg {alg:?}, unsigned"),
            Forge::unsigned(&header, &claims),
        );
        case(
            &format!("alg {alg:?}, signed"),
            forge.sign(&header, &claims),
        );
    }
    case(
        "HS384",
        forge.sign_with(
            Algorithm::HS384,
            &{
                let mut header = header.clone();
                header["alg"] = json!("HS384");
                header
            },
            &claims,
        ),
    );
    case(
        "HS512",
        forge.sign_with(
            Algorithm::HS512,
            &{
                let mut header = header.clone();
                header["alg"] = json!("HS512");
                header
            },
            &claims,
        ),
    );
    for alg in ["RS256", "ES256", "PS256", "EdDSA"] {
        case(alg, headed("alg", json!(alg)));
    }
    case("no alg", {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove("alg");
        forge.sign(&header, &claims)
    });
    case("empty signature", format!("{}.{}.", parts[0], parts[1]));
    case("no signature", format!("{}.{}", parts[0], parts[1]));
    case(
        "a signature of zeros",
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(43)),
    );
    case(
        "another signature",
        format!(
            "{}.{}.{}",
            parts[0],
            parts[1],
            parts[2].chars().rev().collect::<String>()
        ),
    );
    case(
        "other claims under the signature",
        format!(
            "{}.{}.{}",
            parts[0],
            with("sub", json!(id().text())).split('.').nth(1).unwrap(),
            parts[2]
        ),
    );
    case("four parts", format!("{good}.x"));
    case("nothing but dots", "..".into());
    case("noise", "noise".into());
    case("very long", "x".repeat(5_000));
    // Line 21.
    for kid in [
        "unknown",
        "../../etc/passwd",
        "' or '1'='1",
        "/dev/null",
        "",
    ] {
        case(&format!("kid {kid:?}"), headed("kid", json!(kid)));
    }
    case("kid is a number", headed("kid", json!(1)));
    case("no kid", {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove("kid");
        forge.sign(&header, &claims)
    });
    for name in ["jku", "x5u"] {
        case(name, headed(name, json!("http://127.0.0.1:9/keys")));
    }
    case("jwk", headed("jwk", jwk));
    case("x5c", headed("x5c", json!(["AAAA"])));
    case("crit", headed("crit", json!(["exp"])));
    case("typ", headed("typ", json!("at+jwt")));
    // Line 22.
    case("expired", with("exp", json!(now() - 1)));
    case("expired long ago", with("exp", json!(0)));
    case("no exp", without("exp"));
    for exp in [
        json!((now() + 600).to_string()),
        json!(null),
        json!(1e300),
        json!(-1),
        json!([now() + 600]),
        json!(now() as f64 + 600.5),
    ] {
        case(&format!("exp {exp}"), with("exp", exp));
    }
    case("nbf in the future", with("nbf", json!(now() + 120)));
    case("nbf is a text", with("nbf", json!("0")));
    case("iat in the future", with("iat", json!(now() + 120)));
    case("no iat", without("iat"));
    // Line 23.
    for aud in [
        json!("parlour-agent"),
        json!("parlour"),
        json!(""),
        json!(["parlour-visitor"]),
        json!(["parlour-visitor", "parlour-agent"]),
    ] {
        case(&format!("aud {aud}"), with("aud", aud));
    }
    case("no aud", without("aud"));
    case("another issuer", with("iss", json!("somebody")));
    case("no issuer", without("iss"));
    case("no site", without("site"));
    case("no sub", without("sub"));
    case("sub is no id", with("sub", json!("admin")));
    let nobody = with("sub", json!(id().text()));
    for (what, token) in &cases {
        assert_refused(&node, &origin, what, token).await;
    }

    // Signed here, but she is not there any more.
    let upgrade = Upgrade::new(node.address(), &origin, &nobody);
    let mut wire = Wire::open("nobody", upgrade).await.unwrap();
    assert_eq!(wire.closed().await, (close::UNAUTHORIZED, Vec::new()));

    // An agent's token is none for a visitor's route, and a visitor's none for an agent.
    let agent = office.owner.token().await;
    let answer = Request::get(&format!("/api/v1/rooms/{}/messages", id()))
        .header("authorization", &format!("Bearer {agent}"))
        .header("origin", &node.origin())
        .send(node.address())
        .await;
    assert_eq!(answer.status, 401);
    visitor.live().await;
    node.assert_well().await;
}

/// Line 12: without a token the socket is upgraded and closed, with nothing before it.
#[tokio::test]
async fn no_token_is_closed_before_any_data() {
    let node = Node::start().await;
    let office = Office::open(&node).await;
    let bare = || Upgrade::bare(node.address()).header("origin", &office.site.origin);
    for upgrade in [
        bare().header("sec-websocket-protocol", SUBPROTOCOL),
        bare(),
        bare().header("sec-websocket-protocol", &format!("{SUBPROTOCOL}, ")),
    ] {
        let mut wire = Wire::open("nobody", upgrade).await.unwrap();
        assert_eq!(wire.closed().await, (close::UNAUTHORIZED, Vec::new()));
    }
    // In the address a token counts for nothing.
    let visitor = Visitor::arrive(&node, &office.site).await;
    let answer = Request::get(&format!(
        "/api/v1/rooms/{}/messages?token={}",
        id(),
        visitor.token()
    ))
    .header("origin", &office.site.origin)
    .send(node.address())
    .await;
    assert_eq!(answer.status, 401);
}

/// Line 13: an agent's token is good once, and for a minute.
#[tokio::test]
async fn an_agents_token_is_good_once() {
    let node = Node::start().await;
    let mut office = Office::open(&node).await;
    let token = office.owner.token().await;
    let claims = forge::claims(&token);
    assert!(claims["exp"].as_i64().unwrap() - now() <= 60);
    let upgrade = Upgrade::new(node.address(), &node.origin(), &token);
    let mut first = Wire::open("first", upgrade.clone()).await.unwrap();
    first.hello().await;
    let mut second = Wire::open("second", upgrade.clone()).await.unwrap();
    assert_eq!(second.closed().await, (close::UNAUTHORIZED, Vec::new()));
    first.sentinel().await;
    // Also when both come at the same time.
    let token = office.owner.token().await;
    let upgrade = Upgrade::new(node.address(), &node.origin(), &token);
    let attempts = (0..8).map(|_| async {
        let mut wire = Wire::open("racer", upgrade.clone()).await.unwrap();
        wire.send(&ClientFrame::Hello {
            v: 1,
            view: Default::default(),
            epoch: None,
            cursors: Vec::new(),
        })
        .await;
        matches!(
            wire.next().await,
            parlour_tests::Heard::Frame(ServerFrame::Welcome { .. })
        )
    });
    let welcomed = futures_util::future::join_all(attempts).await;
    assert_eq!(welcomed.iter().filter(|welcomed| **welcomed).count(), 1);
}

/// The token is renewed in the connection; one of somebody else, or a bad one, ends it.
#[tokio::test]
async fn a_token_is_renewed_in_the_connection() {
    let node = Node::with()
        .set("PARLOUR_VISITOR_TOKEN", "5s")
        .set("PARLOUR_HEARTBEAT_MS", 500)
        .start()
        .await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let first = visitor.token();
    visitor
        .until_within(Duration::from_secs(20), "a renewal", |_| {
            (visitor.renewals() >= 3).then_some(())
        })
        .await;
    assert!(visitor.closes().is_empty(), "{:?}", visitor.closes());
    let other = Visitor::arrive(&node, &office.site).await;
    let third = Visitor::arrive(&node, &office.site).await;
    for (what, token) in [
        ("of somebody else", third.token()),
        ("expired", first),
        ("noise", "noise".into()),
    ] {
        let mut wire = Wire::of(&other).await;
        wire.send(&ClientFrame::Auth { token }).await;
        assert_eq!(wire.closed().await.0, close::UNAUTHORIZED, "{what}");
    }
    let mut wire = Wire::of(&other).await;
    wire.send(&ClientFrame::Auth {
        token: other.token(),
    })
    .await;
    wire.sentinel().await;
}

/// Line 24: a retired key is good until its end, and new tokens are signed by the new one.
#[tokio::test]
async fn keys_are_rotated() {
    let node = Node::with().unlimited().start().await;
    let office = Office::open(&node).await;
    let visitor = Visitor::arrive(&node, &office.site).await;
    let old = Forge::of(node.data()).await;
    let mut connection = connect(node.data()).await;
    let retire = async |connection: &mut sqlx::AnyConnection, ends_at: i64| {
        sqlx::query("update signing_keys set ends_at = $1 where kid = $2")
            .bind(ends_at)
            .bind(&old.kid)
            .execute(connection)
            .await
            .unwrap();
    };
    retire(&mut connection, (now() + 3_600) * 1_000_000).await;
    parlour_tests::within("a new key", async {
        while Visitor::arrive(&node, &office.site)
            .await
            .token()
            .split('.')
            .next()
            == visitor.token().split('.').next()
        {}
    })
    .await;
    let mut wire = Wire::of(&visitor).await;
    wire.sentinel().await;
    retire(&mut connection, (now() - 1) * 1_000_000).await;
    parlour_tests::within("the end of the old key", async {
        while visitor
            .read(&format!("/api/v1/rooms/{}/messages", id()))
            .await
            .status
            != 401
        {}
    })
    .await;
    let mut wire = Wire::open("old key", visitor.upgrade()).await.unwrap();
    assert_eq!(wire.closed().await, (close::UNAUTHORIZED, Vec::new()));
}
