//! The form for a ticket's state, and what "tomorrow morning" is.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use axum::{Form, Router};
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use parlour_protocol::frame::TicketState;
use serde::Deserialize;

use super::answer;
use super::flash::Flash;
use super::tickets::back_to;
use super::viewer::{Key, Viewer};
use crate::Shared;
use crate::clock::{self, Micros};
use crate::error::Error;
use crate::store::states::Change;
use crate::store::tickets::state_parse;

/// "Later", in microseconds from now.
const LATER: Micros = 3 * 3_600 * clock::SECOND;
/// When a morning begins.
const MORNING: i8 = 9;

/// The route.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/tickets/{id}/state", post(set))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    state: String,
    /// Of a snooze: `later`, `tomorrow`, `week`, or `date` with a date of its own.
    until: String,
    /// A local date and time, `2026-11-24T14:00`.
    date: String,
    /// The agent's time zone by IANA name; without a script nobody knows it, and it is UTC.
    zone: String,
}

impl Fields {
    fn change(&self, now: Micros) -> Result<Change, Error> {
        let invalid = |field, reason: &str| Error::Invalid {
            field,
            reason: reason.into(),
        };
        Ok(match state_parse(&self.state) {
            Some(TicketState::Open) => Change::Open,
            Some(TicketState::Pending) => Change::Pending,
            Some(TicketState::Resolved) => Change::Resolved,
            Some(TicketState::Snoozed) => Change::Snoozed(self.until(now).ok_or_else(|| {
                invalid("until", "choose until when the ticket is to be snoozed")
            })?),
            None => {
                let reason = "expected open, pending, snoozed or resolved";
                return Err(invalid("state", reason));
            }
        })
    }

    fn until(&self, now: Micros) -> Option<Micros> {
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let today = zone
            .to_datetime(Timestamp::from_microsecond(now).ok()?)
            .date();
        let morning = |day: Date| day.at(MORNING, 0, 0, 0);
        let time = match self.until.as_str() {
            "later" => return now.checked_add(LATER),
            "tomorrow" => morning(today.tomorrow().ok()?),
            "week" => morning(today.nth_weekday(1, Weekday::Monday).ok()?),
            "date" => self.date.parse().ok()?,
            _ => return None,
        };
        Some(zone.to_timestamp(time).ok()?.as_microsecond())
    }
}

async fn set(
    State(app): State<Shared>,
    viewer: Viewer,
    Key(id): Key,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Result<Response, Error> {
    let change = fields.change(clock::now())?;
    app.chat.set_state(&viewer.actor(), id, change).await?;
    let flash = match change {
        Change::Open => Flash::Reopened,
        Change::Pending => Flash::Pending,
        Change::Snoozed(_) => Flash::Snoozed,
        Change::Resolved => Flash::Resolved,
    };
    let path = back_to(id, &headers);
    Ok(answer::done(&app, &viewer, &path, Some(flash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tuesday, 24 November 2026, 20:30 in UTC.
    const NOW: Micros = 1_795_552_200_000_000;

    fn until(until: &str, date: &str, zone: &str) -> Option<String> {
        let fields = Fields {
            state: "snoozed".into(),
            until: until.into(),
            date: date.into(),
            zone: zone.into(),
        };
        let until = fields.until(NOW)?;
        Some(Timestamp::from_microsecond(until).ok()?.to_string())
    }

    #[test]
    fn a_morning_is_where_the_agent_is() {
        let is = |which, zone| until(which, "", zone).expect("a time");
        assert_eq!(is("later", "Asia/Tokyo"), "2026-11-24T23:30:00Z");
        assert_eq!(is("tomorrow", "Europe/Berlin"), "2026-11-25T08:00:00Z");
        // There it is Wednesday already.
        assert_eq!(is("tomorrow", "Asia/Tokyo"), "2026-11-26T00:00:00Z");
        assert_eq!(is("week", "Europe/Berlin"), "2026-11-30T08:00:00Z");
        for unknown in ["", "Mars/Base"] {
            assert_eq!(is("tomorrow", unknown), "2026-11-25T09:00:00Z");
        }
    }

    #[test]
    fn a_date_is_read_in_that_zone_and_nothing_else_is() {
        assert_eq!(
            until("date", "2027-07-01T14:00", "Europe/Berlin").as_deref(),
            Some("2027-07-01T12:00:00Z")
        );
        for date in ["", "soon", "2026-13-01T00:00", "99999-01-01T00:00"] {
            assert_eq!(until("date", date, ""), None, "{date}");
        }
        assert_eq!(until("", "", ""), None);
    }

    #[test]
    fn a_state_is_one_of_four() {
        let change = |state: &str| {
            let fields = Fields {
                state: state.into(),
                ..Fields::default()
            };
            fields.change(NOW)
        };
        assert!(matches!(change("pending"), Ok(Change::Pending)));
        for bad in ["", "closed", "snoozed"] {
            assert!(matches!(change(bad), Err(Error::Invalid { .. })), "{bad}");
        }
    }
}
