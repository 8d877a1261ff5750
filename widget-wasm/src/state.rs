//! The visitor's side of the conversation, around the brain.

use crate::action::{Action, Post};
use crate::app::Emit;
use crate::clock::now;
use crate::driver::Driver;
use crate::element::Panel;
use crate::js::{Js, document, parse, window};
use crate::lang::{Lang, digits};
use crate::listener::{Answer, Listener};
use crate::request::Request;
use crate::session::Session;
use crate::settings::Settings;
use crate::storage::Store;
use crate::time::Times;
use crate::timer::Timer;
use parlour_protocol::Id;
use parlour_protocol::client::{Link, Room};
use parlour_protocol::frame::{Availability, View};
use wasm_bindgen::JsValue;

/// Moving to a page, talking and reading are in files of their own.
mod reading;
mod visit;
mod writing;

/// Everything that the widget knows.
pub(crate) struct State {
    pub(crate) emits: Vec<Emit>,
    post: Post,
    settings: Settings,
    root: Js,
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
    before: Option<Js>,
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
    pub(crate) fn new(root: Js, settings: Settings, post: Post) -> Self {
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
            Action::Do(verb, text) => self.act(&verb, text),
            Action::Close => self.close(),
            // By the one who has the state.
            Action::Destroy => {}
            Action::Wire(wire) => self.receive(wire),
            Action::Session(0, _) => self.ask_why(),
            Action::Session(status, answer) => self.admitted(status, &answer),
            Action::Renew => self.ask(),
            Action::Language(file) => self.learn(&file),
            Action::Typed => self.typed(),
            Action::Submit => self.submit(),
            Action::Scrolled => self.scrolled(),
            Action::Quiet => self.quiet(),
            Action::Tab(event) => self.tab(&event),
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
            self.before = self
                .root
                .active_element()
                .or_else(|| document().active_element());
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
            before.focus();
            // Where the launcher is shown, it is what opens the panel again.
            if let Some(launcher) = self.root.query_selector_all(".go").item(0) {
                launcher.focus();
            }
        }
        self.emit("close", JsValue::UNDEFINED, Some(self.launcher_label()));
    }

    /// What the loader says comes first, then the panel's buttons.
    fn act(&mut self, verb: &str, text: String) {
        let now = now();
        let cid = Id::parse(&text).unwrap_or_default();
        match verb {
            "connect" => self.start(),
            "open" => self.open(&text),
            "close" => self.close(),
            "locale" => self.speak(text),
            "logout" => self.forget(),
            "send" => self.submit(),
            "attempt" => self.driver.brain.online(now),
            "newest" => self.newest(),
            "retry" => {
                self.driver.brain.retry(cid, now);
                self.focus();
            }
            "discard" => {
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
        self.turn();
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

    /// Tells the page when somebody comes, or the last one goes. Without a connection nobody knows.
    fn availability(&mut self) {
        let brain = &self.driver.brain;
        let here = brain
            .people()
            .iter()
            .any(|one| one.state == Availability::Online);
        let here = (brain.link() == Link::Live).then_some(here);
        if here != self.here {
            self.here = here;
            if let Some(here) = here {
                let detail = if here {
                    r#"{"online":true}"#
                } else {
                    r#"{"online":false}"#
                };
                self.emit("availability", parse(detail), None);
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
        self.fetching = self.settings.file().and_then(|url| {
            Request::send("GET", &url, "", None, &self.post, |event, post| {
                post.send(Action::Language(event.target().response_text()));
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

    fn quiet(&self) {
        if let Some(panel) = &self.panel {
            panel.log.speak();
        }
    }

    fn tab(&self, event: &Js) {
        if let Some(panel) = &self.panel
            && panel.go_round(&event.target(), event.shift_key())
        {
            event.prevent_default();
        }
    }
}

/// A driver whose socket and timer come back as actions.
fn driver(post: &Post) -> Driver {
    Driver::new(View::Runs, post.clone())
}

/// What the widget hears of the page.
fn listeners(post: &Post) -> Vec<Listener> {
    let window = window();
    let document = document();
    let navigated: Answer = |_, post| post.send(Action::Navigated);
    let groups: [(&Js, &[&'static str], Answer); 8] = [
        (&window, &["pagehide"], |_, post| {
            post.send(Action::Shown(false));
        }),
        (&window, &["pageshow"], |_, post| {
            post.send(Action::Shown(true));
        }),
        (&window, &["focus", "blur"], |_, post| {
            post.send(Action::Attention);
        }),
        (&document, &["visibilitychange"], |_, post| {
            post.send(Action::Attention);
        }),
        (&window, &["online", "offline"], |_, post| {
            post.send(Action::Network);
        }),
        (&window, &["pointerdown", "keydown"], |_, post| {
            post.send(Action::Used);
        }),
        (&window, &["popstate", "hashchange"], navigated),
        (&window, &["storage"], |event, post| {
            let (key, before) = (event.key().unwrap_or_default(), event.old_value());
            post.send(Action::Stored(key, before, event.new_value().is_some()));
        }),
    ];
    let mut all = Vec::new();
    for (target, kinds, answer) in groups {
        for kind in kinds {
            all.push(Listener::new(target, kind, post, answer));
        }
    }
    // Single-page navigation shows here, where the browser has it; elsewhere at the next heartbeat.
    if let Some(navigation) = window.navigation() {
        all.push(Listener::new(
            &navigation,
            "navigatesuccess",
            post,
            navigated,
        ));
    }
    all
}
