//! Timers that end when they are dropped.

use crate::action::Post;
use crate::js::{Js, clear_timer, start_timer};
use crate::listener::{Answer, callback};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

/// One call in the future; dropping it calls it off.
pub(crate) struct Timer {
    handle: JsValue,
    _call: Closure<dyn Fn(Js)>,
}

impl Timer {
    /// Answers in `delay` milliseconds, with an event that is undefined.
    pub(crate) fn after(delay: u64, post: &Post, answer: Answer) -> Self {
        let call = callback(post, answer);
        // A browser counts in 31 bits, and fires at once above.
        let handle = start_timer(call.as_ref(), delay.min(0x7fff_ffff) as u32);
        Self {
            handle,
            _call: call,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timer(&self.handle);
    }
}
