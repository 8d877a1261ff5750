//! The visitor's side of the conversation, around the brain.

use crate::action::{Action, Post};
use crate::app::Emit;
use crate::clock::now;
use crate::driver::Driver;
use crate::element::Panel;
use crate::lang::{Lang, digits};
use crate::listener::Listener;
use crate::node::{document, window};
use crate::request::Request;
use crate::session::Session;
use crate::settings::Settings;
use crate::storage::Store;
use crate::time::Times;
use crate::timer::Timer;
use parlour_protocol::Id;
use parlour_protocol::client::Room;
use parlour_protocol::frame::{Availability, View};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget, HtmlElement, ShadowRoot, StorageEvent, VisibilityState};

/// Moving to a page, talking and reading are in files of their own.
mod reading;
mod visit;
mod writing;

/// Everything that the widget knows.
pub(crate) struct State {
    pub(crate) emits: Vec<Emit>,
    post: Post,
    settings: Settings,
    root: ShadowRoot,
    lang: Lang,
    times: Times,
    store: Store,
    driver: Driver,
    /// Whether the visitor has asked for a connection; a page that leaves only pauses it.
    started: bool,
    session: Option<Session>,
    asking: Option<Request>,
    telling: Option<Request>,
    fetching: Option<Request>,
    renewal: Option<Timer>,
    ticket: Option<Id>,
    panel: Option<Panel>,
    /// What had the focus before the panel took it.
    before: Option<HtmlElement>,
    unread: u64,
    here: Option<bool>,
    /// The page's address, as the server knows it.
    address: String,
    /// When the person last used the page.
    used: u64,
    /// Whether the outbox had no room for what is in the composer.
    full: bool,
    stale: bool,
    _listeners: Vec<Listener>,
}

impl State {
    pub(crate) fn new(root: ShadowRoot, settings: Settings, post: Post) -> Self {
        let mut state = Self {
            emits: Vec::new(),
            root,
            lang: Lang::english(),
            times: Times::new(&settings.locale),
            store: Store::open(&(String::from("parlour:") + &settings.site)),
            driver: driver(&post),
            started: false,
            session: None,
            asking: None,
            telling: None,
            fetching: None,
            renewal: None,
            ticket: None,
            panel: None,
            before: None,
            unread: 0,
            here: None,
            address: String::new(),
            used: now(),
            full: false,
            stale: false,
            _listeners: listeners(&post),
            settings,
            post,
        };
        state.fetch_language();
        state
    }

    /// Handles one action. What it changes on screen waits for [`State::render`].
    pub(crate) fn handle(&mut self, action: Action) {
        self.stale = true;
        match action {
            Action::Open(message) => self.open(&message),
            Action::Close => self.close(),
            Action::Connect => self.start(),
            Action::Locale(locale) => self.speak(locale),
            Action::Logout => self.forget(),
            Action::Wire(wire) => self.receive(wire),
            Action::Session(status, answer) => self.admitted(status, &answer),
            Action::Renew => self.ask(),
            Action::Language(file) => self.learn(&file),
            Action::Press(verb, cid) => self.press(&verb, cid),
            Action::Typed => self.typed(),
            Action::Submit => self.submit(),
            Action::Scrolled => self.scrolled(),
            Action::Resized => self.resized(),
            Action::Shown(shown) => self.shown(shown),
            Action::Attention => self.attention(),
            Action::Used => {
                self.used = now();
                self.stale = false;
            }
            Action::Network => self.network(),
            Action::Navigated => self.navigated(),
            Action::Stored(key, before, kept) => self.stored(&key, before.as_deref(), kept),
        }
        self.drain();
    }

    fn open(&mut self, message: &str) {
        self.store.enable();
        self.start();
        if self.panel.is_none() {
            let focused = self
                .root
                .active_element()
                .or_else(|| document().active_element());
            self.before = focused.map(JsCast::unchecked_into);
            let panel = Panel::new(&self.root, &self.settings, &self.post);
            panel.composer.set_text(&self.store.draft());
            self.panel = Some(panel);
            self.translate();
            self.emit("open", JsValue::UNDEFINED, Some(self.launcher_label()));
        }
        if let Some(panel) = &self.panel {
            if !message.is_empty() && panel.composer.text().is_empty() {
                panel.composer.set_text(message);
                self.store.set_draft(message);
            }
            panel.composer.focus();
        }
    }

    fn close(&mut self) {
        let Some(panel) = self.panel.take() else {
            return;
        };
        let inside = panel.has_focus(&self.root);
        drop(panel);
        if let Some(before) = self.before.take().filter(|_| inside) {
            let _ = before.focus();
        }
        self.emit("close", JsValue::UNDEFINED, Some(self.launcher_label()));
    }

