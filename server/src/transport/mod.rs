//! Bytes in, bytes out. Each transport carries the same [`crate::session::Session`].

use std::time::Duration;

use tokio::sync::watch;

mod deflate;
mod exchange;
pub mod listener;
mod opening;
mod outgoing;
mod stream;
pub mod websocket;

pub use exchange::router;

/// A reader that takes nothing for this long is too slow.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the beginning to `hello`.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Clients come back over this time after a restart.
const COME_BACK: Duration = Duration::from_millis(1_500);
/// Who has too many connections comes back after this time, or up to twice that.
const OVER_LIMIT_PAUSE: Duration = Duration::from_secs(5);
/// Publications that are taken at once, and flushed as one.
const GATHER: usize = 64;

/// Waits until the server is about to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the server is gone already.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

fn jitter(most: Duration) -> Duration {
    let mut byte = [0; 2];
    // Without randomness all come back at once, which is allowed.
    let _ = getrandom::fill(&mut byte);
    most * u32::from(u16::from_le_bytes(byte)) / u32::from(u16::MAX)
}
