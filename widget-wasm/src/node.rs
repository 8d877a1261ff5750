//! Short ways to build what the page is made of. Nothing here takes HTML.

use crate::js::{Js, document};

const SVG: &str = "http://www.w3.org/2000/svg";

/// A new element.
pub(crate) fn make(tag: &str, class: &str) -> Js {
    let element = document().create_element(tag);
    element.set_class(class);
    element
}

/// A new element at the end of `parent`.
pub(crate) fn add(parent: &Js, tag: &str, class: &str) -> Js {
    let element = make(tag, class);
    parent.append(&element);
    element
}

/// A new button at the end of `parent`. A click on it, wherever it is heard, carries `verb`.
pub(crate) fn add_button(parent: &Js, class: &str, verb: &str) -> Js {
    let button = add(parent, "button", class);
    button.set_attribute("type", "button");
    button.set_attribute("data-do", verb);
    button
}

/// Adds a line drawing of 24 by 24, which only eyes see.
pub(crate) fn add_icon(parent: &Js, path: &str) {
    let document = document();
    let svg = document.create_element_ns(SVG, "svg");
    let line = document.create_element_ns(SVG, "path");
    svg.set_attribute("viewBox", "0 0 24 24");
    svg.set_attribute("aria-hidden", "true");
    line.set_attribute("d", path);
    svg.append(&line);
    parent.append(&svg);
}
