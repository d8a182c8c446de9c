//! Which cells of a do-not-call list hold numbers: every column of them counts, by its header or by what stands in it.

use super::super::headers::{PHONES, bare, names_a_phone};
use super::super::options::Region;
use super::super::phone::{clean, odd};
use super::super::refusal::is_no_use;
use super::entry::{Entry, NATIONAL, Why, digits, entries, in_two_cells};

/// Where the numbers stand.
#[derive(Debug)]
pub(super) struct Layout {
    /// The first row is one of headers.
    pub has_headers: bool,
    width: usize,
    /// The columns whose headers name a phone.
    numbers: Vec<usize>,
    /// The column of area codes.
    area: Option<usize>,
}

/// What a row holds: how many numbers and prefixes, and what they may mean; or why it cannot be read, and which cell.
type Entries = Result<(u64, Vec<Entry>), (Why, String)>;

impl Layout {
    /// By the first row. `goes_on`: there is another row below it.
    pub(super) fn of(first: &[String], goes_on: bool) -> Self {
        let is_area = |header: &String| AREA.contains(&bare(header).as_str());
        let holds_number = |cell: &String| digits(cell).len() >= 3;
        let is_named = |header: &String| {
            let fits = || PHONES.iter().copied().flatten().any(|rank| rank.fits(header));
            !holds_number(header) && (names_a_phone(header) || is_no_use(header) || fits())
        };
        let has_words = || goes_on && !first.iter().any(|cell| digits(cell).len() >= 3) && !is_comment(first);
        let is_known = first.iter().any(|header| is_named(header) || is_area(header));
        let has_headers = !first.iter().any(holds_number) && (is_known || has_words());
        let columns = |fits: &dyn Fn(&String) -> bool| {
            first.iter().enumerate().filter(|(_, header)| has_headers && fits(header)).map(|(at, _)| at).collect()
        };
        let numbers: Vec<usize> = columns(&is_named);
        let areas: Vec<usize> = columns(&is_area);
        Self { has_headers, width: first.len(), numbers, area: areas.first().copied() }
    }

    /// Everything that a row names. Nothing where its columns of numbers are empty.
    pub(super) fn entries(&self, cells: &[String], region: Option<Region>) -> Entries {
        if self.numbers.is_empty() {
            return anywhere(cells, region);
        }
        if let Some(beyond) = cells.iter().skip(self.width).find(|cell| !cell.trim().is_empty()) {
            return Err(("more cells than columns", beyond.clone()));
        }
        let area = self.area.and_then(|at| cells.get(at)).filter(|area| !digits(area).is_empty());
        let (mut count, mut found, mut wrong) = (0, Vec::new(), None);
        for cell in self.numbers.iter().filter_map(|at| cells.get(*at)).filter(|cell| !cell.trim().is_empty()) {
            let is_local = digits(cell).len() <= NATIONAL;
            let read = match area {
                Some(area) if is_local => in_two_cells(area, cell, region).map(|entries| (1, entries)),
                _ => entries(cell, region),
            };
            match read {
                Ok((numbers, entries)) => {
                    count += numbers;
                    found.extend(entries);
                }
                Err(why) if cell.contains(|letter: char| letter.is_ascii_digit()) => return Err((why, cell.clone())),
                Err(why) => wrong = Some((why, cell.clone())),
            }
        }
        // Words beside a number that was read are about it; alone they may have been one.
        match wrong {
            Some(wrong) if count == 0 => Err(wrong),
            _ => Ok((count, found)),
        }
    }
}

/// Whether a row is a remark, which holds no number.
pub(super) fn is_comment(cells: &[String]) -> bool {
    let starts = cells.first().is_some_and(|cell| cell.trim_start().starts_with('#'));
    starts && cells.iter().map(|cell| digits(cell).len()).sum::<usize>() < NATIONAL - 1
}

/// Everything that reads as a number, wherever it stands; dates and words do not. A row must hold one.
fn anywhere(cells: &[String], region: Option<Region>) -> Entries {
    let (mut count, mut found, mut wrong, mut at) = (0, Vec::new(), None, 0);
    while at < cells.len() {
        let cell = &cells[at];
        at += 1;
        if cell.trim().is_empty() || odd::is_date(&clean::clean(cell)) {
            continue;
        }
        if let Some(local) = cells.get(at).filter(|local| digits(cell).len() == 3 && digits(local).len() == 7)
            && let Ok(entries) = in_two_cells(cell, local, region)
        {
            at += 1;
            count += 1;
            found.extend(entries);
            continue;
        }
        match entries(cell, region) {
            Ok((numbers, entries)) => {
                count += numbers;
                found.extend(entries);
            }
            Err(why) if digits(cell).len() >= NATIONAL - 1 => return Err((why, cell.clone())),
            Err(why) => wrong = wrong.or(Some((why, if cells.len() == 1 { cell.clone() } else { String::new() }))),
        }
    }
    let nothing = || ("no phone number and no prefix", String::new());
    if count > 0 { Ok((count, found)) } else { Err(wrong.unwrap_or_else(nothing)) }
}

/// Headers of area codes.
const AREA: [&str; 9] = ["areacode", "area", "npa", "acode", "vorwahl", "indicatif", "prefijo", "ddd", "prefisso"];
