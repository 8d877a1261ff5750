//! A request to the server, heard of once.

use crate::listener::Listener;
use wasm_bindgen::JsValue;
use web_sys::XmlHttpRequest;

/// A request that is under way. Dropping it means not to hear of it.
pub(crate) struct Request {
    _listener: Listener,
}

impl Request {
    /// Sends a request and calls `done` with status and body; status 0 if there was no answer.
    ///
    /// By XMLHttpRequest, because it needs callbacks only: promises would bring in their machinery.
    pub(crate) fn send(
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<&str>,
        done: impl Fn(u16, String) + 'static,
    ) -> Option<Self> {
        let request = XmlHttpRequest::new().ok()?;
        let answer = request.clone();
        let listener = Listener::new(&request, "loadend", move |_| {
            let text = answer.response_text().ok().flatten().unwrap_or_default();
            done(answer.status().unwrap_or_default(), text);
        });
        let start = || -> Result<(), JsValue> {
            request.open(method, url)?;
            request.set_timeout(15_000);
            if body.is_some() {
                request.set_request_header("content-type", "application/json")?;
            }
            if let Some(token) = token {
                request.set_request_header("authorization", &(String::from("Bearer ") + token))?;
            }
            request.send_with_opt_str(body)
        };
        start().ok()?;
        Some(Self {
            _listener: listener,
        })
    }
}
