//! The part of a text around what was asked for.

use std::ops::Range;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it was asked for.
    pub hit: bool,
}

/// Characters of an excerpt at most, and those before the first place.
const LENGTH: usize = 220;
const BEFORE: usize = 60;

/// The surroundings of the first of `places`, with dots where something is left out.
#[must_use]
pub fn excerpt(text: &str, places: &[Range<usize>]) -> Vec<Piece> {
    let first = places.first().map_or(0, |place| place.start);
    let start = if text[..first].chars().count() > BEFORE {
        let back = text[..first].char_indices().nth_back(BEFORE - 1);
        word_start(text, back.map_or(0, |(at, _)| at), first)
    } else {
        0
    };
    let end = text[start..]
        .char_indices()
        .nth(LENGTH)
        .map_or(text.len(), |(at, _)| start + at);
    let mut pieces = pieces(text, start..end, places);
    if start > 0 {
        pieces.insert(0, plain("… "));
    }
    if end < text.len() {
        pieces.push(plain(" …"));
    }
    pieces
}

/// The beginning of the word after the first gap from `at` on, but not beyond `limit`.
fn word_start(text: &str, at: usize, limit: usize) -> usize {
    text[at..limit]
        .char_indices()
        .find(|(_, char)| char.is_whitespace())
        .map_or(at, |(gap, char)| at + gap + char.len_utf8())
}

/// The text in `within`, cut where the places begin and end.
#[must_use]
pub fn pieces(text: &str, within: Range<usize>, places: &[Range<usize>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = within.start;
    let mut push = |range: Range<usize>, hit| {
        if !range.is_empty() {
            pieces.push(Piece {
                text: text[range].to_owned(),
                hit,
            });
        }
    };
    for place in places {
        let (start, end) = (
            place.start.clamp(at, within.end),
            place.end.clamp(at, within.end),
        );
        push(at..start, false);
        push(start..end, true);
        at = end;
    }
    push(at..within.end, false);
    pieces
}

fn plain(text: &str) -> Piece {
    Piece {
        text: text.to_owned(),
        hit: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Question;
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, question: &str) -> String {
        excerpt(text, &Question::parse(question).places(text))
            .iter()
            .map(|piece| {
                if piece.hit {
                    format!("[{}]", piece.text)
                } else {
                    piece.text.clone()
                }
            })
            .collect()
    }

    #[test]
    fn an_excerpt_shows_the_first_place() {
        assert_eq!(shown("My late order", "late"), "My [late] order");
        let long = format!("{}needle{}", "hay ".repeat(100), " hay".repeat(100));
        let shown = shown(&long, "needle");
        assert!(shown.starts_with("… hay hay"), "{shown}");
        assert!(shown.contains(" [needle] "), "{shown}");
        assert!(shown.ends_with("…"), "{shown}");
        assert!(shown.chars().count() < LENGTH + 10);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "[aé東 ]{0,400}", question in "[aé東]{1,3}") {
            let places = Question::parse(&question).places(&text);
            let all = pieces(&text, 0..text.len(), &places);
            prop_assert_eq!(all.iter().map(|piece| piece.text.as_str()).collect::<String>(), text.as_str());
            let _ = excerpt(&text, &places);
        }
    }
}
