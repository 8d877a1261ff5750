//! Messages: written, stored, then published.

use parlour_protocol::frame::{Ack, Body, ErrorCode, Event, Happening, Person, Role};
use parlour_protocol::limits;
use parlour_protocol::text::Run;
use uuid::Uuid;

use super::{Actor, Chat, text};
use crate::bus::{News, Publication};
use crate::error::Error;
use crate::hub::Topic;
use crate::store::StoreError;
use crate::store::append::{Append, Appended, Draft, Open};
use crate::store::messages::{Kind, Page, Stored};

/// Why a `send` was refused.
#[derive(Debug)]
pub struct Refusal {
    /// What kind.
    pub code: ErrorCode,
    /// Whether the same messages may succeed later.
    pub retry: bool,
    /// If so, not before this many milliseconds.
    pub after: u32,
    /// The message at fault.
    pub cid: Option<Uuid>,
}

impl Refusal {
    fn last(code: ErrorCode, cid: Option<Uuid>) -> Self {
        Self {
            code,
            retry: false,
            after: 0,
            cid,
        }
    }
}

/// The longest page address and title that are kept, in characters.
const MAX_PAGE: usize = 2_000;

impl Chat {
    /// Stores messages and publishes them. Returns when they are on disk. `seen` is the newest
    /// number of the room that the author had on screen.
    ///
    /// # Errors
    /// A [`Refusal`]. If it may be tried again, whether the messages are stored is not known.
    pub async fn send(
        &self,
        actor: &Actor,
        room: Uuid,
        seen: i64,
        mut drafts: Vec<Draft>,
        open: Option<(String, String)>,
    ) -> Result<Vec<Ack>, Refusal> {
        let first = drafts.first().map(|draft| draft.cid);
        if first.is_none() {
            return Err(Refusal::last(ErrorCode::BadFrame, None));
        }
        if drafts.len() > limits::MAX_BATCH {
            return Err(Refusal::last(ErrorCode::TooLong, first));
        }
        for draft in &mut drafts {
            // Not every database has a text with this character; nobody sees it.
            if draft.text.contains('\0') {
                draft.text = draft.text.replace('\0', "\u{fffd}");
            }
            text::check(&draft.text).map_err(|error| match error {
                text::TextError::Empty => Refusal::last(ErrorCode::Empty, Some(draft.cid)),
                text::TextError::TooLong => Refusal::last(ErrorCode::TooLong, Some(draft.cid)),
            })?;
        }
        // Here and not in the store, where the ticket would be open already.
        for (index, draft) in drafts.iter().enumerate() {
            if drafts[..index]
                .iter()
                .any(|other| other.cid == draft.cid && other.text != draft.text)
            {
                return Err(Refusal::last(ErrorCode::Conflict, Some(draft.cid)));
            }
        }
        let open = match (open, actor.site) {
            (None, _) => None,
            (Some((page, title)), Some(site)) => {
                let cut = |text: String| text.chars().take(MAX_PAGE).collect();
                Some(Open {
                    site,
                    page: cut(page),
                    title: cut(title),
                })
            }
            (Some(_), None) => return Err(Refusal::last(ErrorCode::Forbidden, first)),
        };
        let append = Append {
            room,
            author: actor.author(),
            seen,
            drafts,
            open,
        };
        let appended = self
            .append(append, actor)
            .await
            .map_err(|error| refusal(&error, first))?;
        let acks = appended.numbers.iter().map(|number| Ack {
            cid: crate::wire(number.cid),
            seq: crate::unsigned(number.seq),
            at: number.at,
            dup: number.duplicate,
        });
        Ok(acks.collect())
    }

    async fn append(&self, append: Append, actor: &Actor) -> Result<Appended, StoreError> {
        let chat = self.clone();
        let visitor = (actor.role == Role::Visitor).then_some(actor.id);
        self.store
            .append(append, move |appended| chat.publish(appended, visitor))
            .await
    }

