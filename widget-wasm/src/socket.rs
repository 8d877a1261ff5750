//! A WebSocket whose events end when it is dropped.

use crate::listener::Listener;
use parlour_protocol::SUBPROTOCOL;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

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

/// Where a driver hears of it.
pub(crate) type Ear = Rc<dyn Fn(Wire)>;

/// A socket. Dropping it closes it, and nothing is heard of it any more.
pub(crate) struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// Opens a socket; none where the page's policy or its address forbids it.
    pub(crate) fn open(url: &str, token: &str, ear: &Ear) -> Option<Self> {
        let protocols = js_sys::Array::of2(&SUBPROTOCOL.into(), &token.into());
        let socket = WebSocket::new_with_str_sequence(url, &protocols).ok()?;
        let (opened, framed, closed) = (ear.clone(), ear.clone(), ear.clone());
        let listeners = [
            Listener::new(&socket, "open", move |_| opened(Wire::Opened)),
            Listener::new(&socket, "message", move |event| {
                // Frames are texts; a binary one is none.
                if let Some(text) = event.unchecked_into::<MessageEvent>().data().as_string() {
                    framed(Wire::Frame(text));
                }
            }),
            Listener::new(&socket, "close", move |event| {
                closed(Wire::Closed(event.unchecked_into::<CloseEvent>().code()));
            }),
        ];
        Some(Self {
            socket,
            _listeners: listeners,
        })
    }

    pub(crate) fn send(&self, frame: &str) -> Result<(), JsValue> {
        self.socket.send_with_str(frame)
    }

    /// Closes with a code, as far as a script may name it.
    pub(crate) fn close(self, code: u16) {
        if code == 1000 || (3000..5000).contains(&code) {
            let _ = self.socket.close_with_code(code);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
