//! Who answers, and whether somebody is there.

use crate::js::Js;
use crate::lang::Lang;
use crate::node::{add, add_button, add_icon};

/// The panel's head.
pub(crate) struct Header {
    faces: Js,
    name: Js,
    state: Js,
    words: Js,
    close: Js,
    shown: String,
}

impl Header {
    pub(crate) fn new(panel: &Js) -> Self {
        let root = add(panel, "header", "head");
        let faces = add(&root, "div", "faces");
        faces.set_attribute("aria-hidden", "true");
        let middle = add(&root, "div", "title");
        let name = add(&middle, "h2", "");
        name.set_attribute("id", "name");
        name.set_attribute("dir", "auto");
        let state = add(&middle, "p", "");
        add(&state, "span", "dot");
        let words = add(&state, "span", "");
        let close = add_button(&root, "icon", "close");
        add_icon(&close, "m6 9 6 6 6-6");
        Self {
            faces,
            name,
            state,
            words,
            close,
            shown: String::new(),
        }
    }

    pub(crate) fn translate(&mut self, lang: &Lang, name: &str) {
        self.name.set_text(if name.is_empty() {
            lang.get("team")
        } else {
            name
        });
        self.close.set_attribute("aria-label", lang.get("close"));
    }

    /// Shows whether somebody is there, and nothing where that is not known: what there is to say
    /// about the connection stands in the banner. And the first letters of who is.
    pub(crate) fn show(&mut self, lang: &Lang, here: Option<bool>, initials: &str) {
        self.state.set_hidden(here.is_none());
        if let Some(here) = here {
            let (class, key) = if here { ("on", "here") } else { ("", "away") };
            self.state.set_class(class);
            self.words.set_text(lang.get(key));
        }
        self.faces.set_hidden(initials.is_empty());
        if self.shown != initials {
            self.shown = String::from(initials);
            self.faces.set_text("");
            for initial in initials.chars() {
                add(&self.faces, "span", "").set_text(initial.encode_utf8(&mut [0; 4]));
            }
        }
    }
}
