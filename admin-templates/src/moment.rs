//! Times. A page shows UTC, and the browser replaces it by the reader's own time.

use jiff::Timestamp;

/// A time in microseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub i64);

impl From<i64> for Moment {
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}

impl Moment {
    /// For `datetime` attributes: `2026-11-24T14:03:05.120Z`.
    #[must_use]
    pub fn iso(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// `24 Nov 2026, 14:03 UTC`.
    #[must_use]
    pub fn utc(self) -> String {
        self.format("%-d %b %Y, %H:%M UTC")
    }

    /// `24 Nov, 14:03`, in UTC.
    #[must_use]
    pub fn compact(self) -> String {
        self.format("%-d %b, %H:%M")
    }

    /// `24 Nov, 14:03 UTC`.
    #[must_use]
    pub fn soon(self) -> String {
        self.format("%-d %b, %H:%M UTC")
    }

    /// `14:03`, in UTC.
    #[must_use]
    pub fn clock(self) -> String {
        self.format("%H:%M")
    }

    /// `24 November 2026`, the day in UTC.
    #[must_use]
    pub fn day(self) -> String {
        self.format("%-d %B %Y")
    }

    /// A time outside of what calendars hold reads as 1970.
    fn format(self, pattern: &str) -> String {
        let time = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        time.strftime(pattern).to_string()
    }
}
