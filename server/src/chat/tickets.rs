//! Tickets: lists, states, assignment, and the rows that agents see change.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parlour_protocol::frame::{
    ListCounts, ListQuery, Role, RowRev, ServerFrame, TicketRow, digest,
};
use parlour_protocol::limits;
use tokio::sync::Notify;
use uuid::Uuid;

use super::presence::Presences;
use super::{Actor, Chat};
use crate::bus::{Bus, News, Publication};
use crate::clock;
use crate::error::Error;
use crate::hub::Topic;
use crate::store::messages::Stored;
use crate::store::states::{self, Change};
use crate::store::tickets::{self, Assigned, Filter, Ticket};
use crate::store::{self, Connection, Store};

/// Rows of one ticket that changes many times in this time are one row.
const GATHER: Duration = Duration::from_millis(40);
/// A year, and the day that it may be longer.
const LONGEST_SNOOZE: clock::Micros = 366 * 24 * 3_600 * clock::SECOND;

/// Tickets, and for whom: for all agents, or for the one who has read it.
type Changed = HashSet<(Uuid, Option<Uuid>)>;

/// Publishes the rows of tickets that changed.
#[derive(Clone)]
pub struct Announcer {
    changed: Arc<(Mutex<Changed>, Notify)>,
}

impl Announcer {
    pub(super) fn start(store: Store, bus: Bus, presence: Arc<Presences>) -> Self {
        let announcer = Self {
            changed: Arc::default(),
        };
        let changed = Arc::downgrade(&announcer.changed);
        tokio::spawn(async move {
            loop {
                let Some(shared) = changed.upgrade() else {
                    return;
                };
                if tokio::time::timeout(Duration::from_secs(5), shared.1.notified())
                    .await
                    .is_err()
                {
                    continue;
                }
                tokio::time::sleep(GATHER).await;
                let mut changed =
                    std::mem::take(&mut *shared.0.lock().unwrap_or_else(PoisonError::into_inner));
                // Who comes later reads the list as it is then.
                changed.retain(|(_, whom)| {
                    bus.hub()
                        .may_be_heard(whom.map_or(Topic::Inbox, Topic::Person))
                });
                if changed.is_empty() {
                    continue;
                }
                // Lists are repaired by the heartbeat's digest.
                if let Err(error) = announce(&store, &bus, &presence, &changed).await {
                    tracing::warn!(%error, "changed tickets were not announced");
                }
            }
        });
        announcer
    }

    pub(super) fn changed(&self, ticket: Uuid) {
        self.insert(ticket, None);
    }

    /// An agent has read a ticket: all her pages count anew.
    pub(super) fn read(&self, ticket: Uuid, agent: Uuid) {
        self.insert(ticket, Some(agent));
    }

    fn insert(&self, ticket: Uuid, whom: Option<Uuid>) {
        self.changed
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((ticket, whom));
        self.changed.1.notify_one();
    }
}

/// Publishes each row once to everybody whom it concerns.
async fn announce(
    store: &Store,
    bus: &Bus,
    presence: &Presences,
    changed: &Changed,
) -> store::Result<()> {
    let ids: HashSet<Uuid> = changed.iter().map(|(ticket, _)| *ticket).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    for ticket in store.tickets(&ids).await? {
        let row = || News::Ticket(row(&ticket, presence));
        let publish = |topic| bus.publish(&Publication::new(topic, row()));
        if changed.contains(&(ticket.id, None)) {
            publish(Topic::Inbox);
            continue;
        }
        let readers = changed.iter().filter(|(id, _)| *id == ticket.id);
        for agent in readers.filter_map(|(_, whom)| *whom) {
            publish(Topic::Person(agent));
        }
    }
    Ok(())
}

/// A ticket's row, as it travels.
#[must_use]
pub fn row(ticket: &Ticket, presence: &Presences) -> TicketRow {
    TicketRow {
        id: crate::wire(ticket.id),
        rev: crate::unsigned(ticket.rev),
        site: crate::wire(ticket.site),
        state: ticket.state,
        assignee: ticket.assignee.as_ref().map(|(id, _)| crate::wire(*id)),
        position: crate::unsigned(ticket.position),
        at: ticket.at,
        html: crate::dashboard::live::row_html(ticket, presence.state(ticket.visitor.id)),
    }
}

