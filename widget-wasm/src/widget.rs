//! What the loader calls.

use crate::action::Action;
use crate::app::App;
use crate::settings::Settings;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// A widget on a page. The loader makes one at most.
#[wasm_bindgen]
pub struct Widget {
    app: Rc<App>,
}

#[wasm_bindgen]
impl Widget {
    /// A widget in the loader's shadow root, still without a panel or a connection.
    ///
    /// `emit(name, detail, label)` is called with each event for the page, and with the
    /// launcher's new accessible name when it changes.
    #[wasm_bindgen(constructor)]
    pub fn new(root: JsValue, settings: JsValue, emit: JsValue) -> Self {
        Self {
            app: App::new(
                root.unchecked_into(),
                Settings::read(&settings.unchecked_into()),
                emit.unchecked_into(),
            ),
        }
    }

    /// Connects a visitor who has opened the panel before.
    pub fn connect(&self) {
        self.app.handle(Action::Connect);
    }

    /// Opens the panel; a text that is not empty takes the composer's place if that is empty.
    pub fn open(&self, message: String) {
        self.app.handle(Action::Open(message));
    }

    /// Closes the panel.
    pub fn close(&self) {
        self.app.handle(Action::Close);
    }

    /// Changes the language, such as `de` or `de-AT`.
    #[wasm_bindgen(js_name = setLocale)]
    pub fn set_locale(&self, locale: String) {
        self.app.handle(Action::Locale(locale));
    }

    /// Forgets the visitor: storage, conversation, connection. The panel closes.
    pub fn logout(&self) {
        self.app.handle(Action::Logout);
    }

    /// Takes everything off the page.
    pub fn destroy(self) {}
}
