//! What people and programs put around the digits of a number: taken away here, and only what is surely not part of it.

use super::super::findings::Kind;
use super::super::shown::is_invisible;
use super::MAX_EXTENSION;

/// A number as written, once everything around it is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// It begins with a plus.
    pub plus: bool,
    /// All of its digits.
    pub digits: String,
    /// The digits without the zero of a `(0)`, where there is one.
    pub without_zero: Option<String>,
    /// The extension.
    pub extension: Option<String>,
}

/// The text without spreadsheet dressing, in plain spaces and ASCII digits.
pub fn clean(cell: &str) -> String {
    let plain: String = cell.chars().filter(|letter| !is_invisible(*letter)).map(plain).collect();
    let mut text = plain.trim();
    loop {
        let before = text;
        text = text.strip_prefix('=').unwrap_or(text);
        text = text.strip_prefix(['\'', '`', '’', '‘']).unwrap_or(text);
        text = text.strip_suffix(['\'', '`', '’']).unwrap_or(text);
        if let Some(inner) = text.strip_prefix('"') {
            text = inner.strip_suffix('"').unwrap_or(inner);
        }
        text = text.trim();
        if text == before {
            break;
        }
    }
    for scheme in ["tel:", "callto:", "phone:"] {
        if let Some(start) = text.get(..scheme.len())
            && start.eq_ignore_ascii_case(scheme)
        {
            text = text[scheme.len()..].trim_start_matches('/').trim();
        }
    }
    exact_float(text).to_owned()
}

/// `9.17045E+11`, or a cell too narrow for its number: the digits are gone.
pub fn is_scientific(text: &str) -> bool {
    if text.len() > 2 && text.bytes().all(|byte| byte == b'#') {
        return true;
    }
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole.trim_start_matches(['+', '-'])) && digits(fraction) && digits(exponent.trim_start_matches(['+', '-']))
}

/// The pieces of a cell that may each be a number.
pub fn split(text: &str) -> Vec<&str> {
    const WORDS: [&str; 10] = [":::", " or ", " and ", " oder ", " und ", " ou ", " et ", " y ", " o ", " & "];
    let mut pieces = vec![text];
    for word in WORDS {
        pieces = pieces.into_iter().flat_map(|piece| piece.split(word)).collect();
    }
    let mut parts: Vec<&str> = Vec::new();
    for piece in pieces {
        split_marks(piece, &mut parts);
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { vec![text] } else { parts }
}

/// Parts at `;`, `|`, line ends, single commas, and before every further plus. `;ext=` and `,,` belong to a number.
fn split_marks<'a>(text: &'a str, parts: &mut Vec<&'a str>) {
    let (mut start, mut seen_digit) = (0, false);
    let bytes = text.as_bytes();
    for (at, letter) in text.char_indices() {
        let pause = letter == ',' && (bytes.get(at + 1) == Some(&b',') || at > 0 && bytes[at - 1] == b',');
        let parameter = matches!(letter, ';' | ',') && begins_an_extension(&text[at + 1..]);
        if matches!(letter, ';' | '|' | '\n' | '\r' | '\t' | ',') && !pause && !parameter {
            parts.push(text[start..at].trim());
            (start, seen_digit) = (at + 1, false);
        } else if letter == '+' && seen_digit {
            parts.push(text[start..at].trim().trim_end_matches('(').trim());
            (start, seen_digit) = (at, false);
        }
        seen_digit |= letter.is_ascii_digit();
    }
    parts.push(text[start..].trim());
}

/// Whether what follows a mark are digits to be dialed after the answer.
fn begins_an_extension(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let word = |word: &str| text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
    text.starts_with("ext") || AFTER_THE_ANSWER.iter().any(|it| word(it))
}

/// The digits of one piece. Letters among them are refused: what they stand for differs, and a name beside a number
/// must not become digits.
pub fn written(text: &str) -> Result<Written, Kind> {
    let text = without_labels(text);
    let (number, extension) = part_extension(text)?;
    let mut digits = String::with_capacity(16);
    let mut plus = false;
    for letter in number.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            '+' if digits.is_empty() => plus = true,
            ' ' | '(' | ')' | '-' | '.' | '/' | '\\' | '[' | ']' | '~' | '_' => {}
            _ => return Err(Kind::NotANumber),
        }
    }
    if digits.is_empty() {
        return Err(Kind::NotANumber);
    }
    if digits.len() > 24 {
        return Err(Kind::Length);
    }
    let without_zero = number.split_once("(0)").and_then(|(before, after)| {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let before = digits(before);
        (!before.is_empty()).then(|| before + &digits(after))
    });
    Ok(Written { plus, digits, without_zero, extension })
}

