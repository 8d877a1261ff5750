//! The visitor comes, is admitted, moves from page to page, and goes.

use super::State;
use crate::action::Action;
use crate::clock::now;
use crate::js::{console_error, document, parse, window};
use crate::request::Request;
use crate::session::{self, Session, Visit};
use crate::socket::Wire;
use crate::storage::{cid_of, read_pending};
use crate::timer::Timer;
use parlour_protocol::Id;
use parlour_protocol::client::{Change, Link, Output};
use parlour_protocol::close;
use parlour_protocol::codec::json::Writer;
use parlour_protocol::frame::{RoomState, TicketState};

/// Without use for this long, in milliseconds, a visitor counts as away.
const AWAY: u64 = 5 * 60_000;
/// So many tickets are listened to, beside the one that is shown.
const LISTENED: usize = 4;

impl State {
    /// Asks for a connection, with what an earlier page has left. Only the first call counts.
    pub(super) fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.driver.brain.restore(self.store.saved(), now());
            self.driver.brain.prefer(self.store.way());
            self.driver.brain.start(now());
        }
    }

    pub(super) fn receive(&mut self, wire: Wire) {
        match wire {
            // Each heartbeat is answered with whether the person is there.
            Wire::Frame(_) => {
                let active = !document().hidden() && now().saturating_sub(self.used) < AWAY;
                self.driver.brain.active(active, now());
                self.navigated();
            }
            Wire::Closed(code) => self.report(code),
            Wire::Opened | Wire::Due => {}
        }
        self.driver.receive(wire);
    }

    /// Does what the brain wants done.
    pub(super) fn drain(&mut self) {
        while let Some(output) = self.driver.next() {
            match output {
                Output::Connect => self.connect(),
                Output::Renew => {
                    self.session = None;
                    if self.driver.brain.link() == Link::Live {
                        self.ask();
                    }
                }
                Output::Save(pending) => self.store.save(&pending),
                Output::Unsave(cid) => self.store.unsave(cid),
                Output::SaveEpoch(epoch) => self.store.set_epoch(epoch),
                Output::Changed(change) => self.changed(change),
                Output::Transmit(_) | Output::Close(_) => {}
            }
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "a change is used up here")]
    fn changed(&mut self, change: Change) {
        self.stale = true;
        match change {
            Change::Welcome => {
                self.store.set_way(self.driver.brain.transport());
                self.choose_ticket();
            }
            Change::Rooms => self.choose_ticket(),
            Change::Event { room, cid } => self.arrived(room, cid),
            _ => {}
        }
    }

    /// Continues what waits to be sent, or else the newest ticket that is not resolved, or else
    /// the newest. The others that changed last are joined as well, for [`Self::turn`].
    fn choose_ticket(&mut self) {
        let rooms = self.driver.brain.rooms();
        if self.ticket.is_none() {
            let going = |room: &&RoomState| room.ticket != Some(TicketState::Resolved);
            let newest = rooms
                .iter()
                .find(going)
                .or_else(|| rooms.first())
                .map(|room| room.room);
            self.ticket = self
                .store
                .saved()
                .outbox
                .last()
                .map(|pending| pending.room)
                .or(newest);
        }
        if let Some(ticket) = self.ticket {
            self.store.set_ticket(ticket);
        }
        let listened: Vec<Id> = rooms
            .iter()
            .map(|room| room.room)
            .enumerate()
            .filter(|(at, room)| *at < LISTENED || Some(*room) == self.ticket)
            .map(|(_, room)| room)
            .collect();
        for room in listened {
            self.driver.brain.join(room, now());
        }
    }

    fn connect(&mut self) {
        match &self.session {
            Some(session) if session.good() => self.driver.connect(&session.socket, &session.token),
            _ => self.ask(),
        }
    }

    /// Asks the server for a session, or to renew the one there is.
    pub(super) fn ask(&mut self) {
        let visit = Visit {
            site: &self.settings.site,
            secret: self.store.secret(),
            locale: &self.settings.locale,
            zone: self.times.zone(),
        };
        self.address = session::address();
        let url = self.settings.base.clone() + "/api/v1/sessions";
        let body = visit.write();
        self.asking = Request::send("POST", &url, "", Some(&body), &self.post, |event, post| {
            let request = event.target();
            post.send(Action::Session(request.status(), request.response_text()));
        });
        self.not_asked();
    }

    /// Asks what is wrong where the request for a session had no answer: a page that is not listed
    /// may not read its refusal (CORS), but everybody may read this.
    pub(super) fn ask_why(&mut self) {
        let url = self.settings.base.clone() + "/w/" + &self.settings.site + "/origin";
        self.asking = Request::send("GET", &url, "", None, &self.post, |event, post| {
            let request = event.target();
            // No answer here either: the connection is lost. It is not asked about again.
            let status = request.status().max(1);
            post.send(Action::Session(status, request.response_text()));
        });
        self.not_asked();
    }

    fn not_asked(&mut self) {
        if self.asking.is_none() {
            self.driver.brain.closed(now(), close::LOST);
        }
    }

    pub(super) fn admitted(&mut self, status: u16, answer: &str) {
        self.asking = None;
        let live = self.driver.brain.link() == Link::Live;
        if let Some(session) =
            Session::read(answer, now()).filter(|_| status == 200 || status == 201)
        {
            self.store.set_secret(&session.secret);
            self.renew(session.renewal());
            if live {
                self.driver.brain.renewed(session.token.clone(), now());
            } else {
                self.driver.connect(&session.socket, &session.token);
            }
            self.session = Some(session);
        } else if live {
            // The connection goes on for a minute; until then this is tried again.
            self.renew(10_000);
        } else {
            let code = session::refusal(status);
            if code == close::FORBIDDEN {
                self.refused(&session::problem(answer));
            }
            self.driver.brain.closed(now(), code);
        }
    }

    /// The socket was closed: some codes are for the page's owner to know.
    fn report(&mut self, code: u16) {
        if code == close::FORBIDDEN {
            self.refused("origin_not_allowed");
        } else if close::reaction(code) == close::Reaction::Stop {
            self.fail("closed", "the server has ended the connection for good");
        }
    }

    fn refused(&mut self, code: &str) {
        let origin = window().location().origin();
        let message = match code {
            "origin_not_allowed" => {
                String::from("this page's origin, ")
                    + &origin
                    + ", is not allowed for the site "
                    + &self.settings.site
                    + ". Add it to the site's allowed origins in the dashboard: "
                    + &self.settings.base
                    + "/sites"
            }
            "unknown_site" => {
                String::from("there is no site with the key ")
                    + &self.settings.site
                    + " at "
                    + &self.settings.base
            }
            _ => String::from("the server refused a session: ") + code,
        };
        self.fail(code, &message);
    }

    fn fail(&mut self, code: &str, message: &str) {
        console_error(&(String::from("Parlour: ") + message));
        let mut json = Writer::new();
        json.object();
        json.key("code").text(code).key("message").text(message);
        json.end_object();
        self.emit("error", parse(&json.finish()), None);
    }

    /// Asks for another token in so many milliseconds.
    fn renew(&mut self, delay: u64) {
        let timer = Timer::after(delay, &self.post, |_, post| post.send(Action::Renew));
        self.renewal = Some(timer);
    }

    /// The page leaves, or comes back from the browser's cache.
    pub(super) fn shown(&mut self, shown: bool) {
        if self.started {
            if shown {
                self.driver.brain.start(now());
            } else {
                self.driver.brain.stop(now());
            }
        }
    }

    pub(super) fn network(&mut self) {
        if self.started && window().navigator().on_line() {
            self.driver.brain.online(now());
        }
    }

    pub(super) fn attention(&mut self) {
        if !document().hidden() {
            self.used = now();
            self.network();
        }
    }

    /// Tells the server of another page, so that agents see where the visitor is.
    pub(super) fn navigated(&mut self) {
        let Some(session) = self
            .session
            .as_ref()
            .filter(|_| session::address() != self.address)
        else {
            return;
        };
        self.address = session::address();
        let url = self.settings.base.clone() + "/api/v1/sessions";
        let (token, body) = (&session.token, session::page());
        self.telling = Request::send("PATCH", &url, token, Some(&body), &self.post, |_, _| {});
    }

    /// Another tab has sent or discarded a message of the outbox that both share, or was told to
    /// forget the visitor.
    pub(super) fn stored(&mut self, key: &str, before: Option<&str>, kept: bool) {
        let Some(key) = self.store.own(key) else {
            return;
        };
        if key.is_empty() && !kept {
            self.forget();
        } else if let Some(cid) = cid_of(key).filter(|_| !kept) {
            self.driver.brain.discard(cid);
            let pending = before.and_then(|text| read_pending(cid, text));
            if let (None, Some(pending)) = (self.ticket, pending) {
                self.ticket = Some(pending.room);
                self.driver.brain.join(pending.room, now());
            }
        }
    }

    /// Forgets the visitor, here and in storage.
    pub(super) fn forget(&mut self) {
        self.close();
        self.store.forget();
        self.driver.brain.stop(now());
        // Before it is replaced: what it still wants to store must not reach the next visitor's.
        while self.driver.next().is_some() {}
        self.driver = super::driver(&self.post);
        (self.started, self.session, self.asking, self.renewal) = (false, None, None, None);
        (self.ticket, self.here) = (None, None);
    }
}
