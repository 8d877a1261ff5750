//! From stored history to live, without a gap: subscribe, read, send, then what came meanwhile.

use parlour_protocol::frame::{ErrorCode, RoomState, ServerFrame, View};
use parlour_protocol::limits;
use uuid::Uuid;

use super::{Next, Session};
use crate::bus::Encoded;
use crate::chat::messages::event;
use crate::error::Error;
use crate::store::messages::Page;

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
        let found = match self.app.chat.enter(&self.actor, room).await {
            Ok(found) => found,
            Err(error) => return self.report(Err(error), room),
        };
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
        mut found: crate::store::rooms::Room,
    ) -> Result<(), Error> {
        let most = i64::try_from(limits::MAX_RESUME).unwrap_or(1_000);
        let resumed = match after {
            Some(after) if after <= found.position && found.position - after <= most => {
                self.pages_after(room, after).await?
            }
            _ => None,
        };
        let (mut pages, reset) = match resumed {
            Some(pages) => (pages, false),
            None => (
                vec![self.app.store.messages_before(room, 0, PAGE).await?],
                true,
            ),
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
        let state = self.app.chat.room_state(&self.actor, &found).await?;
        let frame = self.page(room, &last, reset, Some(state));
        self.push(&frame);
        self.joined.insert(room, position);
        self.app.hub.observe(room, last.position);
        Ok(())
    }

    /// Pages above `after` up to the room's end; nothing if they are too large.
    async fn pages_after(&self, room: Uuid, after: i64) -> Result<Option<Vec<Page>>, Error> {
        let mut pages = Vec::new();
        let (mut after, mut bytes) = (after, 0);
        loop {
            let page = self.app.store.messages_after(room, after, PAGE).await?;
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
        }
    }

    /// Sends what lies above `sent` in the database: a publication was lost or came early.
    pub(super) async fn catch_up(&mut self, room: Uuid, sent: i64) -> Result<(), Error> {
        let Some(pages) = self.pages_after(room, sent).await? else {
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
