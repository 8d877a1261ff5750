//! Who answers, and whether somebody is there.

use crate::lang::Lang;
use crate::node::{add, add_button, add_icon, set, write};
use web_sys::HtmlElement;

/// The panel's head.
pub(crate) struct Header {
    faces: HtmlElement,
    name: HtmlElement,
    state: HtmlElement,
    words: HtmlElement,
    close: HtmlElement,
    shown: Vec<String>,
}

impl Header {
    pub(crate) fn new(panel: &HtmlElement) -> Self {
        let root = add(panel, "header", "head");
        let faces = add(&root, "div", "faces");
        set(&faces, "aria-hidden", "true");
        let middle = add(&root, "div", "");
        let name = add(&middle, "h2", "");
        set(&name, "id", "name");
        set(&name, "dir", "auto");
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
            shown: Vec::new(),
        }
    }

    pub(crate) fn translate(&mut self, lang: &Lang, name: &str) {
        write(
            &self.name,
            if name.is_empty() {
                lang.get("team")
            } else {
                name
            },
        );
        set(&self.close, "aria-label", lang.get("close"));
    }

    /// Shows whether somebody is there, which nobody knows before the server has told; and the
    /// first letters of who is.
    pub(crate) fn show(&mut self, lang: &Lang, here: Option<bool>, names: &[&str]) {
        let key = match here {
            Some(true) => "here",
            Some(false) => "away",
            None => "",
        };
        self.state.set_hidden(here.is_none());
        self.state
            .set_class_name(if here == Some(true) { "on" } else { "" });
        write(&self.words, lang.get(key));
        if self.shown != names {
            self.shown = names.iter().map(|name| (*name).to_owned()).collect();
            self.faces.set_text_content(None);
            for name in names {
                let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
                write(&add(&self.faces, "span", ""), &initial);
            }
        }
        self.faces.set_hidden(names.is_empty());
    }
}
