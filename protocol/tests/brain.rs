//! The client's brain, seen from outside: scenarios frame by frame, and convergence
//! against a small server under loss, duplication, reordering and reconnection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may end by a panic"
)]

#[path = "brain/bursts.rs"]
mod bursts;
#[path = "brain/check.rs"]
mod check;
#[path = "brain/converge.rs"]
mod converge;
#[path = "brain/link.rs"]
mod link;
#[path = "brain/list.rs"]
mod list;
#[path = "brain/marks.rs"]
mod marks;
#[path = "brain/model.rs"]
mod model;
#[path = "brain/opening.rs"]
mod opening;
#[path = "brain/outbox.rs"]
mod outbox;
#[path = "brain/pages.rs"]
mod pages;
#[path = "brain/rig.rs"]
mod rig;
#[path = "brain/storing.rs"]
mod storing;
#[path = "brain/transport.rs"]
mod transport;
#[path = "brain/window.rs"]
mod window;
#[path = "brain/world.rs"]
mod world;
