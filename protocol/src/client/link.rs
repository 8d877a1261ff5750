//! The life of a connection: from the first attempt over welcome and heartbeats to the next attempt.

use super::Client;
use super::repair::ANSWER_TIMEOUT;
use super::room::Stage;
use super::transport::Transport;
use super::types::{Change, Link, Output};
use crate::close::{self, Reaction};
use crate::frame::{ClientFrame, Cursor};
use crate::limits;

/// A token and a socket are awaited this long.
const CONNECT_TIMEOUT: u64 = 20_000;
/// A connection that seems open has to answer a probe in this time.
const PROBE_TIMEOUT: u64 = 5_000;
/// Silence of two heartbeats and this long means that the connection is dead.
const GRACE: u64 = 2_000;
/// A connection that lived this long ends the back-off.
const STEADY: u64 = 5_000;
/// The longest delay of a `bye` that is obeyed.
const MOST_BYE: u64 = 300_000;
/// What a heartbeat may be; anything else is moved into these bounds.
const HEARTBEAT: (u64, u64) = (500, 300_000);

/// What is known of the connection besides [`Link`].
#[derive(Default)]
pub(super) struct Wire {
    /// The socket is open.
    open: bool,
    /// The driver uses the transport that it was told.
    dialled: bool,
    /// While connecting: the attempt has failed then.
    deadline: u64,
    /// When the last frame came.
    heard: u64,
    heartbeat: u64,
    /// A probe has to be answered by then.
    probe: Option<u64>,
    /// When a heartbeat was last answered.
    pinged: Option<u64>,
    /// When the server welcomed us.
    since: u64,
    /// Attempts that failed in a row.
    tries: u32,
    /// The delay that the server has asked for.
    bye: Option<u64>,
}

impl Client {
    /// Asks for the first connection; also after `stop` or a final close.
    pub fn start(&mut self, now: u64) {
        if let Link::Idle | Link::Stopped { .. } = self.link {
            self.wire.tries = 0;
            self.connect(now);
        }
    }

    /// Closes the connection, and makes no other until `start`. Windows and outbox stay.
    pub fn stop(&mut self, _now: u64) {
        if self.link == Link::Idle {
            return;
        }
        if let Link::Connecting | Link::Live = self.link {
            self.port.push(Output::Close(close::AWAY));
        }
        self.cut();
        self.set_link(Link::Idle);
    }

    /// The driver has its token, and makes the connection now: by this transport. A driver that knows
    /// nothing but WebSockets does not ask.
    pub fn dial(&mut self, now: u64) -> Transport {
        self.wire.dialled = true;
        self.wire.deadline = now + limits::WELCOME_TIMEOUT;
        self.way.transport
    }

