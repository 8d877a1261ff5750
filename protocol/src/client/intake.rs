//! What a room takes from the server: events, pages, its state; and what follows from them.

use super::port::Port;
use super::repair::ANSWER_TIMEOUT;
use super::room::{MOST_MEMBERS, Marks, Room, Stage};
use super::types::Change;
use super::window::Landed;
use crate::Id;
use crate::frame::{Body, Event, Happening, Mark, RoomState, TicketState};

/// A `page`, taken apart.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    pub(super) more: bool,
    pub(super) position: u64,
    pub(super) reset: bool,
    pub(super) live: Option<RoomState>,
}

impl Room {
    /// Takes an event. True if the window has changed.
    pub(super) fn take_event(&mut self, event: Event, me: Id, port: &mut Port, now: u64) -> bool {
        let (id, cid, seq) = (self.id, event.cid, event.seq);
        let before = self.top().unwrap_or(0);
        self.note_position(seq);
        if self.opening {
            // Its first message is stored, whatever has become of the answer.
            self.opened(true, now);
        }
        let landed = self.window.insert(event);
        match landed {
            Landed::Appended => self.absorb(before, me, port),
            Landed::Replaced => port.change(Change::Event { room: id, cid }),
            // It is stored, so it need not be sent again, wherever it will be shown.
            Landed::Held => self.acknowledge(cid, seq, port),
            Landed::Overflow if self.stage == Stage::Live => self.ask_join(port, now),
            Landed::Overflow | Landed::Ignored => {}
        }
        if landed == Landed::Appended {
            self.announce(before, port);
        }
        self.check_gap(now, port);
        matches!(landed, Landed::Appended | Landed::Replaced)
    }

    /// Takes a page. False if it was nothing to be used.
    pub(super) fn take_page(&mut self, page: Page, me: Id, port: &mut Port, now: u64) -> bool {
        let last_of_join = page.live.is_some();
        if self.opening {
            // Of an earlier join: what answers the opening comes after its acknowledgement.
            return false;
        }
        if self.top().is_none() && !page.reset && !last_of_join {
            return false;
        }
        let mut before = self.top().unwrap_or(0);
        let answers = if last_of_join || page.reset {
            None
        } else {
            self.request.take()
        };
        let filled = answers.is_some_and(|request| !request.older);
        let starts_above = page
            .events
            .iter()
            .map(|event| event.seq)
            .min()
            .is_some_and(|seq| seq > before + 1);
        // A hole that begins after what was asked for: the entries in it are gone for good.
        if page.reset || self.top().is_none() || (filled && starts_above) {
            if page.position < before {
                self.roll_back(page.position);
                before = 0;
            }
            self.window
                .start_over(page.events, page.more, page.position);
            self.position = page.position;
        } else if page.events.is_empty() && answers.is_some_and(|request| request.older) {
            self.window.ends_here();
        } else {
            self.window.merge(page.events, page.more);
        }
        if filled {
            // The database has spoken: what was said above it is not there.
            self.position = page.position;
        }
        let top = self.top().unwrap_or(0);
        self.note_position(page.position.max(top).max(self.window.newest_held()));
        if top > before {
            self.fill_tries = 0;
        }
        self.absorb(before, me, port);
        if let Some(state) = page.live {
            self.go_live(state, me);
        } else if let Stage::Joining(_) = self.stage {
            self.stage = Stage::Joining(now + ANSWER_TIMEOUT);
        }
        self.settle(port);
        self.ask_older(port, now);
        self.check_gap(now, port);
        true
    }

    fn go_live(&mut self, state: RoomState, me: Id) {
        self.stage = Stage::Live;
        self.join_tries = 0;
        self.gone = false;
        self.set_state(state, me);
    }

    /// The server's data has gone back behind what we have seen.
    fn roll_back(&mut self, position: u64) {
        self.state = None;
        self.told = Marks::default();
        self.drop_acked();
        self.own.read = self.own.read.min(position);
        self.own.delivered = self.own.delivered.min(position);
    }

    fn set_state(&mut self, mut state: RoomState, me: Id) {
        state.marks.truncate(MOST_MEMBERS);
        state.people.truncate(MOST_MEMBERS);
        self.note_position(state.position);
        if let Some(mark) = state.marks.iter().find(|mark| mark.member == me) {
            self.told = Marks {
                delivered: mark.delivered,
                read: mark.read,
            };
        } else {
            self.told = Marks::default();
        }
        self.own.delivered = self.own.delivered.max(self.told.delivered);
        self.own.read = self.own.read.max(self.told.read);
        let old = self.state.replace(state);
        for mark in old.into_iter().flat_map(|old| old.marks) {
            if self.marks().iter().any(|other| other.member == mark.member) {
                self.raise(mark);
            }
        }
        let own = Mark {
            member: me,
            delivered: self.own.delivered,
            read: self.own.read,
        };
        if own.read > 0 || own.delivered > 0 {
            self.raise(own);
        }
    }

    /// What follows from the entries above `before`, which are new in the window.
    fn absorb(&mut self, before: u64, me: Id, port: &mut Port) {
        let mut ticket = None;
        let mut ended = Vec::new();
        for event in self.window.above(before) {
            if event.author.id != me {
                self.own.delivered = self.own.delivered.max(event.seq);
            }
            if let Body::Happened { what, .. } = event.body {
                ticket = ticket.or(match what {
                    Happening::Resolved => Some(TicketState::Resolved),
                    Happening::Reopened => Some(TicketState::Open),
                    _ => None,
                });
            }
            if self.typers.iter().any(|typer| typer.id == event.author.id) {
                ended.push(event.author.id);
            }
        }
        for typer in ended {
            self.end_typing(typer, port);
        }
        if ticket.is_some_and(|ticket| self.set_ticket(ticket)) {
            port.room_changed(self.id);
        }
        self.settle(port);
    }

    /// Names each new entry, oldest first.
    fn announce(&self, before: u64, port: &mut Port) {
        let count = self.window.above(before).count();
        let entries = self.window.entries();
        for event in entries.iter().skip(entries.len().saturating_sub(count)) {
            port.change(Change::Event {
                room: self.id,
                cid: event.cid,
            });
        }
    }

    /// Takes pending messages away whose entries are in the window.
    pub(super) fn settle(&mut self, port: &mut Port) {
        if self.pending.is_empty() {
            return;
        }
        let (window, acked) = (&self.window, &mut self.acked);
        self.pending.retain(|pending| {
            let seq = acked
                .iter()
                .find(|(cid, _)| *cid == pending.cid)
                .map(|(_, seq)| *seq);
            let passed = seq.is_some_and(|seq| window.top().is_some_and(|top| seq <= top));
            if !passed && !window.has(pending.cid) {
                return true;
            }
            if seq.is_none() {
                port.unsave(pending.cid);
            }
            false
        });
        let pending = &self.pending;
        acked.retain(|(cid, _)| pending.iter().any(|pending| pending.cid == *cid));
    }
}
