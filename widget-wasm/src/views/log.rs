//! The conversation: its lines, its scrolling, and who is typing.

use super::{Words, bubble::Row};
use crate::action::{Action, Post};
use crate::js::Js;
use crate::lang::Lang;
use crate::lines::{Key, Line};
use crate::listener::Listener;
use crate::node::{add, add_button};
use crate::timer::Timer;
use parlour_protocol::client::Room;

/// Who reads within this many pixels of the bottom is taken along by new messages.
const NEAR: f64 = 64.0;
/// Within this many pixels of the top, older messages are loaded.
const TOP: f64 = 240.0;
/// Lines that were there before are not read out: for so long (milliseconds) after they were drawn.
const QUIET: u64 = 1_000;

/// The messages.
pub(crate) struct Log {
    scroll: Js,
    older: Js,
    hello: Js,
    list: Js,
    typing: Js,
    typist: Js,
    pill: Js,
    rows: Vec<Row>,
    /// Whether the reader is at the bottom and stays there.
    near: bool,
    more: bool,
    loading: bool,
    post: Post,
    quiet: Option<Timer>,
    _scrolled: Listener,
}

impl Log {
    pub(crate) fn new(body: &Js, post: &Post) -> Self {
        let scroll = add(body, "div", "scroll");
        // A scrolling area must be reachable by keyboard.
        scroll.set_attribute("tabindex", "0");
        scroll.set_attribute("role", "group");
        let older = add(&scroll, "p", "older");
        let hello = add(&scroll, "p", "hello");
        hello.set_attribute("dir", "auto");
        let list = add(&scroll, "div", "log");
        list.set_attribute("role", "log");
        // Ticks change all the time, and are no news.
        list.set_attribute("aria-relevant", "additions");
        let typing = add(&scroll, "p", "typing");
        let dots = add(&typing, "span", "dots");
        for _ in 0..3 {
            add(&dots, "i", "");
        }
        let typist = add(&typing, "span", "");
        typing.set_hidden(true);
        let pill = add_button(body, "pill", "newest");
        pill.set_hidden(true);
        let scrolled = Listener::new(&scroll, "scroll", post, |_, post| {
            post.send(Action::Scrolled);
        });
        Self {
            scroll,
            older,
            hello,
            list,
            typing,
            typist,
            pill,
            rows: Vec::new(),
            near: true,
            more: false,
            loading: false,
            post: post.clone(),
            quiet: None,
            _scrolled: scrolled,
        }
    }

    /// Writes the words that stay; the others are written anew when the lines are drawn.
    pub(crate) fn translate(&mut self, lang: &Lang, greeting: &str) {
        self.scroll.set_attribute("aria-label", lang.get("log"));
        self.older.set_text(lang.get("loading"));
        self.hello.set_text(if greeting.is_empty() {
            lang.get("empty")
        } else {
            greeting
        });
        self.pill.set_text(lang.get("new"));
        for row in self.rows.drain(..) {
            row.node.remove();
        }
    }

    /// Draws the room; none is a conversation that has not begun.
    pub(crate) fn show(&mut self, room: Option<&Room>, lines: &[Line<'_>], words: &Words<'_>) {
        let anchor = self
            .rows
            .iter()
            .find(|row| matches!(row.key, Key::Entry(_)));
        let anchor = anchor.map(|row| (row.node.clone(), row.node.offset_top()));
        let top = self.scroll.scroll_top();
        self.more = room.is_some_and(Room::more);
        self.loading = room.is_some_and(Room::loading);
        self.older.set_hidden(!self.loading);
        self.hello.set_hidden(
            self.more || room.is_some_and(|room| room.position() > 0 && room.entries().is_empty()),
        );
        self.merge(lines, words);
        let typist = room.and_then(|room| room.typing().first());
        self.typing.set_hidden(typist.is_none());
        if let Some(typist) = typist {
            let name = if typist.name.is_empty() {
                words.lang.get("team")
            } else {
                &typist.name
            };
            self.typist.set_text(&words.lang.fill("typing", name));
        }
        if self.near {
            self.settle();
        } else if let Some((node, before)) = anchor {
            // Lines that came above push those on screen down: they are held where they were.
            let moved = node.offset_top() - before;
            if moved != 0.0 {
                self.scroll.set_scroll_top(top + moved);
            }
        }
    }

    /// Makes the rows on the page those of `lines`, keeping the nodes of lines that stay. From the
    /// bottom up: there it is one line that comes, mostly, and further up nothing.
    fn merge(&mut self, lines: &[Line<'_>], words: &Words<'_>) {
        let mut old = std::mem::take(&mut self.rows);
        let mut above = old.is_empty() && !lines.is_empty();
        let mut met = false;
        let mut below: Option<Js> = None;
        for line in lines.iter().rev() {
            let row = match old.iter().rposition(|row| row.key == line.key) {
                Some(at) => {
                    met = true;
                    let mut row = old.remove(at);
                    row.update(line, words);
                    row
                }
                None => {
                    above |= met;
                    Row::new(line, words)
                }
            };
            if !row.node.is_connected() || row.node.next_sibling() != below {
                self.list.insert_before(&row.node, below.as_ref());
            }
            below = Some(row.node.clone());
            self.rows.push(row);
        }
        self.rows.reverse();
        for row in old {
            row.node.remove();
        }
        if above {
            self.hush();
        }
    }

    /// Lets old lines in without having them read out.
    fn hush(&mut self) {
        self.list.set_attribute("aria-live", "off");
        self.quiet = Some(Timer::after(QUIET, &self.post, |_, post| {
            post.send(Action::Quiet);
        }));
    }

    /// The old lines are in: what comes now is news.
    pub(crate) fn speak(&self) {
        self.list.set_attribute("aria-live", "polite");
    }

    /// Stays at the bottom if the reader is there.
    pub(crate) fn settle(&self) {
        if self.near {
            self.scroll.set_scroll_top(self.scroll.scroll_height());
        }
    }

    /// Goes to the bottom.
    pub(crate) fn follow(&mut self) {
        self.near = true;
        self.pill.set_hidden(true);
        self.settle();
    }

    /// Somebody else's message has come.
    pub(crate) fn announce_new(&self) {
        self.pill.set_hidden(self.near);
    }

    /// The reader has scrolled.
    pub(crate) fn scrolled(&mut self) {
        let scroll = &self.scroll;
        self.near = scroll.scroll_height() - scroll.scroll_top() - scroll.client_height() <= NEAR;
        if self.near {
            self.pill.set_hidden(true);
        }
    }

    /// Whether the reader has come close to the oldest message that is loaded.
    pub(crate) fn wants_older(&self) -> bool {
        self.more && !self.loading && self.scroll.scroll_top() < TOP
    }

    /// The newest message that can be seen, by its number; 0 if there is none.
    pub(crate) fn seen(&self) -> u64 {
        let bottom = self.scroll.scroll_top() + self.scroll.client_height();
        let mut rows = self.rows.iter().rev().filter(|row| row.seq > 0);
        rows.find(|row| row.node.offset_top() + 24.0 <= bottom)
            .map_or(0, |row| row.seq)
    }
}
