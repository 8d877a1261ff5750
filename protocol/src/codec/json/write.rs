//! From values to text.

/// Writes JSON, and sets the commas. Whoever calls it closes what was opened.
///
/// ```
/// let mut json = parlour_protocol::codec::json::Writer::new();
/// json.object();
/// json.key("seen").unsigned(7);
/// json.key("tags").list().text("new").end_list();
/// json.end_object();
/// assert_eq!(json.finish(), r#"{"seen":7,"tags":["new"]}"#);
/// ```
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self { out: String::new() }
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Opens an object.
    pub fn object(&mut self) -> &mut Self {
        self.raw("{")
    }

    /// Closes it.
    pub fn end_object(&mut self) -> &mut Self {
        self.out.push('}');
        self
    }

    /// Opens a list.
    pub fn list(&mut self) -> &mut Self {
        self.raw("[")
    }

    /// Closes it.
    pub fn end_list(&mut self) -> &mut Self {
        self.out.push(']');
        self
    }

    /// The name of a field; its value comes next.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.out.push(':');
        self
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.raw("null")
    }

    /// `true` or `false`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// An integer.
    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.raw("");
        self.digits(value);
        self
    }

    /// An integer.
    pub fn signed(&mut self, value: i64) -> &mut Self {
        self.raw(if value < 0 { "-" } else { "" });
        self.digits(value.unsigned_abs());
        self
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.raw("\"");
        let mut start = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => b'"',
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                8 => b'b',
                12 => b'f',
                0..=0x1f => b'u',
                _ => continue,
            };
            self.slice(text, start, at);
            start = at + 1;
            self.out.push('\\');
            self.out.push(char::from(escape));
            if escape == b'u' {
                self.out.push_str(if byte < 16 { "000" } else { "001" });
                let low = byte & 15;
                self.out.push(char::from(if low < 10 {
                    b'0' + low
                } else {
                    b'a' - 10 + low
                }));
            }
        }
        self.slice(text, start, text.len());
        self.out.push('"');
        self
    }

    fn slice(&mut self, text: &str, start: usize, end: usize) {
        if let Some(slice) = text.get(start..end) {
            self.out.push_str(slice);
        }
    }

    /// A text that begins a value, after the comma that may be due. Strings end in
    /// a quote, so the last byte tells whether a value stands before this one.
    fn raw(&mut self, text: &str) -> &mut Self {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
        self.out.push_str(text);
        self
    }

    fn digits(&mut self, value: u64) {
        if value > 9 {
            self.digits(value / 10);
        }
        self.out.push(char::from(b'0' + (value % 10) as u8));
    }
}
