//! What is known about a ticket's visitor.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parlour_admin_templates::{ContextView, Moment, OtherTicket, PageRef, PersonView};

use crate::Shared;
use crate::chat::text;
use crate::clock::{self, Micros};
use crate::error::Error;
use crate::store::tickets::Ticket;

/// Other tickets that are listed at most.
const OTHERS: i64 = 10;
/// The longest beginning of one, in characters.
const PREVIEW: usize = 80;

/// The context pane of a ticket.
///
/// # Errors
/// What the store reports.
pub(super) async fn of(app: &Shared, ticket: &Ticket) -> Result<ContextView, Error> {
    let visitor = &ticket.visitor;
    let others = app.store.others_of(visitor.id, ticket.id, OTHERS).await?;
    let participants = app.store.participants(ticket.id).await?;
    let (url, title) = &visitor.page;
    Ok(ContextView {
        email: some(&visitor.email),
        page: some(url).map(|url| PageRef {
            url,
            title: title.clone(),
        }),
        referrer: some(&visitor.referrer),
        browser: some(&visitor.browser),
        locale: some(&visitor.locale).map(|code| language(&code)),
        zone: some(&visitor.zone),
        local_time: local_time(&visitor.zone, clock::now()),
        first_seen: Some(Moment(visitor.seen.0)),
        opened: Some(Moment(ticket.created_at)),
        others: others
            .into_iter()
            .map(|other| OtherTicket {
                id: other.id.to_string(),
                preview: text::preview(&text::runs_plain(&other.first), PREVIEW),
                at: Moment(other.at),
                state: other.state,
            })
            .collect(),
        participants: participants
            .into_iter()
            .map(|(id, name)| {
                PersonView::agent(id.to_string(), name).with_presence(app.chat.presence.state(id))
            })
            .collect(),
    })
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The time of day in an IANA zone: "14:03". Nothing for a zone that is not known, since a
/// visitor's browser says what it likes.
fn local_time(zone: &str, now: Micros) -> Option<String> {
    let zone = TimeZone::get(zone).ok()?;
    let time = Timestamp::from_microsecond(now).ok()?;
    Some(zone.to_datetime(time).strftime("%H:%M").to_string())
}

/// A language tag (BCP 47) in words where they are known: `de-AT` is "German (AT)".
fn language(code: &str) -> String {
    const NAMES: [(&str, &str); 36] = [
        ("ar", "Arabic"),
        ("bg", "Bulgarian"),
        ("bn", "Bengali"),
        ("ca", "Catalan"),
        ("cs", "Czech"),
        ("da", "Danish"),
        ("de", "German"),
        ("el", "Greek"),
        ("en", "English"),
        ("es", "Spanish"),
        ("et", "Estonian"),
        ("fa", "Persian"),
        ("fi", "Finnish"),
        ("fr", "French"),
        ("he", "Hebrew"),
        ("hi", "Hindi"),
        ("hr", "Croatian"),
        ("hu", "Hungarian"),
        ("id", "Indonesian"),
        ("it", "Italian"),
        ("ja", "Japanese"),
        ("ko", "Korean"),
        ("lt", "Lithuanian"),
        ("lv", "Latvian"),
        ("nb", "Norwegian"),
        ("nl", "Dutch"),
        ("pl", "Polish"),
        ("pt", "Portuguese"),
        ("ro", "Romanian"),
        ("ru", "Russian"),
        ("sk", "Slovak"),
        ("sv", "Swedish"),
        ("tr", "Turkish"),
        ("uk", "Ukrainian"),
        ("vi", "Vietnamese"),
        ("zh", "Chinese"),
    ];
    let (tag, rest) = code
        .split_once('-')
        .map_or((code, ""), |(tag, rest)| (tag, rest));
    let name = NAMES
        .iter()
        .find(|(known, _)| tag.eq_ignore_ascii_case(known))
        .map(|(_, name)| *name);
    match (name, rest) {
        (Some(name), "") => name.to_owned(),
        (Some(name), rest) => format!("{name} ({rest})"),
        (None, _) => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_follows_the_zone_and_its_summer() {
        let winter = 1_764_000_000_000_000; // 2025-11-24 16:00 UTC
        assert_eq!(
            local_time("Europe/Berlin", winter).as_deref(),
            Some("17:00")
        );
        assert_eq!(local_time("Asia/Kolkata", winter).as_deref(), Some("21:30"));
        let summer = 1_752_000_000_000_000; // 2025-07-08 18:40 UTC
        assert_eq!(
            local_time("Europe/Berlin", summer).as_deref(),
            Some("20:40")
        );
        for bad in ["", "Mars/Base", "../../etc/passwd"] {
            assert_eq!(local_time(bad, winter), None, "{bad}");
        }
    }

    #[test]
    fn languages_have_names() {
        assert_eq!(language("de-AT"), "German (AT)");
        assert_eq!(language("en"), "English");
        assert_eq!(language("tlh"), "tlh");
    }
}
