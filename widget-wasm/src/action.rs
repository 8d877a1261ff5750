//! Whatever can happen to the widget.

use crate::js::Js;
use crate::socket::Wire;
use std::rc::Rc;

/// Something that happened, to be handled when nothing else is.
pub(crate) enum Action {
    /// The loader, or a button of the panel, wants this done; with a text or the id of the message
    /// that it is about.
    Do(String, String),
    /// Escape was pressed.
    Close,
    /// The page takes everything off.
    Destroy,
    /// Something came over the socket, or its timer is due.
    Wire(Wire),
    /// The session endpoint has answered.
    Session(u16, String),
    /// The token is about to expire.
    Renew,
    /// The language file has come.
    Language(String),
    /// The text in the composer has changed.
    Typed,
    /// The text in the composer is to be sent.
    Submit,
    /// The messages were scrolled.
    Scrolled,
    /// The old messages are on the page: from here on, what is new is read out.
    Quiet,
    /// Tab was pressed, in this event.
    Tab(Js),
    /// The space for the panel has changed.
    Resized,
    /// The page is shown again, or leaves.
    Shown(bool),
    /// The page was hidden, seen, focused or left.
    Attention,
    /// The person has used the page.
    Used,
    /// The browser went online or offline.
    Network,
    /// The page's address may have changed.
    Navigated,
    /// Another tab has changed the storage: key, value before, whether there is one now.
    Stored(String, Option<String>, bool),
}

/// Where actions are sent. It does not keep alive whoever handles them.
#[derive(Clone)]
pub(crate) struct Post(Rc<dyn Fn(Action)>);

impl Post {
    pub(crate) fn new(handle: impl Fn(Action) + 'static) -> Self {
        Self(Rc::new(handle))
    }

    /// Has the action handled: now, or after the one that is being handled.
    pub(crate) fn send(&self, action: Action) {
        (self.0)(action);
    }
}
