//! Messages from outside that say that calls are over. Each only makes a read of the listing come sooner, and no call
//! makes it more than a few times, however many messages come.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::pool::calls::CallId;
use crate::time::Instant;

/// Times that messages of one call bring a read forward.
const TIMES: u8 = 3;
/// Polls for which messages are taken to come after the last one that did.
const COME: u32 = 60;

/// What messages have said of calls that are up.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Calls of which it was said: when it was said last, if that was not looked into yet, and how often.
    said: BTreeMap<CallId, (Option<Instant>, u8)>,
    last: Option<Instant>,
}

impl Messages {
    /// A call that is up is said to be over.
    pub(super) fn said_over(&mut self, id: &CallId, now: Instant) {
        self.last = Some(now);
        let (open, times) = self.said.entry(id.clone()).or_default();
        if *times < TIMES {
            (*open, *times) = (Some(now), *times + 1);
        }
    }

    /// Whether another message of that call changes anything.
    pub(super) fn heeds(&self, id: &CallId) -> bool {
        self.said.get(id).is_none_or(|(_, times)| *times < TIMES)
    }

    /// Whether something was said that was not looked into yet.
    pub(super) fn any_open(&self) -> bool {
        self.said.values().any(|(open, _)| open.is_some())
    }

    /// A round of the watch that was begun then is complete. What it should have shown and did not is returned: such
    /// calls are to be asked for by their ids.
    pub(super) fn looked(&mut self, began: Instant) -> Vec<CallId> {
        let mut late = Vec::new();
        for (id, (open, _)) in &mut self.said {
            if open.take_if(|said| *said <= began).is_some() {
                late.push(id.clone());
            }
        }
        late
    }

    /// A call is over, as the provider shows.
    pub(super) fn over(&mut self, id: &CallId) {
        self.said.remove(id);
    }

    /// Whether messages come.
    pub(super) fn come(&self, now: Instant, poll: Duration) -> bool {
        self.last.is_some_and(|last| now.since(last) <= poll * COME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_call_bring_reads_forward_a_few_times_and_no_more() {
        let (mut messages, id) = (Messages::default(), CallId::new("c1"));
        let at = |seconds| Instant::from_micros(0) + Duration::from_secs(seconds);
        for second in 0..10_000 {
            messages.said_over(&id, at(second));
            let is_open = second < u64::from(TIMES);
            assert_eq!(messages.any_open(), is_open, "{second}");
            assert_eq!(messages.looked(at(second)), if is_open { vec![id.clone()] } else { vec![] });
        }
        messages.over(&id);
        messages.said_over(&id, at(0));
        assert_eq!(messages.looked(Instant::from_micros(-1)), [], "a round that was begun before shows nothing of it");
        assert!(messages.any_open());
    }
}
