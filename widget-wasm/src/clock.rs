//! Time and randomness, which the brain wants as arguments.

use crate::node::window;
use parlour_protocol::Id;

/// Milliseconds on a clock that only goes forward.
pub(crate) fn now() -> u64 {
    window()
        .performance()
        .map_or_else(js_sys::Date::now, |clock| clock.now()) as u64
}

/// Ten random bytes.
pub(crate) fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// A new id, by the visitor's clock: it only has to be unique.
pub(crate) fn new_id() -> Id {
    Id::v7(js_sys::Date::now() as u64, random())
}
