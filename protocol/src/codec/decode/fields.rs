//! The fields of a struct, read one after the other.

use crate::Id;
use crate::codec::json::Value;

/// What a struct is read from: an object, or a list of its fields in the order declared.
///
/// An error is remembered, not returned: the readers stay straight lines, which
/// is less code than an exit after each field. What was read counts only if
/// [`Fields::good`] says so at the end.
pub(super) struct Fields<'v> {
    value: &'v Value<'v>,
    /// How many fields were asked for; in a list, the place of the next.
    asked: usize,
    bad: bool,
}

/// The place of a name that is not there.
const UNKNOWN: u8 = u8::MAX;

/// The place of a word among names.
pub(super) fn position(word: &str, names: &[&str]) -> u8 {
    for (at, name) in names.iter().enumerate() {
        if word == *name {
            return at as u8;
        }
    }
    UNKNOWN
}

impl<'v> Fields<'v> {
    pub(super) fn new(value: &'v Value<'v>) -> Self {
        Self {
            value,
            asked: 0,
            bad: !matches!(value, Value::Object(_) | Value::List(_)),
        }
    }

    /// Whether all that was asked for was right, and a list held nothing more.
    pub(super) fn good(&self) -> bool {
        !self.bad && self.value.items().len() <= self.asked
    }

    pub(super) fn fail(&mut self) {
        self.bad = true;
    }

    /// A field that may be missing. Fields must be asked for in the order declared.
    pub(super) fn get(&mut self, name: &str) -> Option<&'v Value<'v>> {
        let mut found = self.value.items().get(self.asked);
        self.asked += 1;
        for (key, value) in self.value.entries() {
            if key == name {
                self.bad |= found.is_some();
                found = Some(value);
            }
        }
        found
    }

    /// A field that must be there. If it is not, `null`, which fits no type.
    pub(super) fn need(&mut self, name: &str) -> &'v Value<'v> {
        self.get(name).unwrap_or(&Value::Null)
    }

    /// A field that may be missing or `null`.
    pub(super) fn optional(&mut self, name: &str) -> Option<&'v Value<'v>> {
        match self.get(name) {
            Some(Value::Null) => None,
            other => other,
        }
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        let value = self.need(name);
        self.as_text(value)
    }

    pub(super) fn text_or_empty(&mut self, name: &str) -> String {
        match self.get(name) {
            Some(value) => self.as_text(value),
            None => String::new(),
        }
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.optional(name).map(|value| self.as_text(value))
    }

    fn as_text(&mut self, value: &Value<'_>) -> String {
        match value.text() {
            Some(text) => text.to_owned(),
            None => {
                self.bad = true;
                String::new()
            }
        }
    }

    pub(super) fn u64(&mut self, name: &str) -> u64 {
        let value = self.need(name);
        self.as_u64(value)
    }

    fn as_u64(&mut self, value: &Value<'_>) -> u64 {
        match value.unsigned() {
            Some(value) => value,
            None => {
                self.bad = true;
                0
            }
        }
    }

    pub(super) fn u32(&mut self, name: &str) -> u32 {
        let value = self.need(name);
        self.as_u32(value)
    }

    pub(super) fn u32_or_zero(&mut self, name: &str) -> u32 {
        match self.get(name) {
            Some(value) => self.as_u32(value),
            None => 0,
        }
    }

    pub(super) fn as_u32(&mut self, value: &Value<'_>) -> u32 {
        let value = self.as_u64(value);
        self.bad |= value > u64::from(u32::MAX);
        value as u32
    }

    pub(super) fn i64(&mut self, name: &str) -> i64 {
        let value = self.need(name);
        self.as_i64(value)
    }

    pub(super) fn optional_i64(&mut self, name: &str) -> Option<i64> {
        self.optional(name).map(|value| self.as_i64(value))
    }

    fn as_i64(&mut self, value: &Value<'_>) -> i64 {
        match value.signed() {
            Some(value) => value,
            None => {
                self.bad = true;
                0
            }
        }
    }

    pub(super) fn bool(&mut self, name: &str) -> bool {
        let value = self.need(name);
        self.as_bool(value)
    }

