//! A lead: one person who may be called, with everything a call to them needs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A telephone number in E.164, valid by construction: 7 to 15 digits, the first not a zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(u64);

impl Phone {
    /// Nobody's number: stands where that of an erased person stood.
    pub const NOBODY: Self = Self(1_000_000);

    /// From the digits of an E.164 number, country code first, as one number. `None` outside 7 to 15 digits.
    pub const fn from_digits(digits: u64) -> Option<Self> {
        match digits {
            1_000_000..=999_999_999_999_999 => Some(Self(digits)),
            _ => None,
        }
    }

    /// From `+` and digits, as the provider writes numbers. Anything else is `None`.
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { Self::from_digits(digits.parse().ok()?) } else { None }
    }

    /// The digits, country code first, as one number: how the journal stores it.
    pub const fn digits(self) -> u64 {
        self.0
    }

    /// Whether it is one of the countries of `+1`.
    pub const fn is_north_american(self) -> bool {
        matches!(self.0, 10_000_000_000..=19_999_999_999)
    }

    /// The number with its last two digits hidden, for logs and screens.
    pub fn masked(self) -> String {
        let digits = self.0.to_string();
        format!("+{}..", &digits[..digits.len() - 2])
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.to_string()
    }
}

impl TryFrom<String> for Phone {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::from_e164(&text).ok_or_else(|| format!("{text:?} is not a number in E.164"))
    }
}

/// One person who may be called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lead {
    /// The number to call.
    pub phone: Phone,
    /// Dialed after the answer; at most 10 characters. Leads with different extensions are different leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// The customer's name, cut to 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The template variables, in the order of the columns; `name` is among them where the list has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<(String, String)>,
    /// The time zones it may lie in, IANA names, sorted, each once; every one must be open. Empty: not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Calls this lead with another assistant than the campaign's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant_id: Option<String>,
    /// Calls this lead from this line, whatever the rotation says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
}

impl Lead {
    /// One of whom nothing is known but the number.
    pub const fn of(phone: Phone) -> Self {
        Self {
            phone,
            extension: None,
            name: None,
            variables: Vec::new(),
            zones: Vec::new(),
            assistant_id: None,
            phone_number_id: None,
        }
    }
}

/// One lead of a list, as a person names it: the first with that number, or the one that has that extension too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Only {
    /// The number.
    pub phone: Phone,
    /// The extension, where one was said.
    pub extension: Option<String>,
}

impl Only {
    /// Whether this lead is meant.
    pub fn is(&self, lead: &Lead) -> bool {
        self.phone == lead.phone && (self.extension.is_none() || self.extension == lead.extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_phone() {
        assert_eq!(Phone::from_e164("+14155550100").map(|phone| phone.to_string()).as_deref(), Some("+14155550100"));
        for text in
            ["14155550100", "+0415555010", "+1415 555", "+1", "", "+", "+1234567890123456", "+１４１５５５５０１００"]
        {
            assert_eq!(Phone::from_e164(text), None, "{text}");
        }
    }

    #[test]
    fn a_masked_number_hides_its_end() {
        assert_eq!(Phone::from_e164("+14155550100").unwrap().masked(), "+141555501..");
    }
}
