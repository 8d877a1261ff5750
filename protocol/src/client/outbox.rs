//! The outbox: messages that the server has not stored yet, as far as is known.
//!
//! A room has at most one `send` without an answer, so that a refused message is
//! never overtaken by a later one of the same burst. What waits meanwhile goes
//! together in the next.

use super::port::Port;
use super::room::{Room, Stage};
use super::types::{Change, Pending, PendingState, Saved, SendError};
use super::{Client, find};
use crate::Id;
use crate::frame::{Ack, ClientFrame, Draft, ErrorCode, Open};
use crate::limits;

/// A `send` without an answer.
pub(super) struct Flight {
    /// Its messages that are not acknowledged yet.
    cids: Vec<Id>,
    /// The connection counts as dead then.
    until: u64,
}

/// Of an address and a title, this many bytes are kept.
const MOST_PAGE: usize = 2_048;
/// What a frame and a message in it need besides the text, in bytes.
const FRAME_OVERHEAD: usize = 512;
const DRAFT_OVERHEAD: usize = 96;

impl Client {
    /// Takes over what an earlier page has stored. Before `start`.
    pub fn restore(&mut self, saved: Saved, now: u64) {
        self.epoch = self.epoch.or(saved.epoch);
        for mut pending in saved.outbox {
            let known =
                self.rooms.iter().any(|room| room.has(pending.cid)) || self.is_pending(pending.cid);
            if known || self.outbox_len() >= self.options.outbox_limit || is_blank(&pending.text) {
                continue;
            }
            if pending.state == PendingState::Sending {
                pending.state = PendingState::Waiting;
            }
            self.enqueue(pending);
        }
        self.flush(now);
    }

    /// Puts a message into the outbox, and sends it as soon as its turn comes. A message
    /// whose id is known already is left as it is.
    ///
    /// With `open`, the room may be a ticket that is not there yet: it counts as joined once it is.
    ///
    /// # Errors
    /// The message was not taken: empty, too long, or too many wait.
    pub fn send(
        &mut self,
        room: Id,
        cid: Id,
        text: String,
        open: Option<Open>,
        now: u64,
    ) -> Result<(), SendError> {
        if is_blank(&text) {
            return Err(SendError::Empty);
        }
        let most = usize::try_from(self.port.limits.text).unwrap_or(limits::MAX_TEXT);
        if text.chars().count() > most.min(limits::MAX_TEXT) {
            return Err(SendError::TooLong);
        }
        if self.is_pending(cid) || self.room(room).is_some_and(|room| room.has(cid)) {
            return Ok(());
        }
        if self.outbox_len() >= self.options.outbox_limit {
            return Err(SendError::Full);
        }
        let open = open.map(|open| Open {
            page: cut(open.page),
            title: cut(open.title),
        });
        let pending = Pending {
            room,
            cid,
            text,
            open,
            seen: self.room(room).map_or(0, |room| room.own.read),
            state: PendingState::Waiting,
        };
        self.port.save(&pending);
        self.enqueue(pending);
        self.port.room_changed(room);
        self.flush(now);
        // After the message: who sees it has seen the typing end, and nothing flickers.
        self.typing(room, false, now);
        Ok(())
    }

    /// Sends a failed message again, under the same id. Whoever asks for it has the window before
    /// her: what another agent has answered meanwhile stops it no more.
    pub fn retry(&mut self, cid: Id, now: u64) {
        for room in &mut self.rooms {
            let top = room.top().unwrap_or(0);
            let mut failed = room.pending.iter_mut().filter(|pending| {
                pending.cid == cid && matches!(pending.state, PendingState::Failed(_))
            });
            if let Some(pending) = failed.next() {
                pending.state = PendingState::Waiting;
                pending.seen = pending.seen.max(top);
                self.port.save(pending);
                self.port.room_changed(pending.room);
                break;
            }
        }
        self.flush(now);
    }

