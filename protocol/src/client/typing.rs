//! Typing: debounced at the sender, expiring at the receiver.

use super::port::Port;
use super::room::Room;
use super::types::Change;
use super::{Client, find};
use crate::Id;
use crate::frame::{ClientFrame, Person};
use crate::limits::{TYPING_EXPIRY, TYPING_INTERVAL};

/// Typers of one room that are shown at most.
const MOST_TYPERS: usize = 16;

/// What the others were told of this client's typing. A person types in one room at a time.
pub(super) struct Typist {
    room: Id,
    on: bool,
    /// When `on` was last sent.
    sent: u64,
    /// When a key was last struck.
    struck: u64,
}

impl Client {
    /// The person types in a room, or has stopped. To be called at each key stroke.
    pub fn typing(&mut self, room: Id, on: bool, now: u64) {
        if !self.port.live || !self.room(room).is_some_and(Room::live) {
            return;
        }
        if self
            .typist
            .as_ref()
            .is_some_and(|typist| typist.room != room)
        {
            if !on {
                return;
            }
            self.stop_typing();
            self.typist = None;
        }
        if !on {
            self.stop_typing();
        } else if let Some(typist) = &mut self.typist {
            typist.struck = now;
            if now >= typist.sent + TYPING_INTERVAL {
                typist.on = true;
                typist.sent = now;
                self.port.transmit(ClientFrame::Typing { room, on: true });
            }
        } else {
            self.typist = Some(Typist {
                room,
                on: true,
                sent: now,
                struck: now,
            });
            self.port.transmit(ClientFrame::Typing { room, on: true });
        }
    }

    /// Tells the others that this client does not type any more, if they think so.
    pub(super) fn stop_typing(&mut self) {
        if let Some(typist) = &mut self.typist
            && core::mem::take(&mut typist.on)
        {
            self.port.transmit(ClientFrame::Typing {
                room: typist.room,
                on: false,
            });
        }
    }

    pub(super) fn tick_typing(&mut self, now: u64) {
        if self.typing_timer().is_some_and(|at| at <= now) {
            self.stop_typing();
        }
    }

    pub(super) fn typing_timer(&self) -> Option<u64> {
        let typist = self.typist.as_ref().filter(|typist| typist.on)?;
        Some(typist.struck + TYPING_EXPIRY)
    }

    /// Somebody types, or stopped.
    pub(super) fn typed(&mut self, room: Id, who: Person, on: bool, now: u64) {
        if self.me_id() == who.id {
            return;
        }
        if let Some(room) = find(&mut self.rooms, room)
            && room.wanted
        {
            room.show_typing(who, on, &mut self.port, now);
        }
    }
}

impl Typist {
    pub(super) fn is_in(&self, room: Id) -> bool {
        self.room == room
    }
}

impl Room {
    fn show_typing(&mut self, who: Person, on: bool, port: &mut Port, now: u64) {
        let known = self.typers.iter().position(|typer| typer.id == who.id);
        match (known, on) {
            (Some(index), true) => {
                if let Some(until) = self.typers_until.get_mut(index) {
                    *until = now + TYPING_EXPIRY;
                }
                return;
            }
            (Some(index), false) => self.drop_typer(index),
            (None, true) if self.typers.len() < MOST_TYPERS => {
                self.typers.push(who);
                self.typers_until.push(now + TYPING_EXPIRY);
            }
            (None, _) => return,
        }
        port.change(Change::Typing(self.id));
    }

    pub(super) fn expire_typers(&mut self, port: &mut Port, now: u64) {
        while let Some(index) = self.typers_until.iter().position(|until| *until <= now) {
            self.drop_typer(index);
            port.change(Change::Typing(self.id));
        }
    }

    /// Her message has come.
    pub(super) fn end_typing(&mut self, who: Id, port: &mut Port) {
        if let Some(index) = self.typers.iter().position(|typer| typer.id == who) {
            self.drop_typer(index);
            port.change(Change::Typing(self.id));
        }
    }

    fn drop_typer(&mut self, index: usize) {
        self.typers.remove(index);
        self.typers_until.remove(index);
    }

    pub(super) fn clear_typers(&mut self) {
        self.typers.clear();
        self.typers_until.clear();
    }
}
