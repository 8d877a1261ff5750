//! What is compressed on its way to browsers and programs, and what must not be.

use std::io::Read as _;

use flate2::read::GzDecoder;
use parlour_tests::{Answer, Browser, Request};

use crate::frames::scene;

/// The same address, asked for with and without an encoding.
async fn both(browser: &Browser, path: &str, encoding: &str) -> (Answer, Answer) {
    let ask = |encoding: Option<&str>| {
        let request = Request::get(path).cookie(browser);
        match encoding {
            Some(encoding) => request.header("accept-encoding", encoding),
            None => request,
        }
    };
    let plain = ask(None).send(browser.address()).await.expect(200);
    let encoded = ask(Some(encoding))
        .send(browser.address())
        .await
        .expect(200);
    assert_eq!(plain.header("content-encoding"), None, "{path}");
    (plain, encoded)
}

fn names(header: Option<&str>, name: &str) -> bool {
    let values = header.into_iter().flat_map(|value| value.split(','));
    values
        .map(str::trim)
        .any(|value| value.eq_ignore_ascii_case(name))
}

#[tokio::test]
async fn pages_are_compressed() {
    let (node, office, visitor) = scene().await;
    let ticket = visitor.open("hello").await;
    for n in 0..10 {
        visitor
            .say(&format!(
                "a word {n} on how pages are made of small messages"
            ))
            .await;
    }
    let browser = &office.owner.browser;
    let history = format!("/api/v1/rooms/{ticket}/messages?before=0");
    let paths = [
        history.clone(),
        "/tickets".into(),
        format!("/tickets/{ticket}"),
        "/sites".into(),
    ];
    for path in paths {
        let (plain, encoded) = both(browser, &path, "gzip").await;
        assert!(names(plain.header("vary"), "accept-encoding"), "{path}");
        assert!(names(encoded.header("vary"), "accept-encoding"), "{path}");
        assert_eq!(encoded.header("content-encoding"), Some("gzip"), "{path}");
        assert!(encoded.body.len() * 2 < plain.body.len(), "{path}");
        let mut text = Vec::new();
        GzDecoder::new(encoded.body.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        if path == history {
            assert_eq!(text, plain.body);
        } else {
            assert!(text.trim_ascii_end().ends_with(b"</html>"), "{path}");
        }
        let (_, encoded) = both(browser, &path, "gzip, deflate, br, zstd").await;
        assert_eq!(encoded.header("content-encoding"), Some("br"), "{path}");
    }
    let (plain, encoded) = both(browser, &history, "gzip;q=0, identity").await;
    assert_eq!(encoded.header("content-encoding"), None);
    assert_eq!(plain.body, encoded.body);
    node.assert_well().await;
}

/// The length of a compressed answer tells whether two things in it are alike.
#[tokio::test]
async fn small_answers_and_those_with_secrets_are_not() {
    let (_node, office, visitor) = scene().await;
    let ticket = visitor.open("needle").await;
    let browser = &office.owner.browser;
    for path in [
        format!("/api/v1/rooms/{ticket}/messages?before=0"),
        "/search?q=needle".into(),
        "/api/v1/search?q=needle".into(),
        "/agents".into(),
        "/account".into(),
        "/api/v1/agents".into(),
    ] {
        let (_, encoded) = both(browser, &path, "gzip, br").await;
        assert_eq!(encoded.header("content-encoding"), None, "{path}");
    }
    let invited = Request::post("/agents/invite")
        .cookie(browser)
        .header("origin", &browser.origin())
        .header("accept-encoding", "gzip, br")
        .form(&[("email", "ines@office.test"), ("role", "agent")])
        .send(browser.address())
        .await
        .expect(200);
    assert_eq!(invited.header("content-encoding"), None);
    let text = invited.text();
    let after = text.split("/invite/").nth(1).expect("a link");
    let link: String = after
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let shown = Request::get(&format!("/invite/{link}"))
        .header("accept-encoding", "gzip, br")
        .send(browser.address())
        .await
        .expect(200);
    assert_eq!(shown.header("content-encoding"), None);
}
