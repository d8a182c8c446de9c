//! Texts from outside: what the provider sends, what stands in files, what was typed. A terminal must not obey them, a
//! reader must not be misled by them, and none is longer than anybody reads. What the provider sends is cleaned once,
//! where it enters ([`clean`]); paths and words that have to stay as they are, are made plain as they are printed
//! ([`plain`]).

use std::path::Path;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// One line of at most so many characters: white space and controls become single spaces, and what has no shape of its
/// own goes (marks that turn the direction of writing, join, or hide).
pub fn clean(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    let mut left = most;
    let mut gap = false;
    for letter in text.chars() {
        if letter.is_whitespace() || letter.is_control() {
            gap = !line.is_empty();
        } else if is_harmless(letter) {
            if left < 1 + usize::from(gap) {
                return line + "...";
            }
            if std::mem::take(&mut gap) {
                line.push(' ');
                left -= 1;
            }
            line.push(letter);
            left -= 1;
        }
    }
    line
}

/// The same letters, with a mark for each that a terminal would obey or a reader would not see. Line breaks and tabs
/// are spaces.
pub fn plain(text: &str) -> String {
    let plain = |letter| match letter {
        '\n' | '\r' | '\t' => ' ',
        letter if is_harmless(letter) => letter,
        _ => char::REPLACEMENT_CHARACTER,
    };
    text.chars().map(plain).collect()
}

/// A path as it may be shown.
pub fn path(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

/// Whether a letter shows as itself and as nothing else.
pub fn is_harmless(letter: char) -> bool {
    if letter.is_ascii() {
        return !letter.is_ascii_control();
    }
    let unseen = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter);
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    let steers = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    !unseen && !steers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_from_outside_is_one_short_line() {
        assert_eq!(clean("  silence\u{1b}[2J\r\n\ttimed\u{2028}out ", 100), "silence [2J timed out");
        assert_eq!(clean("pay\u{202e}lap\u{200b}\u{feff}\u{ad}", 100), "paylap");
        assert_eq!(clean("\u{9b}31m", 100), "31m", "the C1 form of an escape sequence");
        assert_eq!(clean("Zoë 東京 שלום", 100), "Zoë 東京 שלום");
        assert_eq!(clean("abc def", 3), "abc...");
        assert_eq!(clean("abc def", 4), "abc...");
        assert_eq!(clean("abc def", 7), "abc def");
        assert_eq!(clean("\u{202e}\n", 9), "");
    }

    #[test]
    fn a_path_keeps_its_length_and_is_not_obeyed() {
        assert_eq!(path(Path::new("l\u{1b}]0;x\u{7}.csv")), "l\u{fffd}]0;x\u{fffd}.csv");
        assert_eq!(plain("a\nb\u{202e}c"), "a b\u{fffd}c");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_comes_through(text: String, most in 0_usize..50) {
            let cleaned = clean(&text, most);
            prop_assert!(cleaned.chars().chain(plain(&text).chars()).all(is_harmless));
            prop_assert!(cleaned.chars().count() <= most + 3);
            prop_assert_eq!(clean(&cleaned, most + 3), cleaned);
        }
    }
}
