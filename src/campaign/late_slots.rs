//! Signs that slots come free late: answers go on counting calls that have ended.

use std::collections::VecDeque;
use std::time::Duration;

use super::Campaign;
use super::notice::Notice;
use crate::pool::calls::CallId;

/// A slot that is not free by then is somebody's whom nobody shows us.
const LATEST: Duration = Duration::from_secs(10);
/// The lags that are tried are whole steps.
const STEP: Duration = Duration::from_millis(500);
/// Answers that are remembered: no fewer say anything.
const REMEMBERED: usize = 24;
/// How well a lag has to go with what answers counted: a coefficient of correlation.
const SURE: f64 = 0.9;
/// Where either varies less than this, it goes with anything.
const VARIES: f64 = 0.2;

/// What answers counted after calls had ended.
#[derive(Debug, Default)]
pub(super) struct LateSlots {
    /// Of each answer: slots that no known call explains, and how long before it calls had ended.
    answers: VecDeque<(u32, Vec<Duration>)>,
    told: bool,
}

impl LateSlots {
    fn hear(&mut self, unexplained: u32, ended: Vec<Duration>) {
        if self.answers.len() == REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back((unexplained, ended));
    }

    /// The lag that explains the slots which no call explains, if one surely does: as many of them are counted as calls
    /// ended within it, answer by answer. Another organisation's calls come and go whether any of ours has ended or not.
    fn lag(&self) -> Option<Duration> {
        if self.answers.len() < REMEMBERED {
            return None;
        }
        let unexplained = Series::of(self.answers.iter().map(|(slots, _)| f64::from(*slots)).collect())?;
        let lags = (1..=20).map(|steps| STEP * steps).take_while(|lag| *lag <= LATEST);
        let fits = lags.filter_map(|lag| Some((unexplained.correlation(&Series::of(self.ended_within(lag))?), lag)));
        let best = fits.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        best.filter(|(fit, _)| *fit >= SURE).map(|(_, lag)| lag)
    }

    /// Of each answer, calls that ended within so long before it.
    fn ended_within(&self, lag: Duration) -> Vec<f64> {
        let held = |ended: &[Duration]| ended.iter().map(|age| f64::from(u8::from(*age < lag))).sum();
        self.answers.iter().map(|(_, ended)| held(ended)).collect()
    }
}

/// Values that vary, each less their mean.
struct Series {
    values: Vec<f64>,
    variance: f64,
}

impl Series {
    /// None where they hardly vary.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        let count = f64::from(u32::try_from(values.len()).unwrap_or(1));
        let mean = values.iter().sum::<f64>() / count;
        for value in &mut values {
            *value -= mean;
        }
        let variance = values.iter().map(|value| value * value).sum::<f64>() / count;
        (variance >= VARIES).then_some(Self { values, variance })
    }

    /// How well two of them go together, from -1 to 1.
    fn correlation(&self, other: &Self) -> f64 {
        let count = f64::from(u32::try_from(self.values.len()).unwrap_or(1));
        let together = self.values.iter().zip(&other.values).map(|(one, other)| one * other).sum::<f64>() / count;
        together / (self.variance * other.variance).sqrt()
    }
}

impl Campaign {
    /// An answer came, and what it says of the pool has been taken in.
    pub(super) fn look_for_late_slots(&mut self, id: &CallId) {
        if self.late_slots.told {
            return;
        }
        let Some((unexplained, ended)) = self.pool.after_ends(id, LATEST) else { return };
        self.late_slots.hear(unexplained, ended);
        if let Some(lag) = self.late_slots.lag() {
            self.late_slots.told = true;
            self.tell(Notice::SlotsComeFreeLate(self.plan.release_lag + lag));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of answers to which these many slots are unexplained, and before which calls ended so many tenths of
    /// a second: again and again.
    fn lag(answers: &[(u32, &[u64])]) -> Option<Duration> {
        let mut late = LateSlots::default();
        for (unexplained, ended) in answers.iter().cycle().take(REMEMBERED) {
            late.hear(*unexplained, ended.iter().map(|tenths| Duration::from_millis(tenths * 100)).collect());
        }
        late.lag()
    }

    #[test]
    fn what_ends_explain_is_a_lag() {
        let slow = [(1, &[6, 70][..]), (2, &[4, 17]), (1, &[13, 31]), (0, &[44]), (0, &[]), (1, &[15]), (0, &[25, 90])];
        assert_eq!(lag(&slow), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_they_do_not_explain_is_somebody_elses() {
        let quick = [(0, &[6][..]), (0, &[4, 17]), (1, &[13]), (0, &[8, 33]), (0, &[2])];
        assert_eq!(lag(&quick), None);
        let others = [(2, &[6, 70][..]), (2, &[]), (1, &[13, 31, 90]), (2, &[80]), (3, &[]), (1, &[15])];
        assert_eq!(lag(&others), None);
        let always_one = [(1, &[6][..]), (1, &[4]), (1, &[13]), (1, &[8, 33]), (1, &[2])];
        assert_eq!(lag(&always_one), None);
    }
}
