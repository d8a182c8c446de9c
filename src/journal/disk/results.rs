//! What became of calls and of leads, for reports and for results files.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::super::{Chance, Error};
use super::Disk;
use super::attempts::{self, class_named, digits, wall};
use super::db::{Db, Row, values};
use super::leads;
use super::outcomes::{AttemptOutcome, last_call, outcome};
use super::run::Run;
use crate::campaign::disposition::Class;
use crate::campaign::event::LeadId;
use crate::campaign::seen::Analysis;
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::time::{Instant, Now};

/// Calls whose analysis a start waits for at most.
const AWAITED: i64 = 1000;

/// A lead that was settled, and what came before.
#[derive(Clone, PartialEq, Debug)]
pub struct Settlement {
    /// Its number in the journal.
    pub id: LeadId,
    /// How many times it has been settled.
    pub number: u64,
    /// Who.
    pub lead: Lead,
    /// What settled it.
    pub class: Class,
    /// When.
    pub at: Timestamp,
    /// Its attempts, in order.
    pub attempts: Vec<AttemptOutcome>,
    /// What the provider made of the last call, as far as it was seen.
    pub analysis: Option<Analysis>,
}

impl Settlement {
    /// Whether the provider may still analyse its call: it was answered, and is over for no longer than that.
    pub fn waits(&self, now: Timestamp, wait: Duration) -> bool {
        last_call(&self.attempts).is_some_and(AttemptOutcome::is_answered)
            && !self.analysis.as_ref().is_some_and(Analysis::is_complete)
            && now.duration_since(self.at) < jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX)
    }
}

/// A results file, as far as it is known to hold whole rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultsPlace {
    /// Where it is.
    pub path: String,
    /// Which file that was: its device and its number there.
    pub file: (u64, u64),
    /// How much of it is known.
    pub length: u64,
}

/// What a journal remembers of the results files of one campaign.
#[derive(Debug)]
pub struct ResultsBook {
    disk: Disk,
    campaign: i64,
}

impl Run {
    /// What opens the book of its results files, in the same journal, on whatever thread that is to be.
    pub fn results_book(&self, dir: &Path) -> impl Fn(&mut Chance) -> Result<ResultsBook, Error> + Send + use<> {
        let (dir, campaign, fence) = (dir.to_owned(), self.campaign, self.fence());
        move |chance| {
            let disk = Disk::open(&dir, chance)?;
            disk.db.set_fence(fence.clone());
            Ok(ResultsBook { disk, campaign })
        }
    }
}

impl ResultsBook {
    /// Whether the run still holds its campaign: another one may have taken it over, and writes these rows, too.
    pub fn still_ours(&mut self) -> Result<(), Error> {
        if self.disk.db.is_remote() { self.disk.within(|_| Ok(())) } else { Ok(()) }
    }

    /// The files that have rows of the campaign.
    pub fn places(&self) -> Result<Vec<ResultsPlace>, Error> {
        self.disk.read(|db| {
            let all = "SELECT path, device, inode, length FROM results_files WHERE campaign = ?1";
            db.all(all, values![self.campaign], |row| {
                let file = (row.get::<i64>(1)?.cast_unsigned(), row.get::<i64>(2)?.cast_unsigned());
                Ok(ResultsPlace { path: row.get(0)?, file, length: row.get(3)? })
            })
        })
    }

    /// Settled leads that no file has yet, in list order, from behind that one on.
    pub fn unwritten(&self, after: LeadId, most: usize) -> Result<Vec<Settlement>, Error> {
        self.disk.read(|db| {
            let find = "SELECT settlements.lead, number, leads.lead, class, settled FROM settlements \
                        CROSS JOIN leads ON leads.id = settlements.lead \
                        WHERE settlements.campaign = ?1 AND written < number AND settlements.lead > ?2 \
                        AND settled IS NOT NULL ORDER BY settlements.lead LIMIT ?3";
            db.all(find, values![self.campaign, after.0, most], |row| self.settlement(db, row))
        })
    }

    fn settlement(&self, db: &Db, row: &Row<'_>) -> Result<Settlement, Error> {
        let id = LeadId(row.get(0)?);
        let lead = leads::read(row.text(2)?)?;
        let attempts = attempts_on(db, self.campaign, id, lead.phone)?;
        let analysis = analysis(db, last_call(&attempts))?;
        let class = class_named(&row.get::<String>(3)?)?;
        Ok(Settlement { id, number: row.get(1)?, lead, class, at: wall(row.get(4)?), attempts, analysis })
    }

    /// How many settled leads no file has yet.
    pub fn left(&self) -> Result<u64, Error> {
        self.disk.read(|db| {
            let count = "SELECT count(*) FROM settlements WHERE campaign = ?1 AND written < number";
            db.get(count, values![self.campaign])
        })
    }

    /// A file has these settlements now, and is known up to there.
    pub fn wrote(&mut self, rows: &[(LeadId, u64)], place: Option<&ResultsPlace>) -> Result<(), Error> {
        let campaign = self.campaign;
        self.disk.within(|tx| {
            let wrote = "UPDATE settlements SET written = ?2 WHERE lead = ?1 AND written < ?2";
            for (lead, number) in rows {
                tx.write(wrote, values![lead.0, *number])?;
            }
            place.map_or(Ok(()), |place| put_place(tx, campaign, place))
        })
    }

