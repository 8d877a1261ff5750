//! The widget: what a visitor sees and types into, in a shadow root on somebody else's page.
//!
//! The loader (`loader.js`) draws the launcher, and makes a [`widget`] once the visitor means to
//! talk. What decides is the brain in `parlour_protocol::client`; here are its hands and eyes.
//! The dashboard's script drives the same brain through [`Desk`].
//!
//! In reading order:
//! - `widget`: what the loader calls
//! - `action`, `app`: whatever happens becomes an action, and actions are handled one by one
//! - `state`: the visitor's side of the conversation, around the brain
//! - `driver`, `socket`, `request`, `session`: the way to the server
//! - `storage`: what survives a reload, and only after the panel was opened once
//! - `settings`, `lang`, `time`, `colour`: what differs from site to site and reader to reader
//! - `lines`: a room as the lines to show, without any page
//! - `element`, `views`, `text`, `node`: the panel
//! - `listener`, `timer`, `clock`: the browser's resources as values that clean up after themselves
//! - `heap`: a small allocator
//! - `desk`: the class for the dashboard's script

// Each part alone leaves some of what both share unused; the lints look at both together.
#![cfg_attr(
    not(all(feature = "desk", feature = "widget")),
    allow(dead_code, unused_imports)
)]
// The bindings that wasm-bindgen's macro writes are unsafe, and so is an allocator (`heap`);
// no line elsewhere is.
#![allow(unsafe_code)]

mod action;
mod app;
mod clock;
mod colour;
#[cfg(feature = "desk")]
mod desk;
mod driver;
mod element;
#[cfg(target_arch = "wasm32")]
mod heap;
mod js;
mod lang;
mod lines;
mod listener;
mod node;
mod request;
mod session;
mod settings;
mod socket;
mod state;
mod storage;
mod text;
mod time;
mod timer;
mod views;
#[cfg(feature = "widget")]
mod widget;

#[cfg(feature = "desk")]
pub use desk::Desk;
#[cfg(feature = "widget")]
pub use widget::widget;
