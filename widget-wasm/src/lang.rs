//! The interface's words. English is built in; another language is fetched.

use parlour_protocol::codec::json::{self, Writer};

const ENGLISH: &str = include_str!("../lang/en.json");

/// A language's words, by key.
pub(crate) struct Lang {
    words: Vec<(String, String)>,
    english: Vec<(String, String)>,
}

impl Lang {
    /// The built-in language.
    pub(crate) fn english() -> Self {
        Self {
            words: Vec::new(),
            english: read(ENGLISH),
        }
    }

    /// Takes over the words of a language file. False if it is none.
    pub(crate) fn take(&mut self, file: &str) -> bool {
        self.words = read(file);
        !self.words.is_empty()
    }

    /// The words for `key`; in English where the language lacks them.
    pub(crate) fn get(&self, key: &str) -> &str {
        let mut all = self.words.iter().chain(&self.english);
        all.find(|(name, _)| name == key)
            .map_or("", |(_, words)| words)
    }

    /// The words for `key`, with `value` in the place of `{}`.
    pub(crate) fn fill(&self, key: &str, value: &str) -> String {
        let words = self.get(key);
        let at = words
            .bytes()
            .position(|byte| byte == b'{')
            .unwrap_or(words.len());
        let mut text = String::from(words.get(..at).unwrap_or_default());
        if let Some(rest) = words.get(at + 2..) {
            text.push_str(value);
            text.push_str(rest);
        }
        text
    }
}

fn read(file: &str) -> Vec<(String, String)> {
    let Ok(value) = json::parse(file) else {
        return Vec::new();
    };
    let words = value.entries().iter();
    words
        .filter_map(|(key, words)| Some((key.to_string(), words.text()?.to_owned())))
        .collect()
}

/// The language of a locale: `de` of `de-AT`.
pub(crate) fn language(locale: &str) -> &str {
    let end = locale
        .bytes()
        .position(|byte| matches!(byte, b'-' | b'_'))
        .unwrap_or(locale.len());
    locale.get(..end).unwrap_or_default()
}

/// The number in decimal digits.
pub(crate) fn digits(number: u64) -> String {
    let mut json = Writer::new();
    json.unsigned(number);
    json.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn languages_have_the_same_keys_and_places() {
        let english = read(ENGLISH);
        assert!(english.len() > 20);
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/lang")).unwrap() {
            let path = file.unwrap().path();
            let words = read(&std::fs::read_to_string(&path).unwrap());
            let keys = |words: &[(String, String)]| {
                words.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()
            };
            assert_eq!(keys(&words), keys(&english), "{}", path.display());
            for ((key, theirs), (_, ours)) in words.iter().zip(&english) {
                assert_eq!(
                    theirs.contains("{}"),
                    ours.contains("{}"),
                    "{}: {key}",
                    path.display()
                );
                assert!(
                    !theirs.is_empty() && !theirs.contains('!'),
                    "{}: {key}",
                    path.display()
                );
            }
        }
    }

    #[test]
    fn words_fall_back_to_english() {
        let mut lang = Lang::english();
        assert_eq!(lang.get("read"), "Read");
        assert!(lang.take(r#"{"read":"Lu"}"#));
        assert_eq!(lang.get("read"), "Lu");
        assert_eq!(lang.get("sent"), "Sent");
        assert!(!lang.take("<html>"));
    }

    #[test]
    fn values_take_their_place() {
        let lang = Lang::english();
        assert_eq!(lang.fill("typing", "Ada"), "Ada is typing");
        assert_eq!(lang.fill("read", "Ada"), "Read");
        assert_eq!(language("de-AT"), "de");
        assert_eq!(language("de"), "de");
        assert_eq!(digits(0), "0");
        assert_eq!(digits(8_005), "8005");
    }
}
