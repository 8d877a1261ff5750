//! The brain for the dashboard's script: the same conversation machine as the widget's, with the
//! server's fragments instead of runs, and without any page of its own.
//!
//! ```js
//! import init, {Desk} from "./desk.js";
//! await init({module_or_path: "./desk.wasm"});
//! const desk = new Desk(change => …, "parlour-desk:" + agentId);
//! desk.start("wss://chat.example.com/socket");
//! ```
//!
//! `new Desk(callback, key)`: `callback` gets each change as one plain object, after the method that
//! caused it has done its work, so it may call any method. `key` is where messages that the server has
//! not acknowledged are kept in localStorage; one per agent, so that nobody sends another's.
//!
//! Ids are UUIDs as strings, `seq` and `rev` numbers, `at` microseconds since 1970 (below 2^53).
//! A `person` is `{id, role: "agent"|"visitor"|"system", name}`.
//!
//! # Methods
//! - `prefer(transport)`: before `start`: what got through a moment ago, as in a `link` change.
//! - `start(url)`: connects; also after `stop`, and after the link has `stopped`.
//! - `stop()`: closes; windows and outbox stay. For `pagehide`.
//! - `token(jwt)`, `failed(code)`: the answer to a change of kind `token`. `code` is a close code: 1006
//!   tries again, 4401 stops (signed out), 4403 stops.
//! - `join(room)`, `leave(room)`: the rooms on screen.
//! - `send(room, text)`: puts a message into the outbox and returns its `cid`. Throws `"empty"`, `"too_long"`
//!   or `"full"` (a string), and then nothing was taken.
//! - `retry(cid)`: sends a failed one again; one of the code `unseen` (a colleague has answered meanwhile)
//!   anyway, so call it when the colleague's answer is on screen. `discard(cid)`: takes a failed or waiting one out; returns its
//!   text, or undefined.
//! - `typing(room, on)`: at each key stroke; sent at most every 3 s, and off by itself.
//! - `seen(room, seq)`: on screen in a visible, focused window. `delivered(room, seq)`: for rows of rooms that
//!   are not joined.
//! - `older(room)`: loads the page before the window.
//! - `list(text)`: which list is on screen; `JSON.stringify({state, assigned, site, rows: [{id, rev}]})`,
//!   `site` may be absent; an empty text when none is. `rows(text)`: what is on screen after a merge;
//!   `JSON.stringify([{id, rev}])`.
//! - `active(on)`: whether the agent is there. `online()`: try to connect now.
//! - `room(room)`: a snapshot, `undefined` if it is not known: the object of a `room` change, and
//!   `entries: [event…]`, oldest first, each as in an `event` change.
//! - `me()`: the own `person`, undefined before the first welcome.
//! - `forget()`: stops, and removes the outbox from storage. For signing out.
//! - `free()`: drops everything.
//!
//! # Changes, by `kind`
//! - `token` `{}`: get a token (`POST /api/v1/token`) and call `token(jwt)` or `failed(code)`.
//! - `link` `{link: "idle"|"connecting"|"live"|"waiting"|"stopped", wait, code, transport}`: `wait` milliseconds
//!   until the next attempt (only `waiting`), `code` the close code (only `stopped`), `transport` what carries
//!   the connection: 0 a WebSocket, 1 a stream, 2 polls.
//! - `welcome` `{me, people: [{who: person, state: "online"|"away"|"offline"}], rooms: [{room, kind, position,
//!   ticket}], limit}`: `kind` is `public|staff|direct|team`, `ticket` its state or absent, `limit` the
//!   characters of a message. `rooms` `{rooms}`: the same list, changed.
//! - `room` `{room, live, gone, more, loading, position, unread, first, last, ticket, marks: [{member, delivered,
//!   read}], ticks, people, typing: [person], pending: [{cid, text, state: "waiting"|"sending"|"failed", code}]}`: the
//!   window, the outbox or the state changed. `first` and `last` are the window's sequence numbers (0 if it is
//!   empty): where they differ from what is on screen, take the entries from `room(room)`. `gone`: not known,
//!   or not for this agent (any more).
//! - `event` `{room, seq, cid, at, rev, author: person, body: "text"|"note"|"happened"|"deleted", what, whom,
//!   html, own, tick}`: one entry was appended or replaced, live; the pending message of the same `cid` is
//!   gone. `what` (only `happened`) is `resolved|reopened|assigned|unassigned|
//!   pending|snoozed|woke|added|removed|unknown`; `tick`
//!   (only own) is `sent|delivered|read`.
//! - `marks` `{room, marks, unread, ticks: [{cid, tick}]}`: the own messages of the window, and how far each is.
//! - `typing` `{room, who: [person]}`: the others who type, all of them.
//! - `presence` `{who, state}`.
//! - `list` `{order: [id], rows: [row], counts: {mine, unassigned, open, resolved}}`: the page as it must be;
//!   `rows` only what differs. `row` `{id, rev, site, state, assignee, position, at, html}`: a ticket changed.
//! - `error` `{code, room, cid}`: the server refused something; `room` and `cid` may be absent.

