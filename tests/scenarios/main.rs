//! Scenarios, by noun. Each starts a server of its own and tells a story with it.
//!
//! "Line 12" in a test's text is line 12 of the security checklist that the project keeps.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    reason = "tests fail loudly, and measure what they wait for"
)]

mod agents;
mod answers;
mod cluster;
mod commands;
mod compression;
mod copy;
mod deflate;
mod elsewhere;
mod faults;
mod flood;
mod frames;
mod headers;
mod index;
mod kept;
mod kill;
mod limits;
mod links;
mod loader;
mod messages;
mod origins;
mod outages;
mod pages;
mod passwords;
mod postgres;
mod presence;
mod receipts;
mod redis;
mod refused;
mod restart;
mod resume;
mod rooms;
mod search;
mod secrets;
mod sign_ins;
mod snooze;
mod tickets;
mod tokens;
mod transports;
mod unread;
mod went_back;
