//! Seeded mutations of JSON texts: of their tree, their characters and their bytes.

use parlour_protocol::codec::json::{Value, Writer, parse};
use std::borrow::Cow;

/// What is put in place of a value, or into the text.
const SPLICES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "3",
    "-1",
    "1.0",
    "1e400",
    "1e308",
    "4294967296",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "[]",
    "{}",
    "\"\"",
    "\"agent\"",
    "\"text\"",
    "\"deleted\"",
    "\"unknown\"",
    "{\"agent\":null}",
    "{\"online\":{}}",
    "\"t\"",
    "\"kind\"",
    "\"\\ud83d\\ude42\"",
    "\"\\ud83d\"",
    "\\u0000",
    "\\",
    "\"",
    ",",
    ":",
    "[",
    "]",
    "{",
    "}",
    " ",
    "\n",
    "\t",
    "\u{0}",
    "\u{1f}",
    "é",
    "🙂",
    "\u{feff}",
    "e",
    ".",
    "+",
    "-",
];

/// A source of mutations; the same seed gives the same ones.
pub(crate) struct Mutator<'a> {
    state: u64,
    texts: Vec<&'a str>,
    trees: Vec<Value<'a>>,
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(seed: u64, corpus: &'a [String]) -> Self {
        let texts: Vec<&str> = corpus.iter().map(String::as_str).collect();
        let trees = texts.iter().map(|text| parse(text).unwrap()).collect();
        Self {
            state: seed,
            texts,
            trees,
        }
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random() % bound.max(1) as u64).unwrap()
    }

    fn splice(&mut self) -> &'static str {
        SPLICES[self.below(SPLICES.len())]
    }

    /// A golden text with one to four mutations, mostly one.
    pub(crate) fn next(&mut self) -> String {
        let pick = self.below(self.texts.len());
        if self.below(3) == 0 {
            let text = self.scratch(self.texts[pick]);
            return if self.below(3) == 0 {
                self.scratch(&text)
            } else {
                text
            };
        }
        let mut tree = self.trees[pick].clone();
        let mutations = [1, 1, 1, 2, 3][self.below(5)];
        for _ in 0..mutations {
            let node = self.below(count(&tree));
            self.change(nth(&mut tree, node));
        }
        let mut text = String::new();
        write(&mut text, &tree);
        if self.below(4) == 0 {
            self.scratch(&text)
        } else {
            text
        }
    }

    fn change(&mut self, node: &mut Value<'a>) {
        match (self.below(5), &mut *node) {
            (0, Value::Object(entries)) if !entries.is_empty() => {
                let at = self.below(entries.len());
                entries.remove(at);
            }
            // Twice the same name, once with another value.
            (1, Value::Object(entries)) if !entries.is_empty() => {
                let from = self.below(entries.len());
                let to = self.below(entries.len() + 1);
                let mut entry = entries[from].clone();
                if self.below(2) == 0 {
                    entry.1 = Value::Null;
                }
                if self.below(2) == 0 {
                    entry.0 = Cow::Borrowed("else");
                }
                entries.insert(to, entry);
            }
            (2, Value::Object(entries)) => {
                let values = std::mem::take(entries).into_iter().map(|(_, value)| value);
                *node = Value::List(values.collect());
            }
            (3, Value::Object(entries)) => {
                for at in (1..entries.len()).rev() {
                    entries.swap(at, self.below(at + 1));
                }
            }
            (0, Value::List(items)) if !items.is_empty() => {
                let at = self.below(items.len());
                items.remove(at);
            }
            (1, Value::List(items)) if !items.is_empty() => {
                let from = self.below(items.len());
                let to = self.below(items.len() + 1);
                items.insert(to, items[from].clone());
            }
            (2, Value::Text(text)) => {
                let text = std::mem::take(text);
                let nothing = if self.below(2) == 0 {
                    Value::Null
                } else {
                    Value::Object(vec![])
                };
                *node = Value::Object(vec![(text, nothing)]);
            }
            (3, _) => {
                let pick = self.below(self.trees.len());
                let at = self.below(count(&self.trees[pick]));
                *node = nth(&mut self.trees[pick], at).clone();
            }
            (4, Value::Unsigned(number)) => {
                let shift = self.below(64);
                *number = self.random() >> shift;
            }
            (4, Value::Text(text)) if text.len() != 36 => {
                let random = self.random().to_le_bytes();
                *text = String::from_utf8_lossy(&random).into_owned().into();
            }
            // Written as it stands, whether it is a number or not.
            _ => *node = Value::Float(self.splice()),
        }
    }

    /// Changes one place in the text: a byte, a character, a stretch.
    fn scratch(&mut self, text: &str) -> String {
        let mut start = self.below(text.len() + 1);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let (head, tail) = text.split_at(start);
        let mut rest = tail.chars();
        match self.below(6) {
            0 => head.to_owned() + self.splice() + tail,
            1 => {
                rest.next();
                head.to_owned() + self.splice() + rest.as_str()
            }
            2 => {
                rest.next();
                head.to_owned() + rest.as_str()
            }
            3 => {
                let random = self.random().to_le_bytes();
                let mut bytes = text.as_bytes().to_vec();
                match bytes.get_mut(start) {
                    Some(byte) => *byte = random[0] & if random[1] & 1 == 0 { 0x7f } else { 0xff },
                    None => bytes.push(random[0]),
                }
                String::from_utf8_lossy(&bytes).into_owned()
            }
            4 => {
                let skip = self.below(12);
                head.to_owned() + &tail.chars().skip(skip).collect::<String>()
            }
            _ => {
                let twice: String = tail.chars().take(self.below(12)).collect();
                head.to_owned() + &twice + tail
            }
        }
    }
}

/// How many values a value consists of, itself included.
fn count(value: &Value<'_>) -> usize {
    let inner: usize = value.items().iter().map(count).sum();
    let fields: usize = value.entries().iter().map(|(_, value)| count(value)).sum();
    1 + inner + fields
}

/// The value of this number, counted from the outside in.
fn nth<'v, 'a>(value: &'v mut Value<'a>, mut number: usize) -> &'v mut Value<'a> {
    if number == 0 {
        return value;
    }
    number -= 1;
    let children: Vec<&mut Value<'a>> = match value {
        Value::List(items) => items.iter_mut().collect(),
        Value::Object(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
        _ => vec![],
    };
    for child in children {
        let size = count(child);
        if number < size {
            return nth(child, number);
        }
        number -= size;
    }
    unreachable!("the number is below the count")
}

fn write(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Unsigned(value) => out.push_str(&value.to_string()),
        Value::Negative(value) => out.push_str(&value.to_string()),
        Value::Float(text) => out.push_str(text),
        Value::Text(text) => write_text(out, text),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (at, (name, value)) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write_text(out, name);
                out.push(':');
                write(out, value);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    let mut writer = Writer::new();
    writer.text(text);
    out.push_str(&writer.finish());
}

/// The same value as serde_json holds it: of a name that repeats, the last counts.
pub(crate) fn to_serde(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Unsigned(value) => (*value).into(),
        Value::Negative(value) => (*value).into(),
        Value::Float(text) => serde_json::from_str(text).unwrap(),
        Value::Text(text) => text.as_ref().into(),
        Value::List(items) => items.iter().map(to_serde).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(name, value)| (name.clone().into_owned(), to_serde(value)))
            .collect(),
    }
}
