//! How a request for a call is named: the same on disk, on the wire and in a listing, so that a call is found again.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::name::Name;

/// Names one attempt to the provider and to us: `d`, the campaign's mark, a dash, randomness. At most 40 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(Name);

/// Characters of the mark: what tells the calls of one campaign from those of another.
pub const MARK_LENGTH: usize = 8;
/// Characters of randomness behind the mark: 22 of base 32, 110 bits.
pub const RANDOM_LENGTH: usize = 22;

impl AttemptId {
    /// Reads an id back; `None` for anything that does not have our form.
    pub fn parse(text: &str) -> Option<Self> {
        is_an_id(text).then(|| Self(Name::new(text)))
    }

    /// The same of a text that is kept: it is shared, not copied.
    pub fn shared(text: &Arc<str>) -> Option<Self> {
        is_an_id(text).then(|| Self(Name::new(Arc::clone(text))))
    }

    /// Puts an id together from the mark of its campaign and random bits.
    pub fn mint(mark: &Mark, random: u128) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut text = String::with_capacity(2 + MARK_LENGTH + RANDOM_LENGTH);
        text.push('d');
        text.push_str(&mark.0);
        text.push('-');
        for place in 0..RANDOM_LENGTH {
            text.push(char::from(ALPHABET[(random >> (5 * place)) as usize & 31]));
        }
        Self(Name::new(text))
    }

    /// The mark of the campaign that it belongs to.
    pub fn mark(&self) -> Mark {
        Mark(self.as_str()[1..=MARK_LENGTH].into())
    }

    /// Whether it belongs to the campaign with this mark.
    pub fn is_of(&self, mark: &Mark) -> bool {
        self.as_str()[1..=MARK_LENGTH] == *mark.0
    }

    /// The id as it travels, to be kept: the same text, not a copy.
    pub fn text(&self) -> Arc<str> {
        self.0.text()
    }

    /// The id as it travels.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What all attempt ids of one campaign have in common: eight characters of a hash of its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark(Arc<str>);

impl Mark {
    /// The mark of a campaign, from its name.
    pub fn of(campaign: &str) -> Self {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(campaign.as_bytes());
        let text: String =
            hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(MARK_LENGTH).map(hex_digit).collect();
        Self(text.into())
    }

    /// The mark itself, eight characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_an_id(text: &str) -> bool {
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let parts = text.strip_prefix('d').and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(mark, random)| {
        mark.len() == MARK_LENGTH && random.len() == RANDOM_LENGTH && plain(mark) && plain(random)
    })
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}
