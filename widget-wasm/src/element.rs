//! The panel: a named dialog in the loader's shadow root.

use crate::action::{Action, Post};
use crate::colour::colours;
use crate::lang::Lang;
use crate::listener::Listener;
use crate::node::{add, make, put, set, window};
use crate::settings::Settings;
use crate::views::{Banner, Composer, Header, Log};
use parlour_protocol::Id;
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, HtmlElement, KeyboardEvent, MediaQueryList, ShadowRoot, VisualViewport,
};

/// As in the stylesheet: here the panel fills the screen.
const FULL: &str = "(max-width: 479.98px), (max-height: 499.98px)";
/// What Tab stops at.
const STOPS: &str = "button:enabled:not([hidden]), textarea, a[href], [tabindex='0']";

/// The panel while it is open. Dropping it takes it off the page.
pub(crate) struct Panel {
    root: HtmlElement,
    pub(crate) header: Header,
    pub(crate) banner: Banner,
    pub(crate) log: Log,
    pub(crate) composer: Composer,
    full: Option<MediaQueryList>,
    viewport: Option<VisualViewport>,
    _listeners: Vec<Listener>,
}

impl Panel {
    /// Puts a panel, still without words, into `shadow`.
    pub(crate) fn new(shadow: &ShadowRoot, settings: &Settings, post: &Post) -> Self {
        let root = make(
            "section",
            if settings.left {
                "panel left"
            } else {
                "panel right"
            },
        );
        set(&root, "role", "dialog");
        set(&root, "aria-labelledby", "name");
        set(&root, "tabindex", "-1");
        if let Some(colours) = colours(&settings.color) {
            for (name, value) in [
                ("--on", colours.on),
                ("--ink-light", &colours.light),
                ("--ink-dark", &colours.dark),
            ] {
                let _ = root.style().set_property(name, value);
            }
        }
        let header = Header::new(&root);
        let body = add(&root, "div", "body");
        let banner = Banner::new(&body);
        let log = Log::new(&body, post);
        let composer = Composer::new(&root, post);
        put(shadow, &root);
        let full = window().match_media(FULL).ok().flatten();
        let viewport = window().visual_viewport();
        let mut listeners = vec![clicks(&root, post), keys(&root, full.clone(), post)];
        // Keys typed here are not the page's shortcuts: it sees only the shadow root's host.
        for kind in ["keyup", "keypress"] {
            listeners.push(Listener::new(&root, kind, |event| event.stop_propagation()));
        }
        let targets = [full.as_deref(), viewport.as_deref(), viewport.as_deref()];
        for (target, kind) in targets.into_iter().zip(["change", "resize", "scroll"]) {
            if let Some(target) = target {
                let post = post.clone();
                listeners.push(Listener::new(target, kind, move |_| {
                    post.send(Action::Resized)
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
            viewport,
            _listeners: listeners,
        };
        panel.fit();
        panel
    }

    /// Whether the focus is in the panel.
    pub(crate) fn has_focus(&self, shadow: &ShadowRoot) -> bool {
        shadow
            .active_element()
            .is_some_and(|element| self.root.contains(Some(&element)))
    }

    /// Writes all words that stay.
    pub(crate) fn translate(&mut self, lang: &Lang, settings: &Settings) {
        set(
            &self.root,
            "lang",
            crate::lang::candidates(&settings.locale)[1],
        );
        set(&self.root, "dir", lang.get("dir"));
        self.header.translate(lang, &settings.name);
        self.log.translate(lang, &settings.greeting);
        self.composer.translate(lang);
    }

    /// Follows the space that a phone's keyboard leaves, and says when nothing else can be seen.
    pub(crate) fn fit(&self) {
        let full = is_full(self.full.as_ref());
        let style = self.root.style();
        if let Some(viewport) = self.viewport.as_ref().filter(|_| full) {
            for (name, pixels) in [
                ("--height", viewport.height()),
                ("--top", viewport.offset_top()),
            ] {
                let text = crate::lang::digits(pixels.max(0.0) as u64) + "px";
                let _ = style.set_property(name, &text);
            }
        }
        set(
            &self.root,
            "aria-modal",
            if full { "true" } else { "false" },
        );
        self.log.settle();
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.root.remove();
    }
}

fn is_full(query: Option<&MediaQueryList>) -> bool {
    query.is_some_and(MediaQueryList::matches)
}

/// One listener for all buttons: they say what they are for, and their line which message.
fn clicks(root: &HtmlElement, post: &Post) -> Listener {
    let post = post.clone();
    Listener::new(root, "click", move |event| {
        let target: Option<Element> = event.target().map(JsCast::unchecked_into);
        let closest = |selector| target.as_ref()?.closest(selector).ok()?;
        if let Some(verb) = closest("[data-do]").and_then(|button| button.get_attribute("data-do"))
        {
            let line = closest("[data-cid]").and_then(|line| line.get_attribute("data-cid"));
            post.send(Action::Press(verb, line.and_then(|cid| Id::parse(&cid))));
        }
    })
}

/// Escape closes; Tab goes round where the panel is all there is to see.
fn keys(root: &HtmlElement, full: Option<MediaQueryList>, post: &Post) -> Listener {
    let post = post.clone();
    let panel = root.clone();
    Listener::new(root, "keydown", move |event| {
        event.stop_propagation();
        post.send(Action::Used);
        let key: &KeyboardEvent = event.unchecked_ref();
        match key.key().as_str() {
            "Escape" if !key.is_composing() => post.send(Action::Close),
            "Tab" if is_full(full.as_ref()) => go_round(&panel, &event, key.shift_key()),
            _ => {}
        }
    })
}

fn go_round(panel: &HtmlElement, event: &Event, back: bool) {
    let Ok(stops) = panel.query_selector_all(STOPS) else {
        return;
    };
    let last = stops.length().saturating_sub(1);
    let (from, to) = if back { (0, last) } else { (last, 0) };
    if let (Some(from), Some(to)) = (stops.item(from), stops.item(to))
        && event.target().as_ref() == Some(from.as_ref())
    {
        event.prevent_default();
        let _ = to.unchecked_into::<HtmlElement>().focus();
    }
}
