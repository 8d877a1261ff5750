//! From text to a tree.

use super::number::Number;
use super::{MAX_BYTES, MAX_DEPTH, Value};
use std::borrow::Cow;

/// Not JSON, nested deeper than [`MAX_DEPTH`] or longer than [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// About where, in bytes.
    pub at: usize,
}

impl core::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not JSON at byte ")?;
        self.at.fmt(f)
    }
}

impl core::error::Error for SyntaxError {}

/// Reads one value and nothing after it but white space.
///
/// # Errors
/// [`SyntaxError`].
pub fn parse(text: &str) -> Result<Value<'_>, SyntaxError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    if text.len() <= MAX_BYTES
        && let Some(value) = reader.value()
        && reader.space() == 0
        && reader.at >= text.len()
    {
        return Ok(value);
    }
    Err(SyntaxError { at: reader.at })
}

pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) at: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    /// The byte under the cursor; zero, which JSON knows nowhere, at the end.
    pub(super) fn peek(&self) -> u8 {
        match self.text.as_bytes().get(self.at) {
            Some(byte) => *byte,
            None => 0,
        }
    }

    pub(super) fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// What was read since `start`. The reader stops between characters only.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes white space, and gives the byte after it.
    fn space(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return byte,
            }
        }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.space() {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'"' => Some(Value::Text(self.string()?)),
            b'[' => self.nested(Self::list),
            b'{' => self.nested(Self::object),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        for byte in word.bytes() {
            if self.next() != byte {
                return None;
            }
        }
        Some(value)
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        match super::number::read(self)? {
            Number::Unsigned(value) => Some(Value::Unsigned(value)),
            Number::Negative(value) => Some(Value::Negative(value)),
            Number::Float => Some(Value::Float(self.since(start))),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Value<'a>>) -> Option<Value<'a>> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Option<Value<'a>> {
        let mut items = Vec::new();
        if self.space() == b']' {
            self.at += 1;
            return Some(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.more(b']')? {
                return Some(Value::List(items));
            }
        }
    }

    fn object(&mut self) -> Option<Value<'a>> {
        let mut entries = Vec::new();
        if self.space() == b'}' {
            self.at += 1;
            return Some(Value::Object(entries));
        }
        loop {
            if self.space() != b'"' {
                return None;
            }
            let key = self.string()?;
            if self.space() != b':' {
                return None;
            }
            self.at += 1;
            entries.push((key, self.value()?));
            if self.more(b'}')? {
                return Some(Value::Object(entries));
            }
        }
    }

    /// Passes a comma, or the bracket that closes: `true`.
    fn more(&mut self, close: u8) -> Option<bool> {
        let byte = self.space();
        if byte != close && byte != b',' {
            return None;
        }
        self.at += 1;
        Some(byte == close)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let mut start = self.at;
        let mut owned = String::new();
        loop {
            match self.peek() {
                b'"' => {
                    let tail = self.since(start);
                    self.at += 1;
                    // Every escape leaves a character behind.
                    if owned.is_empty() {
                        return Some(Cow::Borrowed(tail));
                    }
                    owned.push_str(tail);
                    return Some(Cow::Owned(owned));
                }
                b'\\' => {
                    owned.push_str(self.since(start));
                    self.at += 1;
                    owned.push(self.escape()?);
                    start = self.at;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next() {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    /// `\uXXXX`, or a pair of them for what lies above U+FFFF. Half a pair is an error.
    fn unicode(&mut self) -> Option<char> {
        let mut code = self.hex()?;
        if code & 0xfc00 == 0xd800 {
            if self.next() != b'\\' || self.next() != b'u' {
                return None;
            }
            let low = self.hex()?;
            if low & 0xfc00 != 0xdc00 {
                return None;
            }
            code = 0x1_0000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        }
        char::from_u32(code)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = match self.next() {
                byte @ b'0'..=b'9' => byte - b'0',
                byte @ (b'a'..=b'f' | b'A'..=b'F') => (byte | 0x20) - b'a' + 10,
                _ => return None,
            };
            code = code << 4 | u32::from(digit);
        }
        Some(code)
    }
}
