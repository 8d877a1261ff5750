//! The brain with a socket and a timer: what widget and dashboard share.

use crate::action::{Action, Post};
use crate::clock::now;
use crate::socket::{Socket, Wire};
use crate::timer::Timer;
use parlour_protocol::client::{Client, Options, Output};
use parlour_protocol::codec::{decode, encode};
use parlour_protocol::frame::View;
use parlour_protocol::{close, limits};

/// Drives the brain. What it cannot do itself it hands out by [`Driver::next`].
pub(crate) struct Driver {
    pub(crate) brain: Client,
    socket: Option<Socket>,
    timer: Option<(u64, Timer)>,
    post: Post,
}

impl Driver {
    /// A driver whose socket and timer post [`Action::Wire`], to be brought to [`Driver::receive`].
    pub(crate) fn new(view: View, post: Post) -> Self {
        let mut seed = [0; 8];
        seed.copy_from_slice(&crate::clock::random()[..8]);
        let brain = Client::new(Options {
            view,
            seed: u64::from_be_bytes(seed),
            outbox_limit: limits::MAX_OUTBOX,
        });
        Self {
            brain,
            socket: None,
            timer: None,
            post,
        }
    }

    /// Opens the socket that [`Output::Connect`] asked for.
    pub(crate) fn connect(&mut self, url: &str, token: &str) {
        let transport = self.brain.dial(now());
        self.socket = Socket::open(transport, url, token, &self.post);
        if self.socket.is_none() {
            self.brain.closed(now(), close::LOST);
        }
    }

    /// Takes in what was posted.
    pub(crate) fn receive(&mut self, wire: Wire) {
        let now = now();
        match wire {
            Wire::Opened => self.brain.opened(now),
            // A frame that cannot be read is skipped: what was in it shows as a gap, and is asked for.
            Wire::Frame(text) => {
                if let Ok(frame) = decode(&text) {
                    self.brain.frame(now, frame);
                }
            }
            Wire::Closed(code) => {
                self.socket = None;
                self.brain.closed(now, code);
            }
            Wire::Due => {
                self.timer = None;
                self.brain.tick(now);
            }
        }
    }

    /// The next thing to do for whoever owns the driver; to be called until there is none.
    pub(crate) fn next(&mut self) -> Option<Output> {
        while let Some(output) = self.brain.poll() {
            match output {
                Output::Transmit(frame) => {
                    if let Some(socket) = &self.socket {
                        socket.send(&encode(&frame));
                    }
                }
                Output::Close(code) => {
                    if let Some(socket) = self.socket.take() {
                        socket.close(code);
                    }
                }
                output => {
                    if matches!(output, Output::Connect) {
                        self.socket = None;
                    }
                    return Some(output);
                }
            }
        }
        self.arm();
        None
    }

    fn arm(&mut self) {
        let due = self.brain.next_timer();
        if due == self.timer.as_ref().map(|(at, _)| *at) {
            return;
        }
        let post = &self.post;
        self.timer = due.map(|at| {
            // One more, because `now` is cut to whole milliseconds and browsers fire a little early.
            let delay = at.saturating_sub(now()) + 1;
            (
                at,
                Timer::after(delay, post, |_, post| post.send(Action::Wire(Wire::Due))),
            )
        });
    }
}
