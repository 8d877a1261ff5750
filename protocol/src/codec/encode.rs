//! Frames from the client to JSON, byte for byte as serde writes them.

use super::json::Writer;
use crate::frame::View;
#[cfg(feature = "agents")]
use crate::frame::{ListQuery, TicketState};
use crate::{ClientFrame, Id};

/// The JSON of a frame.
#[must_use]
pub fn encode(frame: &ClientFrame) -> String {
    let mut json = Writer::new();
    json.object();
    fields(&mut json, frame);
    json.end_object();
    json.finish()
}

fn fields(json: &mut Writer, frame: &ClientFrame) {
    match frame {
        ClientFrame::Hello {
            v,
            view,
            epoch,
            cursors,
        } => {
            tag(json, "hello");
            number(json, "v", u64::from(*v));
            string(
                json,
                "view",
                match view {
                    View::Runs => "runs",
                    View::Html => "html",
                },
            );
            optional_id(json, "epoch", epoch.as_ref());
            json.key("cursors").list();
            for cursor in cursors {
                pair(json, ("room", &cursor.room), ("seq", cursor.seq));
            }
            json.end_list();
        }
        ClientFrame::Auth { token } => {
            tag(json, "auth");
            string(json, "token", token);
        }
        ClientFrame::Join { room, after } => {
            in_room(json, "join", room);
            if let Some(after) = after {
                number(json, "after", *after);
            }
        }
        ClientFrame::Leave { room } => in_room(json, "leave", room),
        ClientFrame::Send {
            room,
            seen,
            messages,
            open,
        } => {
            in_room(json, "send", room);
            number(json, "seen", *seen);
            json.key("messages").list();
            for draft in messages {
                json.object();
                id(json, "cid", &draft.cid);
                string(json, "text", &draft.text);
                json.end_object();
            }
            json.end_list();
            if let Some(open) = open {
                json.key("open").object();
                string(json, "page", &open.page);
                string(json, "title", &open.title);
                json.end_object();
            }
        }
        ClientFrame::Typing { room, on } => {
            in_room(json, "typing", room);
            json.key("on").bool(*on);
        }
        ClientFrame::Receipt {
            room,
            delivered,
            read,
        } => {
            in_room(json, "receipt", room);
            number(json, "delivered", *delivered);
            number(json, "read", *read);
        }
        ClientFrame::History {
            room,
            before,
            after,
        } => {
            in_room(json, "history", room);
            number(json, "before", *before);
            number(json, "after", *after);
        }
        #[cfg(feature = "agents")]
        ClientFrame::Sync { query, rows } => {
            tag(json, "sync");
            list_query(json, query);
            json.key("rows").list();
            for row in rows {
                pair(json, ("id", &row.id), ("rev", row.rev));
            }
            json.end_list();
        }
        ClientFrame::Ping { n, active } => {
            tag(json, "ping");
            number(json, "n", u64::from(*n));
            json.key("active").bool(*active);
        }
    }
}

#[cfg(feature = "agents")]
fn list_query(json: &mut Writer, query: &ListQuery) {
    json.key("query").object();
    string(
        json,
        "state",
        match query.state {
            TicketState::Open => "open",
            TicketState::Pending => "pending",
            TicketState::Snoozed => "snoozed",
            TicketState::Resolved => "resolved",
        },
    );
    string(json, "assigned", &query.assigned);
    optional_id(json, "site", query.site.as_ref());
    json.end_object();
}

fn tag(json: &mut Writer, kind: &str) {
    string(json, "t", kind);
}

fn in_room(json: &mut Writer, kind: &str, room: &Id) {
    tag(json, kind);
    id(json, "room", room);
}

fn pair(json: &mut Writer, (name, value): (&str, &Id), (count, position): (&str, u64)) {
    json.object();
    id(json, name, value);
    number(json, count, position);
    json.end_object();
}

fn string(json: &mut Writer, name: &str, value: &str) {
    json.key(name).text(value);
}

fn number(json: &mut Writer, name: &str, value: u64) {
    json.key(name).unsigned(value);
}

fn id(json: &mut Writer, name: &str, value: &Id) {
    string(json, name, &value.text());
}

fn optional_id(json: &mut Writer, name: &str, value: Option<&Id>) {
    if let Some(value) = value {
        id(json, name, value);
    }
}
