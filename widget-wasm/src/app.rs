//! One action at a time.
//!
//! Handling an action may make the browser call back at once (a focus moves), and the page's own
//! callbacks may call any method. Both only add to the queue, so the state is never borrowed twice.

use crate::action::{Action, Post};
use crate::js::Js;
use crate::settings::Settings;
use crate::state::State;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// The state, and what is still to be done to it.
pub(crate) struct App {
    /// None once everything is taken off the page.
    state: RefCell<Option<State>>,
    queue: RefCell<Vec<Action>>,
    busy: Cell<bool>,
    emit: Js,
}

/// Something that the loader, and through it the page, is told.
pub(crate) struct Emit {
    /// The event's name.
    pub(crate) name: &'static str,
    /// What the page's callbacks get.
    pub(crate) detail: JsValue,
    /// The launcher's new name, if it has one.
    pub(crate) label: Option<String>,
}

impl App {
    /// An app that lives as long as the page; actions are sent to it by what is given back.
    pub(crate) fn start(root: Js, settings: Settings, emit: Js) -> Post {
        let app = Rc::new(Self {
            state: RefCell::default(),
            queue: RefCell::default(),
            busy: Cell::new(false),
            emit,
        });
        let own = app.clone();
        let post = Post::new(move |action| own.handle(action));
        app.state
            .replace(Some(State::new(root, settings, post.clone())));
        post
    }

    /// Handles an action, and all that come of it; then tells the page.
    fn handle(&self, action: Action) {
        self.queue.borrow_mut().push(action);
        if self.busy.replace(true) {
            return;
        }
        let mut emits = Vec::new();
        loop {
            let actions = self.queue.take();
            let done = actions.is_empty();
            let mut held = self.state.borrow_mut();
            for action in actions {
                match (&mut *held, action) {
                    (held, Action::Destroy) => *held = None,
                    (Some(state), action) => state.handle(action),
                    (None, _) => {}
                }
            }
            let Some(state) = &mut *held else { break };
            if done {
                state.render();
                if self.queue.borrow().is_empty() {
                    emits = std::mem::take(&mut state.emits);
                    break;
                }
            }
        }
        self.busy.set(false);
        for emit in emits {
            self.emit.emit(
                &JsValue::UNDEFINED,
                emit.name,
                &emit.detail,
                emit.label.as_deref(),
            );
        }
    }
}
