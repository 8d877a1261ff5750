//! What somebody types to find something.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::words::{Term, Word, words};

/// Characters that are read; what is longer is cut.
const MAX_CHARS: usize = 256;
/// Phrases that count; a word is a phrase of one.
const MAX_PHRASES: usize = 16;

/// Words and phrases, all of which must be there. The last word may be the beginning of one.
#[derive(Clone, Debug, Default)]
pub struct Question {
    phrases: Vec<Phrase>,
    terms: Vec<Term>,
}

/// Words that stand side by side.
#[derive(Clone, Debug)]
struct Phrase {
    words: Vec<Word>,
    /// Whether the last one may go on.
    open: bool,
}

impl Question {
    /// Reads what was typed. What is between double quotes is a phrase, and so are characters of
    /// a script without spaces that stand side by side. Nothing else has a meaning of its own.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text: String = text.chars().take(MAX_CHARS).collect();
        let parts: Vec<&str> = text.split('"').collect();
        let mut phrases = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let words = words(part);
            // A quote that is not closed quotes nothing.
            if index % 2 == 1 && index + 1 < parts.len() {
                phrases.push(Phrase { words, open: false });
            } else {
                phrases.extend(split(words));
            }
        }
        phrases.retain(|phrase| !phrase.words.is_empty());
        phrases.truncate(MAX_PHRASES);
        if let (Some(last), false) = (phrases.last_mut(), ends_quoted(&parts)) {
            last.open = last.words.last().is_some_and(|word| !word.dense);
        }
        let terms: BTreeSet<Term> = phrases.iter().flat_map(Phrase::terms).collect();
        Self {
            phrases,
            terms: terms.into_iter().collect(),
        }
    }

    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// What the index is asked for: whatever fits has all of them.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether all that was asked for is in a text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let words = words(text);
        let found = |phrase: &Phrase| phrase.places(&words).next().is_some();
        self.phrases.iter().all(found)
    }

    /// Where in a text something of it is, in order and apart from one another.
    #[must_use]
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let words = words(text);
        let mut all: Vec<_> = self
            .phrases
            .iter()
            .flat_map(|phrase| phrase.places(&words))
            .collect();
        all.sort_by_key(|place| (place.start, place.end));
        let mut places: Vec<Range<usize>> = Vec::new();
        for place in all {
            match places.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => places.push(place),
            }
        }
        places
    }
}

/// Words, and runs of characters without spaces.
fn split(words: Vec<Word>) -> Vec<Phrase> {
    let mut phrases: Vec<Phrase> = Vec::new();
    for word in words {
        match phrases.last_mut() {
            Some(last) if word.joins => last.words.push(word),
            _ => phrases.push(Phrase {
                words: vec![word],
                open: false,
            }),
        }
    }
    phrases
}

/// Whether the last thing typed is a phrase between quotes.
fn ends_quoted(parts: &[&str]) -> bool {
    parts.len() >= 3
        && parts.len() % 2 == 1
        && parts.last().is_some_and(|last| words(last).is_empty())
}

impl Phrase {
    fn terms(&self) -> Vec<Term> {
        let last = self.words.len().saturating_sub(1);
        let mut terms = Vec::new();
        for (index, word) in self.words.iter().enumerate() {
            let next = self.words.get(index + 1).filter(|next| next.joins);
            terms.push(match next {
                Some(next) => Term::Exact(format!("{}{}", word.text, next.text)),
                // The pair before it says more.
                None if word.joins => continue,
                None if self.open && index == last => Term::beginning(&word.text),
                None => Term::Exact(word.text.clone()),
            });
        }
        terms
    }

    /// Where it stands among the words of a text.
    fn places<'a>(&'a self, words: &'a [Word]) -> impl Iterator<Item = Range<usize>> + 'a {
        words.windows(self.words.len()).filter_map(|window| {
            let last = self.words.len() - 1;
            let fits = self
                .words
                .iter()
                .zip(window)
                .enumerate()
                .all(|(index, (wanted, word))| {
                    let goes_on =
                        self.open && index == last && wanted.text.chars().nth(1).is_some();
                    let same = if goes_on {
                        word.text.starts_with(&wanted.text)
                    } else {
                        word.text == wanted.text
                    };
                    same && (index == 0 || !wanted.joins || word.joins)
                });
            fits.then(|| window[0].range.start..window[last].range.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(question: &str, text: &str) -> bool {
        Question::parse(question).fits(text)
    }

    fn marked(question: &str, text: &str) -> String {
        let mut marked = text.to_owned();
        for place in Question::parse(question).places(text).into_iter().rev() {
            marked.insert(place.end, ']');
            marked.insert(place.start, '[');
        }
        marked
    }

    #[test]
    fn all_words_and_the_beginning_of_the_last() {
        assert!(fits(
            "creme del",
            "Die Crème ist noch nicht geliefert: Delivery"
        ));
        assert!(!fits("del creme x", "Die Crème: Delivery"));
        assert!(!fits("cre delivery", "Crème delivery"));
        assert!(!fits("a", "about"), "one letter is a word");
    }

    #[test]
    fn phrases_and_scripts_without_spaces_stand_together() {
        assert!(fits("\"late order\"", "my late order"));
        assert!(!fits("\"late order\"", "order is late"));
        assert!(
            !fits("\"late ord\"", "my late order"),
            "a phrase has whole words"
        );
        assert!(
            fits("\"late ord", "my order is late"),
            "an open quote quotes nothing"
        );
        assert!(fits("東京都", "私は東京都に住む"));
        assert!(!fits("東京都", "東京と京都"));
        assert!(!fits("東京", "東 京"));
    }

    #[test]
    fn places_are_marked() {
        assert_eq!(
            marked("creme", "Cre\u{300}me, crème!"),
            "[Cre\u{300}me], [crème]!"
        );
        assert_eq!(marked("京都 del", "東京都 Delivery"), "東[京都] [Delivery]");
        assert_eq!(
            marked("\"late order\"", "A late,  order"),
            "A [late,  order]"
        );
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["", " ", "\"\"", "!?*", "\"", "* OR (", "\0"] {
            let question = Question::parse(text);
            let words: Vec<_> = question
                .phrases
                .iter()
                .flat_map(|phrase| &phrase.words)
                .collect();
            assert!(
                question.is_empty() || words.iter().all(|word| word.text == "or"),
                "{text}"
            );
        }
        assert!(Question::parse(&"word ".repeat(5_000)).terms().len() <= MAX_PHRASES);
    }

    proptest! {
        /// The index must never hide what fits.
        #[test]
        fn what_fits_has_the_terms(text in "[abé東京 ]{0,24}", question in "[abé東京 \"]{0,8}") {
            let question = Question::parse(&question);
            if question.fits(&text) {
                let mut terms = std::collections::HashSet::new();
                crate::words::each_term(&text, |term| {
                    let _ = terms.insert(term.to_owned());
                });
                for term in question.terms() {
                    let found = match term {
                        Term::Exact(term) => terms.contains(term),
                        Term::Beginning(start) => terms.iter().any(|term| term.starts_with(start.as_str())),
                    };
                    prop_assert!(found, "{:?} in {:?}", term, terms);
                }
            }
            for place in question.places(&text) {
                prop_assert!(text.get(place).is_some());
            }
        }
    }
}
