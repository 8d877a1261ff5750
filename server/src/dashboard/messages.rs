//! A message from a form. The rules are those of the socket: the same call, the same limits.

use std::time::Duration;

use axum::http::StatusCode;
use parlour_admin_templates::ComposerView;
use parlour_protocol::frame::ErrorCode;
use parlour_protocol::limits;
use serde::Deserialize;
use uuid::Uuid;

use super::viewer::Viewer;
use crate::chat::messages::Refusal;
use crate::error::Error;
use crate::store::append::Draft;
use crate::{Shared, clock};

/// The composer's fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Form {
    text: String,
    cid: String,
    /// The newest number of the public room on the page that holds the form.
    seen: String,
    /// Of a ticket: `public` or `staff`.
    room: String,
}

impl Form {
    /// Whether it is a note.
    pub(super) fn is_note(&self) -> bool {
        self.room == "staff"
    }
}

/// Why a message was not stored, in words for its author.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    text: String,
    /// In which seconds it may succeed.
    after: Option<u64>,
}

impl Refused {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            after: None,
        }
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The same for the script.
    pub(super) fn error(self) -> Error {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => Error::TooFast {
                after_seconds: self.after.unwrap_or(1),
            },
            StatusCode::SERVICE_UNAVAILABLE => Error::Unavailable(self.text),
            StatusCode::CONFLICT => Error::Conflict(self.text),
            _ => Error::Invalid {
                field: "text",
                reason: self.text,
            },
        }
    }
}

/// How a message of a form ended: it is stored, or was not acceptable.
pub(super) type Outcome = Result<Uuid, Refused>;

/// Stores the message of a form in `room`, once for one `cid`; its id.
///
/// # Errors
/// [`Error::NotFound`] if there is no such room for the viewer. What she can mend is in the outcome.
pub(super) async fn send(
    app: &Shared,
    viewer: &Viewer,
    room: Uuid,
    form: &Form,
) -> Result<Outcome, Error> {
    let actor = viewer.actor();
    app.chat.enter(&actor, room).await?;
    let Ok(cid) = Uuid::try_parse(&form.cid) else {
        return Ok(Err(Refused::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The form came without its id. Send it once more.",
        )));
    };
    if let Err(wait) = app.limits.messages(viewer.agent.id, 1).await {
        return Ok(Err(too_fast(wait)));
    }
    // Browsers write line breaks of a form as CR LF.
    let draft = Draft {
        cid,
        text: form.text.replace("\r\n", "\n"),
    };
    // Whoever writes without a page has nothing on screen to go by.
    let seen = form.seen.parse().unwrap_or(i64::MAX);
    match app.chat.send(&actor, room, seen, vec![draft], None).await {
        Ok(_) => Ok(Ok(cid)),
        Err(refusal) => refused(&refusal).map(Err),
    }
}

fn too_fast(wait: Duration) -> Refused {
    let text = "That is too fast. Wait a moment, then send it again.";
    Refused {
        after: Some(wait.as_secs().max(1)),
        ..Refused::new(StatusCode::TOO_MANY_REQUESTS, text)
    }
}

fn refused(refusal: &Refusal) -> Result<Refused, Error> {
    let unprocessable = |text| Ok(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    match refusal.code {
        ErrorCode::UnknownRoom => Err(Error::NotFound),
        ErrorCode::Forbidden => Err(Error::Forbidden),
        ErrorCode::Empty => unprocessable("Write something first.".to_owned()),
        ErrorCode::TooLong => unprocessable(format!(
            "A message has {} characters at most. Shorten it, or send it in parts.",
            limits::MAX_TEXT
        )),
        ErrorCode::TooFast => Ok(too_fast(Duration::from_millis(u64::from(refusal.after)))),
        ErrorCode::Unseen => Ok(Refused::new(
            StatusCode::CONFLICT,
            "A colleague has answered meanwhile. Read it first, then send this anyway or change it.",
        )),
        ErrorCode::Conflict => Ok(Refused::new(
            StatusCode::CONFLICT,
            "This form was sent before, with another text. Send it once more to add this text as well.",
        )),
        _ => Ok(Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "It could not be stored just now. Nothing is lost: send it once more in a moment.",
        )),
    }
}

/// The composer of a thread; after a refusal it keeps what was typed, under a fresh id.
pub(super) fn composer(
    action: String,
    seen: i64,
    refused: Option<(&Form, &Refused)>,
) -> ComposerView {
    ComposerView {
        action,
        seen: crate::unsigned(seen),
        cid: clock::id().to_string(),
        draft: refused
            .map(|(form, _)| form.text.clone())
            .unwrap_or_default(),
        error: refused.map(|(_, why)| why.text.clone()),
        note: refused.is_some_and(|(form, _)| form.is_note()),
        limit: u32::try_from(limits::MAX_TEXT).unwrap_or(u32::MAX),
    }
}
