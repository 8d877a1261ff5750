//! A frame as it is sent: encoded once, and compressed once, however many it goes to.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use flate2::{Compress, Compression, FlushCompress};
use parlour_protocol::ServerFrame;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

/// From this size on frames are compressed: below it, little is saved.
const WORTH_IT: usize = 1_024;
/// The window of the compressor, as a power of two. Frames repeat their keys within less than
/// these 4 KB, and all readers share one compressed frame, so it is the smallest that a usual
/// client asks for.
pub const WINDOW_BITS: u8 = 12;
/// What the end of a flush looks like; it is not sent (RFC 7692, section 7.2.1).
pub const FLUSHED: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

thread_local! {
    /// No connection has one of its own: no frame refers to the one before.
    static COMPRESSOR: RefCell<Compress> =
        RefCell::new(Compress::new_with_window_bits(Compression::fast(), false, WINDOW_BITS));
}

/// A frame as text. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Encoded {
    text: Utf8Bytes,
    /// Nothing for what is not worth it.
    deflated: Option<Arc<OnceLock<Option<Bytes>>>>,
}

impl Encoded {
    /// Encodes a frame. Frames are plain data, so this cannot fail.
    #[must_use]
    pub fn new(frame: &ServerFrame) -> Self {
        serde_json::to_string(frame).unwrap_or_default().into()
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> Utf8Bytes {
        self.text
    }

    /// The payload of a compressed frame, if that is smaller by enough to matter.
    #[must_use]
    pub fn deflated(&self) -> Option<Bytes> {
        let deflated = self.deflated.as_ref()?;
        deflated.get_or_init(|| deflate(&self.text)).clone()
    }
}

impl From<String> for Encoded {
    fn from(text: String) -> Self {
        Self {
            deflated: (text.len() >= WORTH_IT).then(Arc::default),
            text: text.into(),
        }
    }
}

impl Deref for Encoded {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// Nothing if it does not become smaller.
fn deflate(text: &str) -> Option<Bytes> {
    let mut out = Vec::with_capacity(text.len());
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        compressor
            .compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync)
            .ok()
    })?;
    // Without room to spare it may have more to say, and would not be smaller.
    if out.len() == out.capacity() {
        return None;
    }
    let payload = out.strip_suffix(&FLUSHED)?;
    Some(Bytes::copy_from_slice(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_becomes_smaller_once_for_all() {
        let frame = Encoded::from("{\"text\":\"hello\"}".repeat(200));
        let shared = frame.clone();
        let deflated = frame.deflated().expect("a compressed frame");
        assert!(deflated.len() * 4 < frame.len(), "{}", deflated.len());
        let other = shared.deflated().expect("the same frame");
        assert_eq!(deflated.as_ptr(), other.as_ptr());
    }

    #[test]
    fn what_is_small_or_does_not_become_smaller_stays() {
        assert!(Encoded::from("x".repeat(WORTH_IT - 1)).deflated().is_none());
        let mut state = 1_u32;
        let noise = (0..4_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x1_0000 + (state >> 12)).unwrap_or('x')
        });
        assert!(
            Encoded::from(noise.collect::<String>())
                .deflated()
                .is_none()
        );
        // Neither does it spoil what comes after it.
        assert!(Encoded::from("x".repeat(WORTH_IT)).deflated().is_some());
    }
}