    /// What carries the connection, or the next attempt.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.way.transport
    }

    /// Begins with this transport instead of the best one: it was what got through a moment ago. To be
    /// called before `start`.
    pub fn prefer(&mut self, transport: Transport) {
        self.way.transport = transport;
    }

    /// The socket that [`Output::Connect`] asked for is open: says hello.
    pub fn opened(&mut self, now: u64) {
        if self.link != Link::Connecting || self.wire.open {
            return;
        }
        self.wire.open = true;
        self.wire.deadline = now + limits::WELCOME_TIMEOUT;
        let mut cursors = Vec::new();
        for room in self
            .rooms
            .iter_mut()
            .filter(|room| room.wanted && !room.gone)
        {
            if let Some(seq) = room.top() {
                cursors.push(Cursor { room: room.id, seq });
                room.stage = Stage::Joining(now + limits::WELCOME_TIMEOUT + ANSWER_TIMEOUT);
            }
        }
        let view = self.options.view;
        self.port.transmit(ClientFrame::Hello {
            v: crate::VERSION,
            view,
            epoch: self.epoch,
            cursors,
        });
    }

    /// The socket was closed with this code, or the attempt failed ([`close::LOST`]).
    pub fn closed(&mut self, now: u64, code: u16) {
        let lived = match self.link {
            Link::Live => now.saturating_sub(self.wire.since) >= STEADY,
            Link::Connecting => false,
            _ => return,
        };
        if lived {
            self.wire.tries = 0;
        }
        let reaction = close::reaction(code);
        if reaction == Reaction::BackOff && self.link == Link::Connecting && self.wire.dialled {
            self.way.failed(self.wire.tries);
        }
        let bye = self.wire.bye.take();
        self.cut();
        match reaction {
            Reaction::Stop => self.set_link(Link::Stopped { code }),
            Reaction::Renew => {
                self.port.push(Output::Renew);
                self.again(now);
            }
            Reaction::Now => self.again(now),
            Reaction::Later | Reaction::BackOff => self.wait(now, bye),
        }
    }

    /// The browser says that it is online or visible again: tries at once, and probes a connection that seems open.
    pub fn online(&mut self, now: u64) {
        match self.link {
            Link::Waiting { .. } => self.connect(now),
            Link::Live if self.wire.probe.is_none() => {
                self.wire.probe = Some(now + PROBE_TIMEOUT);
                self.port.transmit(ClientFrame::Ping {
                    n: 1,
                    active: self.active,
                });
            }
            _ => {}
        }
    }

    /// A new token, while connected. It may be given without having been asked for.
    pub fn renewed(&mut self, token: String, _now: u64) {
        if self.port.live {
            self.port.transmit(ClientFrame::Auth { token });
        }
    }

    /// Whether the person is there: the page is visible and was used in the last 5 minutes.
    pub fn active(&mut self, active: bool, _now: u64) {
        if core::mem::replace(&mut self.active, active) != active && self.port.live {
            self.port.transmit(ClientFrame::Ping { n: 0, active });
        }
    }

    /// The server has welcomed us: everything that was put off is sent.
    pub(super) fn came_live(&mut self, heartbeat: u32, now: u64) {
        self.wire.since = now;
        self.way.welcomed(now);
        self.wire.heartbeat = u64::from(heartbeat).clamp(HEARTBEAT.0, HEARTBEAT.1);
        self.port.live = true;
        self.set_link(Link::Live);
        let Self {
            rooms,
            listed,
            port,
            ..
        } = self;
        for room in rooms.iter_mut().filter(|room| room.wanted && !room.gone) {
            if room.opening && listed.iter().any(|state| state.room == room.id) {
                room.opening = false;
            }
            if let Stage::Joining(again) = &mut room.stage {
                *again = now + ANSWER_TIMEOUT;
            } else {
                room.ask_join(port, now);
            }
        }
        self.port.transmit(ClientFrame::Ping {
            n: 0,
            active: self.active,
        });
        self.flush(now);
        self.sync(now);
        self.plan_receipts(now);
    }

    /// Any frame shows that the connection is alive.
    pub(super) fn hear(&mut self, now: u64) -> bool {
        if self.wire.open {
            self.wire.heard = now;
            self.wire.probe = None;
        }
        self.wire.open
    }

    /// Answers a heartbeat.
    pub(super) fn answer_beat(&mut self, now: u64) {
        // A server that answers answers must not make us spin.
        let pause = self.wire.heartbeat / 4;
        if self.wire.pinged.is_none_or(|pinged| now >= pinged + pause) {
            self.wire.pinged = Some(now);
            self.port.transmit(ClientFrame::Ping {
                n: 0,
                active: self.active,
            });
        }
    }

    pub(super) fn said_bye(&mut self, after: u32) {
        self.wire.bye = Some(u64::from(after).min(MOST_BYE));
    }

    pub(super) fn link_timer(&self) -> Option<u64> {
        match self.link {
            Link::Idle | Link::Stopped { .. } => None,
            Link::Waiting { until } => Some(until),
            Link::Connecting => Some(self.wire.deadline),
            Link::Live => {
                let dead = self.wire.heard + 2 * self.wire.heartbeat + GRACE;
                let dead = dead.min(self.way.better_at);
                Some(self.wire.probe.map_or(dead, |probe| probe.min(dead)))
            }
        }
    }

    pub(super) fn tick_link(&mut self, now: u64) {
        let overdue = self.rooms.iter().any(|room| room.is_overdue(now));
        if !overdue && self.link_timer().is_none_or(|at| at > now) {
            return;
        }
        match self.link {
            Link::Waiting { .. } => self.connect(now),
            Link::Live if self.way.better_at <= now => {
                self.way.climb();
                self.wire.tries = 0;
                self.port.push(Output::Close(close::AWAY));
                self.cut();
                self.connect(now);
            }
            Link::Connecting | Link::Live => {
                self.port.push(Output::Close(close::LOST));
                self.closed(now, close::LOST);
            }
            Link::Idle | Link::Stopped { .. } => {}
        }
    }

    fn connect(&mut self, now: u64) {
        self.wire.open = false;
        self.wire.deadline = now + CONNECT_TIMEOUT;
        self.port.push(Output::Connect);
        self.set_link(Link::Connecting);
    }

    /// At once the first time, with back-off if that does not help.
    fn again(&mut self, now: u64) {
        if self.wire.tries == 0 {
            self.wire.tries = 1;
            self.connect(now);
        } else {
            self.wait(now, None);
        }
    }

    fn wait(&mut self, now: u64, delay: Option<u64>) {
        let delay = delay.unwrap_or_else(|| self.port.back_off(self.wire.tries));
        self.wire.tries = self.wire.tries.saturating_add(1);
        self.set_link(Link::Waiting { until: now + delay });
    }

    /// Drops what belongs to a connection.
    fn cut(&mut self) {
        self.wire = Wire {
            tries: self.wire.tries,
            ..Wire::default()
        };
        self.port.live = false;
        self.typist = None;
        self.receipts_at = None;
        self.cut_lists();
        for room in &mut self.rooms {
            room.disconnect(&mut self.port);
        }
        self.sweep();
    }

    fn set_link(&mut self, link: Link) {
        if self.link != link {
            self.link = link;
            self.port.change(Change::Link);
        }
    }
}
