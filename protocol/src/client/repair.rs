//! What is asked of the server about a room: joins, holes, older pages; once each, again with back-off.

use super::earliest;
use super::port::Port;
use super::room::{Room, Stage};
use crate::frame::ClientFrame;
use crate::limits;

/// A hole is asked for after this time: swapped events fill most of them.
const GAP_DELAY: u64 = 50;
/// A position above the window, without an event, is asked for after this time: the event may be under way.
const BEHIND_DELAY: u64 = 250;
/// A join without an answer is repeated after this time, a history request given up.
pub(super) const ANSWER_TIMEOUT: u64 = 5_000;
/// A hole above this many entries is joined again instead of being asked for page by page.
const WIDE_GAP: u64 = 2 * limits::PAGE as u64;
/// After an acknowledgement that opened a ticket, its page is awaited this long.
const OPENED_DELAY: u64 = 1_000;

/// A `history` under way. One at a time, so that an answer needs no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) older: bool,
    until: u64,
}

impl Room {
    /// Asks the server to join the room, from the window's end on.
    pub(super) fn ask_join(&mut self, port: &mut Port, now: u64) {
        if !port.live || !self.wanted || self.opening || self.gone {
            return;
        }
        self.stage = Stage::Joining(now + (ANSWER_TIMEOUT << self.join_tries.min(3)));
        self.join_tries += 1;
        self.stop_asking();
        port.transmit(ClientFrame::Join {
            room: self.id,
            after: self.top(),
        });
    }

    /// The first message has opened the ticket. The server joins its sender by itself;
    /// after a lost acknowledgement it has done so in a connection that is gone.
    pub(super) fn opened(&mut self, again: bool, now: u64) {
        self.opening = false;
        if self.stage == Stage::Out && self.wanted {
            self.stage = Stage::Joining(now + if again { 0 } else { OPENED_DELAY });
        }
    }

    /// Plans to ask for what is missing between the window and the newest that is known of.
    pub(super) fn check_gap(&mut self, now: u64, port: &mut Port) {
        let whole = self.top().is_none_or(|top| self.position <= top) && !self.window.has_held();
        if self.stage != Stage::Live || whole {
            self.fill_at = None;
            self.fill_tries = 0;
            return;
        }
        if self.request.is_some_and(|request| !request.older) {
            return;
        }
        let delay = match self.fill_tries {
            0 if self.window.has_held() => GAP_DELAY,
            0 => BEHIND_DELAY,
            tries => port.back_off(tries) + GAP_DELAY,
        };
        match self.fill_at {
            Some(at) if self.fill_tries > 0 || at <= now + delay => {}
            _ => self.fill_at = Some(now + delay),
        }
    }

    /// Asks for the page before the window, if it is wanted and its turn has come.
    pub(super) fn ask_older(&mut self, port: &mut Port, now: u64) {
        if !self.older_wanted || self.request.is_some() || self.stage != Stage::Live {
            return;
        }
        self.older_wanted = false;
        if let Some(before) = self.window.first().filter(|_| self.window.more()) {
            self.request = Some(Request {
                older: true,
                until: now + ANSWER_TIMEOUT,
            });
            port.transmit(ClientFrame::History {
                room: self.id,
                before,
                after: 0,
            });
        }
    }

    pub(super) fn want_older(&mut self, port: &mut Port, now: u64) {
        if self.stage == Stage::Live && self.window.more() && !self.loading() {
            self.older_wanted = true;
            self.ask_older(port, now);
            port.room_changed(self.id);
        }
    }

    fn ask_fill(&mut self, port: &mut Port, now: u64) {
        self.fill_at = None;
        let Some(top) = self.top() else { return };
        self.fill_tries += 1;
        if self.position.saturating_sub(top) > WIDE_GAP {
            self.ask_join(port, now);
        } else {
            self.request = Some(Request {
                older: false,
                until: now + ANSWER_TIMEOUT,
            });
            port.transmit(ClientFrame::History {
                room: self.id,
                before: 0,
                after: top,
            });
        }
    }

    pub(super) fn stop_asking(&mut self) {
        self.request = None;
        self.older_wanted = false;
        self.fill_at = None;
    }

    /// The server cannot answer now: what is under way is asked again not before `at`.
    pub(super) fn postpone(&mut self, at: u64) {
        if let Stage::Joining(_) = self.stage {
            self.stage = Stage::Joining(at);
        }
        if let Some(request) = &mut self.request {
            request.until = at;
        }
    }

    pub(super) fn timer(&self) -> Option<u64> {
        let join = match self.stage {
            Stage::Joining(again) => Some(again),
            _ => None,
        };
        let fill = self.fill_at.filter(|_| self.request.is_none());
        let request = self.request.map(|request| request.until);
        let typers = self.typers_until.iter().min().copied();
        earliest(&[join, fill, request, typers, self.outbox_timer()])
    }

    pub(super) fn tick(&mut self, port: &mut Port, now: u64) {
        if let Stage::Joining(again) = self.stage
            && again <= now
        {
            self.ask_join(port, now);
        }
        if self.request.is_some_and(|request| request.until <= now) {
            self.request = None;
            port.room_changed(self.id);
            self.ask_older(port, now);
            self.check_gap(now, port);
        }
        if self.request.is_none() && self.fill_at.is_some_and(|at| at <= now) {
            self.ask_fill(port, now);
        }
        self.expire_typers(port, now);
        self.flush(port, now);
    }
}
