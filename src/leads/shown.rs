//! What stands in people's files, on a screen: headers, cells and file names are others' words, and a terminal must not
//! obey them.

use std::path::Path;

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use crate::text::is_harmless;

/// Characters kept of a cell that is shown.
pub const SHOWN: usize = 40;

/// A text without anything that a terminal would obey.
pub fn plain(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// A cell as it may be shown: plain, and short.
pub fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(harmless).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push_str("..");
    }
    short
}

/// A file's name as it may be shown.
pub fn file(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

/// A word as it is typed in a shell.
pub fn typed(word: &str) -> String {
    let is_plain = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ',' | '/' | ':' | '@' | '%' | '+' | '=')
    };
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", plain(word).replace('\'', r"'\''"))
    }
}

/// Marks that steer the direction of text, or have no width: they come with numbers copied from chats and contacts.
pub(super) fn is_invisible(letter: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

fn harmless(letter: char) -> char {
    if is_harmless(letter) { letter } else { '\u{fffd}' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_words_are_shown_and_not_obeyed() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(shown(&"x".repeat(50)), format!("{}..", "x".repeat(40)));
        assert_eq!(file(Path::new("l\u{1b}]0;x\u{7}.csv")), "l\u{fffd}]0;x\u{fffd}.csv");
    }

    #[test]
    fn a_word_can_be_typed_as_it_is_shown() {
        let words = ["lists/leads.csv", "Tel (privat)", "it's", ""].map(typed);
        assert_eq!(words, ["lists/leads.csv", "'Tel (privat)'", r"'it'\''s'", "''"]);
    }
}
