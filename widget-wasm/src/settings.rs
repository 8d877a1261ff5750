//! What the loader knows of the site and the tag.

use crate::js::Js;
use crate::lang::language;
use wasm_bindgen::JsCast;

/// The site's settings, as the server wrote them into the loader, with the tag's attributes.
pub(crate) struct Settings {
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) greeting: String,
    pub(crate) color: String,
    pub(crate) locale: String,
    pub(crate) left: bool,
    langs: Js,
}

impl Settings {
    /// Reads the loader's object.
    pub(crate) fn read(from: &Js) -> Self {
        let text = |name| from.get(name).as_string().unwrap_or_default();
        Self {
            site: text("site"),
            name: text("name"),
            base: text("base"),
            greeting: text("greeting"),
            color: text("color"),
            locale: text("locale"),
            left: text("position") == "left",
            langs: from.get("langs").unchecked_into(),
        }
    }

    /// The address of the language file for the locale; none for English, and for what is not there.
    pub(crate) fn file(&self) -> Option<String> {
        let path = self.langs.get(language(&self.locale)).as_string()?;
        Some(self.base.clone() + &path)
    }
}
