//! The text of an id, with its hash worked out once: ids are looked up far more often than they are made.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The text of an id.
#[derive(Clone, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Name {
    hash: u64,
    text: Arc<str>,
}

impl Name {
    pub(super) fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let mut hasher = Known::default();
        text.hash(&mut hasher);
        Self { hash: hasher.finish(), text }
    }

    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The golden ratio, as in Fibonacci hashing (Knuth, TAOCP 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A map by ids, by other keys that are one well-spread or short number, or by short texts that no stranger chooses.
pub type ById<K, V> = HashMap<K, V, BuildHasherDefault<Known>>;

/// A set of such keys.
pub type Names<K> = HashSet<K, BuildHasherDefault<Known>>;

/// Takes a number for its own hash, and spreads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known(u64);

impl Hasher for Known {
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(GOLDEN)
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let rest = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([rest]) {
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(GOLDEN);
        }
        // What is multiplied is well spread at its upper end only.
        self.0 ^= self.0 >> 32;
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.as_str().to_owned()
    }
}
