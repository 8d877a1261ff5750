//! The words of a text, as search compares them.
//!
//! One reading serves the index of either database, the question and the highlights, so that
//! they cannot disagree. Letters are folded: compatibility forms, case and diacritics do not
//! count. Where a script puts no spaces between words, each character is a word, and two that
//! stand side by side are indexed as a pair.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that count.
const MAX_WORD: usize = 64;
/// Beginnings of a word that are terms of their own: these would be of too many words to gather.
const BEGINNINGS: [usize; 2] = [2, 3];

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub text: String,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether it is a character of a script without spaces.
    pub dense: bool,
    /// Whether it also follows such a character without a gap.
    pub joins: bool,
}

/// A term of the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// Exactly this one.
    Exact(String),
    /// Every one that begins with this.
    Beginning(String),
}

impl Term {
    /// What finds the words that begin with `text`.
    #[must_use]
    pub fn beginning(text: &str) -> Self {
        match text.chars().count() {
            0 | 1 => Self::Exact(text.to_owned()),
            length if BEGINNINGS.contains(&length) => Self::Exact(format!("{MARK}{text}")),
            _ => Self::Beginning(text.to_owned()),
        }
    }
}

/// Stands before a beginning, which is no word. Words hold letters and digits alone.
const MARK: char = '^';

/// The words of `text`, in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let Reader { folded, words, .. } = Reader::read(text);
    let words = words.into_iter().map(|word| Word {
        text: folded[word.folded].to_owned(),
        range: word.range,
        dense: word.dense,
        joins: word.joins,
    });
    words.collect()
}

/// Calls `each` with what a text is found by: the terms of its words, one of several words several times.
pub fn each_term(text: &str, mut each: impl FnMut(&str)) {
    let Reader { folded, words, .. } = Reader::read(text);
    for (index, word) in words.iter().enumerate() {
        let Range { start, end } = word.folded;
        if word.dense {
            if let Some(next) = words.get(index + 1).filter(|next| next.joins) {
                each(&folded[start..next.folded.end]);
            }
        } else {
            for length in BEGINNINGS {
                if let Some(beginning) = beginning(&folded[start..end], length) {
                    each(&folded[start - MARK.len_utf8()..start + beginning]);
                }
            }
        }
        each(&folded[start..end]);
    }
}

/// Where the first `length` characters end, if there are as many.
fn beginning(text: &str, length: usize) -> Option<usize> {
    let (at, last) = text.char_indices().nth(length - 1)?;
    Some(at + last.len_utf8())
}

/// A word, as [`Word`], by where it stands in what was folded.
struct Span {
    folded: Range<usize>,
    range: Range<usize>,
    dense: bool,
    joins: bool,
}

/// Reads a text. Each word is copied to one buffer, so that terms are parts of it.
#[derive(Default)]
struct Reader {
    /// Words one behind the other, and a [`MARK`] before each that has beginnings.
    folded: String,
    words: Vec<Span>,
    /// Whether the next letter belongs to the last word.
    open: bool,
    /// Of the last word, in characters.
    length: usize,
}

impl Reader {
    fn read(text: &str) -> Self {
        let mut reader = Self {
            folded: String::with_capacity(text.len() * 5 / 4),
            words: Vec::with_capacity(text.len() / 4),
            ..Self::default()
        };
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let mut end = at + plain_length(&text[at..]);
            if end > at {
                reader.push_plain(&text[at..end], at);
            } else {
                end += first.len_utf8();
                let more = text[end..].chars().take_while(|next| continues(*next));
                end += more.map(char::len_utf8).sum::<usize>();
                reader.push_cluster(&text[at..end], &(at..end));
            }
            at = end;
        }
        reader
    }

    /// Adds letters and digits of ASCII.
    fn push_plain(&mut self, run: &str, at: usize) {
        if !self.open || self.words.last().is_none_or(|last| last.dense) {
            self.begin(false, false, at);
        }
        let start = self.folded.len();
        let kept = run.len().min(MAX_WORD - self.length);
        self.folded.push_str(&run[..kept]);
        self.folded[start..].make_ascii_lowercase();
        self.end(kept, at + run.len());
    }

    /// Adds one character with all that is put on it.
    fn push_cluster(&mut self, cluster: &str, range: &Range<usize>) {
        if let [byte] = cluster.as_bytes() {
            if byte.is_ascii_alphanumeric() {
                self.push_plain(cluster, range.start);
            } else {
                self.open = false;
            }
            return;
        }
        let folded = fold(cluster);
        if !folded.chars().any(char::is_alphanumeric) {
            self.open = false;
            return;
        }
        for char in folded.chars() {
            self.push(char, range);
        }
    }

    fn push(&mut self, char: char, range: &Range<usize>) {
        let mark = is_combining_mark(char);
        if !mark && !char.is_alphanumeric() {
            return;
        }
        let dense = is_dense(char);
        let last = self.words.last().map(|last| last.dense);
        let goes_on = mark || (self.open && !dense && last == Some(false));
        if last.is_none() || !goes_on {
            let joins = dense && self.open && last == Some(true);
            self.begin(dense, joins, range.start);
        }
        // A mark alone is dropped with the word that it would belong to.
        let kept = usize::from(self.length < MAX_WORD);
        self.folded.extend((kept > 0).then_some(char));
        self.end(kept, range.end);
    }

    fn begin(&mut self, dense: bool, joins: bool, at: usize) {
        if !dense {
            self.folded.push(MARK);
        }
        let start = self.folded.len();
        self.words.push(Span {
            folded: start..start,
            range: at..at,
            dense,
            joins,
        });
        self.length = 0;
    }

    /// The last word ends here, so many characters longer.
    fn end(&mut self, longer: usize, at: usize) {
        self.length += longer;
        self.open = true;
        if let Some(last) = self.words.last_mut() {
            last.folded.end = self.folded.len();
            last.range.end = at;
        }
    }
}

