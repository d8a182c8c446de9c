//! The pool over time as a stack: the campaign's calls, other calls above them, free slots above those, and the line
//! that the reserve draws. For a terminal, and as a picture for a page.

use std::fmt::Write as _;

use super::page::escape;
use crate::rehearsal::forecast::PoolPoint;

/// Rows of a chart in a terminal, at most.
const HIGH: u32 = 10;
/// Columns left of the chart, for the scale.
const SCALE: usize = 6;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct PoolChart<'a> {
    /// The pool from the left to the right.
    pub points: &'a [PoolPoint],
    /// Slots of the pool.
    pub slots: u32,
    /// Slots reserved: at each point, or at all of them.
    pub reserves: &'a [u32],
}

/// Signs of the campaign's calls, other calls, a free slot, and the line of the reserve.
const UNICODE: [char; 4] = ['█', '▒', '·', '─'];
const ASCII: [char; 4] = ['#', 'o', '.', '-'];

impl PoolChart<'_> {
    /// Rows for a terminal, the topmost first, with what their signs mean; `from` and `to` stand at the ends of its time.
    pub fn rows(&self, width: usize, unicode: bool, from: &str, to: &str) -> Vec<String> {
        let signs = if unicode { UNICODE } else { ASCII };
        let high = self.slots.clamp(1, HIGH);
        let each = f64::from(self.slots) / f64::from(high);
        let room = width.saturating_sub(SCALE + 2).clamp(8, self.points.len().max(8));
        let columns: Vec<PoolPoint> = (0..room).map(|nth| self.mean(nth, room)).collect();
        let lines: Vec<Option<u32>> = (0..room).map(|nth| self.line(nth * self.points.len() / room)).collect();
        let mut rows: Vec<String> = (0..high)
            .rev()
            .map(|row| {
                let (low, top) = (f64::from(row) * each, f64::from(row + 1) * each);
                let middle = f64::midpoint(low, top);
                let is_here = |line: u32| low < f64::from(line) + 1e-9 && f64::from(line) < top - 1e-9;
                let sign = |(point, line): (&PoolPoint, &Option<u32>)| match point {
                    PoolPoint { ours, .. } if *ours >= middle => signs[0],
                    PoolPoint { ours, others } if ours + others >= middle => signs[1],
                    _ if line.is_some_and(is_here) => signs[3],
                    _ => signs[2],
                };
                let label =
                    if row + 1 == high { Some(self.slots) } else { self.last_line().filter(|line| is_here(*line)) };
                let label = label.map_or(String::new(), |label| label.to_string());
                format!("{label:>SCALE$} {}", columns.iter().zip(&lines).map(sign).collect::<String>())
            })
            .collect();
        let gap = room.saturating_sub(from.chars().count() + to.chars().count()).max(1);
        rows.push(format!("{:SCALE$} {from}{}{to}", "", " ".repeat(gap)));
        let [ours, others, free, level] = signs;
        let reserve =
            if lines.iter().any(Option::is_some) { format!("   {level} from here on reserved") } else { String::new() };
        rows.push(format!("{:SCALE$} {ours} this campaign   {others} other calls   {free} free{reserve}", ""));
        rows
    }

    /// The slot from which on they are reserved at that point, if any is.
    fn line(&self, nth: usize) -> Option<u32> {
        let reserve = self.reserves.get(nth).or(self.reserves.last()).filter(|reserve| **reserve > 0)?;
        Some(self.slots.saturating_sub(*reserve))
    }

    /// The same at the end.
    fn last_line(&self) -> Option<u32> {
        self.line(usize::MAX)
    }

    /// What one of so many columns shows.
    fn mean(&self, nth: usize, of: usize) -> PoolPoint {
        let (first, last) = (nth * self.points.len() / of, (nth + 1) * self.points.len() / of);
        let points = &self.points[first..last.max(first + 1).min(self.points.len())];
        #[expect(clippy::cast_precision_loss, reason = "a few dozen points")]
        let count = points.len().max(1) as f64;
        let mean = |of: fn(&PoolPoint) -> f64| points.iter().map(of).sum::<f64>() / count;
        PoolPoint { ours: mean(|point| point.ours), others: mean(|point| point.others) }
    }

    /// A picture for a page; `labels` stand below it, evenly.
    pub fn svg(&self, labels: &[String]) -> String {
        const LEFT: f64 = 40.0;
        const WIDE: f64 = 590.0;
        const HEIGHT: f64 = 200.0;
        let slots = f64::from(self.slots.max(1));
        #[expect(clippy::cast_precision_loss, reason = "a few dozen points")]
        let x = |nth: usize, of: usize| LEFT + WIDE * nth as f64 / of.max(1) as f64;
        let y = |up: f64| 10.0 + HEIGHT * (1.0 - up.clamp(0.0, slots) / slots);
        let count = self.points.len();
        let area = |low: &dyn Fn(&PoolPoint) -> f64, high: &dyn Fn(&PoolPoint) -> f64| {
            let mut path = String::new();
            for (nth, point) in self.points.iter().enumerate() {
                let first = if nth == 0 { 'M' } else { 'L' };
                let (from, to, up) = (x(nth, count), x(nth + 1, count), y(high(point)));
                let _ = write!(path, "{first}{from:.1} {up:.1}H{to:.1}");
            }
            for (nth, point) in self.points.iter().enumerate().rev() {
                let _ = write!(path, "V{:.1}H{:.1}", y(low(point)), x(nth, count));
            }
            path.push('Z');
            path
        };
        let title = "The pool over time";
        let mut svg =
            format!("<svg viewBox=\"0 0 640 264\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>");
        let ours = area(&|_| 0.0, &|point| point.ours);
        let others = area(&|point| point.ours, &|point| point.ours + point.others);
        let _ = write!(svg, "<path class=\"ours\" d=\"{ours}\"/><path class=\"others\" d=\"{others}\"/>");
        let (left, right, floor) = (LEFT, LEFT + WIDE, y(0.0));
        let _ = write!(svg, "<path class=\"axis\" d=\"M{left} {:.1}H{right}M{left} {floor:.1}H{right}\"/>", y(slots));
        for (up, label) in [(slots, self.slots.to_string()), (0.0, "0".to_owned())] {
            let _ =
                write!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 6.0, y(up) + 5.0);
        }
        let mut line = String::new();
        for (nth, up) in (0..count).filter_map(|nth| Some((nth, self.line(nth)?))) {
            let (from, to, up) = (x(nth, count), x(nth + 1, count), y(f64::from(up)));
            let joined = nth > 0 && self.line(nth - 1).is_some();
            let _ = write!(line, "{}{from:.1} {up:.1}H{to:.1}", if joined { 'L' } else { 'M' });
        }
        if !line.is_empty() {
            let _ = write!(svg, "<path class=\"line\" d=\"{line}\"/>");
        }
        if let Some(up) = self.last_line().map(f64::from) {
            let at = y(up) + 5.0;
            let _ = write!(svg, "<text x=\"{}\" y=\"{at:.1}\" text-anchor=\"end\">{up}</text>", LEFT - 6.0);
        }
        for (nth, label) in labels.iter().enumerate() {
            let anchor = match nth {
                0 => "start",
                nth if nth + 1 == labels.len() => "end",
                _ => "middle",
            };
            let at = x(nth, labels.len().saturating_sub(1));
            let _ = write!(svg, "<text x=\"{at:.1}\" y=\"230\" text-anchor=\"{anchor}\">{}</text>", escape(label));
        }
        let mut at = LEFT;
        for (class, label) in [("ours", "this campaign"), ("others", "other calls"), ("line", "reserved from here on")]
        {
            if class == "line" && line.is_empty() {
                continue;
            }
            let _ = match class {
                "line" => write!(svg, "<path class=\"line\" d=\"M{at} 253h14\"/>"),
                class => write!(svg, "<rect class=\"{class}\" x=\"{at}\" y=\"246\" width=\"14\" height=\"14\"/>"),
            };
            let _ = write!(svg, "<text x=\"{}\" y=\"258\">{label}</text>", at + 20.0);
            at += 150.0;
        }
        svg.push_str("</svg>");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_stacked_below_the_line_of_the_reserve() {
        let points: Vec<PoolPoint> = (0..24).map(|nth| PoolPoint { ours: 5.0, others: f64::from(nth) / 6.0 }).collect();
        let chart = PoolChart { points: &points, slots: 8, reserves: &[2] };
        insta::assert_snapshot!(chart.rows(32, true, "09:00", "12:00").join("\n"), @"
             8 ···············▒▒▒▒▒▒▒▒▒
             6 ─────────▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
               ···▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
               ████████████████████████
               ████████████████████████
               ████████████████████████
               ████████████████████████
               ████████████████████████
               09:00              12:00
               █ this campaign   ▒ other calls   · free   ─ from here on reserved
        ");
        assert!(chart.rows(32, false, "", "").iter().all(|row| row.is_ascii()));
    }

    #[test]
    fn the_line_follows_a_reserve_that_changes() {
        let points = vec![PoolPoint { ours: 1.0, others: 0.0 }; 12];
        let reserves: Vec<u32> = (0..12).map(|nth| nth / 4).collect();
        let chart = PoolChart { points: &points, slots: 4, reserves: &reserves };
        insta::assert_snapshot!(chart.rows(20, true, "09:00", "12:00").join("\n"), @"
             4 ····────····
             2 ········────
               ············
               ████████████
               09:00  12:00
               █ this campaign   ▒ other calls   · free   ─ from here on reserved
        ");
        let svg = chart.svg(&[]);
        assert_eq!(svg.matches("class=\"line\"").count(), 2, "the line and its sign: {svg}");
    }

    #[test]
    fn a_picture_draws_within_itself() {
        let points = vec![PoolPoint { ours: 100.0, others: 100.0 }; 3];
        let svg = PoolChart { points: &points, slots: 10, reserves: &[0] }.svg(&["<a>".into(), "b".into()]);
        assert!(svg.contains("&lt;a&gt;") && svg.ends_with("</svg>") && !svg.contains("class=\"line\""), "{svg}");
        assert!(!svg.contains('-') || !svg.contains(" -"), "nothing above the picture: {svg}");
    }
}
