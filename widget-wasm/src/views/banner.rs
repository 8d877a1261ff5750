//! What there is to say about the connection.

use crate::js::Js;
use crate::lang::Lang;
use crate::node::{add, add_button};

/// A strip over the messages while the connection is not as it should be.
pub(crate) struct Banner {
    root: Js,
    words: Js,
    attempt: Js,
    shown: Option<String>,
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
            shown: None,
        }
    }

    /// Shows the words for this key; nothing hides the strip.
    pub(crate) fn show(&mut self, lang: &Lang, key: Option<&str>) {
        let words = key.map(|key| lang.get(key).to_owned());
        if words == self.shown {
            return;
        }
        self.root.set_hidden(key.is_none());
        self.words.set_text(words.as_deref().unwrap_or_default());
        self.attempt.set_text(lang.get("attempt"));
        self.attempt.set_hidden(key != Some("lost"));
        self.shown = words;
    }
}
