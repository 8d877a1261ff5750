//! The panel: a named dialog in the loader's shadow root.

use crate::action::{Action, Post};
use crate::colour::colours;
use crate::js::{Js, window};
use crate::lang::{Lang, digits, language};
use crate::listener::Listener;
use crate::node::{add, make};
use crate::settings::Settings;
use crate::views::{Banner, Composer, Header, Log};

/// As in the stylesheet: here the panel fills the screen.
const FULL: &str = "(max-width: 479.98px), (max-height: 499.98px)";
/// What Tab stops at.
const STOPS: &str = "button:enabled:not([hidden]), textarea, a[href], [tabindex='0']";

/// The panel while it is open. Dropping it takes it off the page.
pub(crate) struct Panel {
    root: Js,
    pub(crate) header: Header,
    pub(crate) banner: Banner,
    pub(crate) log: Log,
    pub(crate) composer: Composer,
    full: Js,
    _listeners: Vec<Listener>,
}

impl Panel {
    /// Puts a panel, still without words, into `shadow`.
    pub(crate) fn new(shadow: &Js, settings: &Settings, post: &Post) -> Self {
        let root = make(
            "section",
            if settings.left {
                "panel left"
            } else {
                "panel right"
            },
        );
        for (name, value) in [
            ("role", "dialog"),
            ("aria-labelledby", "name"),
            ("tabindex", "-1"),
        ] {
            root.set_attribute(name, value);
        }
        if let Some(colours) = colours(&settings.color) {
            let style = root.style();
            style.set_property("--on", colours.on);
            style.set_property("--ink-light", &colours.light);
            style.set_property("--ink-dark", &colours.dark);
        }
        let header = Header::new(&root);
        let body = add(&root, "div", "body");
        let banner = Banner::new(&body);
        let log = Log::new(&body, post);
        let composer = Composer::new(&root, post);
        shadow.append(&root);
        let full = window().match_media(FULL);
        let mut listeners = vec![
            Listener::new(&root, "click", post, clicked),
            Listener::new(&root, "keydown", post, pressed),
            // Keys typed here are not the page's shortcuts: it sees only the shadow root's host.
            Listener::new(&root, "keyup", post, |event, _| event.stop_propagation()),
            Listener::new(&root, "keypress", post, |event, _| event.stop_propagation()),
            Listener::new(&full, "change", post, |_, post| post.send(Action::Resized)),
        ];
        if let Some(viewport) = window().visual_viewport() {
            for kind in ["resize", "scroll"] {
                listeners.push(Listener::new(&viewport, kind, post, |_, post| {
                    post.send(Action::Resized);
                }));
            }
        }
        let panel = Self {
            root,
            header,
            banner,
            log,
            composer,
            full,
            _listeners: listeners,
        };
        panel.fit();
        panel
    }

    /// Whether the focus is in the panel.
    pub(crate) fn has_focus(&self, shadow: &Js) -> bool {
        self.root.contains(shadow.active_element().as_ref())
    }

    /// Writes all words that stay.
    pub(crate) fn translate(&mut self, lang: &Lang, settings: &Settings) {
        self.root.set_attribute("lang", language(&settings.locale));
        self.root.set_attribute("dir", lang.get("dir"));
        self.header.translate(lang, &settings.name);
        self.banner.translate(lang);
        self.log.translate(lang, &settings.greeting);
        self.composer.translate(lang);
    }

    /// Follows the space that a phone's keyboard leaves, and says when nothing else can be seen.
    pub(crate) fn fit(&self) {
        let full = self.full.matches();
        self.root
            .set_attribute("aria-modal", if full { "true" } else { "false" });
        if let Some(viewport) = window().visual_viewport().filter(|_| full) {
            let style = self.root.style();
            for (name, pixels) in [
                ("--height", viewport.height()),
                ("--top", viewport.viewport_top()),
            ] {
                style.set_property(name, &(digits(pixels as u64) + "px"));
            }
        }
        self.log.settle();
    }

    /// Tab goes round where the panel is all there is to see. False if the browser is to do it.
    pub(crate) fn go_round(&self, from: &Js, back: bool) -> bool {
        let stops = self.root.query_selector_all(STOPS);
        let last = stops.length().saturating_sub(1);
        let (end, start) = if back { (0, last) } else { (last, 0) };
        let at_end = self.full.matches() && stops.item(end).as_ref() == Some(from);
        if let Some(start) = stops.item(start).filter(|_| at_end) {
            start.focus();
        }
        at_end
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.root.remove();
    }
}

/// One listener for all buttons: they say what they are for, and their line which message.
fn clicked(event: &Js, post: &Post) {
    let target = event.target();
    if let Some(button) = target.closest("[data-do]") {
        let verb = button.get_attribute("data-do").unwrap_or_default();
        let line = target
            .closest("[data-cid]")
            .and_then(|line| line.get_attribute("data-cid"));
        post.send(Action::Do(verb, line.unwrap_or_default()));
    }
}

/// Escape closes.
fn pressed(event: &Js, post: &Post) {
    event.stop_propagation();
    post.send(Action::Used);
    match event.key().unwrap_or_default().as_str() {
        "Escape" => post.send(Action::Close),
        "Tab" => post.send(Action::Tab(event.clone())),
        _ => {}
    }
}
