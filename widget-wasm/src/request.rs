//! A request to the server, heard of once.

use crate::action::Post;
use crate::js::{Js, XMLHttpRequest};
use crate::listener::{Answer, Listener};
use wasm_bindgen::{JsCast, JsValue};

/// Milliseconds after which there is no answer.
const PATIENCE: u32 = 15_000;

/// A request that is under way. Dropping it means not to hear of it.
pub(crate) struct Request {
    _listener: Listener,
}

impl Request {
    /// Sends a request; `answer` gets the event that ends it, whose target is the request.
    ///
    /// By XMLHttpRequest, because it needs callbacks only: promises would bring in their machinery.
    pub(crate) fn send(
        method: &str,
        url: &str,
        token: &str,
        body: Option<&str>,
        post: &Post,
        answer: Answer,
    ) -> Option<Self> {
        let request: Js = XMLHttpRequest::new().unchecked_into();
        let listener = Listener::new(&request, "loadend", post, answer);
        start(&request, method, url, token, body).ok()?;
        Some(Self {
            _listener: listener,
        })
    }
}

fn start(
    request: &Js,
    method: &str,
    url: &str,
    token: &str,
    body: Option<&str>,
) -> Result<(), JsValue> {
    request.open(method, url)?;
    request.set_timeout(PATIENCE);
    if body.is_some() {
        request.set_request_header("content-type", "application/json");
    }
    if !token.is_empty() {
        request.set_request_header("authorization", &(String::from("Bearer ") + token));
    }
    request.send(body)
}
