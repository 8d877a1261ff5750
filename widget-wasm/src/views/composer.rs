//! Where the visitor writes.

use crate::action::{Action, Post};
use crate::js::Js;
use crate::lang::{Lang, digits};
use crate::listener::Listener;
use crate::node::{add, add_button, add_icon};

/// From this many characters before the limit on, it is shown.
const NEAR: usize = 500;
/// The code of every key while an input method composes, Enter included.
const COMPOSING: u32 = 229;

/// The text field with its button.
pub(crate) struct Composer {
    field: Js,
    send: Js,
    count: Js,
    _listeners: [Listener; 2],
}

impl Composer {
    pub(crate) fn new(panel: &Js, post: &Post) -> Self {
        let root = add(panel, "div", "composer");
        let row = add(&root, "div", "field");
        let field = add(&row, "textarea", "");
        for (name, value) in [
            ("rows", "1"),
            ("dir", "auto"),
            ("enterkeyhint", "send"),
            ("aria-describedby", "count"),
        ] {
            field.set_attribute(name, value);
        }
        let send = add_button(&row, "send", "send");
        add_icon(&send, "M4 12 20 4l-5 16-4-7-7-1Z");
        let count = add(&root, "p", "count");
        count.set_attribute("id", "count");
        count.set_attribute("role", "status");
        let listeners = [
            Listener::new(&field, "input", post, |_, post| post.send(Action::Typed)),
            Listener::new(&field, "keydown", post, |event, post| {
                let enter = event.key().as_deref() == Some("Enter") && !event.shift_key();
                if enter && event.key_code() != COMPOSING {
                    event.prevent_default();
                    post.send(Action::Submit);
                }
            }),
        ];
        Self {
            field,
            send,
            count,
            _listeners: listeners,
        }
    }

    pub(crate) fn translate(&self, lang: &Lang) {
        self.field.set_attribute("aria-label", lang.get("write"));
        self.field.set_attribute("placeholder", lang.get("write"));
        self.send.set_attribute("aria-label", lang.get("send"));
    }

    pub(crate) fn text(&self) -> String {
        self.field.value()
    }

    pub(crate) fn set_text(&self, text: &str) {
        self.field.set_value(text);
    }

    pub(crate) fn focus(&self) {
        self.field.focus();
    }

    /// Fits the field to its text, and says how much more may be written.
    pub(crate) fn show(&self, lang: &Lang, limit: usize, full: bool) {
        let style = self.field.style();
        style.set_property("height", "auto");
        let height = digits(self.field.scroll_height() as u64) + "px";
        style.set_property("height", &height);

        let text = self.field.value();
        let length = text.chars().count();
        let over = length > limit;
        let words = if full {
            lang.get("full").to_owned()
        } else if over {
            lang.fill("over", &digits((length - limit) as u64))
        } else if length + NEAR > limit {
            lang.fill("left", &digits((limit - length) as u64))
        } else {
            String::new()
        };
        self.count.set_text(&words);
        self.count.set_hidden(words.is_empty());
        self.count
            .set_class(if over || full { "count over" } else { "count" });
        self.field
            .set_attribute("aria-invalid", if over { "true" } else { "false" });
        self.send.set_disabled(over || text.trim_ascii().is_empty());
    }
}
