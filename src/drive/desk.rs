//! The journal, beside the loop: a thread that may wait carries out one request at a time, so that the loop goes on
//! hearing signals whatever the disk, or another process that holds the file, is doing.

use tokio::task::JoinHandle;

use crate::campaign::event::{Action, Event};
use crate::journal::answer::{Answer, Claims, answer};
use crate::journal::{Control, Error, Journal};
use crate::time::{Instant, Now};

/// What a journal can be asked for.
#[derive(Clone)]
pub(super) enum Request {
    /// Carry out actions that are the journal's, in one transaction.
    Act(Vec<Action>),
    /// Look for orders from other shells.
    Control,
}

/// What came of it.
pub(super) enum Done {
    /// It is done, and this is what the campaign is to hear, in order.
    Heard(Vec<Event>),
    /// What other shells have asked for.
    Control(Control),
    /// Another process holds the file: what was asked for is still to be done, unless it was a claim. In words, who.
    Busy(Option<Request>, String),
}

/// What one transaction may be asked to do at most.
pub(super) const TOGETHER: usize = 64;

/// Whether something else may be carried out in the same transaction: it writes down what is known, and nothing is
/// decided on its answer.
pub(super) fn is_record(action: &Action) -> bool {
    use Action::{CloseBatch, PutOff, Record, Share, Watermark};
    matches!(action, Record(_) | Watermark(..) | Share(..) | CloseBatch(_) | PutOff(..))
}

/// What a request brought back.
pub(super) struct Back {
    pub(super) done: Done,
    pub(super) claims: Claims,
    /// When it was asked for.
    pub(super) asked: Instant,
}

type Work<J> = JoinHandle<(J, Result<(Done, Claims), Error>)>;

/// The journal: here, or away at work.
pub(super) enum Desk<J> {
    Here(J),
    Away(Work<J>, Instant),
    /// It cannot be used any more, and that was said.
    Gone,
}

impl<J: Journal + Send + 'static> Desk<J> {
    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// The journal, once nothing is asked of it any more.
    pub(super) fn into_journal(self) -> Option<J> {
        if let Self::Here(journal) = self { Some(journal) } else { None }
    }

    /// Since when it is away.
    pub(super) fn away_since(&self) -> Option<Instant> {
        if let Self::Away(_, since) = self { Some(*since) } else { None }
    }

    /// Begins a request; the journal has to be here.
    pub(super) fn begin(&mut self, now: Now, request: Request) {
        let Self::Here(mut journal) = std::mem::replace(self, Self::Gone) else {
            unreachable!("one request at a time")
        };
        let work = tokio::task::spawn_blocking(move || {
            let mut claims = Claims::new();
            let is_claim = matches!(&request, Request::Act(actions) if matches!(actions[..], [Action::Claim(_)]));
            let again = (!is_claim).then(|| request.clone());
            let done = match carry_out(&mut journal, now, request, &mut claims) {
                Err(busy @ (Error::Busy { .. } | Error::Away { .. })) => Ok(Done::Busy(again, busy.to_string())),
                done => done,
            };
            (journal, done.map(|done| (done, claims)))
        });
        *self = Self::Away(work, now.at);
    }

    /// What the request brought back; for ever, while none is under way. Cancel-safe.
    pub(super) async fn back(&mut self) -> Result<Back, Error> {
        let Self::Away(work, asked) = self else { return std::future::pending().await };
        let asked = *asked;
        match work.await {
            Ok((journal, done)) => {
                *self = Self::Here(journal);
                done.map(|(done, claims)| Back { done, claims, asked })
            }
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        }
    }
}

fn carry_out(journal: &mut impl Journal, now: Now, request: Request, claims: &mut Claims) -> Result<Done, Error> {
    let actions = match request {
        Request::Control => return journal.control(now).map(Done::Control),
        Request::Act(actions) => actions,
    };
    // What needs no transaction at all, such as a listing that shows nothing new, begins none.
    let alone = actions.len() == 1;
    let carry_all = |journal: &mut _| {
        let mut events = Vec::new();
        for action in actions {
            match answer(journal, now, action, claims)? {
                Answer::Heard(event) => events.push(event),
                Answer::Done => {}
                Answer::NotMine(action) => unreachable!("{action:?} is not the journal's to carry out"),
            }
        }
        Ok(Done::Heard(events))
    };
    if alone { carry_all(journal) } else { journal.together(carry_all) }
}