    /// Takes a failed or waiting message out of the outbox; gives its text back. One that
    /// is with the server cannot be taken back. One whose answer was lost may be stored after all.
    pub fn discard(&mut self, cid: Id) -> Option<String> {
        let room = self
            .rooms
            .iter_mut()
            .find(|room| room.pending.iter().any(|pending| pending.cid == cid))?;
        let index = room.pending.iter().position(|pending| pending.cid == cid)?;
        if room.pending.get(index)?.state == PendingState::Sending {
            return None;
        }
        let gone = room.pending.remove(index);
        self.port.unsave(cid);
        if let Some(heir) = room.pending.first_mut()
            && room.opening
            && heir.open.is_none()
        {
            // The ticket is still to be opened by whatever is sent first.
            heir.open = gone.open;
            self.port.save(heir);
        }
        self.port.room_changed(gone.room);
        self.sweep();
        Some(gone.text)
    }

    pub(super) fn ack(&mut self, id: Id, acks: &[Ack], now: u64) {
        let Some(room) = find(&mut self.rooms, id) else {
            return;
        };
        for ack in acks {
            room.acknowledge(ack.cid, ack.seq, &mut self.port);
            room.note_position(ack.seq);
        }
        if let Some(flight) = &mut room.flight {
            flight
                .cids
                .retain(|cid| !acks.iter().any(|ack| ack.cid == *cid));
            if flight.cids.is_empty() {
                room.flight = None;
                room.send_tries = 0;
            }
        }
        if room.opening && !acks.is_empty() {
            room.opened(acks.iter().any(|ack| ack.dup), now);
        }
        if !room.wanted {
            room.drop_acked();
        }
        room.settle(&mut self.port);
        room.check_gap(now, &mut self.port);
        self.port.room_changed(id);
        room.flush(&mut self.port, now);
        self.sweep();
    }

    /// A message was refused. `after` in milliseconds.
    pub(super) fn refuse(&mut self, cid: Id, code: ErrorCode, retry: bool, after: u32, now: u64) {
        let flying = |room: &&mut Room| {
            room.flight
                .as_ref()
                .is_some_and(|flight| flight.cids.contains(&cid))
        };
        let Some(room) = self.rooms.iter_mut().find(flying) else {
            return;
        };
        room.land();
        if retry {
            let delay = if after > 0 {
                u64::from(after)
            } else {
                self.port.back_off(room.send_tries)
            };
            room.send_at = now.saturating_add(delay);
            room.send_tries += 1;
        } else if let Some(pending) = room
            .pending
            .iter_mut()
            .find(|pending| pending.cid == cid && pending.state == PendingState::Waiting)
        {
            // It was not seen to be stored meanwhile.
            pending.state = PendingState::Failed(code);
            self.port.save(pending);
            self.port.change(Change::Error {
                code,
                room: Some(room.id),
                cid: Some(cid),
            });
        }
        self.port.room_changed(room.id);
        room.flush(&mut self.port, now);
        self.sweep();
    }

    pub(super) fn flush(&mut self, now: u64) {
        for room in &mut self.rooms {
            room.flush(&mut self.port, now);
        }
    }

    fn enqueue(&mut self, pending: Pending) {
        let listed = self.listed.iter().any(|state| state.room == pending.room);
        let keep = self.may_join();
        let room = self.ensure(pending.room);
        if pending.open.is_some() && room.top().is_none() && !listed && room.stage == Stage::Out {
            room.opening = true;
            room.gone = false;
            room.wanted |= keep;
        }
        room.pending.push(pending);
    }

    fn is_pending(&self, cid: Id) -> bool {
        self.rooms
            .iter()
            .flat_map(Room::pending)
            .any(|pending| pending.cid == cid)
    }

    fn outbox_len(&self) -> usize {
        self.rooms.iter().map(|room| room.pending.len()).sum()
    }
}