    /// Rows were found in a file: the leads that they are about, and which of their settlements.
    pub fn found(
        &mut self,
        rows: &mut dyn Iterator<Item = (Phone, Option<String>, u64)>,
        place: &ResultsPlace,
    ) -> Result<(), Error> {
        let Disk { db, file, patience, salt, .. } = &self.disk;
        let campaign = self.campaign;
        let told = |tx: &Db| {
            let found = "UPDATE settlements SET written = ?4 WHERE number >= ?4 AND written < ?4 AND lead = \
                         (SELECT id FROM leads WHERE campaign = ?1 AND phone = ?2 AND extension = ?3)";
            for (phone, extension, number) in rows {
                let extension = extension.unwrap_or_default();
                tx.write(found, values![campaign, digits(phone), &extension, number])?;
            }
            put_place(tx, campaign, place)
        };
        // What was read of a file is gone: whoever wants to wait reads it once more.
        db.transact(file, patience, salt, told).map_err(|error| error.within(file))
    }
}

fn put_place(db: &Db, campaign: i64, place: &ResultsPlace) -> Result<(), Error> {
    let put = "INSERT INTO results_files (campaign, path, device, inode, length) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (campaign, path) DO UPDATE SET device = excluded.device, inode = excluded.inode, \
               length = excluded.length";
    let ResultsPlace { path, file: (device, inode), length } = place;
    db.write(put, values![campaign, path, device.cast_signed(), inode.cast_signed(), *length])?;
    Ok(())
}

/// The attempts of one lead, in order.
fn attempts_on(db: &Db, campaign: i64, lead: LeadId, phone: Phone) -> Result<Vec<AttemptOutcome>, Error> {
    let its = "WHERE phone = ?1 AND campaign = ?2 AND lead = ?3 AND origin <> 'found' ORDER BY claimed, attempt";
    let mut found = Vec::new();
    let values = values![digits(phone), campaign, lead.0];
    attempts::each(db, its, values, |attempt| found.push(outcome(attempt)))?;
    Ok(found)
}

/// Calls that were answered, settled a lead no longer ago than that, and are not analysed yet: each with the instant
/// until which that is waited for.
pub(super) fn awaited(db: &Db, campaign: i64, wait: Duration, now: Now) -> Result<Vec<(CallId, Instant)>, Error> {
    let since = now.wall.as_microsecond().saturating_sub(crate::time::micros(wait));
    let find = "SELECT id, phone, settled FROM leads WHERE campaign = ?1 AND settled > ?2 AND phone > 0 \
                AND EXISTS (SELECT 1 FROM settlements WHERE lead = leads.id AND written < number) LIMIT ?3";
    let mut awaited = Vec::new();
    db.each(find, values![campaign, since, AWAITED], |row| {
        let (lead, phone) = (LeadId(row.get(0)?), attempts::phone(row.get(1)?)?);
        let attempts = attempts_on(db, campaign, lead, phone)?;
        let Some(last) = last_call(&attempts).filter(|last| last.is_answered()) else { return Ok(()) };
        let known = analysis(db, Some(last))?.is_some_and(|analysis| analysis.is_complete());
        if let Some(call) = last.call.clone().filter(|_| !known) {
            let left = row.get::<i64>(2)? - since;
            awaited.push((call, now.at + Duration::from_micros(left.unsigned_abs()).min(wait)));
        }
        Ok(())
    })?;
    Ok(awaited)
}

/// Writes down what the provider made of a call, unless that is known.
pub(super) fn put_analysis(db: &Db, attempt: &AttemptId, analysis: &Analysis) -> Result<(), Error> {
    let put = "INSERT INTO analyses (attempt, success, summary, structured, recording, transcript_chars) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (attempt) DO UPDATE SET success = excluded.success, \
               summary = excluded.summary, structured = excluded.structured, recording = excluded.recording, \
               transcript_chars = excluded.transcript_chars WHERE (analyses.success, analyses.summary, \
               analyses.structured, analyses.recording, analyses.transcript_chars) IS DISTINCT FROM (excluded.success, \
               excluded.summary, excluded.structured, excluded.recording, excluded.transcript_chars)";
    let Analysis { success, summary, structured, recording_url, transcript_chars } = analysis;
    let values = values![
        attempt.as_str(),
        success.as_deref(),
        summary.as_deref(),
        structured.as_deref(),
        recording_url.as_deref(),
        *transcript_chars
    ];
    db.write(put, values)?;
    Ok(())
}

/// What the provider made of the call of an attempt, if there is one, as far as it was seen.
pub(super) fn analysis(db: &Db, call: Option<&AttemptOutcome>) -> Result<Option<Analysis>, Error> {
    let Some(AttemptOutcome { attempt, .. }) = call else { return Ok(None) };
    let find = "SELECT success, summary, structured, recording, transcript_chars FROM analyses WHERE attempt = ?1";
    db.maybe(find, values![attempt.as_str()], |row| {
        Ok(Analysis {
            success: row.get(0)?,
            summary: row.get(1)?,
            structured: row.get(2)?,
            recording_url: row.get(3)?,
            transcript_chars: row.get(4)?,
        })
    })
}
