//! One organisation's calls, kept by creation and by change, so that a listing costs what it returns.

use super::Place;
use crate::time::Stamp;

/// One organisation's calls: both lists are in order of time. News come at the end of them, or close to it.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    created: Vec<(Stamp, Place)>,
    /// A call that changed again leaves an entry behind, whose time is not that of its last change any more.
    updated: Vec<(Stamp, Place)>,
}

impl Shelf {
    pub(super) fn put(&mut self, place: Place, created: Stamp, updated: Stamp) {
        enter(&mut self.created, (created, place));
        enter(&mut self.updated, (updated, place));
    }

    pub(super) fn change(&mut self, place: Place, before: Stamp, updated: Stamp) {
        if before != updated {
            enter(&mut self.updated, (updated, place));
        }
    }

    /// Calls created in between, the bounds included; the newest last.
    pub(super) fn created(&self, between: (Stamp, Stamp)) -> &[(Stamp, Place)] {
        within(&self.created, between)
    }

    /// Changes in between, the bounds included; the newest last.
    pub(super) fn updated(&self, between: (Stamp, Stamp)) -> &[(Stamp, Place)] {
        within(&self.updated, between)
    }
}

fn enter(list: &mut Vec<(Stamp, Place)>, entry: (Stamp, Place)) {
    let at = list.iter().rposition(|known| *known <= entry).map_or(0, |place| place + 1);
    list.insert(at, entry);
}

fn within(list: &[(Stamp, Place)], (from, to): (Stamp, Stamp)) -> &[(Stamp, Place)] {
    let end = list.iter().rposition(|(at, _)| *at <= to).map_or(0, |place| place + 1);
    let begin = list[..end].iter().rposition(|(at, _)| *at < from).map_or(0, |place| place + 1);
    &list[begin..end]
}
