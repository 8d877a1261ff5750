//! Search: people, tickets and messages with all words of a question, newest first.
//!
//! The index narrows down what is read; whether it fits, and where, is then seen in the text
//! itself, so that phrases need nothing more of the index.

use std::ops::Range;

use uuid::Uuid;

use super::{Actor, Chat, messages};
use crate::error::Error;
use crate::store::search::{Message, Visitor};
use crate::store::tickets::Ticket;

mod excerpt;
mod question;

pub use excerpt::{Piece, excerpt, pieces};
pub use question::Question;

/// Messages on one page.
pub const PAGE: usize = 20;
/// People, and tickets, that a question finds at most.
pub const FEW: usize = 10;

/// Rows that are read at once.
const CHUNK: usize = 60;
/// How often more rows are read, for a phrase whose words stand apart in most of them.
const ROUNDS: usize = 8;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Agents and visitors, on the first page.
    pub people: Vec<Person>,
    /// Tickets by their visitor or their messages, on the first page.
    pub tickets: Vec<Ticket>,
    /// Messages.
    pub messages: Vec<Message>,
    /// Where older messages begin; nothing if there are none.
    pub older: Option<i64>,
}

/// Somebody who was found.
#[derive(Debug)]
pub enum Person {
    /// An agent: id and name.
    Agent(Uuid, String),
    /// A visitor.
    Visitor(Visitor),
}

impl Chat {
    /// What `actor` may read of what `question` asks for; messages older than `before`. A visitor
    /// finds nothing.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn search(
        &self,
        actor: &Actor,
        question: &Question,
        before: Option<i64>,
    ) -> Result<Found, Error> {
        if question.is_empty() || actor.site.is_some() {
            return Ok(Found::default());
        }
        if before.is_some() {
            let (messages, older) = self.messages_found(actor, question, before).await?;
            return Ok(page(messages, older));
        }
        let ((messages, older), (people, tickets)) = tokio::try_join!(
            self.messages_found(actor, question, None),
            self.people_found(question)
        )?;
        let tickets = self.tickets_found(&messages, tickets).await?;
        Ok(Found {
            people,
            tickets,
            ..page(messages, older)
        })
    }

    /// The newest messages that fit, and whether there may be older ones below the last row read.
    async fn messages_found(
        &self,
        actor: &Actor,
        question: &Question,
        before: Option<i64>,
    ) -> Result<(Vec<Message>, Option<i64>), Error> {
        let mut found: Vec<Message> = Vec::new();
        let mut before = before;
        for _ in 0..ROUNDS {
            let rows = self
                .store
                .search_messages(actor.id, question.terms(), before, CHUNK)
                .await?;
            let last = rows.last().map(|row| row.place);
            let full = rows.len() >= CHUNK;
            found.extend(
                rows.into_iter()
                    .filter(|row| question.fits(&row.stored.text)),
            );
            if !full {
                return Ok((found, None));
            }
            before = last;
            if found.len() > PAGE {
                break;
            }
        }
        Ok((found, before))
    }

    async fn people_found(&self, question: &Question) -> Result<(Vec<Person>, Vec<Uuid>), Error> {
        let agents = self.store.agent_names().await?.into_iter();
        let visitors = self.store.search_visitors(question.terms(), CHUNK).await?;
        let visitors = visitors
            .into_iter()
            .filter(|visitor| question.fits(&format!("{}\n{}", visitor.name, visitor.email)));
        let mut people: Vec<_> = agents
            .filter(|(_, name)| question.fits(name))
            .map(|(id, name)| Person::Agent(id, name))
            .take(FEW)
            .collect();
        let visitors: Vec<_> = visitors.collect();
        let ids: Vec<Uuid> = visitors.iter().map(|visitor| visitor.id).collect();
        people.extend(visitors.into_iter().map(Person::Visitor));
        people.truncate(FEW);
        let tickets = self.store.newest_tickets_of(&ids, few()).await?;
        Ok((people, tickets))
    }

    /// The tickets of messages and of visitors, each once, the newest first.
    async fn tickets_found(
        &self,
        messages: &[Message],
        of_visitors: Vec<Uuid>,
    ) -> Result<Vec<Ticket>, Error> {
        let mut ids = of_visitors;
        for ticket in messages.iter().filter_map(|message| message.ticket) {
            if !ids.contains(&ticket) {
                ids.push(ticket);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut tickets = self.store.tickets(&ids).await?;
        tickets.sort_by_key(|ticket| std::cmp::Reverse((ticket.at, ticket.id)));
        tickets.truncate(FEW);
        Ok(tickets)
    }
}

fn few() -> i64 {
    i64::try_from(FEW).unwrap_or(10)
}

fn page(mut messages: Vec<Message>, older: Option<i64>) -> Found {
    let more = messages.len() > PAGE;
    messages.truncate(PAGE);
    let older = if more {
        messages.last().map(|message| message.place)
    } else {
        older
    };
    Found {
        messages,
        older,
        ..Found::default()
    }
}

/// A message as it is read, without the marks of its style, and what was asked for in it.
#[must_use]
pub fn message_excerpt(message: &Message, question: &Question) -> Vec<Piece> {
    let runs = messages::runs(&message.stored);
    let plain: String = runs.iter().map(|run| run.text.as_str()).collect();
    excerpt(&plain, &question.places(&plain))
}

/// A name or an address, and what was asked for in it.
#[must_use]
pub fn name_pieces(name: &str, question: &Question) -> Vec<Piece> {
    let places: Vec<Range<usize>> = question.places(name);
    pieces(name, 0..name.len(), &places)
}
