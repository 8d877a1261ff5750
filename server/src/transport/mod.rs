//! Bytes in, bytes out. Each transport carries the same [`crate::session::Session`].

pub mod listener;
pub mod websocket;
