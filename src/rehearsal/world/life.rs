//! The life of a call: queued, ringing, in progress, perhaps forwarded, ended, settled.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::call::{FakeCall, Kind, NewCall, POOL_REASON, Shown};
use super::fault::Stripped;
use super::mix::Script;
use super::{FakeProvider, News, Place, ProviderEvent, stamped};
use crate::campaign::seen::Status;
use crate::leads::lead::Phone;
use crate::pool::calls::CallId;
use crate::time::Stamp;

/// A call that is about to be.
pub(super) struct CallStart {
    pub(super) id: CallId,
    pub(super) org: usize,
    pub(super) kind: Kind,
    pub(super) created: Stamp,
    pub(super) request: Arc<NewCall>,
    pub(super) script: Script,
    pub(super) shown: Shown,
    pub(super) stripped: Stripped,
}

impl FakeProvider {
    /// Puts a call into the ledger: on its way, if there is a slot for it, else blocked; then it ends after `blocked`.
    pub(super) fn bear(&mut self, birth: CallStart, blocked: Duration) -> Place {
        let free_before = self.slots.free();
        let counted = self.slots.take(self.now).then_some(self.now);
        let place = self.calls.len();
        self.by_id.insert(birth.id.clone(), place);
        self.shelves[birth.org].put(place, birth.created, birth.created);
        let setup = self.config.quickened(birth.script.setup);
        let rings = birth.script.ring.is_some();
        self.seen.push(None);
        self.changes += 1;
        if let Shown::From { then, .. } = birth.shown {
            self.hidden_until = self.hidden_until.max(then);
        }
        self.calls.push(FakeCall {
            id: birth.id,
            org: birth.org,
            kind: birth.kind,
            status: Status::Queued,
            name: birth.request.name.clone(),
            attempt: FakeCall::attempt_in(birth.request.name.as_ref(), &birth.request),
            phone: Phone::from_e164(&birth.request.number),
            request: birth.request,
            created: birth.created,
            updated: birth.created,
            rang: None,
            started: None,
            ended: None,
            reason: None,
            counted,
            released: None,
            free_before,
            settled: false,
            script: birth.script,
            shown: birth.shown,
            stripped: birth.stripped,
        });
        match counted {
            None => self.later(self.now + blocked, ProviderEvent::End(place)),
            Some(_) if rings => self.later(self.now + setup, ProviderEvent::Ring(place)),
            Some(_) => self.later(self.now + setup, ProviderEvent::End(place)),
        }
        place
    }

    pub(super) fn ring(&mut self, place: Place) {
        let script = &self.calls[place].script;
        let (rings, answered) = (script.ring.unwrap_or_default(), script.talk.is_some());
        let then = self.now + self.config.quickened(rings);
        let Some(now) = self.change(place, Status::Ringing) else { return };
        self.calls[place].rang = Some(now);
        self.later(then, if answered { ProviderEvent::Start(place) } else { ProviderEvent::End(place) });
    }

    pub(super) fn start(&mut self, place: Place) {
        let script = &self.calls[place].script;
        let (talks, forwarded) = (script.talk.unwrap_or_default(), script.forward.is_some());
        let then = self.now + self.config.quickened(talks);
        let Some(now) = self.change(place, Status::InProgress) else { return };
        self.calls[place].started = Some(now);
        self.later(then, if forwarded { ProviderEvent::Forward(place) } else { ProviderEvent::End(place) });
    }

    pub(super) fn forward(&mut self, place: Place) {
        let talks = self.calls[place].script.forward.unwrap_or_default();
        let then = self.now + self.config.quickened(talks);
        if self.change(place, Status::Forwarding).is_some() {
            self.later(then, ProviderEvent::End(place));
        }
    }

    pub(super) fn end(&mut self, place: Place) {
        let call = &self.calls[place];
        let reason = if call.counted.is_some() { call.script.reason.clone() } else { Cow::Borrowed(POOL_REASON) };
        self.end_with(place, reason);
    }

    pub(super) fn end_with(&mut self, place: Place, reason: Cow<'static, str>) {
        let Some(now) = self.change(place, Status::Ended) else { return };
        self.freed_at = Some(self.now);
        let call = &mut self.calls[place];
        (call.ended, call.reason) = (Some(now), Some(reason));
        let (counted, settle) = (call.counted.is_some(), call.script.settle);
        if counted {
            self.later(self.now + self.config.release_lag, ProviderEvent::Release(place));
            self.later(self.now + self.config.quickened(settle), ProviderEvent::Settle(place));
        }
        self.tell(place, News::Ended);
    }

    pub(super) fn release(&mut self, place: Place) {
        self.slots.give_back(self.now);
        self.freed_at = Some(self.now);
        self.calls[place].released = Some(self.now);
    }

    pub(super) fn settle(&mut self, place: Place) {
        self.calls[place].settled = true;
        self.settled_at = Some(self.now);
        self.touch(place);
        self.tell(place, News::Settled);
    }

    /// Says so of an outbound call, where somebody listens.
    fn tell(&mut self, place: Place, news: News) {
        let call = &self.calls[place];
        if let Some(told) = self.told.as_mut().filter(|_| call.kind == Kind::Outbound) {
            told.push_back((call.id.clone(), news));
        }
    }

    /// Moves a call on, unless it is over; when that was, as the provider stamps it.
    fn change(&mut self, place: Place, status: Status) -> Option<Stamp> {
        if self.calls[place].status == Status::Ended {
            return None;
        }
        self.calls[place].status = status;
        Some(self.touch(place))
    }

    /// A call has changed: `updatedAt`.
    pub(super) fn touch(&mut self, place: Place) -> Stamp {
        let call = &mut self.calls[place];
        let before = call.updated;
        self.seen[place] = None;
        self.changes += 1;
        call.updated = stamped(self.now).max(call.created);
        let after = call.updated;
        self.shelves[call.org].change(place, before, after);
        after
    }
}
