//! Changes as JSON, which the script gets as objects. Whoever calls has opened the object.

use super::{State, words};
use crate::clock::now;
use parlour_protocol::Id;
use parlour_protocol::client::{Change, Client, Link, PendingState, Room};
use parlour_protocol::codec::json::Writer;
use parlour_protocol::frame::{
    Body, Event, ListCounts, Mark, Person, Presence, RoomState, TicketRow,
};

impl State {
    /// Tells the script of a change.
    pub(super) fn changed(&mut self, change: Change) {
        let mut json = Writer::new();
        json.object().key("kind");
        if write(&mut json, &self.driver.brain, change) {
            json.end_object();
            self.changes.push(super::parse(&json.finish()));
        }
    }
}

/// Writes the kind and its fields. False if there is nothing to tell any more.
fn write(json: &mut Writer, brain: &Client, change: Change) -> bool {
    match change {
        Change::Link => {
            link(json.text("link"), brain.link());
            json.key("transport").unsigned(brain.transport() as u64);
        }
        Change::Welcome => {
            if let Some(me) = brain.me() {
                person(json.text("welcome").key("me"), me);
            }
            people(json.key("people"), brain.people());
            rooms(json, brain);
            json.key("limit").unsigned(u64::from(brain.limits().text));
        }
        Change::Rooms => rooms(json.text("rooms"), brain),
        Change::Room(id) => return room(json.text("room"), brain, id, false),
        Change::Event { room, cid } => {
            let Some((room, entry)) = find(brain, room, cid) else {
                return false;
            };
            event(json.text("event"), room, entry, me(brain));
        }
        Change::Marks(id) => {
            let Some(room) = brain.room(id) else {
                return false;
            };
            marks(json.text("marks"), room, me(brain));
        }
        Change::Typing(id) => {
            let Some(room) = brain.room(id) else {
                return false;
            };
            key_id(json.text("typing"), "room", id);
            persons(json.key("who"), room.typing());
        }
        Change::Presence(presence) => presence_fields(json.text("presence"), &presence),
        Change::List {
            order,
            rows,
            counts,
        } => list(json.text("list"), &order, &rows, counts),
        Change::Row(changed) => row(json.text("row"), &changed),
        Change::Error { code, room, cid } => {
            json.text("error").key("code").text(words::error(code));
            for (name, id) in [("room", room), ("cid", cid)] {
                if let Some(id) = id {
                    key_id(json, name, id);
                }
            }
        }
    }
    true
}

fn me(brain: &Client) -> Id {
    brain.me().map_or(Id::NIL, |me| me.id)
}

fn find(brain: &Client, room: Id, cid: Id) -> Option<(&Room, &Event)> {
    let room = brain.room(room)?;
    Some((
        room,
        room.entries().iter().rev().find(|entry| entry.cid == cid)?,
    ))
}

fn link(json: &mut Writer, link: Link) {
    json.key("link");
    match link {
        Link::Idle => json.text("idle"),
        Link::Connecting => json.text("connecting"),
        Link::Live => json.text("live"),
        Link::Waiting { until } => json
            .text("waiting")
            .key("wait")
            .unsigned(until.saturating_sub(now())),
        Link::Stopped { code } => json.text("stopped").key("code").unsigned(u64::from(code)),
    };
}

/// Writes a room, and its entries if they are wanted. False if the brain does not know it.
pub(super) fn room(json: &mut Writer, brain: &Client, id: Id, entries: bool) -> bool {
    let Some(room) = brain.room(id) else {
        return false;
    };
    let window = room.entries();
    let seq = |entry: Option<&Event>| entry.map_or(0, |entry| entry.seq);
    key_id(json, "room", id);
    for (name, on) in [
        ("live", room.live()),
        ("gone", room.gone()),
        ("more", room.more()),
        ("loading", room.loading()),
    ] {
        json.key(name).bool(on);
    }
    for (name, number) in [
        ("position", room.position()),
        ("unread", room.unread(me(brain))),
        ("first", seq(window.first())),
        ("last", seq(window.last())),
    ] {
        json.key(name).unsigned(number);
    }
    if let Some(state) = room.state().and_then(|state| state.ticket) {
        json.key("ticket").text(words::ticket(state));
    }
    write_marks(json, room.marks());
    people(
        json.key("people"),
        room.state().map_or(&[], |state| &state.people),
    );
    persons(json.key("typing"), room.typing());
    json.key("pending").list();
    for pending in room.pending() {
        json.object();
        key_id(json, "cid", pending.cid);
        json.key("text")
            .text(&pending.text)
            .key("state")
            .text(words::pending(pending.state));
        if let PendingState::Failed(code) = pending.state {
            json.key("code").text(words::error(code));
        }
        json.end_object();
    }
    json.end_list();
    ticks(json, room, me(brain));
    if entries {
        json.key("entries").list();
        for entry in window {
            event(json.object(), room, entry, me(brain));
            json.end_object();
        }
        json.end_list();
    }
    true
}

