//! From stored history to live, without a gap: subscribe, read, send, then what came meanwhile.

use parlour_protocol::frame::{ErrorCode, RoomState, ServerFrame, View};
use parlour_protocol::limits;
use uuid::Uuid;

use super::{Next, Session};
use crate::bus::Encoded;
use crate::chat::messages::event;
use crate::error::Error;
use crate::store::messages::Page;
use crate::store::rooms::Room;
use crate::store::tickets::state_text;

/// A resume above this many bytes starts over with the newest page.
const MAX_RESUME_BYTES: usize = 512 * 1024;
/// Room for one page, as the store counts.
const PAGE: i64 = limits::PAGE as i64;

impl Session {
    /// Joins a room: pages from `after`, or the newest one, the last of them live.
    pub(super) async fn join(&mut self, room: Uuid, after: Option<i64>) -> Next {
        if !self.joined.contains_key(&room) && self.joined.len() >= limits::MAX_ROOMS {
            self.refuse(
                ErrorCode::TooLong,
                "too many rooms are joined; leave one first",
                Some(room),
            );
            return Next::Go;
        }
        match self.app.chat.enter(&self.actor, room).await {
            Ok(found) => self.join_found(found, after).await,
            Err(error) => self.report(Err(error), room),
        }
    }

    /// The same for a room that she may enter, as it was found.
    pub(super) async fn join_found(&mut self, found: Room, after: Option<i64>) -> Next {
        let room = found.id;
        // From here on the hub's queue holds what is published while the database is read.
        let joined = self.app.hub.join(room, found.position, &self.subscriber);
        joined.wait().await;
        let result = self.history_to_live(room, after, found).await;
        if result.is_err() {
            self.forget(room);
        }
        self.report(result, room)
    }

    async fn history_to_live(
        &mut self,
        room: Uuid,
        after: Option<i64>,
        mut found: Room,
    ) -> Result<(), Error> {
        let most = i64::try_from(limits::MAX_RESUME).unwrap_or(1_000);
        let resumed = match after {
            Some(after) if after <= found.position && found.position - after <= most => {
                let entered = self.app.store.entered(room, after).await?;
                // As it is now, and not as it was when the room was found.
                if let (Some(state), Some(ticket)) = (entered.state, &mut found.ticket) {
                    state_text(state).clone_into(&mut ticket.2);
                }
                let pages = self.pages_from(room, after, entered.page).await?;
                pages.map(|pages| (pages, entered.marks))
            }
            _ => None,
        };
        let reset = resumed.is_none();
        let (mut pages, marks) = match resumed {
            Some(resumed) => resumed,
            None => {
                let (newest, marks) = tokio::try_join!(
                    self.app.store.messages_before(room, 0, PAGE),
                    self.app.store.marks(room),
                )?;
                (vec![newest], marks)
            }
        };
        let Some(last) = pages.pop() else {
            return Ok(());
        };
        for page in pages {
            let frame = self.page(room, &page, false, None);
            self.push(&frame);
        }
        let position = last
            .entries
            .last()
            .map_or(if reset { 0 } else { after.unwrap_or(0) }, |entry| {
                entry.seq
            });
        found.position = position;
        let state = self.app.chat.room_state(&self.actor, &found, marks).await?;
        let frame = self.page(room, &last, reset, Some(state));
        self.push(&frame);
        self.joined.insert(room, position);
        self.app.hub.observe(room, last.position);
        Ok(())
    }

    /// Pages above `after` up to the room's end, of which this is the first; nothing if they are
    /// too large.
    async fn pages_from(
        &self,
        room: Uuid,
        mut after: i64,
        mut page: Page,
    ) -> Result<Option<Vec<Page>>, Error> {
        let (mut pages, mut bytes) = (Vec::new(), 0);
        loop {
            bytes += page
                .entries
                .iter()
                .map(|entry| entry.text.len() + 300)
                .sum::<usize>();
            if bytes > MAX_RESUME_BYTES {
                return Ok(None);
            }
            let more = page.more;
            after = page.entries.last().map_or(after, |entry| entry.seq);
            pages.push(page);
            if !more {
                return Ok(Some(pages));
            }
            page = self.app.store.messages_after(room, after, PAGE).await?;
        }
    }

    /// Sends what lies above `sent` in the database: a publication was lost or came early.
    pub(super) async fn catch_up(&mut self, room: Uuid, sent: i64) -> Result<(), Error> {
        let first = self.app.store.messages_after(room, sent, PAGE).await?;
        let Some(pages) = self.pages_from(room, sent, first).await? else {
            return Err(Error::Unavailable("too far behind".into()));
        };
        for page in pages {
            if let Some(last) = page.entries.last() {
                self.joined.insert(room, last.seq);
            }
            for entry in &page.entries {
                let event = self.dressed(event(entry));
                self.out.push_back(Encoded::new(&ServerFrame::Event(event)));
            }
        }
        Ok(())
    }

    /// A page as a frame.
    pub(super) fn page(
        &self,
        room: Uuid,
        page: &Page,
        reset: bool,
        live: Option<RoomState>,
    ) -> ServerFrame {
        let first = page.entries.first().map_or(0, |entry| entry.seq);
        ServerFrame::Page {
            room: crate::wire(room),
            events: page
                .entries
                .iter()
                .map(|entry| self.dressed(event(entry)))
                .collect(),
            // Numbers have no holes, so the first one says whether there are older ones.
            more: first > 1,
            position: crate::unsigned(page.position),
            reset,
            live,
        }
    }

    fn dressed(&self, event: parlour_protocol::frame::Event) -> parlour_protocol::frame::Event {
        if self.view == View::Html {
            crate::dashboard::live::with_html(event)
        } else {
            event
        }
    }
}
