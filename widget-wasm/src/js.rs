//! What is used of the browser, as one type.
//!
//! web-sys would do, but its many types, and its results where nothing can fail, came to several
//! kilobytes of glue and code. Here every method is looked up by its name, as a script does it; what
//! may throw on somebody's page says so by its `Result`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Any object of the browser: a node, an event, a socket.
    #[derive(Clone, PartialEq)]
    pub(crate) type Js;

    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Js;

    // Nodes
    #[wasm_bindgen(method, js_name = createElement)]
    pub(crate) fn create_element(this: &Js, tag: &str) -> Js;
    #[wasm_bindgen(method, js_name = createElementNS)]
    pub(crate) fn create_element_ns(this: &Js, space: &str, tag: &str) -> Js;
    #[wasm_bindgen(method, js_name = createTextNode)]
    pub(crate) fn create_text_node(this: &Js, text: &str) -> Js;
    #[wasm_bindgen(method)]
    pub(crate) fn append(this: &Js, child: &Js);
    #[wasm_bindgen(method, js_name = insertBefore)]
    pub(crate) fn insert_before(this: &Js, child: &Js, next: Option<&Js>);
    #[wasm_bindgen(method)]
    pub(crate) fn remove(this: &Js);
    #[wasm_bindgen(method)]
    pub(crate) fn contains(this: &Js, node: Option<&Js>) -> bool;
    #[wasm_bindgen(method)]
    pub(crate) fn closest(this: &Js, selector: &str) -> Option<Js>;
    #[wasm_bindgen(method, js_name = querySelectorAll)]
    pub(crate) fn query_selector_all(this: &Js, selector: &str) -> Js;
    #[wasm_bindgen(method, indexing_getter)]
    pub(crate) fn item(this: &Js, index: u32) -> Option<Js>;
    #[wasm_bindgen(method, js_name = setAttribute)]
    pub(crate) fn set_attribute(this: &Js, name: &str, value: &str);
    #[wasm_bindgen(method, js_name = getAttribute)]
    pub(crate) fn get_attribute(this: &Js, name: &str) -> Option<String>;
    #[wasm_bindgen(method, setter = textContent)]
    pub(crate) fn set_text(this: &Js, text: &str);
    #[wasm_bindgen(method, setter = className)]
    pub(crate) fn set_class(this: &Js, class: &str);
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_hidden(this: &Js, hidden: bool);
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_disabled(this: &Js, disabled: bool);
    #[wasm_bindgen(method, getter)]
    pub(crate) fn value(this: &Js) -> String;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_value(this: &Js, value: &str);
    #[wasm_bindgen(method)]
    pub(crate) fn focus(this: &Js);
    #[wasm_bindgen(method, getter, js_name = activeElement)]
    pub(crate) fn active_element(this: &Js) -> Option<Js>;
    #[wasm_bindgen(method, getter, js_name = nextSibling)]
    pub(crate) fn next_sibling(this: &Js) -> Option<Js>;
    #[wasm_bindgen(method, getter, js_name = isConnected)]
    pub(crate) fn is_connected(this: &Js) -> bool;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn style(this: &Js) -> Js;
    #[wasm_bindgen(method, js_name = setProperty)]
    pub(crate) fn set_property(this: &Js, name: &str, value: &str);
    #[wasm_bindgen(method, getter, js_name = scrollTop)]
    pub(crate) fn scroll_top(this: &Js) -> f64;
    #[wasm_bindgen(method, setter = scrollTop)]
    pub(crate) fn set_scroll_top(this: &Js, top: f64);
    #[wasm_bindgen(method, getter, js_name = scrollHeight)]
    pub(crate) fn scroll_height(this: &Js) -> f64;
    #[wasm_bindgen(method, getter, js_name = clientHeight)]
    pub(crate) fn client_height(this: &Js) -> f64;
    #[wasm_bindgen(method, getter, js_name = offsetTop)]
    pub(crate) fn offset_top(this: &Js) -> f64;

    // Events
    #[wasm_bindgen(method, js_name = addEventListener)]
    pub(crate) fn add_event_listener(this: &Js, kind: &str, call: &JsValue);
    #[wasm_bindgen(method, js_name = removeEventListener)]
    pub(crate) fn remove_event_listener(this: &Js, kind: &str, call: &JsValue);
    #[wasm_bindgen(method, js_name = stopPropagation)]
    pub(crate) fn stop_propagation(this: &Js);
    #[wasm_bindgen(method, js_name = preventDefault)]
    pub(crate) fn prevent_default(this: &Js);
    #[wasm_bindgen(method, getter)]
    pub(crate) fn target(this: &Js) -> Js;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn key(this: &Js) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = keyCode)]
    pub(crate) fn key_code(this: &Js) -> u32;
    #[wasm_bindgen(method, getter, js_name = shiftKey)]
    pub(crate) fn shift_key(this: &Js) -> bool;
    #[wasm_bindgen(method, getter, js_name = oldValue)]
    pub(crate) fn old_value(this: &Js) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = newValue)]
    pub(crate) fn new_value(this: &Js) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn code(this: &Js) -> u16;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn data(this: &Js) -> JsValue;

    // The page
    #[wasm_bindgen(method, getter, js_name = defaultView)]
    pub(crate) fn default_view(this: &Js) -> Js;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn hidden(this: &Js) -> bool;
    #[wasm_bindgen(method, js_name = hasFocus)]
    pub(crate) fn has_focus(this: &Js) -> bool;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn title(this: &Js) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn referrer(this: &Js) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn location(this: &Js) -> Js;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn href(this: &Js) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn origin(this: &Js) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn navigator(this: &Js) -> Js;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn navigation(this: &Js) -> Option<Js>;
    #[wasm_bindgen(method, getter, js_name = onLine)]
    pub(crate) fn on_line(this: &Js) -> bool;
    #[wasm_bindgen(method, js_name = matchMedia)]
    pub(crate) fn match_media(this: &Js, query: &str) -> Js;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn matches(this: &Js) -> bool;
    #[wasm_bindgen(method, getter, js_name = visualViewport)]
    pub(crate) fn visual_viewport(this: &Js) -> Option<Js>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn height(this: &Js) -> f64;
    #[wasm_bindgen(method, getter, js_name = offsetTop)]
    pub(crate) fn viewport_top(this: &Js) -> f64;

    // Storage: throws where the page may not have any, and when it is full.
    #[wasm_bindgen(method, getter, catch, js_name = localStorage)]
    pub(crate) fn local_storage(this: &Js) -> Result<Option<Js>, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn length(this: &Js) -> u32;
    #[wasm_bindgen(method, js_name = key)]
    pub(crate) fn key_at(this: &Js, index: u32) -> Option<String>;
    #[wasm_bindgen(method, js_name = getItem)]
    pub(crate) fn get_item(this: &Js, key: &str) -> Option<String>;
    #[wasm_bindgen(method, catch, js_name = setItem)]
    pub(crate) fn set_item(this: &Js, key: &str, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, js_name = removeItem)]
    pub(crate) fn remove_item(this: &Js, key: &str);

    // The network: a page's policy may refuse a connection where it is asked for.
    // `channel` stands in xtask's runtime.js.
    #[wasm_bindgen(catch)]
    pub(crate) fn channel(url: &str, protocols: &JsValue, transport: u8) -> Result<Js, JsValue>;
    pub(crate) type XMLHttpRequest;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> XMLHttpRequest;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn open(this: &Js, method: &str, url: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_timeout(this: &Js, milliseconds: u32);
    #[wasm_bindgen(method, js_name = setRequestHeader)]
    pub(crate) fn set_request_header(this: &Js, name: &str, value: &str);
    #[wasm_bindgen(method, catch)]
    pub(crate) fn send(this: &Js, body: Option<&str>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn close(this: &Js, code: Option<u16>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn status(this: &Js) -> u16;
    #[wasm_bindgen(method, getter, js_name = responseText)]
    pub(crate) fn response_text(this: &Js) -> String;

    // Time and chance
    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn start_timer(call: &JsValue, milliseconds: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timer(timer: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn performance_now() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(crate) fn date_now() -> f64;
    #[wasm_bindgen(js_name = Date)]
    pub(crate) type Moment;
    #[wasm_bindgen(constructor, js_class = "Date")]
    pub(crate) fn new(milliseconds: f64) -> Moment;
    #[wasm_bindgen(method, js_class = "Date", js_name = getTimezoneOffset)]
    pub(crate) fn timezone_offset(this: &Moment) -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    pub(crate) fn random_values(bytes: &mut [u8]);
    #[wasm_bindgen(js_namespace = Intl)]
    pub(crate) type DateTimeFormat;
    // Throws at a locale that is none.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    pub(crate) fn new(locale: Option<&str>, options: &JsValue) -> Result<DateTimeFormat, JsValue>;
    #[wasm_bindgen(method)]
    pub(crate) fn format(this: &DateTimeFormat, milliseconds: f64) -> String;
    #[wasm_bindgen(method, js_name = resolvedOptions)]
    pub(crate) fn resolved_options(this: &DateTimeFormat) -> Js;
    #[wasm_bindgen(method, getter, js_name = timeZone)]
    pub(crate) fn time_zone(this: &Js) -> Option<String>;

    // Scripts
    #[wasm_bindgen(method, indexing_getter)]
    pub(crate) fn get(this: &Js, name: &str) -> JsValue;
    #[wasm_bindgen(js_namespace = JSON, js_name = parse)]
    pub(crate) fn parse(text: &str) -> JsValue;
    #[wasm_bindgen(method, js_name = call)]
    pub(crate) fn emit(this: &Js, on: &JsValue, name: &str, detail: &JsValue, label: Option<&str>);
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(crate) fn console_error(message: &str);
}

/// The page's document.
pub(crate) fn document() -> Js {
    DOCUMENT.with(Js::clone)
}

/// The page's window.
pub(crate) fn window() -> Js {
    document().default_view()
}
