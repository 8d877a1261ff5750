//! Time and randomness, which the brain wants as arguments.

use crate::js::{date_now, performance_now, random_values};
use parlour_protocol::Id;

/// Milliseconds on a clock that only goes forward.
pub(crate) fn now() -> u64 {
    performance_now() as u64
}

/// Ten random bytes.
pub(crate) fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    random_values(&mut bytes);
    bytes
}

/// A new id, by the visitor's clock: it only has to be unique.
pub(crate) fn new_id() -> Id {
    Id::v7(date_now() as u64, random())
}
