//! Bounds that both sides hold. Times are milliseconds.

/// The largest frame, in bytes.
pub const MAX_FRAME: usize = 64 * 1024;
/// The longest text of one message, in Unicode scalar values.
pub const MAX_TEXT: usize = 8_000;
/// Messages in one `send`.
pub const MAX_BATCH: usize = 16;
/// Rooms that one connection may have joined.
pub const MAX_ROOMS: usize = 64;
/// Events in one `page`.
pub const PAGE: usize = 50;
/// Rows in one list.
pub const LIST: usize = 50;
/// Tickets of one kind are counted up to here: this number stands for as many or more.
pub const MOST_COUNTED: u64 = 1_000;
/// The same for what an agent has not read: badges tell more than 99 by a plus.
pub const MOST_UNREAD: u64 = 100;
/// A join whose gap is larger starts over with the newest page.
pub const MAX_RESUME: u64 = 1_000;
/// `typing` is sent at most once in this time.
pub const TYPING_INTERVAL: u64 = 3_000;
/// Typing that is not renewed ends after this time.
pub const TYPING_EXPIRY: u64 = 6_000;
/// Receipts are held this long and sent as one.
pub const RECEIPT_DELAY: u64 = 250;
/// Without a `welcome` in this time, a connection counts as failed.
pub const WELCOME_TIMEOUT: u64 = 5_000;
/// The shortest and longest base delay before another attempt to connect.
pub const BACK_OFF: (u64, u64) = (500, 30_000);
/// Attempts that may fail before a transport that has worked is given up.
pub const FAITH: u32 = 4;
/// Where no WebSocket got through, one is tried again after this time, then after twice as long,
/// up to the longest.
pub const TRY_BETTER: (u64, u64) = (60_000, 960_000);
/// An acknowledgement that is missing for this long means that the connection is dead.
pub const ACK_TIMEOUT: u64 = 15_000;
/// Messages that wait in a client's outbox at most.
pub const MAX_OUTBOX: usize = 200;
