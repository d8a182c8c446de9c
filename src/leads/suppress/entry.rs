//! What a cell of a do-not-call list may mean: everything that it may, or why it cannot be read.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

use super::super::findings::Kind;
use super::super::options::Region;
use super::super::phone::{clean, odd, verdict};

/// The fewest digits that name a person without a country code.
pub(super) const NATIONAL: usize = 8;

/// Why a cell cannot be read, for people.
pub(super) type Why = &'static str;

/// A range, which is not read: nobody knows whether its numbers are many or few.
const RANGE: Why = "a range: write each number, or a prefix with a star, such as +1415555014*";

/// One meaning of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// Every number that begins so, country code first; a whole number too.
    Start(u64),
    /// Every number that ends so: a national number of nobody knows which country.
    End(u64),
}

/// The numbers and prefixes in a cell: how many, and everything that they may mean.
pub(super) fn entries(cell: &str, region: Option<Region>) -> Result<(u64, Vec<Entry>), Why> {
    let text = clean::clean(without_comment(cell));
    if clean::is_scientific(&text) {
        return Err(Kind::Spreadsheet.label());
    }
    if odd::is_date(&text) {
        return Err(Kind::Date.label());
    }
    if is_range(&text) {
        return Err(RANGE);
    }
    let (mut count, mut entries) = (0, Vec::new());
    for piece in clean::split(&text).into_iter().map(str::trim) {
        let stem = piece.trim_end_matches(['*', '.', ' ']);
        if !stem.is_empty() {
            let written = clean::written(stem).map_err(Kind::label)?;
            if odd::without_ending(stem).is_some() && !written.plus && region.is_none() {
                return Err(RANGE);
            }
            let known = entries.len();
            meanings(&written, piece.ends_with('*'), region, &mut entries)?;
            if entries.len() == known {
                return Err(Kind::NotANumber.label());
            }
            count += 1;
        }
    }
    if count == 0 { Err(Kind::NotANumber.label()) } else { Ok((count, entries)) }
}

/// An area code and a number in cells of their own: of the American register, or of the region.
pub(super) fn in_two_cells(area: &str, local: &str, region: Option<Region>) -> Result<Vec<Entry>, Why> {
    let (area, local) = (digits(area), digits(local));
    let is_american = region.is_none_or(|region| verdict::calling_code(region) == 1);
    if is_american && area.len() == 3 && local.len() == 7 {
        return format!("1{area}{local}").parse().map(|digits| vec![Entry::Start(digits)]).map_err(|_| RANGE);
    }
    entries(&format!("{area}{local}"), region).map(|(_, entries)| entries)
}

/// The digits of a text.
pub(super) fn digits(text: &str) -> String {
    clean::clean(text).chars().filter(char::is_ascii_digit).collect()
}

/// A remark behind a number, which holds none itself.
fn without_comment(cell: &str) -> &str {
    match cell.split_once('#') {
        Some((number, remark)) if remark.contains(char::is_alphabetic) && digits(remark).len() < NATIONAL - 1 => number,
        _ => cell,
    }
}

/// `+14155550140-+14155550144`, `4155550140 - 4155550144`, `4155550140..4155550144`.
fn is_range(text: &str) -> bool {
    let is_number = |part: &str| digits(part).len() >= NATIONAL - 1;
    ["-", "..", "~"].iter().any(|mark| {
        text.match_indices(mark).any(|(at, mark)| is_number(&text[..at]) && is_number(&text[at + mark.len()..]))
    })
}

fn meanings(
    written: &clean::Written,
    is_prefix: bool,
    region: Option<Region>,
    entries: &mut Vec<Entry>,
) -> Result<(), Why> {
    let digits = written.digits.as_str();
    let mut start = |digits: &str| match digits.parse() {
        Ok(number) if number > 0 && digits.len() <= 15 => entries.push(Entry::Start(number)),
        _ => {}
    };
    if written.plus {
        // Fewer digits than a number has are a prefix; more are no number, and would suppress nobody.
        if is_too_long(&format!("+{digits}")) {
            return Err(Kind::Length.label());
        }
        start(digits);
        written.without_zero.iter().for_each(|digits| start(digits));
        return Ok(());
    }
    let national = digits.trim_start_matches('0');
    if !is_prefix && national.len() < NATIONAL - 1 {
        return Err(Kind::Length.label());
    }
    let is_abroad = !is_too_long(&format!("+{digits}"));
    if let Some(rest) = digits.strip_prefix("00") {
        start(rest);
    } else if national.len() == digits.len() && (is_prefix || digits.len() >= NATIONAL) {
        start(digits);
    }
    match region {
        Some(region) if is_prefix => start(&format!("{}{national}", verdict::calling_code(region))),
        Some(region) => match PHONE_NUMBER_UTIL.parse(digits, Some(region.0)) {
            Ok(number) if is_possible(&number) => {
                let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
                start(e164.trim_start_matches('+'));
            }
            // What is no number of the region is one of another country, or cannot be read.
            _ if is_valid_abroad(digits) => {}
            _ => return Err(Kind::Length.label()),
        },
        None if is_prefix => {}
        None if (NATIONAL..=15).contains(&national.len()) && (is_abroad || national.len() <= 11) => {
            entries.extend(national.parse().map(Entry::End));
        }
        None if (NATIONAL..=15).contains(&national.len()) => return Err(Kind::Length.label()),
        None => return Err(Kind::NoCountry.label()),
    }
    Ok(())
}

fn is_possible(number: &PhoneNumber) -> bool {
    matches!(PHONE_NUMBER_UTIL.is_possible_number_with_reason(number), Ok(NumberLengthType::IsPossible))
}

fn is_too_long(text: &str) -> bool {
    match PHONE_NUMBER_UTIL.parse(text, None) {
        Ok(number) => {
            let length = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number);
            matches!(length, Err(rlibphonenumber::ValidationError::TooLong))
        }
        Err(error) => matches!(error, rlibphonenumber::ParseError::TooLongNsn),
    }
}

fn is_valid_abroad(digits: &str) -> bool {
    let text = format!("+{}", digits.strip_prefix("00").unwrap_or(digits));
    PHONE_NUMBER_UTIL.parse(text, None).is_ok_and(|number| is_possible(&number))
}