/// The filter of a query, as `agent` asks it.
#[must_use]
pub fn filter(query: &ListQuery, agent: Uuid) -> Filter {
    let assigned = match query.assigned.as_str() {
        "mine" => Assigned::To(agent),
        "unassigned" => Assigned::Nobody,
        _ => Assigned::All,
    };
    Filter {
        state: query.state,
        assigned,
        site: query.site.map(|site| Uuid::from_bytes(site.0)),
    }
}

impl Chat {
    /// Compares a list on screen with the store's: the order, and the rows that differ.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn sync(
        &self,
        agent: Uuid,
        query: &ListQuery,
        rows: &[RowRev],
    ) -> Result<ServerFrame, Error> {
        let tickets = self
            .store
            .ticket_list(&filter(query, agent), None, page())
            .await?;
        let counts = self.store.ticket_counts(agent).await?;
        let stale = |ticket: &&Ticket| {
            let known = rows.iter().find(|row| row.id == crate::wire(ticket.id));
            known.is_none_or(|row| row.rev < crate::unsigned(ticket.rev))
        };
        Ok(ServerFrame::List {
            order: tickets
                .iter()
                .map(|ticket| crate::wire(ticket.id))
                .collect(),
            rows: tickets
                .iter()
                .filter(stale)
                .map(|ticket| row(ticket, &self.presence))
                .collect(),
            digest: digest(
                tickets
                    .iter()
                    .map(|ticket| revision((ticket.id, ticket.rev))),
            ),
            counts: ListCounts {
                mine: crate::unsigned(counts.mine),
                unassigned: crate::unsigned(counts.unassigned),
                open: crate::unsigned(counts.open),
                resolved: crate::unsigned(counts.resolved),
            },
        })
    }

    /// The digest of a list, for the heartbeat.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn list_digest(&self, agent: Uuid, query: &ListQuery) -> Result<u32, Error> {
        let rows = self
            .store
            .ticket_revisions(&filter(query, agent), page())
            .await?;
        Ok(digest(rows.into_iter().map(revision)))
    }

    /// Sets a ticket's state and tells everybody whom it concerns.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such ticket, [`Error::Forbidden`] for visitors,
    /// [`Error::Invalid`] for a snooze that is over already or beyond a year.
    pub async fn set_state(
        &self,
        actor: &Actor,
        ticket: Uuid,
        change: Change,
    ) -> Result<(), Error> {
        if let Change::Snoozed(until) = change {
            let now = clock::now();
            if until <= now || until > now.saturating_add(LONGEST_SNOOZE) {
                return Err(Error::Invalid {
                    field: "snoozed_until",
                    reason: "choose a time that is still to come, within a year".into(),
                });
            }
        }
        let author = actor.author();
        self.change(actor, ticket, move |c| {
            Box::pin(async move { states::set(c, ticket, &author, change).await })
        })
        .await
    }

    /// Gives a ticket to an agent, or to nobody.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such ticket or agent, [`Error::Forbidden`] for visitors.
    pub async fn assign(
        &self,
        actor: &Actor,
        ticket: Uuid,
        assignee: Option<Uuid>,
    ) -> Result<(), Error> {
        let author = actor.author();
        self.change(actor, ticket, move |c| {
            Box::pin(async move { tickets::assign(c, ticket, &author, assignee).await })
        })
        .await
    }

    /// Changes a ticket; what it records of itself is published in the order of commits.
    async fn change<W>(&self, actor: &Actor, ticket: Uuid, work: W) -> Result<(), Error>
    where
        W: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, store::Result<Vec<Stored>>>
            + Send
            + 'static,
    {
        if actor.role != Role::Agent {
            return Err(Error::Forbidden);
        }
        let chat = self.clone();
        let committed = move |happened: &Vec<Stored>| {
            chat.publish_happened(happened);
            chat.announcer.changed(ticket);
        };
        self.store.write_and(work, committed).await?;
        Ok(())
    }

    /// Announces a ticket whose visitor changed: another page, another name.
    pub fn ticket_changed(&self, ticket: Uuid) {
        self.announcer.changed(ticket);
    }
}

fn revision((id, rev): (Uuid, i64)) -> RowRev {
    RowRev {
        id: crate::wire(id),
        rev: crate::unsigned(rev),
    }
}

fn page() -> i64 {
    i64::try_from(limits::LIST).unwrap_or(50)
}
