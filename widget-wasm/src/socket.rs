//! A WebSocket, or what stands in for one, whose events end when it is dropped.

use crate::action::{Action, Post};
use crate::js::{Js, channel, parse};
use crate::listener::Listener;
use parlour_protocol::SUBPROTOCOL;
use parlour_protocol::client::Transport;
use parlour_protocol::codec::json::Writer;

/// What comes from the outside to a driver: from its socket and its timer.
pub(crate) enum Wire {
    /// The socket is open.
    Opened,
    /// A frame came.
    Frame(String),
    /// The socket was closed, or never opened.
    Closed(u16),
    /// The timer is due.
    Due,
}

/// A socket. Dropping it closes it, and nothing is heard of it any more.
pub(crate) struct Socket {
    socket: Js,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Opens a socket over this transport; none where the page's policy or its address forbids it.
    pub(crate) fn open(transport: Transport, url: &str, token: &str, post: &Post) -> Option<Self> {
        let mut protocols = Writer::new();
        protocols.list().text(SUBPROTOCOL).text(token).end_list();
        let protocols = parse(&protocols.finish());
        let socket = channel(url, &protocols, transport as u8).ok()?;
        let listeners = [
            Listener::new(&socket, "open", post, |_, post| {
                post.send(Action::Wire(Wire::Opened));
            }),
            Listener::new(&socket, "message", post, |event, post| {
                // Frames are texts; a binary one is none.
                if let Some(text) = event.data().as_string() {
                    post.send(Action::Wire(Wire::Frame(text)));
                }
            }),
            Listener::new(&socket, "close", post, |event, post| {
                post.send(Action::Wire(Wire::Closed(event.code())));
            }),
        ];
        Some(Self {
            socket,
            _listeners: listeners,
        })
    }

    pub(crate) fn send(&self, frame: &str) {
        // What cannot be sent shows in the close that follows.
        let _ = self.socket.send(Some(frame));
    }

    /// Closes with a code, as far as a script may name it.
    pub(crate) fn close(self, code: u16) {
        if code == 1000 || (3000..5000).contains(&code) {
            let _ = self.socket.close(Some(code));
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close(None);
    }
}
