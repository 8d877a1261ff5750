//! Parlour's wire protocol, version 1, and the brain of its client.
//!
//! In reading order:
//! - [`id`]: what names rooms, messages and people
//! - [`text`]: a message's text as runs, never as HTML
//! - [`frame`]: what travels, from the client and from the server
//! - [`close`]: why a connection ended, and what a client does about it
//! - [`limits`]: the bounds that both sides hold
//! - [`codec`]: the small JSON reader and writer of the widget
//! - [`client`]: the client's brain: cursors, gaps, outbox, receipts, typing, back-off
//!
//! The crate does no I/O, reads no clock and makes no randomness: time and
//! random numbers come in as arguments.

pub mod client;
pub mod close;
pub mod codec;
pub mod frame;
pub mod id;
pub mod limits;
pub mod text;

pub use frame::{ClientFrame, ServerFrame};
pub use id::Id;

/// The version of the protocol; sent in `hello`, answered in `welcome`.
pub const VERSION: u32 = 1;

/// The WebSocket subprotocol that the server echoes.
pub const SUBPROTOCOL: &str = "parlour.v1";
