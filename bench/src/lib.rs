//! Parlour beside what a site owner would otherwise assemble, and beside a bare relay, on one
//! machine and in one run. `README.md` beside this says what is measured.
//!
//! In reading order:
//! - [`scenarios`]: what is done to a subject
//! - [`subject`]: what is measured, started and ended with its database
//! - [`dialect`], [`client`]: what it speaks, over one connection
//! - [`load`], [`outcome`]: writers and readers, and the check that nothing was lost
//! - [`machine`]: who used the processors and the memory
//! - [`rows`], [`report`]: the table and the goals
//! - [`people`], [`seed`], [`token`]: who takes part, and what the database holds before
//! - [`floor`]: the bare relay

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what measures fails loudly, and by the real clock"
)]

pub mod client;
pub mod dialect;
pub mod floor;
pub mod load;
pub mod machine;
pub mod outcome;
pub mod people;
pub mod report;
pub mod rows;
pub mod scenarios;
pub mod seed;
pub mod subject;
pub mod token;
