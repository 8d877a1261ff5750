//! Timers that end when they are dropped.

use crate::node::window;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// One call in the future; dropping it calls it off.
pub(crate) struct Timer {
    handle: i32,
    _call: Closure<dyn Fn()>,
}

impl Timer {
    /// Calls `call` in `delay` milliseconds.
    pub(crate) fn after(delay: u64, call: impl Fn() + 'static) -> Self {
        let call = Closure::wrap(Box::new(call) as Box<dyn Fn()>);
        // A browser counts in 31 bits, and fires at once above.
        let delay = i32::try_from(delay).unwrap_or(i32::MAX);
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                call.as_ref().unchecked_ref(),
                delay,
            )
            .unwrap_or_default();
        Self {
            handle,
            _call: call,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.handle);
    }
}
