//! A chart of columns for a terminal: values over a time line, with a level as a line across.

/// Columns left of the chart, for the scale.
const SCALE: usize = 7;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// The values from left to right.
    pub values: &'a [f64],
    /// What the top of the chart stands for; more than 0.
    pub top: f64,
    /// A level drawn as a line, such as a limit.
    pub level: Option<f64>,
    /// Rows of the chart.
    pub height: usize,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether the terminal shows Unicode.
    pub unicode: bool,
}

impl Chart<'_> {
    /// The rows of the chart, the topmost first, without line breaks.
    pub fn rows(&self) -> Vec<String> {
        let columns = self.columns();
        let wide = self.column_width(columns.len());
        (0..self.height).rev().map(|row| self.row(row, &columns, wide)).collect()
    }

    /// A row below the chart that marks the values of which this is true.
    pub fn marks(&self, marked: impl Fn(f64) -> bool) -> String {
        let columns = self.columns();
        let wide = self.column_width(columns.len());
        let sign = if self.unicode { '▲' } else { '^' };
        let mark = |value: &f64| if marked(*value) { cell(sign, wide) } else { cell(' ', wide) };
        format!("{:SCALE$}{}", "", columns.iter().map(mark).collect::<String>()).trim_end().to_owned()
    }

    /// One value a column: where there are more values than columns, the largest of each group.
    fn columns(&self) -> Vec<f64> {
        let room = self.width.saturating_sub(SCALE + 1).max(1);
        let each = self.values.len().div_ceil(room).max(1);
        self.values.chunks(each).map(|group| group.iter().copied().fold(0.0, f64::max)).collect()
    }

    fn column_width(&self, columns: usize) -> usize {
        (self.width.saturating_sub(SCALE + 1) / columns.max(1)).clamp(1, 6)
    }

    fn row(&self, row: usize, columns: &[f64], wide: usize) -> String {
        let at_level = self.level.is_some_and(|level| self.height_of(level).div_ceil(8).max(1) == row + 1);
        let label = match self.level {
            Some(level) if at_level => number(level),
            _ if row + 1 == self.height => number(self.top),
            _ => String::new(),
        };
        let empty = match (at_level, self.unicode) {
            (true, true) => '─',
            (true, false) => '-',
            (false, _) => ' ',
        };
        let body: String = columns.iter().map(|value| self.cell_of(*value, row, wide, empty)).collect();
        format!("{label:>width$} {body}", width = SCALE - 1).trim_end().to_owned()
    }

    fn cell_of(&self, value: f64, row: usize, wide: usize, empty: char) -> String {
        const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let eighths = self.height_of(value).saturating_sub(row * 8).min(8);
        let gap = usize::from(wide > 2);
        let bar = match (self.unicode, eighths) {
            (_, 0) => return empty.to_string().repeat(wide),
            (true, eighths) => EIGHTHS[eighths],
            (false, 1..4) => '.',
            (false, _) => '#',
        };
        format!("{}{}", bar.to_string().repeat(wide - gap), empty.to_string().repeat(gap))
    }

    /// The height of a value in eighths of a row; anything above nothing is seen.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "clamped")]
    fn height_of(&self, value: f64) -> usize {
        let most = (self.height * 8) as f64;
        let height = (value / self.top * most).clamp(0.0, most);
        if value > 0.0 { height.round().max(1.0) as usize } else { 0 }
    }
}

fn cell(sign: char, wide: usize) -> String {
    let gap = usize::from(wide > 2);
    let lead = (wide - gap) / 2;
    format!("{}{sign}{}", " ".repeat(lead), " ".repeat(wide - lead - 1))
}

fn number(value: f64) -> String {
    if value >= 10_000.0 { format!("{:.0}k", value / 1000.0) } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_drawn_to_an_eighth_and_the_level_as_a_line() {
        let values = [0.0, 1.0, 5.0, 10.0, 2.5];
        let chart = Chart { values: &values, top: 10.0, level: Some(10.0), height: 4, width: 24, unicode: true };
        insta::assert_snapshot!(chart.rows().join("\n"), @"
        10 ─────────██────
                    ██
                 ██ ██
              ▃▃ ██ ██ ██
        ");
        insta::assert_snapshot!(chart.marks(|value| value > 4.0), @"              ▲  ▲");
        let ascii = Chart { unicode: false, ..chart };
        insta::assert_snapshot!(ascii.rows().join("\n"), @"
        10 ---------##----
                    ##
                 ## ##
              .. ## ## ##
        ");
    }

    #[test]
    fn more_values_than_columns_keep_the_largest_of_each_group() {
        let values: Vec<f64> = (0..1000).map(|n| if n == 500 { 9.0 } else { 1.0 }).collect();
        let chart = Chart { values: &values, top: 10.0, level: None, height: 2, width: 40, unicode: true };
        let rows = chart.rows();
        assert!(rows.iter().all(|row| row.chars().count() <= 40));
        assert_eq!(rows[0].matches('▇').count() + rows[0].matches('▆').count(), 1, "{rows:?}");
    }
}
