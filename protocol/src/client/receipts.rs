//! Receipts: two marks per member and room that only move forward.

use super::port::Port;
use super::room::{Marks, Room, Stage, raise};
use super::types::Change;
use super::{Client, find};
use crate::Id;
use crate::frame::{ClientFrame, Mark};
use crate::limits;

impl Client {
    /// Entries up to `seq` are on screen in a visible, focused window: moves the read mark.
    pub fn seen(&mut self, room: Id, seq: u64, now: u64) {
        let me = self.me_id();
        let Some(found) = find(&mut self.rooms, room) else {
            return;
        };
        let Some(top) = found.top().filter(|_| found.wanted) else {
            return;
        };
        let seq = seq.min(top);
        if seq <= found.own.read {
            return;
        }
        found.own.read = seq;
        found.own.delivered = found.own.delivered.max(seq);
        let own = Mark {
            member: me,
            delivered: found.own.delivered,
            read: seq,
        };
        found.raise(own);
        self.raise_listed(room, own);
        self.port.change(Change::Marks(room));
        self.plan_receipts(now);
    }

    /// Somebody's marks moved.
    pub(super) fn receipt(&mut self, room: Id, mark: Mark) {
        let me = self.me_id();
        self.raise_listed(room, mark);
        let Some(found) = find(&mut self.rooms, room) else {
            return;
        };
        if mark.member == me {
            found.own = found.own.max(mark);
            found.told = found.told.max(mark);
        }
        if found.raise(mark) {
            self.port.change(Change::Marks(room));
        }
    }

    /// Sends the marks that have moved, a little later, together.
    pub(super) fn plan_receipts(&mut self, now: u64) {
        let rooms = self
            .rooms
            .iter()
            .any(|room| room.stage == Stage::Live && room.own.ahead_of(room.told));
        let dirty = rooms || self.is_ahead_elsewhere();
        if self.port.live && dirty && self.receipts_at.is_none() {
            self.receipts_at = Some(now + limits::RECEIPT_DELAY);
        }
    }

    pub(super) fn send_receipts(&mut self, now: u64) {
        if self.receipts_at.is_none_or(|at| at > now) {
            return;
        }
        self.receipts_at = None;
        for room in &mut self.rooms {
            room.send_receipt(&mut self.port);
        }
        self.send_elsewhere();
    }

    fn raise_listed(&mut self, room: Id, mark: Mark) {
        if let Some(listed) = self.listed.iter_mut().find(|listed| listed.room == room) {
            raise(&mut listed.marks, mark);
        }
    }
}

impl Room {
    /// Tells the server the own marks, if they have moved.
    pub(super) fn send_receipt(&mut self, port: &mut Port) {
        if self.stage != Stage::Live || !self.own.ahead_of(self.told) {
            return;
        }
        let moved = |own: u64, told: u64| if own > told { own } else { 0 };
        port.transmit(ClientFrame::Receipt {
            room: self.id,
            delivered: moved(self.own.delivered, self.told.delivered),
            read: moved(self.own.read, self.told.read),
        });
        self.told = self.own;
    }
}

impl Marks {
    fn ahead_of(self, other: Self) -> bool {
        self.delivered > other.delivered || self.read > other.read
    }

    fn max(self, mark: Mark) -> Self {
        Self {
            delivered: self.delivered.max(mark.delivered),
            read: self.read.max(mark.read),
        }
    }
}
