//! What a journal answers to the actions that are its own: the same in real and in virtual time.

use std::collections::BTreeMap;

use super::claim::Claim;
use super::{Error, Journal};
use crate::campaign::event::{Action, Event, News};
use crate::pool::attempt_id::AttemptId;
use crate::time::Now;

/// Claims that were granted and not yet placed.
pub type Claims = BTreeMap<AttemptId, Claim>;

/// What became of an action.
#[derive(Debug)]
pub enum Answer {
    /// It is done, and this is what the campaign is to hear.
    Heard(Event),
    /// It is done.
    Done,
    /// It is not the journal's business.
    NotMine(Action),
}

/// Carries out an action that a journal can carry out. What is granted is put with the claims.
pub fn answer(journal: &mut impl Journal, now: Now, action: Action, claims: &mut Claims) -> Result<Answer, Error> {
    Ok(Answer::Heard(match action {
        Action::OpenBatch => Event::BatchOpened(journal.open_batch(now)?),
        Action::Claim(ask) => {
            let (claimed, granted) = journal.claim(now, *ask)?;
            claims.extend(granted.into_iter().map(|claim| (claim.attempt().clone(), claim)));
            Event::Claimed(claimed)
        }
        Action::Book(booking) => Event::Booked(journal.book(now, booking)?),
        Action::Record(news) => write_down(journal, now, *news)?,
        Action::Adopt => Event::Adopted(journal.adopt(now)?),
        Action::FindOrphans => Event::Orphans(journal.orphans(now)?),
        Action::CloseBatch(number) => {
            journal.close_batch(now, number)?;
            return Ok(Answer::Done);
        }
        Action::PutOff(leads, until) => {
            journal.put_off(now, &leads, until)?;
            return Ok(Answer::Done);
        }
        Action::Watermark(from, to) => {
            journal.watermark(now, from, to)?;
            return Ok(Answer::Done);
        }
        Action::Share(pool, reserve) => {
            journal.share(now, &pool, reserve)?;
            return Ok(Answer::Done);
        }
        Action::AdoptionDone => {
            journal.adoption_done(now)?;
            return Ok(Answer::Done);
        }
        other => return Ok(Answer::NotMine(other)),
    }))
}

/// Writes news down before the campaign hears of them.
pub fn write_down(journal: &mut impl Journal, now: Now, news: News) -> Result<Event, Error> {
    let recorded = journal.record(now, &news)?;
    Ok(Event::News(news, recorded))
}
