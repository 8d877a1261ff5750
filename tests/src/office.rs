//! The owner, a site and colleagues, made by links, forms and the REST API, as people make them.

use parlour_protocol::Id;
use serde_json::{Value, json};

use crate::wire::Upgrade;
use crate::{Agent, Browser, Node, Wire};

/// The password that everybody in the tests has.
pub const PASSWORD: &str = "five quiet herons at noon";

/// A site that the widget stands on.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its id.
    pub id: Id,
    /// Its public key, as in the snippet.
    pub key: String,
    /// The one origin that is listed.
    pub origin: String,
}

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct Colleague {
    /// Her id.
    pub id: Id,
    /// Her name.
    pub name: String,
    /// Her address.
    pub email: String,
    /// A browser that she is signed in with.
    pub browser: Browser,
}

impl Colleague {
    /// The same, on another node.
    #[must_use]
    pub fn at(&self, node: &Node) -> Self {
        Self {
            browser: self.browser.at(node),
            ..self.clone()
        }
    }

    /// Opens her dashboard.
    pub async fn dashboard(&self) -> Agent {
        Agent::open(&self.name, &self.browser).await
    }

    /// Buys a token for one socket.
    pub async fn token(&mut self) -> String {
        let answer = self.browser.call("POST", "/api/v1/token", &json!({})).await;
        text_of(&answer.expect(200).json()["token"])
    }

    /// Opens a socket of hers that a test drives by hand, up to the welcome.
    pub async fn wire(&mut self) -> Wire {
        let token = self.token().await;
        let upgrade = Upgrade::new(self.browser.address(), &self.browser.origin(), &token);
        let mut wire = Wire::open(&self.name, upgrade).await.expect("a socket");
        wire.hello().await;
        wire
    }
}

/// An installation that is set up.
#[derive(Clone, Debug)]
pub struct Office {
    /// The owner.
    pub owner: Colleague,
    /// The first site.
    pub site: Site,
}

impl Office {
    /// Follows the set-up link: the owner and a first site.
    pub async fn open(node: &Node) -> Self {
        let mut owner = owner(node, "Olivia").await;
        let site = site(&mut owner.browser, "Shop", "http://shop.test").await;
        Self { owner, site }
    }

    /// Invites somebody, who follows the link.
    pub async fn invite(&mut self, name: &str, role: &str) -> Colleague {
        let email = format!("{}@office.test", name.to_lowercase());
        let link = invitation(&mut self.owner.browser, &email, role).await;
        accept(
            Browser::new(self.owner.browser.address()),
            &link,
            name,
            &email,
        )
        .await
    }
}

/// Follows the set-up link.
pub async fn owner(node: &Node, name: &str) -> Colleague {
    let email = format!("{}@office.test", name.to_lowercase());
    let mut browser = Browser::new(node.address()).at(node);
    let fields = [
        ("name", name),
        ("email", email.as_str()),
        ("password", PASSWORD),
    ];
    let answer = browser.form(&node.setup_path(), &fields).await;
    assert_eq!(
        answer.status,
        303,
        "the set-up link was refused: {}",
        answer.text()
    );
    let id = me(&mut browser, &email).await;
    Colleague {
        id,
        name: name.into(),
        email,
        browser,
    }
}

/// Makes a site with one listed origin.
pub async fn site(browser: &mut Browser, name: &str, origin: &str) -> Site {
    let body = json!({ "name": name, "origins": [origin] });
    let answer = browser
        .call("POST", "/api/v1/sites", &body)
        .await
        .expect(201)
        .json();
    Site {
        id: id_of(&answer["id"]),
        key: text_of(&answer["key"]),
        origin: origin.into(),
    }
}

/// Makes an invitation; the path of its link.
pub async fn invitation(browser: &mut Browser, email: &str, role: &str) -> String {
    let answer = browser
        .call(
            "POST",
            "/api/v1/invitations",
            &json!({ "email": email, "role": role }),
        )
        .await
        .expect(201);
    link_in(&answer.text(), "/invite/")
}

/// Follows an invitation.
pub async fn accept(mut browser: Browser, link: &str, name: &str, email: &str) -> Colleague {
    let answer = browser
        .form(link, &[("name", name), ("password", PASSWORD)])
        .await;
    assert_eq!(
        answer.status,
        303,
        "the invitation was refused: {}",
        answer.text()
    );
    let id = me(&mut browser, email).await;
    Colleague {
        id,
        name: name.into(),
        email: email.into(),
        browser,
    }
}

/// The path of the first one-time link of a kind in a text.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn link_in(text: &str, kind: &str) -> String {
    let start = text
        .find(kind)
        .unwrap_or_else(|| panic!("no {kind} link in {text}"));
    text[start..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "/-_".contains(*c))
        .collect()
}

/// The staff room of a ticket.
pub async fn staff_room(browser: &mut Browser, ticket: Id) -> Id {
    let answer = browser
        .read(&format!("/api/v1/tickets/{ticket}"))
        .await
        .expect(200)
        .json();
    id_of(&answer["staff_room"])
}

async fn me(browser: &mut Browser, email: &str) -> Id {
    let answer = browser.read("/api/v1/account").await.expect(200).json();
    assert_eq!(answer["email"], email);
    id_of(&answer["id"])
}

/// An id in an answer.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn id_of(value: &Value) -> Id {
    value
        .as_str()
        .and_then(Id::parse)
        .unwrap_or_else(|| panic!("{value} is no id"))
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// The direct room of the browser's agent with another one.
pub async fn direct_room(browser: &mut Browser, other: Id) -> Id {
    room_behind(
        &browser
            .form("/rooms/direct", &[("agent", &other.text())])
            .await,
    )
}

/// A new team room.
pub async fn team_room(browser: &mut Browser, name: &str, members: &[Id]) -> Id {
    let members: Vec<String> = members.iter().map(Id::text).collect();
    let mut fields = vec![("name", name)];
    fields.extend(members.iter().map(|member| ("members", member.as_str())));
    room_behind(&browser.form("/rooms", &fields).await)
}

/// The room that an answer leads to.
///
/// # Panics
/// If it leads to none.
fn room_behind(answer: &crate::Answer) -> Id {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header("location").unwrap_or_default();
    let id = location
        .rsplit("/rooms/")
        .next()
        .and_then(|rest| rest.get(..36));
    id.and_then(Id::parse)
        .unwrap_or_else(|| panic!("{location} leads to no room"))
}
