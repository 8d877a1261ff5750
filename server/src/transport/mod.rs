//! Bytes in, bytes out. Each transport carries the same [`crate::session::Session`].

mod deflate;
pub mod listener;
pub mod websocket;
