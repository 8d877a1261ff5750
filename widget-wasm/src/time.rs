//! Times and days in the visitor's own zone, by the browser's formatter. Times are microseconds.

use crate::js::{DateTimeFormat, Moment, parse};

const HOUR: &str = r#"{"hour":"2-digit","minute":"2-digit"}"#;
const DAY: &str = r#"{"weekday":"long","day":"numeric","month":"long"}"#;

/// Formats times for one locale.
pub(crate) struct Times {
    hour: Option<DateTimeFormat>,
    day: Option<DateTimeFormat>,
}

impl Times {
    /// For a locale such as `de-AT`; one that is not known means the browser's own.
    pub(crate) fn new(locale: &str) -> Self {
        Self {
            hour: format(locale, HOUR),
            day: format(locale, DAY),
        }
    }

    /// Such as 14:05.
    pub(crate) fn hour(&self, at: i64) -> String {
        write(self.hour.as_ref(), at)
    }

    /// Such as Tuesday, 24 November.
    pub(crate) fn day(&self, at: i64) -> String {
        write(self.day.as_ref(), at)
    }

    /// The visitor's time zone, such as Europe/Berlin.
    pub(crate) fn zone(&self) -> Option<String> {
        self.hour.as_ref()?.resolved_options().time_zone()
    }
}

fn write(format: Option<&DateTimeFormat>, at: i64) -> String {
    format
        .map(|format| format.format((at / 1000) as f64))
        .unwrap_or_default()
}

fn format(locale: &str, options: &str) -> Option<DateTimeFormat> {
    let options = parse(options);
    DateTimeFormat::new(Some(locale), &options)
        .or_else(|_| DateTimeFormat::new(None, &options))
        .ok()
}

/// The number of the local day in which `at` lies.
pub(crate) fn day_of(at: i64) -> i64 {
    let milliseconds = (at / 1000) as f64;
    let local = milliseconds - Moment::new(milliseconds).timezone_offset() * 60_000.0;
    (local / 86_400_000.0).floor() as i64
}
