//! The parts of the panel. Each knows its nodes, and draws what it is told.

mod banner;
mod bubble;
mod composer;
mod header;
mod log;

pub(crate) use banner::Banner;
pub(crate) use composer::Composer;
pub(crate) use header::Header;
pub(crate) use log::Log;

use crate::lang::Lang;
use crate::time::Times;

/// How to say things to the reader.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) lang: &'a Lang,
    pub(crate) times: &'a Times,
    /// The number of the reader's day.
    pub(crate) today: i64,
}
