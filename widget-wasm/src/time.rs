//! Times and days in the visitor's own zone, by the browser's formatter. Times are microseconds.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    // js-sys has it too, but a locale that the browser does not know would end the widget there.
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locales: &JsValue, options: &JsValue) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, milliseconds: f64) -> String;

    #[wasm_bindgen(method, js_name = resolvedOptions)]
    fn resolved_options(this: &DateTimeFormat) -> JsValue;
}

/// Formats times for one locale.
pub(crate) struct Times {
    hour: Option<DateTimeFormat>,
    day: Option<DateTimeFormat>,
}

impl Times {
    /// For a locale such as `de-AT`; one that is not known means the browser's own.
    pub(crate) fn new(locale: &str) -> Self {
        Self {
            hour: format(locale, &[("hour", "2-digit"), ("minute", "2-digit")]),
            day: format(
                locale,
                &[("weekday", "long"), ("day", "numeric"), ("month", "long")],
            ),
        }
    }

    /// Such as 14:05.
    pub(crate) fn hour(&self, at: i64) -> String {
        write(self.hour.as_ref(), at)
    }

    /// Such as Tuesday, 24 November.
    pub(crate) fn day(&self, at: i64) -> String {
        write(self.day.as_ref(), at)
    }

    /// The visitor's time zone, such as Europe/Berlin.
    pub(crate) fn zone(&self) -> Option<String> {
        let options = self.hour.as_ref()?.resolved_options();
        Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
    }
}

fn write(format: Option<&DateTimeFormat>, at: i64) -> String {
    format
        .map(|format| format.format((at / 1000) as f64))
        .unwrap_or_default()
}

fn format(locale: &str, fields: &[(&str, &str)]) -> Option<DateTimeFormat> {
    let options = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    DateTimeFormat::new(&locale.into(), &options)
        .or_else(|_| DateTimeFormat::new(&JsValue::UNDEFINED, &options))
        .ok()
}

/// The number of the local day in which `at` lies.
pub(crate) fn day_of(at: i64) -> i64 {
    let milliseconds = at / 1000;
    let offset = js_sys::Date::new(&(milliseconds as f64).into()).get_timezone_offset();
    (milliseconds - offset as i64 * 60_000).div_euclid(86_400_000)
}