fn event(json: &mut Writer, room: &Room, event: &Event, me: Id) {
    key_id(json, "room", event.room);
    key_id(json, "cid", event.cid);
    json.key("seq")
        .unsigned(event.seq)
        .key("at")
        .signed(event.at)
        .key("rev")
        .unsigned(u64::from(event.rev));
    person(json.key("author"), &event.author);
    json.key("body").text(match &event.body {
        Body::Text { .. } => "text",
        Body::Note { .. } => "note",
        Body::Deleted => "deleted",
        Body::Happened { .. } => "happened",
    });
    if let Body::Happened { what, whom, .. } = &event.body {
        json.key("what").text(words::happening(*what));
        if let Some(whom) = whom {
            person(json.key("whom"), whom);
        }
    }
    if let Some(html) = &event.html {
        json.key("html").text(html);
    }
    let own = event.author.id == me;
    json.key("own").bool(own);
    if own {
        json.key("tick").text(words::tick(room.tick_of(event, me)));
    }
}

fn marks(json: &mut Writer, room: &Room, me: Id) {
    key_id(json, "room", room.id());
    write_marks(json, room.marks());
    json.key("unread").unsigned(room.unread(me));
    ticks(json, room, me);
}

/// How far the own messages of the window have come.
fn ticks(json: &mut Writer, room: &Room, me: Id) {
    json.key("ticks").list();
    for entry in room.entries().iter().filter(|entry| entry.author.id == me) {
        key_id(json.object(), "cid", entry.cid);
        json.key("tick")
            .text(words::tick(room.tick_of(entry, me)))
            .end_object();
    }
    json.end_list();
}

fn write_marks(json: &mut Writer, marks: &[Mark]) {
    json.key("marks").list();
    for mark in marks {
        key_id(json.object(), "member", mark.member);
        json.key("delivered")
            .unsigned(mark.delivered)
            .key("read")
            .unsigned(mark.read)
            .end_object();
    }
    json.end_list();
}

/// Writes a person as a value.
pub(super) fn person(json: &mut Writer, person: &Person) {
    key_id(json.object(), "id", person.id);
    json.key("role")
        .text(words::role(person.role))
        .key("name")
        .text(&person.name)
        .end_object();
}

fn persons(json: &mut Writer, persons: &[Person]) {
    json.list();
    for one in persons {
        person(json, one);
    }
    json.end_list();
}

fn presence_fields(json: &mut Writer, presence: &Presence) {
    person(json.key("who"), &presence.who);
    json.key("state").text(words::availability(presence.state));
}

fn people(json: &mut Writer, people: &[Presence]) {
    json.list();
    for one in people {
        presence_fields(json.object(), one);
        json.end_object();
    }
    json.end_list();
}

fn rooms(json: &mut Writer, brain: &Client) {
    json.key("rooms").list();
    for RoomState {
        room,
        kind,
        position,
        ticket,
        ..
    } in brain.rooms()
    {
        key_id(json.object(), "room", *room);
        json.key("kind")
            .text(words::kind(*kind))
            .key("position")
            .unsigned(*position);
        if let Some(state) = ticket {
            json.key("ticket").text(words::ticket(*state));
        }
        json.end_object();
    }
    json.end_list();
}

fn list(json: &mut Writer, order: &[Id], rows: &[TicketRow], counts: ListCounts) {
    json.key("order").list();
    for id in order {
        json.text(&id.text());
    }
    json.end_list().key("rows").list();
    for changed in rows {
        row(json.object(), changed);
        json.end_object();
    }
    json.end_list().key("counts").object();
    for (name, count) in [
        ("mine", counts.mine),
        ("unassigned", counts.unassigned),
        ("open", counts.open),
        ("resolved", counts.resolved),
    ] {
        json.key(name).unsigned(count);
    }
    json.end_object();
}

fn row(json: &mut Writer, row: &TicketRow) {
    key_id(json, "id", row.id);
    json.key("rev").unsigned(row.rev);
    key_id(json, "site", row.site);
    json.key("state").text(words::ticket(row.state));
    if let Some(assignee) = row.assignee {
        key_id(json, "assignee", assignee);
    }
    json.key("position")
        .unsigned(row.position)
        .key("at")
        .signed(row.at)
        .key("html")
        .text(&row.html);
}

fn key_id(json: &mut Writer, name: &str, id: Id) {
    json.key(name).text(&id.text());
}
