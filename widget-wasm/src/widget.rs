//! What the loader calls.

use crate::action::{Action, Post};
use crate::app::App;
use crate::js::Js;
use crate::listener::callback;
use crate::settings::Settings;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// Makes a widget in the loader's shadow root, still without a panel or a connection. A page has
/// one at most.
///
/// `emit(name, detail, label)` is called with each event for the page, and with the launcher's new
/// accessible name when it changes.
///
/// Gives a function, to be called with a list of a verb and perhaps a text. The verbs are
/// - `connect`, for a visitor who has opened the panel before: she is told of answers;
/// - `open`, with a text that takes the composer's place if that is empty, and `close`;
/// - `locale`, with a language such as `de` or `de-AT`;
/// - `logout`, which forgets the visitor (storage, conversation, connection) and closes the panel;
/// - `destroy`, which takes everything off the page.
#[wasm_bindgen]
#[must_use]
pub fn widget(root: JsValue, settings: JsValue, emit: JsValue) -> JsValue {
    let settings = Settings::read(&settings.unchecked_into());
    let post = App::start(root.unchecked_into(), settings, emit.unchecked_into());
    callback(&post, told).into_js_value()
}

fn told(order: &Js, post: &Post) {
    let text = |at| order.item(at).and_then(|text| text.as_string());
    let verb = text(0).unwrap_or_default();
    post.send(if verb == "destroy" {
        Action::Destroy
    } else {
        Action::Do(verb, text(1).unwrap_or_default())
    });
}
