//! Which number a row is called at, and whether the row says that it is not to be.

use super::super::columns::is_like_a_number;
use super::super::findings::{Kind, Reason};
use super::super::options::Field;
use super::super::phone::{Found, clean};
use super::super::refusal::Answer;
use super::List;

impl List {
    /// The number: of several columns, the first that can be called. What a further one says counts, too.
    pub(super) fn number(&mut self, line: u64, cells: &[String]) -> Result<Found, Reason> {
        let country = self.country(cells)?;
        let mut taken: Option<(usize, Found)> = None;
        let mut refused = None;
        let mut others = Vec::new();
        for at in self.columns.numbers() {
            match (country.read(&cells[*at], &self.options), &mut taken) {
                (Ok(found), None) => taken = Some((*at, found)),
                (Ok(found), Some((_, first))) => {
                    first.is_refused |= found.is_refused;
                    if found.phone != first.phone {
                        others.push(format!("{} in {}", found.phone, self.columns.headers()[*at]));
                    }
                }
                (Err(reason), _) if reason.kind == Kind::Refused => return Err(reason),
                (Err(reason), _) if reason.kind == Kind::NoNumber => drop(refused.get_or_insert(reason)),
                (Err(reason), _) => {
                    refused = refused.filter(|first: &Reason| first.kind != Kind::NoNumber).or(Some(reason));
                }
            }
        }
        let Some((at, found)) = taken else {
            let reason = refused.unwrap_or_else(|| Reason::new(Kind::NoNumber, ""));
            return Err(self.elsewhere(reason, cells));
        };
        if Some(&at) != self.columns.numbers().first() {
            let about = format!("{} in {}", found.phone, self.columns.headers()[at]);
            self.findings.add(Kind::OtherColumn, line, &about);
        }
        if !others.is_empty() {
            self.findings.add(Kind::SecondNumber, line, &others.join("; "));
        }
        if !found.words.is_empty() {
            self.findings.add(Kind::Words, line, &cells[at]);
        }
        Ok(found)
    }

    /// What in the row says that they are not to be called, if anything does.
    pub(super) fn refusal(&self, cells: &[String], found: &Found) -> Result<Option<String>, Reason> {
        let said = |at: usize| format!("{}: {}", self.columns.headers()[at], cells[at]);
        let mut unclear = None;
        for (at, sense) in self.columns.refusals() {
            match sense.answer(&cells[*at]) {
                Answer::Refused => return Ok(Some(said(*at))),
                Answer::Unclear => drop(unclear.get_or_insert(*at)),
                Answer::Call => {}
            }
        }
        if found.is_refused {
            return Ok(Some(cells[self.columns.numbers()[0]].clone()));
        }
        unclear.map_or(Ok(None), |at| Err(Reason::new(Kind::Unclear, &said(at))))
    }

    /// A row without a number may have one in another column that is named like a phone.
    fn elsewhere(&self, reason: Reason, cells: &[String]) -> Reason {
        let other = self.others.iter().find(|at| reason.kind == Kind::NoNumber && is_like_a_number(&cells[**at]));
        other.map_or(reason, |at| {
            Reason::new(Kind::NoNumber, &format!("{} in {}", cells[*at], self.columns.headers()[*at]))
        })
    }

    pub(super) fn extension(&self, cells: &[String], found: &Found) -> Result<Option<String>, Reason> {
        let cell = self.cell(cells, Field::Extension);
        let own = clean::extension(cell).map_err(|kind| Reason::new(kind, cell))?;
        match (own, &found.extension) {
            (Some(own), Some(other)) if own != *other => {
                Err(Reason::new(Kind::Extension, &format!("{own} or {other}")))
            }
            (own, other) => Ok(own.or_else(|| other.clone())),
        }
    }
}
