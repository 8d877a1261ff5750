//! Short ways to what the page is made of. Nothing here takes HTML.

use wasm_bindgen::{JsCast, UnwrapThrowExt};
use web_sys::{Document, Element, HtmlElement, Node, Window};

const SVG: &str = "http://www.w3.org/2000/svg";

/// The page's window.
pub(crate) fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The page's document.
pub(crate) fn document() -> Document {
    window().document().unwrap_throw()
}

/// A new element.
pub(crate) fn make(tag: &str, class: &str) -> HtmlElement {
    let element = document().create_element(tag).unwrap_throw();
    element.set_class_name(class);
    element.unchecked_into()
}

/// A new element at the end of `parent`.
pub(crate) fn add(parent: &Node, tag: &str, class: &str) -> HtmlElement {
    let element = make(tag, class);
    put(parent, &element);
    element
}

/// A new button at the end of `parent`. A click on it, wherever it is heard, carries `verb`.
pub(crate) fn add_button(parent: &Node, class: &str, verb: &str) -> HtmlElement {
    let button = add(parent, "button", class);
    set(&button, "type", "button");
    set(&button, "data-do", verb);
    button
}

/// Moves `child` to the end of `parent`.
pub(crate) fn put(parent: &Node, child: &Node) {
    let _ = parent.append_child(child);
}

/// Sets an attribute.
pub(crate) fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Replaces all that is in a node by one text.
pub(crate) fn write(node: &Node, text: &str) {
    node.set_text_content(Some(text));
}

/// Adds a line drawing of 24 by 24, which only eyes see.
pub(crate) fn add_icon(parent: &Node, path: &str) {
    let document = document();
    let (Ok(svg), Ok(line)) = (
        document.create_element_ns(Some(SVG), "svg"),
        document.create_element_ns(Some(SVG), "path"),
    ) else {
        return;
    };
    set(&svg, "viewBox", "0 0 24 24");
    set(&svg, "aria-hidden", "true");
    set(&line, "d", path);
    put(&svg, &line);
    put(parent, &svg);
}
