//! What the loader knows of the site and the tag.

use crate::lang::candidates;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// The site's settings, as the server wrote them into the loader, with the tag's attributes.
pub(crate) struct Settings {
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) greeting: String,
    pub(crate) color: String,
    pub(crate) locale: String,
    pub(crate) left: bool,
    langs: JsValue,
}

impl Settings {
    /// Reads the loader's object.
    pub(crate) fn read(from: &JsValue) -> Self {
        let text = |name| text(from, name).unwrap_or_default();
        Self {
            site: text("site"),
            name: text("name"),
            base: text("base"),
            greeting: text("greeting"),
            color: text("color"),
            locale: text("locale"),
            left: text("position") == "left",
            langs: Reflect::get(from, &"langs".into()).unwrap_or_default(),
        }
    }

    /// The address of the language file for the locale; none for English, and for what is not there.
    pub(crate) fn language(&self) -> Option<String> {
        let path = candidates(&self.locale)
            .iter()
            .find_map(|name| text(&self.langs, name))?;
        Some(self.base.clone() + &path)
    }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}
