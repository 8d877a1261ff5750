//! One line of the conversation: a message, a day, or something that happened.

use super::Words;
use crate::js::Js;
use crate::lines::{Foot, Key, Line, Message, Text, What};
use crate::node::{add, add_button, add_icon, make};
use crate::text;
use parlour_protocol::client::Tick;
use parlour_protocol::frame::ErrorCode;

const CLOCK: &str = "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18";
const ONE: &str = "m5 13 4 4 10-10";
const TWO: &str = "m2 13 4 4 10-10M12 17l10-10";
const ALERT: &str = "M12 7v6M12 16.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18";

/// A line and its nodes. It stays the same from the moment a message is typed until it is read.
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) seq: u64,
    pub(crate) node: Js,
    /// None on a line that has only words.
    parts: Option<Parts>,
    class: &'static str,
}

struct Parts {
    who: Js,
    bubble: Js,
    foot: Js,
    /// Of what the bubble says; 0 before it says something.
    print: u64,
    below: (Foot, i64),
}

impl Row {
    /// Draws a line that was not there before.
    pub(crate) fn new(line: &Line<'_>, words: &Words<'_>) -> Self {
        let mut row = Self {
            key: line.key,
            seq: line.seq,
            node: make("div", ""),
            parts: None,
            class: "",
        };
        if let Key::Entry(cid) = line.key {
            row.node.set_attribute("data-cid", &cid.text());
        }
        if matches!(line.what, What::Message(_)) {
            let who = add(&row.node, "span", "who");
            who.set_attribute("dir", "auto");
            let bubble = add(&row.node, "div", "bubble");
            bubble.set_attribute("dir", "auto");
            let foot = add(&row.node, "div", "meta");
            row.parts = Some(Parts {
                who,
                bubble,
                foot,
                print: 0,
                below: (Foot::Nothing, 0),
            });
        }
        row.update(line, words);
        row
    }

    /// Draws what has changed of it.
    pub(crate) fn update(&mut self, line: &Line<'_>, words: &Words<'_>) {
        self.seq = line.seq;
        let class = match &line.what {
            What::Day => "day",
            What::Note(_) => "note",
            What::Message(message) => class(message),
        };
        if class != self.class {
            self.class = class;
            self.node.set_class(class);
        }
        match (&line.what, &mut self.parts) {
            (What::Day, _) => self.node.set_text(&day(line, words)),
            (What::Note(key), _) => self.node.set_text(words.lang.get(key)),
            (What::Message(message), Some(parts)) => parts.update(message, line.at, words),
            (What::Message(_), None) => {}
        }
    }
}

impl Parts {
    fn update(&mut self, message: &Message<'_>, at: i64, words: &Words<'_>) {
        let shown = message.first && message.author.is_some();
        self.who.set_class(if shown { "who" } else { "who sr" });
        let name = message.author.unwrap_or(words.lang.get("you"));
        let name = if name.is_empty() {
            words.lang.get("team")
        } else {
            name
        };
        if self.print == 0 {
            self.who.set_text(name);
        }
        let plain = match message.text {
            Text::Runs(_) => "",
            Text::Typed(text) => text,
            Text::Deleted => words.lang.get("gone"),
        };
        // Drawn again only if it says something else: a screen reader would read it again.
        let print = match message.text {
            Text::Runs(runs) => text::print(runs),
            _ => text::print_plain(plain),
        };
        if self.print != print {
            self.print = print;
            self.bubble.set_text(plain);
            if let Text::Runs(runs) = message.text {
                text::fill(&self.bubble, runs);
            }
        }
        if self.below != (message.foot, at) {
            self.below = (message.foot, at);
            self.foot(message.foot, at, words);
        }
    }

    fn foot(&self, foot: Foot, at: i64, words: &Words<'_>) {
        let (icon, key) = match foot {
            Foot::Nothing | Foot::Time => ("", ""),
            Foot::Waiting => (CLOCK, "waiting"),
            Foot::Sending => (CLOCK, "sending"),
            Foot::Tick(Tick::Sent) => (ONE, "sent"),
            Foot::Tick(Tick::Delivered) => (TWO, "delivered"),
            Foot::Tick(Tick::Read) => (TWO, "read"),
            Foot::Failed(ErrorCode::TooFast) => (ALERT, "toofast"),
            Foot::Failed(_) => (ALERT, "refused"),
        };
        self.foot.set_text("");
        self.foot.set_hidden(foot == Foot::Nothing);
        if !icon.is_empty() {
            add_icon(&self.foot, icon);
        }
        let mut text = String::from(words.lang.get(key));
        if at != 0 && foot != Foot::Nothing {
            if !text.is_empty() {
                text.push_str(" · ");
            }
            text.push_str(&words.times.hour(at));
        }
        add(&self.foot, "span", "").set_text(&text);
        if let Foot::Failed(_) = foot {
            for verb in ["retry", "discard"] {
                add_button(&self.foot, "link", verb).set_text(words.lang.get(verb));
            }
        }
    }
}

fn class(message: &Message<'_>) -> &'static str {
    match (message.author, message.foot, message.text, message.first) {
        (None, Foot::Failed(_), _, true) => "row own failed first",
        (None, Foot::Failed(_), _, false) => "row own failed",
        (None, _, Text::Deleted, _) => "row own gone",
        (None, Foot::Tick(Tick::Read), _, true) => "row own read first",
        (None, Foot::Tick(Tick::Read), _, false) => "row own read",
        (None, _, _, true) => "row own first",
        (None, _, _, false) => "row own",
        (Some(_), _, Text::Deleted, _) => "row gone",
        (Some(_), _, _, true) => "row first",
        (Some(_), _, _, false) => "row",
    }
}

fn day(line: &Line<'_>, words: &Words<'_>) -> String {
    let Key::Day(day) = line.key else {
        return String::new();
    };
    match words.today - day {
        0 => words.lang.get("today").to_owned(),
        1 => words.lang.get("yesterday").to_owned(),
        _ => words.times.day(line.at),
    }
}
