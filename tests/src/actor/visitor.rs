//! Somebody on a site.

use std::net::SocketAddr;

use parlour_protocol::Id;
use parlour_protocol::client::{Link, Saved};
use parlour_protocol::frame::{Event, Open, TicketState, View};
use serde_json::{Value, json};

use super::{Actor, Credentials, Deref};
use crate::office::Site;
use crate::wire::Upgrade;
use crate::{Node, Request, id};

/// What the widget knows of its session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    address: SocketAddr,
    site: Site,
    secret: String,
    token: Option<(String, u64)>,
}

impl Session {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn moves_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    pub(super) fn origin(&self) -> &str {
        &self.site.origin
    }

    pub(super) async fn token(&mut self, renew: bool) -> Result<(String, u64), u16> {
        if let (false, Some(token)) = (renew, &self.token) {
            return Ok(token.clone());
        }
        let answer = request(&self.site, Some(&self.secret))
            .try_send(self.address)
            .await
            .map_err(|_| 0_u16)?;
        if answer.status != 200 {
            return Err(answer.status);
        }
        let value = answer.json();
        let token = (
            value["token"].as_str().unwrap_or_default().to_owned(),
            value["expires_in"].as_u64().unwrap_or(0),
        );
        if let Some(secret) = value["secret"].as_str() {
            self.secret = secret.to_owned();
        }
        self.token = Some(token.clone());
        Ok(token)
    }
}

fn request(site: &Site, secret: Option<&str>) -> Request {
    let mut body = json!({
        "site": site.key, "page": format!("{}/basket", site.origin), "title": "Basket", "referrer": "",
        "locale": "en", "zone": "Europe/Berlin",
    });
    if let Some(secret) = secret {
        body["secret"] = Value::from(secret);
    }
    Request::post("/api/v1/sessions")
        .header("origin", &site.origin)
        .header("sec-fetch-site", "cross-site")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .json(&body)
}

/// A visitor with one tab.
pub struct Visitor {
    actor: Actor,
    session: Session,
}

impl Deref for Visitor {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Visitor {
    /// A new visitor opens the panel on a site's page.
    ///
    /// # Panics
    /// Without a session.
    pub async fn arrive(node: &Node, site: &Site) -> Self {
        let answer = request(site, None)
            .send(node.address())
            .await
            .expect(200)
            .json();
        let text = |name: &str| {
            answer[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} is missing in {answer}"))
                .to_owned()
        };
        let token = (text("token"), answer["expires_in"].as_u64().unwrap_or(0));
        let session = Session {
            address: node.address(),
            site: site.clone(),
            secret: text("secret"),
            token: Some(token),
        };
        let visitor = Self::begin("visitor", session, Saved::default());
        visitor.live().await;
        visitor
    }

    fn begin(name: &str, session: Session, saved: Saved) -> Self {
        Self {
            actor: Actor::begin(
                name,
                Credentials::Visitor(session.clone()),
                View::Runs,
                saved,
            ),
            session,
        }
    }

    /// Reloads the page: a new brain with what storage kept, joined to her ticket again.
    pub async fn reload(self) -> Self {
        let (session, saved) = (self.session.clone(), self.saved());
        self.close();
        drop(self);
        let visitor = Self::begin("visitor, reloaded", session, saved);
        visitor.settle_in().await;
        visitor
    }

    /// Opens another tab.
    pub async fn second_tab(&self) -> Self {
        self.tab(self.session.clone()).await
    }

    /// Opens another tab, which a balancer sends to this node.
    pub async fn tab_at(&self, node: &Node) -> Self {
        self.tab_by(node.address()).await
    }

    /// Opens another tab by way of this address, where a proxy stands.
    pub async fn tab_by(&self, address: SocketAddr) -> Self {
        self.tab(Session {
            address,
            ..self.session.clone()
        })
        .await
    }

    async fn tab(&self, session: Session) -> Self {
        let tab = Self::begin("visitor, second tab", session, Saved::default());
        tab.settle_in().await;
        tab
    }

    async fn settle_in(&self) {
        self.live().await;
        if let Some(ticket) = self.newest() {
            self.join(ticket).await;
        }
    }

    fn newest(&self) -> Option<Id> {
        self.command(|brain, _| {
            let open = brain
                .rooms()
                .iter()
                .find(|room| room.ticket != Some(TicketState::Resolved));
            open.or(brain.rooms().first()).map(|room| room.room)
        })
    }

    /// Her secret, which the browser keeps.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.session.secret
    }

    /// The token that her page holds.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn token(&self) -> String {
        self.session.token.clone().expect("a token").0
    }

    /// The server that she talks to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.session.address
    }

    /// The origin of her page.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.session.site.origin
    }

    /// How her page asks for a socket.
    #[must_use]
    pub fn upgrade(&self) -> Upgrade {
        Upgrade::new(
            self.session.address,
            &self.session.site.origin,
            &self.token(),
        )
    }

    /// Her ticket.
    ///
    /// # Panics
    /// If she has none.
    #[must_use]
    pub fn ticket(&self) -> Id {
        self.newest().expect("a ticket")
    }

    /// Opens a ticket with its first message, without waiting for anything.
    pub fn begins(&self, text: &str) -> (Id, Id) {
        let ticket = id();
        let open = Open {
            page: format!("{}/basket", self.session.site.origin),
            title: "Basket".into(),
        };
        let cid = self.write_in(ticket, text, Some(open));
        (ticket, cid)
    }

    /// Opens a ticket with its first message, and waits until it is stored and live.
    pub async fn open(&self, text: &str) -> Id {
        let (ticket, cid) = self.begins(text);
        self.stored(ticket, cid).await;
        self.until("the ticket to be live", |brain| {
            brain.room(ticket).filter(|room| room.live()).map(|_| ())
        })
        .await;
        ticket
    }

    /// Writes in her ticket, and waits until it is stored.
    pub async fn say(&self, text: &str) -> Id {
        self.say_in(self.ticket(), text).await
    }

    /// Writes in her ticket, without waiting.
    pub fn write(&self, text: &str) -> Id {
        self.write_in(self.ticket(), text, None)
    }

    /// Waits for a text in her ticket.
    pub async fn expect(&self, text: &str) -> Event {
        self.expect_in(self.ticket(), text).await
    }

    /// Reads with her token from the REST API.
    pub async fn read(&self, path: &str) -> crate::Answer {
        Request::get(path)
            .header("authorization", &format!("Bearer {}", self.token()))
            .header("origin", &self.session.site.origin)
            .send(self.session.address)
            .await
    }

    /// Waits until the connection is being made again.
    pub async fn expect_waiting(&self) {
        self.until("a lost connection", |brain| {
            (brain.link() != Link::Live).then_some(())
        })
        .await;
    }
}
