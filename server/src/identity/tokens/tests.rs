use super::*;
use serde_json::{Value, json};

const NOW: Micros = 1_764_000_000 * SECOND;

fn key(kid: &str, ends_at: Option<Micros>) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        secret: kid.repeat(32).into_bytes(),
        created_at: NOW,
        ends_at,
    }
}

fn subject() -> Subject {
    Subject::Visitor {
        visitor: Uuid::from_u128(1),
        site: Uuid::from_u128(2),
    }
}

fn good() -> Value {
    serde_json::to_value(payload(subject(), NOW, 900)).expect("JSON")
}

/// A token with any header and claims, signed as HS256 whatever the header says.
fn forge(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| base64_url(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &EncodingKey::from_secret(&key.secret),
        Algorithm::HS256,
    )
    .expect("a signature");
    format!("{message}.{signature}")
}

fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT", "kid": "a"})
}

fn check(header: &Value, claims: &Value) -> Result<Claims, TokenError> {
    verify(
        &forge(header, claims, &key("a", None)),
        &[key("a", None)],
        NOW,
    )
    .map(|(claims, _)| claims)
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().expect("an object").remove(name);
    object
}

#[test]
fn what_is_signed_is_read() {
    for subject in [
        subject(),
        Subject::Agent {
            agent: Uuid::from_u128(3),
            sign_in: Uuid::from_u128(4),
        },
    ] {
        let payload = payload(subject, NOW, 900);
        let token = sign(&payload, &key("a", None)).expect("a token");
        let (claims, issued) =
            verify(&token, &[key("b", None), key("a", None)], NOW).expect("a good token");
        assert_eq!(
            claims,
            Claims {
                subject,
                expires_at: NOW + 900 * SECOND,
                jti: uuid(payload.jti)
            }
        );
        assert_eq!(issued, NOW / SECOND);
    }
    // The forger of these tests makes good tokens, or the tests below would prove nothing.
    assert!(check(&header(), &good()).is_ok());
}

#[test]
fn other_algorithms_are_malformed() {
    for alg in [
        "none", "None", "NONE", "hs256", "Hs256", "HS384", "HS512", "RS256", "ES256", "EdDSA", "",
    ] {
        let header = with(header(), "alg", json!(alg));
        assert_eq!(check(&header, &good()), Err(TokenError::Malformed), "{alg}");
        let token = forge(&header, &good(), &key("a", None));
        let unsigned = token.rsplit_once('.').expect("a dot").0.to_owned() + ".";
        assert_eq!(
            verify(&unsigned, &[key("a", None)], NOW),
            Err(TokenError::Malformed),
            "{alg}"
        );
    }
}

#[test]
fn signatures_must_be_ours() {
    let keys = [key("a", None)];
    let token = forge(&header(), &good(), &keys[0]);
    let (message, signature) = token.rsplit_once('.').expect("a dot");
    for other in [
        "",
        "AAAA",
        &signature[1..],
        // Another first letter, whatever it was.
        &format!(
            "{}{}",
            if signature.starts_with('B') { 'C' } else { 'B' },
            &signature[1..]
        ),
    ] {
        assert!(
            verify(&format!("{message}.{other}"), &keys, NOW).is_err(),
            "{other}"
        );
    }
    let mut stolen = key("b", None);
    stolen.kid = "a".into();
    assert_eq!(
        verify(&forge(&header(), &good(), &stolen), &keys, NOW),
        Err(TokenError::Signature)
    );
    for text in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.é.é",
        &"x".repeat(5_000),
    ] {
        assert!(verify(text, &keys, NOW).is_err(), "{text}");
    }
}

#[test]
fn keys_come_from_the_table_alone() {
    for kid in ["b", "", "../../dev/null", "a' or '1'='1", "A"] {
        assert_eq!(
            check(&with(header(), "kid", json!(kid)), &good()),
            Err(TokenError::Signature),
            "{kid}"
        );
    }
    assert_eq!(
        check(&without(header(), "kid"), &good()),
        Err(TokenError::Signature)
    );
    for (name, value) in [
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("typ", json!("at+jwt")),
    ] {
        assert_eq!(
            check(&with(header(), name, value), &good()),
            Err(TokenError::Malformed),
            "{name}"
        );
    }
}

#[test]
fn times_are_numbers_and_are_kept() {
    let seconds = NOW / SECOND;
    for (name, value, expected) in [
        ("exp", json!(seconds), TokenError::Expired),
        ("exp", json!(-1), TokenError::Expired),
        (
            "exp",
            json!((seconds + 900).to_string()),
            TokenError::Malformed,
        ),
        ("exp", json!(1e300), TokenError::Malformed),
        ("exp", json!(null), TokenError::Malformed),
        ("nbf", json!(seconds + 30), TokenError::Early),
        ("nbf", json!("0"), TokenError::Malformed),
        ("iat", json!(seconds + 90), TokenError::Early),
        ("iat", json!([seconds]), TokenError::Malformed),
    ] {
        assert_eq!(
            check(&header(), &with(good(), name, value.clone())),
            Err(expected),
            "{name} {value}"
        );
    }
    for name in ["exp", "nbf", "iat", "sub", "jti", "aud", "iss"] {
        assert_eq!(
            check(&header(), &without(good(), name)),
            Err(TokenError::Malformed),
            "{name}"
        );
    }
    assert!(check(&header(), &with(good(), "exp", json!(i64::MAX))).is_ok());
}

#[test]
fn a_token_is_for_one_thing() {
    for (name, value) in [
        ("iss", json!("other")),
        ("aud", json!("parlour")),
        ("aud", json!(FOR_AGENTS)),
        ("site", json!(null)),
    ] {
        assert_eq!(
            check(&header(), &with(good(), name, value.clone())),
            Err(TokenError::Audience),
            "{name} {value}"
        );
    }
    assert_eq!(
        check(&header(), &with(good(), "aud", json!([FOR_VISITORS]))),
        Err(TokenError::Malformed)
    );
    assert_eq!(
        check(
            &header(),
            &with(good(), "sign_in", json!(Uuid::from_u128(4).to_string()))
        ),
        Err(TokenError::Audience)
    );
}

#[test]
fn a_retired_key_is_good_until_its_end() {
    let token = sign(&payload(subject(), NOW, 900), &key("a", None)).expect("a token");
    assert!(verify(&token, &[key("b", None), key("a", Some(NOW + 1))], NOW).is_ok());
    assert_eq!(
        verify(&token, &[key("b", None), key("a", Some(NOW))], NOW),
        Err(TokenError::Signature)
    );
    assert_eq!(
        verify(&token, &[key("b", None)], NOW),
        Err(TokenError::Signature)
    );
}

#[test]
fn an_agents_token_is_good_once() {
    let redeemed = Redeemed::new(NOW);
    let seconds = NOW / SECOND;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(redeemed.redeem(one, seconds, seconds + 60, NOW), Ok(()));
    assert_eq!(
        redeemed.redeem(one, seconds, seconds + 60, NOW),
        Err(TokenError::Used)
    );
    assert_eq!(
        redeemed.redeem(other, seconds - 1, seconds + 59, NOW),
        Err(TokenError::Used)
    );
    redeemed.forget_expired(NOW + 60 * SECOND);
    assert!(redeemed.used.lock().expect("a lock").is_empty());
}
