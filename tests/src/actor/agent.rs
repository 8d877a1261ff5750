//! Somebody who answers.

use parlour_protocol::Id;
use parlour_protocol::client::Saved;
use parlour_protocol::frame::{Event, ListQuery, TicketRow, View};

use super::{Actor, Credentials, Deref};
use crate::{Browser, office};

/// An agent with one tab of the dashboard.
pub struct Agent {
    actor: Actor,
    /// The browser that she is signed in with.
    pub browser: Browser,
}

impl Deref for Agent {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Agent {
    /// Opens the dashboard in a browser that is signed in, with the list of open tickets.
    pub async fn open(name: &str, browser: &Browser) -> Self {
        let agent = Self::begin(name, browser);
        agent.live().await;
        agent
            .wait("the list", |shared| {
                (shared.records().lists > 0).then_some(())
            })
            .await;
        agent
    }

    /// The same, without waiting for anything.
    #[must_use]
    pub fn begin(name: &str, browser: &Browser) -> Self {
        let actor = Actor::begin(
            name,
            Credentials::Agent(browser.clone()),
            View::Html,
            Saved::default(),
        );
        let query = ListQuery {
            assigned: "all".into(),
            ..ListQuery::default()
        };
        actor.command(|brain, now| brain.list(Some(query), Vec::new(), now));
        Self {
            actor,
            browser: browser.clone(),
        }
    }

    /// Waits for a ticket's row, and what it must show.
    pub async fn expect_row(
        &self,
        ticket: Id,
        what: &str,
        shows: impl Fn(&TicketRow) -> bool,
    ) -> TicketRow {
        self.wait(what, |shared| {
            shared
                .records()
                .rows
                .get(&ticket)
                .filter(|row| shows(row))
                .cloned()
        })
        .await
    }

    /// Opens a ticket: its public and its staff room. The staff room's id.
    pub async fn enter(&mut self, ticket: Id) -> Id {
        self.join(ticket).await;
        let staff = office::staff_room(&mut self.browser, ticket).await;
        self.join(staff).await;
        staff
    }

    /// Waits for a text in a room.
    pub async fn expect(&self, room: Id, text: &str) -> Event {
        self.expect_in(room, text).await
    }
}