    fn press(&mut self, verb: &str, cid: Option<Id>) {
        let now = now();
        match (verb, cid) {
            ("close", _) => self.close(),
            ("send", _) => self.submit(),
            ("attempt", _) => self.driver.brain.online(now),
            ("newest", _) => self.newest(),
            ("retry", Some(cid)) => self.driver.brain.retry(cid, now),
            ("discard", Some(cid)) => {
                self.driver.brain.discard(cid);
                self.focus();
            }
            _ => {}
        }
    }

    /// A button that was pressed may be gone: the focus must not be lost with it.
    fn focus(&self) {
        if let Some(panel) = &self.panel {
            panel.composer.focus();
        }
    }

    /// Draws what has changed.
    pub(crate) fn render(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.availability();
        self.draw();
        self.read();
        let unread = self
            .me()
            .and_then(|me| Some(self.room()?.unread(me)))
            .unwrap_or_default();
        if unread != self.unread {
            self.unread = unread;
            let label = self.launcher_label();
            self.emit("unread", JsValue::from(unread as f64), Some(label));
        }
        self.drain();
    }

    /// Tells the page when somebody comes, or the last one goes.
    fn availability(&mut self) {
        let brain = &self.driver.brain;
        let here = brain.me().map(|_| {
            brain
                .people()
                .iter()
                .any(|one| one.state == Availability::Online)
        });
        if here != self.here {
            self.here = here;
            if let Some(here) = here {
                self.emit("availability", object(&[("online", here.into())]), None);
            }
        }
    }

    fn launcher_label(&self) -> String {
        match self.unread {
            _ if self.panel.is_some() => self.lang.get("close").to_owned(),
            0 => self.lang.get("open").to_owned(),
            unread => self.lang.fill("unread", &digits(unread)),
        }
    }

    fn emit(&mut self, name: &'static str, detail: JsValue, label: Option<String>) {
        self.emits.push(Emit {
            name,
            detail,
            label,
        });
    }

    fn me(&self) -> Option<Id> {
        Some(self.driver.brain.me()?.id)
    }

    fn room(&self) -> Option<&Room> {
        self.driver.brain.room(self.ticket?)
    }

    fn speak(&mut self, locale: String) {
        self.settings.locale = locale;
        self.times = Times::new(&self.settings.locale);
        self.lang = Lang::english();
        self.fetch_language();
        self.translate();
    }

    fn fetch_language(&mut self) {
        let post = self.post.clone();
        self.fetching = self.settings.language().and_then(|url| {
            Request::send("GET", &url, None, None, move |status, file| {
                // Without it the widget speaks English.
                if status == 200 {
                    post.send(Action::Language(file.clone()));
                }
            })
        });
    }

    fn learn(&mut self, file: &str) {
        if self.lang.take(file) {
            self.translate();
        }
    }

    fn translate(&mut self) {
        let label = self.launcher_label();
        self.emit("label", JsValue::UNDEFINED, Some(label));
        if let Some(panel) = &mut self.panel {
            panel.translate(&self.lang, &self.settings);
        }
    }

    fn resized(&self) {
        if let Some(panel) = &self.panel {
            panel.fit();
        }
    }
}

/// A driver whose socket and timer come back as actions.
fn driver(post: &Post) -> Driver {
    let post = post.clone();
    Driver::new(
        View::Runs,
        Rc::new(move |wire| post.send(Action::Wire(wire))),
    )
}

/// An object for the page.
fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in fields {
        let _ = js_sys::Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

/// Whether the page is on screen.
fn visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// What the widget hears of the page.
fn listeners(post: &Post) -> Vec<Listener> {
    let window = window();
    let document = document();
    let on = |target: &EventTarget, kind: &'static str, make: fn(&Event) -> Action| {
        let post = post.clone();
        Listener::new(target, kind, move |event| post.send(make(&event)))
    };
    let mut all = vec![
        on(&window, "pagehide", |_| Action::Shown(false)),
        on(&window, "pageshow", |_| Action::Shown(true)),
        on(&window, "focus", |_| Action::Attention),
        on(&window, "blur", |_| Action::Attention),
        on(&document, "visibilitychange", |_| Action::Attention),
        on(&window, "online", |_| Action::Network),
        on(&window, "offline", |_| Action::Network),
        on(&window, "pointerdown", |_| Action::Used),
        on(&window, "keydown", |_| Action::Used),
        on(&window, "popstate", |_| Action::Navigated),
        on(&window, "hashchange", |_| Action::Navigated),
        on(&window, "storage", |event| {
            let event: &StorageEvent = event.unchecked_ref();
            Action::Stored(
                event.key().unwrap_or_default(),
                event.old_value(),
                event.new_value().is_some(),
            )
        }),
    ];
    // Single-page navigation shows here, where the browser has it; elsewhere at the next heartbeat.
    if let Ok(navigation) = js_sys::Reflect::get(&window, &"navigation".into())
        && navigation.is_object()
    {
        all.push(on(navigation.unchecked_ref(), "navigatesuccess", |_| {
            Action::Navigated
        }));
    }
    all
}
