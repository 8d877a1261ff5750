//! Scenarios, by noun. Each starts a server of its own and tells a story with it.
//!
//! A number in a test's text is the line of the security checklist in `docs/security.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail loudly")]
