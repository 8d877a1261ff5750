//! Passwords that are guessed first.
//!
//! Two lists of our own: whole passwords, and words (names, places, teams, seasons…). A word
//! counts in any case, with digits or signs around it and with the usual signs for letters,
//! so the two lists stand for some hundred thousand passwords, the most common thousands among them.
//! Rows of the keyboard and repetitions are found by rule.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Whole passwords of 8 characters and more.
static PASSWORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common/passwords.txt")
        .split_whitespace()
        .collect()
});
/// Words that passwords are built on.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common/words.txt")
        .split_whitespace()
        .collect()
});

/// What a finger runs along.
const ROWS: [&str; 12] = [
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl;'",
    "qsdfghjklm",
    "zxcvbnm,./",
    "yxcvbnm,.-",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
];
/// Digits and signs around a word that do not make it better.
const MOST_AROUND: usize = 6;

/// Whether a password is one that is guessed first.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let bare: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    PASSWORDS.contains(bare.as_str())
        || repeats(&bare)
        || runs_along_rows(&bare)
        || is_short_number(&bare)
        || is_word(&bare)
}

/// Whether a password in lower case is `own`, with nothing but digits and signs around it.
pub(super) fn is_built_on(lower: &str, own: &str) -> bool {
    let outside = |c: char| !c.is_alphabetic();
    lower == own
        || lower.trim_matches(outside) == own.trim_matches(outside)
            && own.contains(char::is_alphabetic)
}

/// `aaaaaaaa`, `12121212`, `abcabcabc`.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| {
        chars.len() > period
            && chars
                .iter()
                .zip(chars.iter().skip(period))
                .all(|(one, other)| one == other)
    })
}

/// A date or a telephone number at most.
fn is_short_number(text: &str) -> bool {
    text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Pieces of three and more along the rows, in either direction: `qwerty123`, `asdf4321`.
fn runs_along_rows(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let Some(length) = (3..=rest.len())
            .rev()
            .find(|length| rest.get(..*length).is_some_and(is_along_a_row))
        else {
            return false;
        };
        rest = &rest[length..];
    }
    true
}

fn is_along_a_row(piece: &str) -> bool {
    let back: String = piece.chars().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(piece) || row.contains(&back))
}

fn is_word(text: &str) -> bool {
    let outside = |c: char| !c.is_alphabetic();
    let cores = [
        text.trim_matches(outside),
        text.trim_end_matches(outside),
        text,
    ];
    cores.iter().any(|core| {
        let around = text.chars().count() - core.chars().count();
        around <= MOST_AROUND && ['i', 'l'].iter().any(|one| is_known(&letters(core, *one)))
    })
}

/// A word, or the same one twice.
fn is_known(core: &str) -> bool {
    let half = core.get(..core.len() / 2).unwrap_or_default();
    WORDS.contains(core) || (WORDS.contains(half) && core.strip_prefix(half) == Some(half))
}

/// The letters that digits and signs are taken for.
fn letters(text: &str, one: char) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' | '|' => one,
            '3' | '€' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' | '+' => 't',
            '8' => 'b',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_found() {
        for password in [
            "12345678",
            "password",
            "Password1",
            "P@ssw0rd",
            "p4$$w0rd!",
            "qwertyuiop",
            "Qwerty123",
            "1q2w3e4r",
            "iloveyou",
            "Summer2025!",
            "football",
            "liverpool1",
            "aaaaaaaa",
            "abcabcabc",
            "20040229",
            "asdf4321",
            "lovelove",
            "letmein!!",
            "monkey99",
            "dragon1990",
            "Admin123",
            "trustno1",
            "1qaz2wsx",
            "zaq12wsx",
            "michael7",
            "welcome1",
            "correct horse battery staple",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn what_is_not_guessed_first_is_left_alone() {
        for password in [
            "correct horse",
            "tr0ub4dor&3x",
            "passing the salt",
            "gk3VxQ91",
            "пасхальныйзаяц",
            "мойпароль не тут",
            "love is a long road",
            "8 small owls",
            "qwerty is a row",
            "zebra crossing 4",
            "日本語のパスワード",
            "a long day's work",
            "x7#pLw2q",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn the_lists_are_what_they_say() {
        assert!(
            PASSWORDS.len() >= 300 && WORDS.len() >= 800,
            "{} {}",
            PASSWORDS.len(),
            WORDS.len()
        );
        assert!(
            PASSWORDS
                .iter()
                .all(|password| password.chars().count() >= 8
                    && *password == password.to_lowercase())
        );
        assert!(
            WORDS
                .iter()
                .all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
        );
    }
}