impl Room {
    /// Sends what waits, if nothing is with the server.
    pub(super) fn flush(&mut self, port: &mut Port, now: u64) {
        if !port.live || self.flight.is_some() || now < self.send_at {
            return;
        }
        let open = self.pending.iter().find_map(|pending| pending.open.clone());
        let batch = usize::try_from(port.limits.batch)
            .unwrap_or(1)
            .clamp(1, limits::MAX_BATCH);
        let frame = usize::try_from(port.limits.frame)
            .unwrap_or(limits::MAX_FRAME)
            .min(limits::MAX_FRAME);
        let opening = open
            .as_ref()
            .map_or(0, |open| weight(&open.page) + weight(&open.title));
        let mut space = frame.saturating_sub(FRAME_OVERHEAD + opening);
        let mut messages = Vec::new();
        let mut seen = u64::MAX;
        for pending in self
            .pending
            .iter_mut()
            .filter(|pending| pending.state == PendingState::Waiting)
        {
            let size = weight(&pending.text) + DRAFT_OVERHEAD;
            if messages.len() >= batch || (size > space && !messages.is_empty()) {
                break;
            }
            space = space.saturating_sub(size);
            pending.state = PendingState::Sending;
            seen = seen.min(pending.seen);
            messages.push(Draft {
                cid: pending.cid,
                text: pending.text.clone(),
            });
        }
        if messages.is_empty() {
            return;
        }
        let cids = messages.iter().map(|draft| draft.cid).collect();
        self.flight = Some(Flight {
            cids,
            until: now + limits::ACK_TIMEOUT,
        });
        port.transmit(ClientFrame::Send {
            room: self.id,
            seen,
            messages,
            open,
        });
        port.room_changed(self.id);
    }

    /// A message is stored: it needs neither sending nor keeping any more.
    pub(super) fn acknowledge(&mut self, cid: Id, seq: u64, port: &mut Port) {
        let Some(pending) = self.pending.iter_mut().find(|pending| pending.cid == cid) else {
            return;
        };
        if !self.acked.iter().any(|(acked, _)| *acked == cid) {
            pending.state = PendingState::Sending;
            self.acked.push((cid, seq));
            port.unsave(cid);
        }
    }

    /// Takes acknowledged messages away without waiting for their entries.
    pub(super) fn drop_acked(&mut self) {
        let acked = core::mem::take(&mut self.acked);
        self.pending
            .retain(|pending| !acked.iter().any(|(cid, _)| *cid == pending.cid));
    }

    pub(super) fn is_acked(&self, cid: Id) -> bool {
        self.acked.iter().any(|(acked, _)| *acked == cid)
    }

    /// What was with the server without an answer waits again.
    pub(super) fn land(&mut self) {
        self.flight = None;
        let acked = &self.acked;
        for pending in &mut self.pending {
            if pending.state == PendingState::Sending
                && !acked.iter().any(|(cid, _)| *cid == pending.cid)
            {
                pending.state = PendingState::Waiting;
            }
        }
    }

    /// Whether an answer is missing for so long that the connection counts as dead.
    pub(super) fn is_overdue(&self, now: u64) -> bool {
        self.flight
            .as_ref()
            .is_some_and(|flight| flight.until <= now)
    }

    pub(super) fn outbox_timer(&self) -> Option<u64> {
        if let Some(flight) = &self.flight {
            return Some(flight.until);
        }
        let waits = self
            .pending
            .iter()
            .any(|pending| pending.state == PendingState::Waiting);
        waits.then_some(self.send_at)
    }
}

/// Whether there is nothing but white space. (`trim` is larger in the widget.)
fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The bytes of a text inside a frame, at most.
fn weight(text: &str) -> usize {
    let each = text.bytes().map(|byte| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    });
    each.sum()
}

/// Shortens a text to what is kept of an address or a title.
fn cut(mut text: String) -> String {
    if text.len() > MOST_PAGE {
        let mut end = MOST_PAGE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}
