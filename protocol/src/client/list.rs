//! What agents have besides rooms: the ticket list on screen, repaired like a thread (compared after
//! each resume, and whenever the heartbeat's digest differs), and marks of rooms that are in a list
//! only. `no_list` stands in its place where there are no agents.

use super::types::Change;
use super::{Client, find};
use crate::Id;
use crate::frame::{ClientFrame, ListCounts, ListQuery, RowRev, TicketRow, digest};
use crate::limits;

/// A comparison without an answer is given up after this time.
const SYNC_TIMEOUT: u64 = 10_000;

/// Rooms that are not joined, whose delivered marks are remembered.
const MOST_ELSEWHERE: usize = 64;

#[derive(Default)]
pub(super) struct Lists {
    watched: Option<Watched>,
    elsewhere: Vec<Elsewhere>,
}

/// The delivered mark of a room that is not joined.
struct Elsewhere {
    room: Id,
    delivered: u64,
    told: u64,
}

impl Elsewhere {
    fn is_ahead(&self) -> bool {
        self.delivered > self.told
    }
}

/// The list that is on screen.
struct Watched {
    query: ListQuery,
    rows: Vec<RowRev>,
    /// A comparison is under way, until then at most.
    asked: Option<u64>,
    /// Whether the server has answered for this list in this connection.
    answered: bool,
    /// Answers that are still to come for lists that were on screen before.
    stale: u32,
}

impl Client {
    /// The list that is on screen; `None` for none. Compared with the server's now, after
    /// each reconnection, and when the heartbeat's digest differs.
    pub fn list(&mut self, query: Option<ListQuery>, mut rows: Vec<RowRev>, now: u64) {
        rows.truncate(limits::LIST);
        let before = self
            .lists
            .watched
            .as_ref()
            .filter(|before| before.asked.is_some_and(|until| until > now));
        let stale = before.map_or(0, |before| before.stale + 1);
        self.lists.watched = query.map(|query| Watched {
            query,
            rows,
            asked: None,
            answered: false,
            stale,
        });
        self.sync(now);
    }

    /// What is on screen after the driver has merged a change.
    pub fn list_rows(&mut self, mut rows: Vec<RowRev>) {
        rows.truncate(limits::LIST);
        if let Some(watched) = &mut self.lists.watched {
            watched.rows = rows;
        }
    }

    /// Entries up to `seq` have arrived, of a room that is not joined (a row of a list).
    pub fn delivered(&mut self, room: Id, seq: u64, now: u64) {
        if let Some(found) = find(&mut self.rooms, room)
            && found.wanted
        {
            // Its entries speak for themselves when they arrive.
            return;
        }
        if let Some(found) = self
            .lists
            .elsewhere
            .iter_mut()
            .find(|elsewhere| elsewhere.room == room)
        {
            found.delivered = found.delivered.max(seq);
        } else {
            if self.lists.elsewhere.len() >= MOST_ELSEWHERE {
                self.lists.elsewhere.remove(0);
            }
            self.lists.elsewhere.push(Elsewhere {
                room,
                delivered: seq,
                told: 0,
            });
        }
        self.plan_receipts(now);
    }

    pub(super) fn sync(&mut self, now: u64) {
        if let Some(watched) = &mut self.lists.watched
            && self.port.live
        {
            watched.asked = Some(now + SYNC_TIMEOUT);
            self.port.transmit(ClientFrame::Sync {
                query: watched.query.clone(),
                rows: watched.rows.clone(),
            });
        }
    }

    /// The heartbeat's digest of the list.
    pub(super) fn check_list(&mut self, theirs: Option<u32>, now: u64) {
        let Some(watched) = &self.lists.watched else {
            return;
        };
        let differs = theirs.map_or(!watched.answered, |theirs| {
            theirs != digest(watched.rows.iter().copied())
        });
        if !differs || watched.asked.is_some_and(|until| until > now) {
            return;
        }
        if watched.asked.is_some() {
            self.forget_sync();
        }
        self.sync(now);
    }

    pub(super) fn listing(
        &mut self,
        mut order: Vec<Id>,
        mut rows: Vec<TicketRow>,
        counts: ListCounts,
    ) {
        let Some(watched) = &mut self.lists.watched else {
            return;
        };
        if watched.stale > 0 {
            watched.stale -= 1;
            return;
        }
        order.truncate(limits::LIST);
        rows.truncate(limits::LIST);
        let newer = |id: Id| rows.iter().find(|row| row.id == id).map(|row| row.rev);
        let older = |id: Id| {
            watched
                .rows
                .iter()
                .find(|row| row.id == id)
                .map(|row| row.rev)
        };
        let merged = order.iter().filter_map(|id| {
            Some(RowRev {
                id: *id,
                rev: newer(*id).or_else(|| older(*id))?,
            })
        });
        watched.rows = merged.collect();
        watched.asked = None;
        watched.answered = true;
        self.port.change(Change::List {
            order,
            rows,
            counts,
        });
    }

    /// A ticket changed.
    pub(super) fn row(&mut self, row: TicketRow) {
        if let Some(watched) = &mut self.lists.watched
            && let Some(shown) = watched.rows.iter_mut().find(|shown| shown.id == row.id)
        {
            shown.rev = shown.rev.max(row.rev);
        }
        if let Some(room) = find(&mut self.rooms, row.id)
            && room.set_ticket_row(row.state, row.rev)
        {
            self.port.room_changed(row.id);
        }
        self.port.change(Change::Row(row));
    }

    pub(super) fn is_ahead_elsewhere(&self) -> bool {
        self.lists.elsewhere.iter().any(Elsewhere::is_ahead)
    }

    pub(super) fn send_elsewhere(&mut self) {
        for elsewhere in &mut self.lists.elsewhere {
            if elsewhere.is_ahead() {
                elsewhere.told = elsewhere.delivered;
                self.port.transmit(ClientFrame::Receipt {
                    room: elsewhere.room,
                    delivered: elsewhere.delivered,
                    read: 0,
                });
            }
        }
    }

    /// The connection is gone.
    pub(super) fn cut_lists(&mut self) {
        self.forget_sync();
        // What was told may be lost with it: it may be said again.
        self.lists.elsewhere.retain(Elsewhere::is_ahead);
    }

    /// What was asked will not be answered any more.
    fn forget_sync(&mut self) {
        if let Some(watched) = &mut self.lists.watched {
            watched.asked = None;
            watched.answered = false;
            watched.stale = 0;
        }
    }

    /// The revisions on screen are void, and so are the marks.
    pub(super) fn forget_lists(&mut self) {
        if let Some(watched) = &mut self.lists.watched {
            watched.rows.clear();
        }
        self.lists.elsewhere.clear();
    }
}
