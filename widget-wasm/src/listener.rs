//! Event listeners that end when they are dropped.

use crate::action::Post;
use crate::js::Js;
use wasm_bindgen::closure::Closure;

/// What is done about an event. A plain function: closures of many kinds came to kilobytes.
pub(crate) type Answer = fn(&Js, &Post);

/// A listener on something of the page; dropping it removes it without a trace.
pub(crate) struct Listener {
    target: Js,
    kind: &'static str,
    call: Closure<dyn Fn(Js)>,
}

impl Listener {
    /// Answers every event of this kind.
    pub(crate) fn new(target: &Js, kind: &'static str, post: &Post, answer: Answer) -> Self {
        let call = callback(post, answer);
        target.add_event_listener(kind, call.as_ref());
        Self {
            target: target.clone(),
            kind,
            call,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.target
            .remove_event_listener(self.kind, self.call.as_ref());
    }
}

/// The one kind of callback that there is.
pub(crate) fn callback(post: &Post, answer: Answer) -> Closure<dyn Fn(Js)> {
    let post = post.clone();
    Closure::wrap(Box::new(move |event| answer(&event, &post)))
}
