//! Brings a list in, and looks at everybody again when the plan is another.

use std::collections::HashSet;

use super::super::Error;
use super::super::imported::{ImportError, Imported, Listed, place};
use super::super::lead_status::LeadState;
use super::super::recording::look_at_all;
use super::Memory;
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::time::Now;

impl Memory {
    /// Brings a whole list in, or nothing of it.
    pub fn import<E>(
        &mut self,
        now: Now,
        rows: &mut dyn Iterator<Item = Result<Listed, E>>,
        replace: bool,
    ) -> Result<Imported, ImportError<E>> {
        let mut imported = Imported::default();
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        for listed in rows {
            let listed = listed.map_err(ImportError::List)?;
            imported.rows += 1;
            if seen.insert((listed.lead.phone, listed.lead.extension.clone())) {
                list.push(listed);
            } else {
                imported.duplicate(listed.file_index, listed.line);
            }
        }
        imported.leads = list.len() as u64;
        if list.is_empty() {
            return Err(Error::Empty.into());
        }
        let kept: HashSet<LeadId> = list.iter().filter_map(|listed| self.table.find(&listed.lead)).collect();
        let gone = self.gone(&kept, replace)?;
        self.merge(now, list, &mut imported)?;
        imported.removed = gone.len() as u64;
        for id in gone {
            self.table.drop_from_list(id);
        }
        Ok(imported)
    }

    /// The leads that the list has no more, unless they are too many.
    fn gone(&self, kept: &HashSet<LeadId>, replace: bool) -> Result<Vec<LeadId>, Error> {
        let listed = || self.table.leads().filter(|row| row.listed);
        let is_open = |standing: LeadState| !matches!(standing, LeadState::Settled(_));
        let open = listed().filter(|row| is_open(row.stand.standing)).count() as u64;
        let gone = || listed().filter(|row| !kept.contains(&row.id));
        let dropped = gone().filter(|row| is_open(row.stand.standing)).count() as u64;
        if dropped * 2 > open && !replace {
            return Err(Error::Drops { campaign: self.plan.campaign.clone(), dropped, open });
        }
        Ok(gone().map(|row| row.id).collect())
    }

    fn merge(&mut self, now: Now, list: Vec<Listed>, imported: &mut Imported) -> Result<(), Error> {
        let mut added = Vec::new();
        for listed in list {
            let place = place(listed.file_index, listed.line);
            if let Some(id) = self.table.find(&listed.lead) {
                let back = self.table.lead(id).is_some_and(|row| !row.listed);
                imported.back += u64::from(back);
                self.table.renew(id, listed.lead, place);
            } else {
                added.push(self.table.add(listed.lead, place, now.at));
                imported.added += 1;
            }
        }
        look_at_all(&mut self.table, &self.plan, now, &added).map(drop)
    }

    /// Goes on under another plan: how many settled leads are open again because of it.
    pub fn replan(&mut self, plan: Plan, now: Now) -> Result<u64, Error> {
        self.plan = plan;
        self.look_at_everybody(now)
    }

    pub(super) fn look_at_everybody(&mut self, now: Now) -> Result<u64, Error> {
        let touched: Vec<LeadId> = self.table.touched();
        look_at_all(&mut self.table, &self.plan, now, &touched)
    }
}