/// Without words before the number (`Tel.: `, `mobile `) and in brackets behind it (`(privat)`).
fn without_labels(text: &str) -> &str {
    let mut text = text.trim();
    if let Some(start) = text.find(|letter: char| letter == '+' || letter.is_ascii_digit()) {
        let before = &text[..start];
        let label = before.trim_end_matches(['(', ' ', '[']);
        if label.chars().all(|letter| letter.is_alphabetic() || matches!(letter, ' ' | '.' | ':' | '(' | ')' | '-')) {
            text = &text[label.len()..];
        }
    }
    while let Some((before, inside)) = text.trim_end().strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        if inside.is_empty() || inside.chars().any(|letter| letter.is_ascii_digit() || letter == '+' || letter == '#') {
            break;
        }
        text = before.trim_end();
    }
    text.trim()
}

/// Words for digits that are dialed after the answer, without being called an extension.
const AFTER_THE_ANSWER: [&str; 5] = ["press", "then", "dann", "puis", "luego"];

/// Parts the extension from the number, if there is one.
fn part_extension(text: &str) -> Result<(&str, Option<String>), Kind> {
    const WORDS: [&str; 17] = [
        "extension",
        "extensión",
        "extn",
        "ext",
        "xtn",
        "x",
        "#",
        ",,",
        "int",
        "anexo",
        "ramal",
        "poste",
        "durchwahl",
        "nebenstelle",
        "nst",
        "dw",
        "доб",
    ];
    let starts = |letter: char| letter.is_alphabetic() || matches!(letter, '#' | ',');
    let Some(at) = text.find(starts) else { return Ok((text, None)) };
    let (number, tail) = text.split_at(at);
    let lower = tail.to_lowercase();
    let lower = if lower.starts_with(",,") { &lower } else { lower.trim_start_matches([',', ' ']) };
    let Some(rest) = WORDS.iter().chain(&AFTER_THE_ANSWER).find_map(|word| lower.strip_prefix(word)) else {
        return Err(Kind::NotANumber);
    };
    let digits = rest.trim_matches(|letter: char| matches!(letter, ' ' | '.' | ':' | '=' | ')' | '-' | ','));
    let digits = if tail.starts_with('#') { digits } else { digits.trim_end_matches('#') };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*') {
        return Err(Kind::NotANumber);
    }
    if digits.len() > MAX_EXTENSION {
        return Err(Kind::Extension);
    }
    Ok((number.trim_end_matches([' ', '(', ';', ',', '-', '.']), Some(digits.to_owned())))
}

/// An extension from a column of its own: empty is none.
pub fn extension(cell: &str) -> Result<Option<String>, Kind> {
    let text = clean(cell);
    let text =
        text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '.' | ' ' | '#' | ':'));
    match text.trim() {
        "" if cell.trim().is_empty() => Ok(None),
        digits if digits.is_empty() || digits.len() > MAX_EXTENSION => Err(Kind::Extension),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#')) => {
            Ok(Some(digits.to_owned()))
        }
        _ => Err(Kind::Extension),
    }
}

/// `4155550100.0`: a number that went through a program for which it was one.
fn exact_float(text: &str) -> &str {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, zeros @ ("0" | "00"))) if is_digits(whole) && zeros.len() <= 2 => whole,
        _ => text,
    }
}

/// Full-width and other digits, spaces and hyphens as ASCII has them.
fn plain(letter: char) -> char {
    let digit = |zero: char| char::from_digit(u32::from(letter) - u32::from(zero), 10).unwrap_or(letter);
    match letter {
        '\n' | '\r' | '\t' => letter,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{660}'..='\u{669}' => digit('\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit('\u{6f0}'),
        '\u{966}'..='\u{96f}' => digit('\u{966}'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => '-',
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    }
}