    /// Publishes in the order of commits: this runs on the writer's task.
    fn publish(&self, appended: &Appended, visitor: Option<Uuid>) {
        if let (true, Some(ticket), Some(visitor)) = (appended.opened, appended.ticket, visitor) {
            // All her tabs enter the new room, and then find the message in its history.
            self.bus.publish(&Publication::new(
                Topic::Person(visitor),
                News::Entered(ticket),
            ));
        }
        for stored in &appended.stored {
            self.bus.publish(&Publication::new(
                Topic::Room(stored.room),
                News::Event(stored.clone()),
            ));
        }
        if let (Some(ticket), false) = (appended.ticket, appended.stored.is_empty()) {
            self.announcer.changed(ticket);
        }
    }

    /// Publishes entries that a change of a ticket or a room recorded.
    pub(super) fn publish_happened(&self, stored: &[Stored]) {
        for entry in stored {
            self.bus.publish(&Publication::new(
                Topic::Room(entry.room),
                News::Event(entry.clone()),
            ));
        }
    }

    /// A page of a room: above `after` if it is not 0, else the newest below `before` (0: no bound).
    ///
    /// # Errors
    /// [`Error::NotFound`] if the actor may not enter, and what the store reports.
    pub async fn history(
        &self,
        actor: &Actor,
        room: Uuid,
        before: i64,
        after: i64,
    ) -> Result<Page, Error> {
        self.enter(actor, room).await?;
        let limit = i64::try_from(limits::PAGE).unwrap_or(50);
        let page = if after > 0 {
            self.store.messages_after(room, after, limit).await?
        } else {
            self.store.messages_before(room, before, limit).await?
        };
        Ok(page)
    }
}

fn refusal(error: &StoreError, first: Option<Uuid>) -> Refusal {
    match error {
        StoreError::NotFound => Refusal::last(ErrorCode::UnknownRoom, first),
        StoreError::Conflict(cid) => Refusal::last(ErrorCode::Conflict, Some(*cid)),
        StoreError::Unseen(cid) => Refusal::last(ErrorCode::Unseen, Some(*cid)),
        StoreError::Exists(_) | StoreError::Refused(_) => Refusal::last(ErrorCode::Conflict, first),
        StoreError::Unavailable(_) | StoreError::Failed(_) => {
            tracing::warn!(%error, "messages were not stored");
            Refusal {
                code: ErrorCode::Unavailable,
                retry: true,
                after: 1_000,
                cid: first,
            }
        }
    }
}

/// The runs of an entry's text. Visitors' text is plain with its addresses linked; agents write a small Markdown.
#[must_use]
pub fn runs(stored: &Stored) -> Vec<Run> {
    match stored.author_role {
        Role::Agent => text::runs_markdown(&stored.text),
        Role::Visitor | Role::System => text::runs_plain(&stored.text),
    }
}

/// An entry as it travels.
#[must_use]
pub fn event(stored: &Stored) -> Event {
    let body = match stored.kind {
        Kind::Text => Body::Text { runs: runs(stored) },
        Kind::Note => Body::Note { runs: runs(stored) },
        Kind::Deleted => Body::Deleted,
        Kind::Happened => Body::Happened {
            what: happening(&stored.what),
            whom: stored.whom.map(|id| Person {
                id: crate::wire(id),
                role: Role::Agent,
                name: stored.whom_name.clone(),
            }),
            until: stored.text.parse().ok(),
        },
    };
    Event {
        room: crate::wire(stored.room),
        seq: crate::unsigned(stored.seq),
        cid: crate::wire(stored.cid),
        at: stored.at,
        rev: u32::try_from(stored.rev).unwrap_or(u32::MAX),
        author: Person {
            id: crate::wire(stored.author),
            role: stored.author_role,
            name: stored.author_name.clone(),
        },
        body,
        html: None,
    }
}

fn happening(what: &str) -> Happening {
    match what {
        "resolved" => Happening::Resolved,
        "reopened" => Happening::Reopened,
        "assigned" => Happening::Assigned,
        "unassigned" => Happening::Unassigned,
        "pending" => Happening::Pending,
        "snoozed" => Happening::Snoozed,
        "woke" => Happening::Woke,
        "added" => Happening::Added,
        "removed" => Happening::Removed,
        _ => Happening::Unknown,
    }
}
