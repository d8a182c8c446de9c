//! One organisation's calls, kept by creation and by change, so that a listing costs what it returns.

use std::collections::BTreeSet;

use super::Place;
use crate::time::Stamp;

/// One organisation's calls.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    pub(super) created: BTreeSet<(Stamp, Place)>,
    pub(super) updated: BTreeSet<(Stamp, Place)>,
}

impl Shelf {
    pub(super) fn put(&mut self, place: Place, created: Stamp, updated: Stamp) {
        self.created.insert((created, place));
        self.updated.insert((updated, place));
    }

    pub(super) fn change(&mut self, place: Place, before: Stamp, updated: Stamp) {
        self.updated.remove(&(before, place));
        self.updated.insert((updated, place));
    }
}
