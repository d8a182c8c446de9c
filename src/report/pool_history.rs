//! The pool over the time of a run, in a bounded number of points: where they become too many, two are made one, and
//! the fuller moment of the two stays, so that no shortage is lost.

use std::time::Duration;

use serde_json::{Value, json};

use super::live_status::PoolStatus;
use crate::time::Instant;

/// Points at most.
const MOST: usize = 600;

/// The pool at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Point {
    at: Instant,
    ours: u32,
    others: u32,
    limit: u32,
    reserve: u32,
}

/// The pool over the time of a run.
#[derive(Clone, Debug)]
pub struct PoolHistory {
    points: Vec<Point>,
    /// Time that one point stands for.
    step: Duration,
    /// How often two points were made one.
    halved: u32,
}

/// How much of a history a reader has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    points: usize,
    halved: u32,
}

impl Default for PoolHistory {
    fn default() -> Self {
        Self { points: Vec::new(), step: Duration::from_secs(1), halved: 0 }
    }
}

impl PoolHistory {
    /// Takes in how the pool stands at that moment.
    pub fn add(&mut self, at: Instant, pool: PoolStatus) {
        let PoolStatus { limit, ours, others, reserve, .. } = pool;
        let point = Point { at, ours, others, limit, reserve };
        match self.points.last_mut() {
            Some(last) if at.since(last.at) < self.step => *last = last.with(point),
            _ => self.points.push(point),
        }
        if self.points.len() > MOST {
            self.points = self.points.chunks(2).map(|two| two[0].with(two[two.len() - 1])).collect();
            self.step *= 2;
            self.halved += 1;
        }
    }

    /// All of it.
    pub fn points(&self) -> impl Iterator<Item = [i64; 5]> {
        self.points.iter().map(Point::numbers)
    }

    /// What such a reader lacks: the place of the first point, and the points, the newest of them as it is by now.
    pub fn beyond(&self, seen: &mut Seen) -> Value {
        // What is longer than this one was another run's.
        let same = seen.halved == self.halved && seen.points <= self.points.len();
        let from = if same { seen.points.saturating_sub(1) } else { 0 };
        *seen = Seen { points: self.points.len(), halved: self.halved };
        let points: Vec<_> = self.points.get(from..).unwrap_or_default().iter().map(Point::json).collect();
        json!({ "from": from, "points": points })
    }
}

impl Point {
    /// The fuller of the two, at the time of the first.
    fn with(self, later: Self) -> Self {
        let free = |point: &Self| i64::from(point.limit) - i64::from(point.ours) - i64::from(point.others);
        if free(&later) <= free(&self) { Self { at: self.at, ..later } } else { self }
    }

    /// Milliseconds since 1970-01-01 UTC, ours, other calls, the limit, the reserve.
    fn numbers(&self) -> [i64; 5] {
        let [ours, others, limit, reserve] = [self.ours, self.others, self.limit, self.reserve].map(i64::from);
        [self.at.as_micros() / 1000, ours, others, limit, reserve]
    }

    fn json(&self) -> Value {
        json!(self.numbers())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(history: &mut PoolHistory, millis: u64, ours: u32) {
        let at = Instant::from_micros(0) + Duration::from_millis(millis);
        history.add(at, PoolStatus { limit: 10, ours, others: 1, free: 0, reserve: 3 });
    }

    #[test]
    fn a_week_fits_and_its_fullest_moment_stays() {
        let mut history = PoolHistory::default();
        for second in 0..7 * 86_400 {
            add(&mut history, second * 1000, if second == 123_456 { 9 } else { 2 });
        }
        assert!((MOST / 2..=MOST).contains(&history.points.len()), "{}", history.points.len());
        assert_eq!(history.points.iter().filter(|point| point.ours == 9).count(), 1);
        assert!(history.points.is_sorted_by_key(|point| point.at));
    }

    #[test]
    fn a_reader_is_told_what_it_lacks_and_all_where_points_were_joined() {
        let (mut history, mut seen) = (PoolHistory::default(), Seen::default());
        (0..3).for_each(|second| add(&mut history, second * 1000, 1));
        assert_eq!(history.beyond(&mut seen)["points"].as_array().unwrap().len(), 3);
        add(&mut history, 2500, 4);
        let told = history.beyond(&mut seen);
        assert_eq!((&told["from"], &told["points"]), (&json!(2), &json!([[2000, 4, 1, 10, 3]])));
        (3..700).for_each(|second| add(&mut history, second * 1000, 1));
        assert_eq!(history.beyond(&mut seen)["from"], 0);
    }
}
