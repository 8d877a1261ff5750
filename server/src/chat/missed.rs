//! What another node would have told: who has entered a room and who has lost one. While nodes
//! cannot hear one another, and once they can again, the database says it instead.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parlour_protocol::frame::Role;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Chat;
use super::presence::Presences;
use crate::bus::{Bus, Link, News, Publication};
use crate::clock;
use crate::hub::Topic;
use crate::store::{self, Store};

/// How often somebody is looked for who has lost a room, if other nodes cannot be heard.
const LOOK: Duration = Duration::from_secs(2);
/// Every so many looks is one for what may wait: rooms of agents, and whatever was lost although
/// the other nodes can be heard.
const SELDOM: u32 = 5;
/// Clocks of two nodes differ by no more than this.
const SKEW: clock::Micros = 10 * clock::SECOND;

struct Missed {
    store: Store,
    bus: Bus,
    presence: Weak<Presences>,
    /// The direct and team rooms that agents here had at the last look.
    rooms: HashMap<Uuid, HashSet<Uuid>>,
    /// Tickets since then are new.
    since: clock::Micros,
}

pub(super) fn start(chat: &Chat) {
    let missed = Missed {
        store: chat.store.clone(),
        bus: chat.bus.clone(),
        presence: Arc::downgrade(&chat.presence),
        rooms: HashMap::new(),
        since: 0,
    };
    tokio::spawn(missed.run());
}

impl Missed {
    async fn run(mut self) {
        let mut link = self.bus.link();
        if *link.borrow() == Link::Alone {
            return;
        }
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0_u32;
        loop {
            let changed = tokio::select! {
                _ = ticks.tick() => false,
                _ = link.changed() => true,
            };
            let Some(presence) = self.presence.upgrade() else {
                return;
            };
            let up = matches!(*link.borrow_and_update(), Link::Up(_));
            count = count.wrapping_add(1);
            let seldom = changed || count.is_multiple_of(SELDOM);
            if let Err(error) = self.look(&presence, up, changed, seldom).await {
                tracing::debug!(%error, "what other nodes changed could not be looked up");
            }
        }
    }

    async fn look(
        &mut self,
        presence: &Presences,
        up: bool,
        changed: bool,
        seldom: bool,
    ) -> store::Result<()> {
        let (mut agents, mut visitors) = (Vec::new(), HashSet::new());
        for (person, role) in presence.connected_here() {
            match role {
                Role::Visitor => drop(visitors.insert(person)),
                Role::Agent | Role::System => agents.push(person),
            }
        }
        if !up || seldom {
            self.lost(&agents).await?;
        }
        if !up || changed {
            self.opened(&visitors).await?;
            if seldom {
                self.entered(&agents).await?;
            }
        }
        if up {
            // From here on they are heard.
            self.rooms.clear();
        }
        Ok(())
    }

    /// Agents who are no members of a direct or team room that somebody here has joined.
    async fn lost(&self, agents: &[Uuid]) -> store::Result<()> {
        let rooms = self.bus.hub().rooms();
        for (room, members) in self.store.private_rooms(&rooms).await? {
            for agent in agents.iter().filter(|agent| !members.contains(agent)) {
                // Whoever has not joined it loses nothing.
                self.tell(*agent, News::Lost(room));
            }
        }
        Ok(())
    }

    /// Tickets that visitors have opened in tabs on other nodes.
    async fn opened(&mut self, visitors: &HashSet<Uuid>) -> store::Result<()> {
        let now = clock::now();
        let since = std::mem::replace(&mut self.since, now - SKEW);
        for (ticket, visitor) in self.store.tickets_opened(since.max(now - 6 * SKEW)).await? {
            if visitors.contains(&visitor) {
                self.tell(visitor, News::Entered(ticket));
            }
        }
        Ok(())
    }

    /// Rooms that agents did not have at the last look.
    async fn entered(&mut self, agents: &[Uuid]) -> store::Result<()> {
        for agent in agents {
            let listed = self.store.rooms_of(*agent).await?;
            let now: HashSet<Uuid> = listed.into_iter().map(|room| room.id).collect();
            let before = self.rooms.insert(*agent, now.clone());
            for room in before.iter().flat_map(|before| now.difference(before)) {
                self.tell(*agent, News::Entered(*room));
            }
        }
        Ok(())
    }

    /// Other nodes look for themselves.
    fn tell(&self, person: Uuid, news: News) {
        let publication = Publication::new(Topic::Person(person), news);
        self.bus.hub().deliver(&publication);
    }
}
