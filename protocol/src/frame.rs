//! The frames: one JSON object each, tagged by `t`. Unknown fields are skipped.
//!
//! Times are microseconds since 1970 in UTC, by the server's clock. Sequence
//! numbers start at 1 and have no holes.

mod client;
mod event;
mod server;

pub use client::{ClientFrame, Cursor, Draft, ListQuery, Open, RowRev, View};
pub use event::{Body, Event, Happening, Person, Role};
pub use server::{
    Ack, Availability, ErrorCode, Limits, ListCounts, Mark, Presence, RoomKind, RoomState,
    ServerFrame, TicketRow, TicketState,
};

/// A digest of a list on screen: FNV-1a, 32 bits, over each row's id and revision (big-endian), in order.
#[must_use]
pub fn digest(rows: impl IntoIterator<Item = RowRev>) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for row in rows {
        for byte in row.id.0.into_iter().chain(row.rev.to_be_bytes()) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}