    pub(super) fn bool_or_false(&mut self, name: &str) -> bool {
        match self.get(name) {
            Some(value) => self.as_bool(value),
            None => false,
        }
    }

    fn as_bool(&mut self, value: &Value<'_>) -> bool {
        match value.bool() {
            Some(value) => value,
            None => {
                self.bad = true;
                false
            }
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Id {
        let value = self.need(name);
        self.as_id(value)
    }

    pub(super) fn optional_id(&mut self, name: &str) -> Option<Id> {
        self.optional(name).map(|value| self.as_id(value))
    }

    fn as_id(&mut self, value: &Value<'_>) -> Id {
        if let Some(text) = value.text()
            && let Some(id) = Id::parse(text)
        {
            return id;
        }
        self.bad = true;
        Id::NIL
    }

    #[cfg(feature = "agents")]
    pub(super) fn ids(&mut self, name: &str) -> Vec<Id> {
        let value = self.need(name);
        let mut ids = Vec::new();
        for item in self.as_items(value) {
            ids.push(self.as_id(item));
        }
        ids
    }

    /// An enum: the place of its variant among `names`, or a number above all of them.
    pub(super) fn variant(&mut self, name: &str, names: &[&str]) -> u8 {
        let value = self.need(name);
        self.as_variant(value, names)
    }

    /// An enum that has no variant for what it does not know.
    pub(super) fn known_variant(&mut self, name: &str, names: &[&str]) -> u8 {
        let value = self.need(name);
        self.as_known_variant(value, names)
    }

    pub(super) fn as_known_variant(&mut self, value: &'v Value<'v>, names: &[&str]) -> u8 {
        let at = self.as_variant(value, names);
        self.bad |= at == UNKNOWN;
        at
    }

    /// The variant's name stands as a string, or as the one name of an object that holds nothing.
    fn as_variant(&mut self, value: &'v Value<'v>, names: &[&str]) -> u8 {
        let word = match value {
            Value::Text(text) => text,
            Value::Object(entries) => match entries.as_slice() {
                [(word, Value::Null)] => word,
                [(word, Value::Object(none))] if none.is_empty() => word,
                _ => return self.no_variant(),
            },
            _ => return self.no_variant(),
        };
        position(word, names)
    }

    fn no_variant(&mut self) -> u8 {
        self.bad = true;
        UNKNOWN
    }

    /// A struct.
    pub(super) fn one<T>(&mut self, name: &str, read: fn(&mut Fields<'v>) -> T) -> T {
        let value = self.need(name);
        self.as_one(value, read)
    }

    pub(super) fn optional_one<T>(
        &mut self,
        name: &str,
        read: fn(&mut Fields<'v>) -> T,
    ) -> Option<T> {
        self.optional(name).map(|value| self.as_one(value, read))
    }

    fn as_one<T>(&mut self, value: &'v Value<'v>, read: fn(&mut Fields<'v>) -> T) -> T {
        let mut fields = Fields::new(value);
        let one = read(&mut fields);
        self.bad |= !fields.good();
        one
    }

    /// A list of structs.
    pub(super) fn many<T>(&mut self, name: &str, read: fn(&mut Fields<'v>) -> T) -> Vec<T> {
        let value = self.need(name);
        self.as_many(value, read)
    }

    pub(super) fn many_or_none<T>(&mut self, name: &str, read: fn(&mut Fields<'v>) -> T) -> Vec<T> {
        match self.get(name) {
            Some(value) => self.as_many(value, read),
            None => Vec::new(),
        }
    }

    fn as_many<T>(&mut self, value: &'v Value<'v>, read: fn(&mut Fields<'v>) -> T) -> Vec<T> {
        let mut many = Vec::new();
        for item in self.as_items(value) {
            many.push(self.as_one(item, read));
            // A hostile list must not grow into structs that are many times its size.
            if self.bad {
                break;
            }
        }
        many
    }

    fn as_items(&mut self, value: &'v Value<'v>) -> &'v [Value<'v>] {
        self.bad |= !matches!(value, Value::List(_));
        value.items()
    }
}
