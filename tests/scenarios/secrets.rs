//! The log, at trace level: what must never stand in it, and what must.

use parlour_protocol::ClientFrame;
use parlour_tests::office::PASSWORD;
use parlour_tests::wire::Upgrade;
use parlour_tests::{Browser, Node, Office, Request, Visitor, Wire, id};
use serde_json::json;

/// Lines 7, 13 and 39.
#[tokio::test]
async fn no_secret_is_logged() {
    for format in ["text", "json"] {
        let mut node = Node::with()
            .unlimited()
            .set("PARLOUR_LOG", "trace")
            .set("PARLOUR_LOG_FORMAT", format)
            .start()
            .await;
        let setup = node.setup_path();
        let mut office = Office::open(&node).await;
        let invite = parlour_tests::office::invitation(
            &mut office.owner.browser,
            "anna@office.test",
            "agent",
        )
        .await;
        let anna = parlour_tests::office::accept(
            Browser::new(node.address()),
            &invite,
            "Anna",
            "anna@office.test",
        )
        .await;
        let visitor = Visitor::arrive(&node, &office.site).await;
        let ticket = visitor.open("canary-visitor-text").await;
        let mut agent = anna.dashboard().await;
        let staff = agent.enter(ticket).await;
        agent.say_in(ticket, "canary-agent-text").await;
        agent.say_in(staff, "canary-note-text").await;
        visitor.expect("canary-agent-text").await;
        let form = [
            ("text", "canary-form-text"),
            ("cid", &id().text()),
            ("room", "public"),
        ];
        office
            .owner
            .browser
            .form(&format!("/tickets/{ticket}/messages"), &form)
            .await;
        let page = office
            .owner
            .browser
            .get(&format!("/tickets/{ticket}"))
            .await;
        assert_eq!(page.status, 200);

        let failed = json!({ "email": "olivia@office.test", "password": "canary-password" });
        assert_eq!(
            Browser::new(node.address())
                .call("POST", "/api/v1/sign-ins", &failed)
                .await
                .status,
            401
        );
        let token = office.owner.token().await;
        let mut wire = Wire::open(
            "agent",
            Upgrade::new(node.address(), &node.origin(), &token),
        )
        .await
        .unwrap();
        wire.hello().await;
        wire.send(&ClientFrame::Auth {
            token: "canary-token".into(),
        })
        .await;
        wire.closed().await;
        let mut wire = Wire::of(&visitor).await;
        wire.text("{\"t\":\"canary-frame\"}").await;
        wire.error().await;
        wire.text("canary-noise").await;
        wire.error().await;
        // What would make a line of its own.
        let request = Request::get("/nothing?canary-query=1")
            .header("user-agent", "x\tcanary-agent")
            .header("authorization", "Bearer canary-bearer");
        request.send(node.address()).await;
        let answer = Request::post("/api/v1/sessions")
            .header("origin", "http://evil.test")
            .json(&json!({ "site": office.site.key }))
            .send(node.address())
            .await;
        assert_eq!(answer.status, 403);
        let used = [visitor.token(), visitor.secret().to_owned()];
        node.terminate().await;

        let log = node.log().text();
        let serving = log
            .lines()
            .skip_while(|line| !line.contains("serving"))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            serving.lines().count() > 20,
            "it does log at trace level:\n{serving}"
        );
        let cookie = office.owner.browser.sign_in().unwrap().to_owned();
        let cookie_of_anna = anna.browser.sign_in().unwrap().to_owned();
        let link = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let mut secrets = vec![
            PASSWORD.to_owned(),
            cookie,
            cookie_of_anna,
            token,
            link(&invite),
            "$argon2id$".into(),
            "canary-".into(),
        ];
        secrets.extend(used);
        for secret in secrets {
            assert!(!serving.contains(&secret), "{secret} is in the log");
        }
        let after = serving.matches(&link(&setup)).count();
        assert_eq!(after, 0, "the set-up link stands on standard output alone");
        // What must be logged: a failed sign-in, with the account and the address; a refused origin.
        assert!(
            serving.contains("olivia@office.test") && serving.contains("127.0.0.1"),
            "failures are logged:\n{serving}"
        );
        assert!(serving.contains("evil.test"), "refused origins are logged");
    }
}
