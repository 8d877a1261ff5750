//! One action at a time.
//!
//! Handling an action may make the browser call back at once (a focus moves), and the page's own
//! callbacks may call any method. Both only add to the queue, so the state is never borrowed twice.

use crate::action::{Action, Post};
use crate::js::Js;
use crate::settings::Settings;
use crate::state::State;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use wasm_bindgen::JsValue;

/// The state, and what is still to be done to it.
pub(crate) struct App {
    state: RefCell<State>,
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
    pub(crate) fn new(root: Js, settings: Settings, emit: Js) -> Rc<Self> {
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let weak = weak.clone();
            let post = Post::new(move |action| {
                if let Some(app) = weak.upgrade() {
                    app.handle(action);
                }
            });
            Self {
                state: RefCell::new(State::new(root, settings, post)),
                queue: RefCell::default(),
                busy: Cell::new(false),
                emit,
            }
        })
    }

    /// Handles an action, and all that come of it; then tells the page.
    pub(crate) fn handle(&self, action: Action) {
        self.queue.borrow_mut().push(action);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let actions = self.queue.take();
            if actions.is_empty() {
                self.state.borrow_mut().render();
                if self.queue.borrow().is_empty() {
                    break;
                }
            }
            for action in actions {
                self.state.borrow_mut().handle(action);
            }
        }
        self.busy.set(false);
        let emits = std::mem::take(&mut self.state.borrow_mut().emits);
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