/// How many letters and digits of ASCII a text begins with, without one that others may be put on.
fn plain_length(text: &str) -> usize {
    match text.bytes().position(|byte| !byte.is_ascii_alphanumeric()) {
        Some(end) if text.as_bytes()[end].is_ascii() => end,
        Some(end) => end.saturating_sub(1),
        None => text.len(),
    }
}

/// Compatibility forms, case and diacritics taken away. Marks that make another letter stay.
fn fold(cluster: &str) -> String {
    cluster
        .nfkd()
        .filter(|char| !is_diacritic(*char))
        .flat_map(char::to_lowercase)
        .filter(|char| !is_diacritic(*char))
        .flat_map(|char| {
            let plain = plain(char);
            let kept = plain.is_empty().then_some(char);
            plain.chars().chain(kept)
        })
        .nfc()
        .collect()
}

/// Letters that Unicode does not take apart, and that are typed without their stroke all the same.
fn plain(char: char) -> &'static str {
    match char {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        'ς' => "σ",
        _ => "",
    }
}

/// Marks that are left out by who types in a hurry: accents, Hebrew points, Arabic vowels and tatweel.
fn is_diacritic(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{640}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a character belongs to the one before it: marks, parts of Korean syllables, and what
/// cannot be seen, so that a soft hyphen divides no word.
fn continues(char: char) -> bool {
    !char.is_ascii()
        && (is_combining_mark(char)
            || matches!(char,
            '\u{ad}' | '\u{640}' | '\u{1160}'..='\u{11ff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
            | '\u{ff9e}' | '\u{ff9f}'))
}

/// Scripts without spaces: Thai, Lao, Myanmar, Khmer, Kana, Han; and Hangul, whose words take endings.
fn is_dense(char: char) -> bool {
    matches!(char,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{aa60}'..='\u{aa7f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    fn terms(text: &str) -> BTreeSet<String> {
        let mut terms = BTreeSet::new();
        each_term(text, |term| {
            let _ = terms.insert(term.to_owned());
        });
        terms
    }

    #[test]
    fn letters_are_folded() {
        for (text, expected) in [
            ("Crème BRÛLÉE", "creme brulee"),
            ("Cre\u{300}me", "creme"),
            ("Straße Ærø Łódź İstanbul", "strasse aero lodz istanbul"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
            ("Ёлка", "елка"),
            ("ﬁne ＷＩＤＥ ①", "fine wide 1"),
            ("de\u{ad}liver\u{200b}y", "delivery"),
            ("it's 1,000-fold; e.g. A_b", "it s 1 000 fold e g a b"),
            ("مُحَمَّد", "محمد"),
            ("हिन्दी", "हिन्दी"),
            ("\u{301}", ""),
            ("👍 — …", ""),
        ] {
            assert_eq!(texts(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_are_read_by_character() {
        assert_eq!(texts("東京都 Tokyo"), ["東", "京", "都", "tokyo"]);
        let terms: Vec<_> = terms("東京 都").into_iter().collect();
        assert_eq!(terms, ["京", "東", "東京", "都"]);
        assert_eq!(texts("ﾊﾟﾝ"), texts("パン"));
        assert_eq!(texts("ハ\u{309a}ン"), texts("パン"));
        assert_ne!(texts("ハン"), texts("パン"));
        assert_eq!(texts("\u{1112}\u{1161}\u{11ab}글"), texts("한글"));
        assert_eq!(texts("ที่ไหน"), ["ที่", "ไ", "ห", "น"]);
    }

    #[test]
    fn beginnings_are_terms() {
        let terms: Vec<_> = terms("Über a").into_iter().collect();
        assert_eq!(terms, ["^ub", "^ube", "a", "uber"]);
        assert_eq!(Term::beginning("ub"), Term::Exact("^ub".into()));
        assert_eq!(Term::beginning("uber"), Term::Beginning("uber".into()));
        assert_eq!(Term::beginning("u"), Term::Exact("u".into()));
    }

    #[test]
    fn a_word_has_an_end() {
        let long = "x".repeat(5_000);
        assert_eq!(words(&long)[0].text.len(), MAX_WORD);
        assert_eq!(words(&long)[0].range, 0..5_000);
    }

    proptest! {
        /// What is read at once is what is read character by character: wide letters fold to these.
        #[test]
        fn plain_letters_are_read_like_others(text in "[a-z0-9A-Z .,é東]{0,30}|[aZ]{60,70}é?") {
            let wide = |char: char| match char {
                '!'..='~' => char::from_u32(u32::from(char) + 0xfee0).unwrap(),
                other => other,
            };
            let slow: String = text.chars().map(wide).collect();
            prop_assert_eq!(terms(&text), terms(&slow));
        }

        #[test]
        fn words_lie_in_the_text_in_order(text in "\\PC{0,40}|[a-z\u{e9}\u{301}東カ\u{3099}ที่ ]{0,30}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(text.get(word.range.clone()).is_some());
                prop_assert!(word.range.end >= end);
                end = word.range.end;
                prop_assert!(word.text.chars().all(|char| char.is_alphanumeric() || is_combining_mark(char)));
                prop_assert!(!word.text.is_empty());
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = texts(&text).join(" ");
            prop_assert_eq!(texts(&once).concat(), texts(&text).concat());
        }
    }
}
