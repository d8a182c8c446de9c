//! A cell to a number that may be dialed. libphonenumber decides what is a number; what is decided here is which of
//! several readings is meant, and where that cannot be told the cell is refused: a wrong guess calls a stranger.

pub mod clean;
pub(super) mod odd;
pub mod verdict;

use rlibphonenumber::PhoneNumberType;

use super::findings::{Kind, Reason};
use super::lead::Phone;
use super::options::{Allow, Region};
use super::refusal;
use clean::Written;
use verdict::{Judged, judge};

/// The longest extension that the provider takes.
pub const MAX_EXTENSION: usize = 10;

/// A number that may be dialed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The number.
    pub phone: Phone,
    /// Its extension.
    pub extension: Option<String>,
    /// Its country calling code.
    pub calling_code: i32,
    /// What kind of number it is.
    pub kind: PhoneNumberType,
    /// What a person should know, and about which text.
    pub note: Option<(Kind, String)>,
    /// Words beside the number say that it is not to be called.
    pub is_refused: bool,
    /// Words beside the number that say nothing known.
    pub words: Vec<String>,
}

/// How numbers are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// Whose numbering plan reads national numbers.
    pub region: Option<Region>,
    /// What is taken although it is refused by default.
    pub allow: &'a [Allow],
}

impl Reading<'_> {
    /// The number in a cell; of several, the first that may be dialed.
    pub fn read(&self, cell: &str) -> Result<Found, Reason> {
        let text = clean::clean(cell);
        let refuse = |kind| Reason::new(kind, cell.trim());
        if text.is_empty() {
            return Err(refuse(Kind::NoNumber));
        }
        if clean::is_scientific(&text) {
            return Err(refuse(Kind::Spreadsheet));
        }
        if odd::is_date(&text) {
            return Err(refuse(Kind::Date));
        }
        if odd::is_amount(&text) {
            return Err(refuse(Kind::NotANumber));
        }
        if !text.contains(char::is_alphabetic) {
            return self.pieces(&text).map_err(refuse);
        }
        let refusals = refusal::refusals(&text);
        let mut silent = text.clone();
        for range in &refusals {
            silent.replace_range(range.clone(), &" ".repeat(range.len()));
        }
        match self.pieces(silent.trim()) {
            Ok(found) => {
                let words = if refusals.is_empty() { refusal::unknown_words(&text) } else { Vec::new() };
                Ok(Found { is_refused: !refusals.is_empty(), words, ..found })
            }
            Err(_) if !refusals.is_empty() => Err(refuse(Kind::Refused)),
            Err(kind) => Err(refuse(kind)),
        }
    }

    fn pieces(&self, text: &str) -> Result<Found, Kind> {
        let has_digit = |piece: &&str| piece.bytes().any(|byte| byte.is_ascii_digit());
        let pieces = clean::split(text);
        // What stands apart from its number says as much about it as what stands beside it.
        if pieces.iter().filter(|piece| has_digit(piece)).count() == 1 && is_no_use(text) {
            return Err(Kind::NoUse);
        }
        match pieces.as_slice() {
            [one] => self.around_slashes(one),
            pieces => self.first(pieces),
        }
    }

    /// A slash parts two numbers, or an area code from the rest (030/123456), or a number from another ending.
    fn around_slashes(&self, text: &str) -> Result<Found, Kind> {
        let parts: Vec<&str> = text.split(['/', '\\']).map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() < 2 {
            return self.one(text);
        }
        match (self.one(text), self.one(parts[0])) {
            // Behind an area code and a slash, as behind a slash alone, two digits may be another ending.
            (Ok(_), Err(_)) if odd::without_ending(text).is_some_and(|rest| self.one(rest).is_ok()) => {
                Err(Kind::Ambiguous)
            }
            (Ok(whole), Err(_)) => Ok(whole),
            (Ok(_), Ok(_)) if parts[1..].iter().all(|part| self.one(part).is_err()) => Err(Kind::Ambiguous),
            _ => self.first(&parts),
        }
    }

    /// The first that may be dialed. A handful of digits beside it is another ending or an extension, nobody knows.
    fn first(&self, pieces: &[&str]) -> Result<Found, Kind> {
        let read: Vec<_> = pieces.iter().map(|piece| self.one(piece)).collect();
        let Some(at) = read.iter().position(Result::is_ok) else {
            return read.into_iter().next().unwrap_or(Err(Kind::NotANumber));
        };
        let is_ending = |piece: &&str| piece.len() <= 6 && piece.bytes().all(|byte| byte.is_ascii_digit());
        if pieces.iter().any(is_ending) {
            return Err(Kind::Ambiguous);
        }
        let rest = |other: usize| other != at && pieces[other].bytes().any(|byte| byte.is_ascii_digit());
        let others: Vec<&str> = (0..pieces.len()).filter(|other| rest(*other)).map(|other| pieces[other]).collect();
        let mut found = read.into_iter().nth(at).unwrap_or(Err(Kind::NotANumber))?;
        if !others.is_empty() && found.note.is_none() {
            found.note = Some((Kind::SecondNumber, others.join("; ")));
        }
        Ok(found)
    }

    fn one(&self, text: &str) -> Result<Found, Kind> {
        if is_no_use(text) {
            return Err(Kind::NoUse);
        }
        let written = clean::written(text)?;
        let found = if let Some(found) = self.of_old_mexico(&written) {
            Ok(found)
        } else if written.plus {
            self.with_plus(&written)
        } else if written.digits.len() <= 6 {
            Err(if odd::is_part_of_a_word(text) {
                Kind::NotANumber
            } else {
                verdict::short(&written.digits, self.region)
            })
        } else if let Some(rest) = written.digits.strip_prefix("00") {
            self.with_double_zero(&written, rest)
        } else {
            self.bare(&written)
        }?;
        let left_out = || odd::left_out(&written, found.phone, found.calling_code);
        let note = found.note.clone().or_else(|| left_out().map(|kind| (kind, written.digits.clone())));
        Ok(Found { extension: written.extension, note, ..found })
    }

    /// `+49 (0) 30 123456`: in most plans the bracket is left out, in Italy it may belong to the number.
    fn with_plus(&self, written: &Written) -> Result<Found, Kind> {
        let kept = judge(&format!("+{}", written.digits), None, self.allow);
        let Some(dropped) = &written.without_zero else { return found(kept, None) };
        let dropped = judge(&format!("+{dropped}"), None, self.allow);
        match (&kept, &dropped) {
            (Ok(one), Ok(other)) if one.phone != other.phone && one.is_valid && other.is_valid => Err(Kind::Ambiguous),
            (Ok(one), _) if one.is_valid => found(kept, None),
            (Err(_), _) => found(dropped, None),
            (_, Ok(other)) if other.is_valid => found(dropped, None),
            _ => found(kept, None),
        }
    }

    /// Mexico gave up its prefixes in 2019 and 2020: `+52 1`, and 044, 045 and 01 within it, are not dialed any more.
    fn of_old_mexico(&self, written: &Written) -> Option<Found> {
        let digits = written.digits.as_str();
        let abroad = if written.plus { Some(digits) } else { digits.strip_prefix("00") };
        let is_at_home = !written.plus && self.region.is_some_and(|region| verdict::calling_code(region) == 52);
        let old = |prefix: &&str| is_at_home && digits.starts_with(prefix);
        let national = match abroad.and_then(|digits| digits.strip_prefix("521")) {
            Some(national) => national,
            None => ["044", "045", "01"].iter().find(|prefix| old(prefix)).map(|prefix| &digits[prefix.len()..])?,
        };
        let judged = if national.len() == 10 { valid(&format!("+52{national}"), self.allow) } else { None };
        found(Ok(judged?), Some((Kind::OldPrefix, digits.to_owned()))).ok()
    }

    /// `0049 30 123456`: 00 is how most countries write the plus.
    fn with_double_zero(&self, written: &Written, rest: &str) -> Result<Found, Kind> {
        let abroad = self.with_plus(&Written {
            digits: rest.to_owned(),
            without_zero: written.without_zero.as_ref().and_then(|digits| digits.strip_prefix("00")).map(str::to_owned),
            ..written.clone()
        });
        let Some(region) = self.region else { return abroad };
        match (self.national(&written.digits, region), abroad) {
            (Ok(home), Ok(abroad)) if home.phone != abroad.phone => Err(Kind::Ambiguous),
            (_, Ok(abroad)) => Ok(abroad),
            (home, _) => home,
        }
    }

    /// Digits alone: national, or international with the plus lost.
    fn bare(&self, written: &Written) -> Result<Found, Kind> {
        let digits = written.digits.as_str();
        let international = self.allow.contains(&Allow::International);
        let abroad = if digits.starts_with('0') { None } else { valid(&format!("+{digits}"), self.allow) };
        let assumed = |abroad: Judged| found(Ok(abroad), Some((Kind::AssumedPlus, digits.to_owned())));
        let Some(region) = self.region else {
            return match abroad {
                Some(abroad) if international => assumed(abroad),
                Some(_) if digits.len() > 10 => Err(Kind::NoPlus),
                _ => Err(Kind::NoCountry),
            };
        };
        let home = self.at_home(written, region);
        let is_valid = home.as_ref().is_ok_and(|home| home.kind != PhoneNumberType::Unknown);
        match (home, abroad) {
            (Ok(home), Some(abroad)) if home.phone == abroad.phone => Ok(home),
            (Ok(mut home), Some(abroad)) if is_valid => {
                if abroad.calling_code == home.calling_code {
                    return if international { assumed(abroad) } else { Err(Kind::Ambiguous) };
                }
                if verdict::lacks_trunk_zero(digits, home.phone) {
                    home.note = Some((Kind::LostZero, digits.to_owned()));
                }
                Ok(home)
            }
            (_, Some(abroad)) if abroad.calling_code == verdict::calling_code(region) => found(Ok(abroad), None),
            (_, Some(abroad)) if international => assumed(abroad),
            (_, Some(_)) => Err(Kind::NoPlus),
            (home, None) => home,
        }
    }

    /// A national number, `(0)` kept or dropped.
    fn at_home(&self, written: &Written, region: Region) -> Result<Found, Kind> {
        let kept = self.national(&written.digits, region);
        match &written.without_zero {
            Some(dropped) if kept.is_err() => self.national(dropped, region),
            _ => kept,
        }
    }

    fn national(&self, digits: &str, region: Region) -> Result<Found, Kind> {
        found(judge(digits, Some(region), self.allow), None)
    }
}

/// Whether words beside what may be a number say that it is no use.
fn is_no_use(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() > 6 && refusal::is_no_use(text)
}

/// A number that is in use, whether or not it may be called: what a reading could mean.
fn valid(text: &str, allow: &[Allow]) -> Option<Judged> {
    judge(text, None, allow).ok().filter(|judged| judged.is_valid)
}

fn found(judged: Result<Judged, Kind>, note: Option<(Kind, String)>) -> Result<Found, Kind> {
    let judged = judged?;
    let Judged { phone, calling_code, kind, .. } = judged;
    Ok(Found { phone, extension: None, calling_code, kind, note, is_refused: false, words: Vec::new() })
}

#[cfg(test)]
mod tests;