use crate::action::{Action, Post};
use crate::clock::{new_id, now};
use crate::driver::Driver;
use crate::js::{Js, parse};
use crate::socket::Wire;
use crate::storage::Store;
use parlour_protocol::Id;
use parlour_protocol::client::{Link, Output, SendError, Transport};
use parlour_protocol::codec::json::{self, Value, Writer};
use parlour_protocol::frame::{ListQuery, RowRev, TicketState, View};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

mod words;
mod write;

/// The brain of an agent's page. See the module's text for methods and changes.
#[wasm_bindgen]
pub struct Desk {
    inner: Rc<Inner>,
}

struct Inner {
    state: RefCell<State>,
    /// What came while the state was in use: handled right after.
    waiting: RefCell<VecDeque<Wire>>,
    busy: Cell<bool>,
    callback: Js,
}

struct State {
    driver: Driver,
    store: Store,
    url: String,
    changes: Vec<JsValue>,
}

#[wasm_bindgen]
impl Desk {
    /// A desk that is idle, with what an earlier page has left in storage under `key`.
    #[wasm_bindgen(constructor)]
    pub fn new(callback: JsValue, key: &str) -> Self {
        let inner = Rc::new_cyclic(|weak: &Weak<Inner>| {
            let weak = weak.clone();
            let post = Post::new(move |action| {
                if let (Some(inner), Action::Wire(wire)) = (weak.upgrade(), action) {
                    inner.hear(wire);
                }
            });
            let mut store = Store::open(key);
            store.enable();
            let mut driver = Driver::new(View::Html, post);
            driver.brain.restore(store.saved(), now());
            let state = State {
                driver,
                store,
                url: String::new(),
                changes: Vec::new(),
            };
            Inner {
                state: RefCell::new(state),
                waiting: RefCell::default(),
                busy: Cell::new(false),
                callback: callback.unchecked_into(),
            }
        });
        Self { inner }
    }

    /// Begins with what got through a moment ago: 1 a stream, 2 polls.
    pub fn prefer(&self, transport: u8) {
        let transport = match transport {
            0 => Transport::WebSocket,
            1 => Transport::Stream,
            _ => Transport::Poll,
        };
        self.with(|state| state.driver.brain.prefer(transport));
    }

    /// Connects to the socket at `url`.
    pub fn start(&self, url: String) {
        self.with(|state| {
            state.url = url;
            state.driver.brain.start(now());
        });
    }

    /// Closes the connection.
    pub fn stop(&self) {
        self.with(|state| state.driver.brain.stop(now()));
    }

    /// The token that was asked for.
    pub fn token(&self, token: String) {
        self.with(|state| {
            if state.driver.brain.link() == Link::Live {
                state.driver.brain.renewed(token, now());
            } else {
                state.driver.connect(&state.url, &token);
            }
        });
    }

    /// There is no token, for a reason that a close code stands for.
    pub fn failed(&self, code: u16) {
        self.with(|state| {
            if state.driver.brain.link() != Link::Live {
                state.driver.brain.closed(now(), code);
            }
        });
    }

    /// Joins a room, and keeps it joined.
    pub fn join(&self, room: &str) {
        self.room_with(room, |state, room| state.driver.brain.join(room, now()));
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        self.room_with(room, |state, room| state.driver.brain.leave(room, now()));
    }

    /// Puts a message into the outbox; returns its id.
    ///
    /// # Errors
    /// `"empty"`, `"too_long"` or `"full"`.
    pub fn send(&self, room: &str, text: String) -> Result<String, JsValue> {
        let room = Id::parse(room).ok_or("empty")?;
        let cid = new_id();
        self.with(|state| state.driver.brain.send(room, cid, text, None, now()))
            .map_err(|error| match error {
                SendError::Empty => "empty",
                SendError::TooLong => "too_long",
                SendError::Full => "full",
            })?;
        Ok(cid.text())
    }

    /// Sends a failed message again.
    pub fn retry(&self, cid: &str) {
        self.room_with(cid, |state, cid| state.driver.brain.retry(cid, now()));
    }

    /// Takes a failed or waiting message out of the outbox; gives its text back.
    pub fn discard(&self, cid: &str) -> Option<String> {
        let cid = Id::parse(cid)?;
        self.with(|state| state.driver.brain.discard(cid))
    }

    /// The agent types, or has stopped.
    pub fn typing(&self, room: &str, on: bool) {
        self.room_with(room, |state, room| {
            state.driver.brain.typing(room, on, now());
        });
    }

    /// The agent has seen the room up to this entry.
    pub fn seen(&self, room: &str, seq: f64) {
        self.room_with(room, |state, room| {
            state.driver.brain.seen(room, seq as u64, now());
        });
    }

    /// The agent's page has received the room up to this entry.
    pub fn delivered(&self, room: &str, seq: f64) {
        self.room_with(room, |state, room| {
            state.driver.brain.delivered(room, seq as u64, now());
        });
    }

