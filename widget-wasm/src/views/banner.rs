//! What there is to say about the connection.

use crate::js::Js;
use crate::lang::Lang;
use crate::node::{add, add_button};

/// A strip over the messages while the connection is not as it should be.
pub(crate) struct Banner {
    root: Js,
    words: Js,
    attempt: Js,
    /// The key of the words.
    shown: &'static str,
}

impl Banner {
    pub(crate) fn new(body: &Js) -> Self {
        // The region is there before its words are: otherwise they would not be read out.
        let region = add(body, "div", "");
        region.set_attribute("role", "status");
        let root = add(&region, "div", "banner");
        root.set_hidden(true);
        let words = add(&root, "span", "");
        let attempt = add_button(&root, "link", "attempt");
        Self {
            root,
            words,
            attempt,
            shown: "",
        }
    }

    /// Forgets what is shown, so that it is written anew in another language.
    pub(crate) fn translate(&mut self, lang: &Lang) {
        self.attempt.set_text(lang.get("attempt"));
        self.shown = "";
    }

    /// Shows the words for this key; an empty one hides the strip.
    pub(crate) fn show(&mut self, lang: &Lang, key: &'static str) {
        if key != self.shown {
            self.shown = key;
            self.words.set_text(lang.get(key));
            self.attempt.set_hidden(key != "lost");
        }
        self.root.set_hidden(key.is_empty());
    }
}
