//! The visitor writes.

use super::State;
use crate::clock::{new_id, now};
use crate::js::document;
use crate::session::address;
use parlour_protocol::client::SendError;
use parlour_protocol::frame::Open;

impl State {
    /// Keeps the draft, and lets the others know.
    pub(super) fn typed(&mut self) {
        let Some(panel) = &self.panel else { return };
        let text = panel.composer.text();
        self.store.set_draft(&text);
        if let Some(ticket) = self.ticket {
            self.driver.brain.typing(ticket, !text.is_empty(), now());
        }
    }

    /// Puts the text into the outbox.
    pub(super) fn submit(&mut self) {
        let Some(panel) = &self.panel else { return };
        let text = panel.composer.text();
        let ticket = self.ticket.or_else(|| self.store.ticket());
        let room = ticket.unwrap_or_else(new_id);
        // Until the server knows the ticket, each message may be the one that opens it.
        let known = self
            .driver
            .brain
            .rooms()
            .iter()
            .any(|state| state.room == room);
        let open = (!known).then(|| Open {
            page: address(),
            title: document().title(),
        });
        match self
            .driver
            .brain
            .send(room, new_id(), text.trim_ascii().to_owned(), open, now())
        {
            Ok(()) => {
                self.ticket = Some(room);
                panel.composer.set_text("");
                self.store.set_draft("");
                self.newest();
            }
            // The composer says how much is too much; there is nothing to say about nothing.
            Err(SendError::TooLong | SendError::Empty) => {}
            // The text stays where it is until there is room.
            Err(SendError::Full) => self.full = true,
        }
        self.focus();
    }
}
