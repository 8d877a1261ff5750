//! Rooms as this node has left them, so that the next message of a room need not read it first.
//!
//! Nothing is true because it is kept. Whatever writes holds rooms and tickets, and writes only if
//! they stand as they are kept here; if not, everything is read under the lock. All that
//! numbering depends on raises a room's number or its ticket's time: entries, answers, states.
//! Ids that are known are not kept: the index over them refuses one that comes again, and then they
//! are read as well. Direct and team rooms are not kept, since who may write there can change.

use std::collections::HashMap;

use uuid::Uuid;

use super::Append;
use super::batch::{Batch, Position, Ticket};
use parlour_protocol::frame::Role;

/// Rooms that are kept at most; then all are forgotten.
const MOST: usize = 8_192;

/// What is kept.
#[derive(Default)]
pub(in crate::store) struct Kept {
    rooms: HashMap<Uuid, Room>,
    tickets: HashMap<Uuid, Ticket>,
}

struct Room {
    position: Position,
    /// Whether it stood as it was left when it was read last. If not, another node writes there, and
    /// reading first costs less than being wrong.
    own: bool,
}

impl Kept {
    /// Whether the ticket or room of `append` is known here.
    pub(super) fn knows(&self, append: &Append) -> bool {
        self.rooms.contains_key(&append.room)
    }

    /// Whether `append` can be numbered by what is kept.
    pub(super) fn suffices(&self, append: &Append) -> bool {
        let Some(room) = self.rooms.get(&append.room) else {
            return false;
        };
        room.own && (append.author.role != Role::Agent || append.seen >= room.position.answered)
    }

    /// Gives a set the rooms that it was not loaded with.
    pub(super) fn lend(&self, batch: &mut Batch, appends: &[&Append]) {
        for append in appends {
            let Some(room) = self.rooms.get(&append.room) else {
                continue;
            };
            let position = &room.position;
            batch
                .rooms
                .entry(append.room)
                .or_insert_with(|| position.clone());
            if let Some(id) = position.ticket
                && let Some(ticket) = self.tickets.get(&id)
            {
                batch.tickets.entry(id).or_insert_with(|| ticket.clone());
            }
        }
    }

    /// Keeps the rooms of a set that was written.
    pub(super) fn keep(&mut self, batch: Batch) {
        if self.rooms.len() + batch.rooms.len() > MOST {
            self.rooms.clear();
            self.tickets.clear();
        }
        for (id, position) in batch.rooms {
            let Some(ticket) = position.ticket.and_then(|id| batch.tickets.get(&id)) else {
                continue;
            };
            let left = self.rooms.get(&id).map(|room| room.position.seq);
            let ticket_left = position.ticket.and_then(|id| self.tickets.get(&id));
            let own = left.is_none_or(|seq| seq == position.was)
                && ticket_left.is_none_or(|left| left.at == ticket.was);
            let position = position.settled();
            self.rooms.insert(id, Room { position, own });
        }
        let settled = batch.tickets.into_iter();
        self.tickets
            .extend(settled.map(|(id, ticket)| (id, ticket.settled())));
    }
}