    /// Loads older entries.
    pub fn older(&self, room: &str) {
        self.room_with(room, |state, room| state.driver.brain.older(room, now()));
    }

    /// Says which list is on screen.
    pub fn list(&self, text: &str) {
        let value = json::parse(text).unwrap_or(Value::Null);
        let text = |name| value.get(name).and_then(Value::text);
        let query = text("state").map(|state| ListQuery {
            state: words::ticket_from(state).unwrap_or(TicketState::Open),
            assigned: text("assigned").unwrap_or("all").to_owned(),
            site: text("site").and_then(Id::parse),
        });
        let rows = value.get("rows").map(revs).unwrap_or_default();
        self.with(|state| state.driver.brain.list(query, rows, now()));
    }

    /// Says what is on screen after a merge.
    pub fn rows(&self, text: &str) {
        let rows = json::parse(text)
            .map(|value| revs(&value))
            .unwrap_or_default();
        self.with(|state| state.driver.brain.list_rows(rows));
    }

    /// Whether the agent is there.
    pub fn active(&self, on: bool) {
        self.with(|state| state.driver.brain.active(on, now()));
    }

    /// Connects now, if it is not.
    pub fn online(&self) {
        self.with(|state| state.driver.brain.online(now()));
    }

    /// A snapshot of a room with its entries; undefined if it is not known.
    pub fn room(&self, room: &str) -> JsValue {
        let Some(id) = Id::parse(room) else {
            return JsValue::UNDEFINED;
        };
        let state = self.inner.state.borrow();
        let brain = &state.driver.brain;
        let mut json = Writer::new();
        json.object();
        if !write::room(&mut json, brain, id, true) {
            return JsValue::UNDEFINED;
        }
        json.end_object();
        parse(&json.finish())
    }

    /// The own person; undefined before the first welcome.
    pub fn me(&self) -> JsValue {
        let state = self.inner.state.borrow();
        let Some(me) = state.driver.brain.me() else {
            return JsValue::UNDEFINED;
        };
        let mut json = Writer::new();
        write::person(&mut json, me);
        parse(&json.finish())
    }

    /// Stops, and forgets what is in storage.
    pub fn forget(&self) {
        self.with(|state| {
            state.driver.brain.stop(now());
            state.store.forget();
        });
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        let result = action(&mut self.inner.state.borrow_mut());
        self.inner.settle();
        result
    }

    fn room_with(&self, id: &str, action: impl FnOnce(&mut State, Id)) {
        if let Some(id) = Id::parse(id) {
            self.with(|state| action(state, id));
        }
    }
}

impl Inner {
    fn hear(&self, wire: Wire) {
        self.waiting.borrow_mut().push_back(wire);
        self.settle();
    }

    /// Handles what waits, does what the brain wants, then tells the page. The page may call back
    /// in: then there is more to handle, and the loop goes round once more.
    fn settle(&self) {
        if self.busy.replace(true) {
            return;
        }
        loop {
            let wire = self.waiting.borrow_mut().pop_front();
            let more = wire.is_some();
            let changes = {
                let mut state = self.state.borrow_mut();
                if let Some(wire) = wire {
                    state.driver.receive(wire);
                }
                state.drain();
                std::mem::take(&mut state.changes)
            };
            if !more && changes.is_empty() {
                break;
            }
            for change in changes {
                if let Err(error) = self.callback.call(&JsValue::UNDEFINED, &change) {
                    report(&error);
                }
            }
        }
        self.busy.set(false);
    }
}

impl State {
    fn drain(&mut self) {
        while let Some(output) = self.driver.next() {
            match output {
                // A token serves one connection, so each attempt asks for a new one.
                Output::Connect => self.tell("token", |_| {}),
                Output::Renew => {
                    if self.driver.brain.link() == Link::Live {
                        self.tell("token", |_| {});
                    }
                }
                Output::Save(pending) => self.store.save(&pending),
                Output::Unsave(cid) => self.store.unsave(cid),
                Output::SaveEpoch(epoch) => self.store.set_epoch(epoch),
                Output::Changed(change) => self.changed(change),
                Output::Transmit(_) | Output::Close(_) => {}
            }
        }
    }

    fn tell(&mut self, kind: &str, fields: impl FnOnce(&mut Writer)) {
        let mut json = Writer::new();
        json.object().key("kind").text(kind);
        fields(&mut json);
        json.end_object();
        self.changes.push(parse(&json.finish()));
    }
}

#[wasm_bindgen]
extern "C" {
    // As an uncaught error, so that whoever writes the script sees it.
    #[wasm_bindgen(js_name = reportError)]
    fn report(error: &JsValue);
    #[wasm_bindgen(method, catch)]
    fn call(this: &Js, on: &JsValue, change: &JsValue) -> Result<JsValue, JsValue>;
}

fn revs(rows: &Value<'_>) -> Vec<RowRev> {
    let rows = rows.items().iter();
    rows.filter_map(|row| {
        let id = Id::parse(row.get("id")?.text()?)?;
        Some(RowRev {
            id,
            rev: row.get("rev")?.unsigned()?,
        })
    })
    .collect()
}
