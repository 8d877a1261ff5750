//! Event listeners that end when they are dropped.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

/// A listener on something of the page; dropping it removes it without a trace.
pub(crate) struct Listener {
    target: EventTarget,
    kind: &'static str,
    call: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Calls `call` for every event of this kind.
    pub(crate) fn new(
        target: &EventTarget,
        kind: &'static str,
        call: impl Fn(Event) + 'static,
    ) -> Self {
        // One type of closure for all: each further one costs glue.
        let call = Closure::wrap(Box::new(call) as Box<dyn Fn(Event)>);
        let _ = target.add_event_listener_with_callback(kind, call.as_ref().unchecked_ref());
        Self {
            target: target.clone(),
            kind,
            call,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self
            .target
            .remove_event_listener_with_callback(self.kind, self.call.as_ref().unchecked_ref());
    }
}
