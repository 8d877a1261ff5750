//! Where the visitor writes.

use crate::action::{Action, Post};
use crate::lang::{Lang, digits};
use crate::listener::Listener;
use crate::node::{add, add_button, add_icon, set, write};
use wasm_bindgen::JsCast;
use web_sys::{FocusOptions, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

/// From this many characters before the limit on, it is shown.
const NEAR: usize = 500;
/// What a browser calls a key while an input method composes, also where `isComposing` is late.
const COMPOSING: u32 = 229;

/// The text field with its button.
pub(crate) struct Composer {
    field: HtmlTextAreaElement,
    send: HtmlElement,
    count: HtmlElement,
    _listeners: [Listener; 2],
}

impl Composer {
    pub(crate) fn new(panel: &HtmlElement, post: &Post) -> Self {
        let root = add(panel, "div", "composer");
        let row = add(&root, "div", "field");
        let field: HtmlTextAreaElement = add(&row, "textarea", "").unchecked_into();
        for (name, value) in [
            ("rows", "1"),
            ("dir", "auto"),
            ("enterkeyhint", "send"),
            ("aria-describedby", "count"),
        ] {
            set(&field, name, value);
        }
        let send = add_button(&row, "send", "send");
        add_icon(&send, "M4 12 20 4l-5 16-4-7-7-1Z");
        let count = add(&root, "p", "count");
        set(&count, "id", "count");
        set(&count, "role", "status");
        let (typed, keys) = (post.clone(), post.clone());
        let listeners = [
            Listener::new(&field, "input", move |_| typed.send(Action::Typed)),
            Listener::new(&field, "keydown", move |event| {
                let key: &KeyboardEvent = event.unchecked_ref();
                let composing = key.is_composing() || key.key_code() == COMPOSING;
                if key.key() == "Enter" && !key.shift_key() && !composing {
                    event.prevent_default();
                    keys.send(Action::Submit);
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
        set(&self.field, "aria-label", lang.get("write"));
        set(&self.field, "placeholder", lang.get("write"));
        set(&self.send, "aria-label", lang.get("send"));
    }

    pub(crate) fn text(&self) -> String {
        self.field.value()
    }

    pub(crate) fn set_text(&self, text: &str) {
        self.field.set_value(text);
    }

    pub(crate) fn focus(&self) {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = self.field.focus_with_options(&options);
    }

    /// Fits the field to its text, and says how much more may be written.
    pub(crate) fn show(&self, lang: &Lang, limit: usize, full: bool) {
        let style = self.field.style();
        let _ = style.set_property("height", "auto");
        let height = digits(self.field.scroll_height().max(0) as u64) + "px";
        let _ = style.set_property("height", &height);

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
        write(&self.count, &words);
        self.count.set_hidden(words.is_empty());
        self.count
            .set_class_name(if over || full { "count over" } else { "count" });
        set(
            &self.field,
            "aria-invalid",
            if over { "true" } else { "false" },
        );
        let _ = self
            .send
            .toggle_attribute_with_force("disabled", over || text.trim().is_empty());
    }
}
