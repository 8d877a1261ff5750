//! The visitor reads.

use super::State;
use crate::clock::now;
use crate::js::{date_now, document, parse, window};
use crate::lines::lines;
use crate::time::day_of;
use parlour_protocol::Id;
use parlour_protocol::client::{Link, Room};
use parlour_protocol::close;
use parlour_protocol::codec::json::Writer;
use parlour_protocol::frame::{Availability, Body, Event};

impl State {
    /// An entry has arrived while the room is live.
    pub(super) fn arrived(&mut self, room: Id, cid: Id) {
        let me = self.me();
        let Some(event) = self
            .driver
            .brain
            .room(room)
            .and_then(|room| room.entries().iter().rev().find(|event| event.cid == cid))
        else {
            return;
        };
        let Some(text) = words(event) else { return };
        let own = Some(event.author.id) == me;
        let mut json = Writer::new();
        json.object();
        json.key("id")
            .text(&cid.text())
            .key("ticket")
            .text(&room.text());
        json.key("author")
            .text(&event.author.name)
            .key("own")
            .bool(own);
        json.key("text")
            .text(&text)
            .key("at")
            .signed(event.at / 1000);
        json.end_object();
        let detail = parse(&json.finish());
        self.emit("message", detail, None);
        if let Some(panel) = self.panel.as_mut().filter(|_| !own) {
            panel.log.announce_new();
        }
    }

    /// Shows another ticket if something is unread there, and nothing is unread or on its way in
    /// the one that is shown: only one is on screen, and no answer may stay unseen.
    pub(super) fn turn(&mut self) {
        let Some(me) = self.me() else { return };
        let done = |room: &Room| room.unread(me) == 0 && room.pending().is_empty();
        if !self.room().is_none_or(done) {
            return;
        }
        let brain = &self.driver.brain;
        let unread = |room: &Id| brain.room(*room).is_some_and(|room| room.unread(me) > 0);
        let other = brain.rooms().iter().map(|room| room.room).find(unread);
        if other.is_some() {
            self.ticket = other;
            self.newest();
        }
    }

    /// Goes to the newest message.
    pub(super) fn newest(&mut self) {
        if let Some(panel) = &mut self.panel {
            panel.log.follow();
        }
    }

    pub(super) fn scrolled(&mut self) {
        let Some(panel) = &mut self.panel else { return };
        panel.log.scrolled();
    }

    /// Marks as read what is on screen, if somebody is there to see it.
    pub(super) fn read(&mut self) {
        let (Some(panel), Some(ticket)) = (&self.panel, self.ticket) else {
            return;
        };
        if panel.log.wants_older() {
            self.driver.brain.older(ticket, now());
        }
        let seen = panel.log.seen();
        if seen > 0 && !document().hidden() && document().has_focus() {
            self.driver.brain.seen(ticket, seen, now());
        }
    }

    /// Draws the panel.
    pub(super) fn draw(&mut self) {
        let banner = self.banner();
        let Some(panel) = &mut self.panel else { return };
        let brain = &self.driver.brain;
        let room = self.ticket.and_then(|ticket| brain.room(ticket));
        let me = brain.me().map_or(Id::NIL, |me| me.id);
        let mut initials = String::new();
        for one in brain.people() {
            if one.state == Availability::Online && initials.chars().count() < 3 {
                initials.extend(one.who.name.chars().next());
            }
        }
        panel.header.show(&self.lang, self.here, &initials);
        panel.banner.show(&self.lang, banner);
        panel
            .composer
            .show(&self.lang, brain.limits().text as usize, self.full);
        let lines = room.map(|room| lines(room, me, day_of)).unwrap_or_default();
        let today = day_of(date_now() as i64 * 1000);
        panel.log.show(
            room,
            &lines,
            &crate::views::Words {
                lang: &self.lang,
                times: &self.times,
                today,
            },
        );
    }

    /// What is to be said about the connection.
    fn banner(&self) -> &'static str {
        match self.driver.brain.link() {
            Link::Idle | Link::Live => "",
            Link::Stopped {
                code: close::FORBIDDEN,
            } => "blocked",
            Link::Stopped { .. } => "broken",
            _ if !window().navigator().on_line() => "offline",
            Link::Connecting => "connecting",
            Link::Waiting { .. } => "lost",
        }
    }
}

/// The words of a message, without its styles.
fn words(event: &Event) -> Option<String> {
    let Body::Text { runs } = &event.body else {
        return None;
    };
    Some(runs.iter().map(|run| run.text.as_str()).collect())
}
