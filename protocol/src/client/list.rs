//! The ticket list on screen, repaired like a thread: compared after each resume, and
//! whenever the heartbeat's digest differs.

use super::Client;
use super::types::Change;
use crate::Id;
use crate::frame::{ClientFrame, ListCounts, ListQuery, RowRev, TicketRow, digest};
use crate::limits;

/// A comparison without an answer is given up after this time.
const SYNC_TIMEOUT: u64 = 10_000;

/// The list that is on screen.
pub(super) struct Watched {
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
            .watched
            .as_ref()
            .filter(|before| before.asked.is_some_and(|until| until > now));
        let stale = before.map_or(0, |before| before.stale + 1);
        self.watched = query.map(|query| Watched {
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
        if let Some(watched) = &mut self.watched {
            watched.rows = rows;
        }
    }

    pub(super) fn sync(&mut self, now: u64) {
        if let Some(watched) = &mut self.watched
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
        let Some(watched) = &self.watched else { return };
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
        let Some(watched) = &mut self.watched else {
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
        if let Some(watched) = &mut self.watched
            && let Some(shown) = watched.rows.iter_mut().find(|shown| shown.id == row.id)
        {
            shown.rev = shown.rev.max(row.rev);
        }
        if let Some(room) = super::find(&mut self.rooms, row.id)
            && room.set_ticket_row(row.state, row.rev)
        {
            self.port.change(Change::Room(row.id));
        }
        self.port.change(Change::Row(row));
    }

    /// What was asked will not be answered any more.
    pub(super) fn forget_sync(&mut self) {
        if let Some(watched) = &mut self.watched {
            watched.asked = None;
            watched.answered = false;
            watched.stale = 0;
        }
    }

    /// The revisions on screen are void.
    pub(super) fn forget_list(&mut self) {
        if let Some(watched) = &mut self.watched {
            watched.rows.clear();
        }
    }
}
