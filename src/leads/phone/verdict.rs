//! What libphonenumber says of a number, and whether that may be called.
//!
//! Called: fixed lines, mobiles, internet telephony, freephone and company-wide numbers (a business may well be a lead,
//! and it costs nobody more). Refused unless allowed by name: premium rate, personal numbers (070 in the United Kingdom;
//! they cost the caller as much), shared cost, and numbers in no range that is in use. Never: emergency services, short
//! codes, pagers and mailboxes.

use std::collections::HashMap;
use std::sync::LazyLock;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType,
    get_national_significant_number_owned,
};

use super::super::findings::Kind;
use super::super::lead::Phone;
use super::super::options::{Allow, Region};

/// A number that may be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judged {
    /// The number.
    pub phone: Phone,
    /// Its country calling code.
    pub calling_code: i32,
    /// What kind of number it is; unknown if it is in no range that is in use.
    pub kind: PhoneNumberType,
    /// Whether it is in a range that is in use.
    pub is_valid: bool,
}

/// Reads and judges a number: `+` and digits, or digits and a region.
pub fn judge(text: &str, region: Option<Region>, allow: &[Allow]) -> Result<Judged, Kind> {
    let number = PHONE_NUMBER_UTIL.parse(text, region.map(|region| region.0)).map_err(|error| match error {
        ParseError::TooShortNsn | ParseError::TooLongNsn | ParseError::TooShortAfterIdd => Kind::Length,
        ParseError::InvalidCountryCode => Kind::NoSuchCountry,
        ParseError::NotANumber(_) => Kind::NotANumber,
    })?;
    let kind = number.get_type();
    let is_valid = kind != PhoneNumberType::Unknown;
    if number.national_number < 1_000_000 && is_emergency(&number, |national, emergency| national == emergency) {
        return Err(Kind::Emergency);
    }
    let refused = if is_valid { refused(kind) } else { Some(invalid(&number)) };
    if let Some((kind, exception)) = refused
        && exception.is_none_or(|exception| !allow.contains(&exception))
    {
        return Err(kind);
    }
    // Some networks connect whatever begins like an emergency number.
    if !is_valid && is_emergency(&number, |national, emergency| national.starts_with(emergency)) {
        return Err(Kind::Emergency);
    }
    let e164 = number.format_as(PhoneNumberFormat::E164);
    let phone = Phone::from_e164(&e164).ok_or(Kind::Length)?;
    if !is_all_of(text, &number, region) {
        return Err(Kind::Ambiguous);
    }
    Ok(Judged { phone, calling_code: number.country_code, kind, is_valid })
}

/// Whether the number has all digits of a text, but for a prefix that is not dialed from abroad and stands where such a
/// one stands: a zero behind the country code, what a country itself writes before its numbers, and the way out of the
/// region. The parser drops and adds more than that: of `+1 123 123 12321` it makes `+1 231 231 2321`, a stranger's.
fn is_all_of(text: &str, number: &PhoneNumber, region: Option<Region>) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let given = digits(text);
    let national = get_national_significant_number_owned(number);
    let code = number.country_code.to_string();
    let Some(before) = given.strip_suffix(national.as_str()) else {
        // Argentina writes 15 behind the area code of a mobile phone at home, and 9 before it abroad.
        return region.is_some() && given == digits(&number.format_as(PhoneNumberFormat::National));
    };
    let abroad = before.strip_prefix(code.as_str()).is_some_and(|trunk| matches!(trunk, "" | "0"));
    let Some(region) = region.filter(|_| !text.starts_with('+')) else { return abroad };
    let is_trunk = before == "0"
        || (region.to_string() == "LT" && before == "8")
        || given == digits(&number.format_as(PhoneNumberFormat::National));
    let way_out = |before: &str| WAYS_OUT.iter().any(|way| before.strip_prefix(way) == Some(code.as_str()));
    before.is_empty() || abroad || is_trunk || way_out(before)
}

/// Prefixes of international calls.
const WAYS_OUT: [&str; 9] = ["00", "011", "0011", "001", "010", "009", "119", "810", "000"];

/// What digits too few for a number are.
pub fn short(digits: &str, region: Option<Region>) -> Kind {
    let is_emergency = match region {
        Some(region) => EMERGENCY.get(&calling_code(region)).is_some_and(|numbers| numbers.contains(&digits)),
        None => EMERGENCY.values().any(|numbers| numbers.contains(&digits)),
    };
    if is_emergency || matches!(digits, "112" | "911" | "999") { Kind::Emergency } else { Kind::ShortCode }
}

/// The calling code of a region.
pub fn calling_code(region: Region) -> i32 {
    PHONE_NUMBER_UTIL.get_country_code_for_region(region.0).unwrap_or(0)
}

/// Whether this number, as its own country writes it, begins with a zero that the digits given do not have.
pub fn lacks_trunk_zero(digits: &str, phone: Phone) -> bool {
    let number = PHONE_NUMBER_UTIL.parse(phone.to_string(), None);
    let national = number.as_ref().map(|number| number.format_as(PhoneNumberFormat::National)).unwrap_or_default();
    let written = national.trim_start_matches('(');
    written.starts_with('0') && !digits.starts_with('0')
}

/// Why a number in use is not called, and what would allow it.
fn refused(kind: PhoneNumberType) -> Option<(Kind, Option<Allow>)> {
    match kind {
        PhoneNumberType::PremiumRate | PhoneNumberType::PersonalNumber => Some((Kind::Premium, Some(Allow::Premium))),
        PhoneNumberType::SharedCost => Some((Kind::SharedCost, Some(Allow::SharedCost))),
        PhoneNumberType::Pager | PhoneNumberType::VoiceMail => Some((Kind::Pager, None)),
        _ => None,
    }
}

/// Why a number in no range is not called, and what would allow it. One that only works within its town is too short.
fn invalid(number: &PhoneNumber) -> (Kind, Option<Allow>) {
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(number) {
        Ok(NumberLengthType::IsPossible) => (Kind::NotValid, Some(Allow::Possible)),
        _ => (Kind::Length, None),
    }
}

fn is_emergency(number: &PhoneNumber, alike: impl Fn(&str, &str) -> bool) -> bool {
    let Some(numbers) = EMERGENCY.get(&number.country_code) else { return false };
    let national = get_national_significant_number_owned(number);
    numbers.iter().any(|emergency| alike(&national, emergency))
}

/// By calling code: numbers that reach emergency services.
static EMERGENCY: LazyLock<HashMap<i32, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("../emergency.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(code, numbers)| Some((code.parse().ok()?, numbers.split('&').collect()))).collect()
});
