//! The lines (phone numbers of ours) that leads are rung from, taken in turn; a dead one leaves the rotation.

use std::collections::BTreeMap;

use super::event::Line;
use crate::leads::lead::Lead;

/// The rotation.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    ids: Vec<String>,
    dead: BTreeMap<String, String>,
    next: usize,
}

impl Lines {
    pub(super) fn new(ids: Vec<String>) -> Self {
        Self { ids, dead: BTreeMap::new(), next: 0 }
    }

    /// The line to ring this lead from: its own, else the next in turn. `None` if that, or every one, is dead.
    pub(super) fn pick(&mut self, lead: &Lead) -> Option<Line> {
        if let Some(own) = &lead.phone_number_id {
            return (!self.dead.contains_key(own)).then_some(Line(0));
        }
        let count = self.ids.len();
        let found = (0..count).map(|step| (self.next + step) % count).find(|line| !self.is_dead(*line))?;
        self.next = (found + 1) % count;
        Some(Line(found))
    }

    /// Takes a line out of the rotation; returns its id, unless it had left before.
    pub(super) fn drop_line(&mut self, line: Line, lead: Option<&Lead>, why: &str) -> Option<String> {
        let own = lead.and_then(|lead| lead.phone_number_id.as_ref());
        let id = own.or_else(|| self.ids.get(line.0))?.clone();
        self.dead.insert(id.clone(), why.to_owned()).is_none().then_some(id)
    }

    /// Whether any line of the rotation is left.
    pub(super) fn any_left(&self) -> bool {
        (0..self.ids.len()).any(|line| !self.is_dead(line))
    }

    fn is_dead(&self, line: usize) -> bool {
        self.dead.contains_key(&self.ids[line])
    }
}
