//! Headers to fields: which column is the number, which the name, and so on, in the languages our users write, or as
//! they were told. Every other column is a variable. Where two columns could be meant alike it asks instead of guessing.

use super::country::{country, is_state};
use super::findings::Kind;
use super::headers::{self, Rank, bare};
use super::options::{Column, Field, NO_COLUMN};
use super::phone::Reading;
use super::refusal::Sense;
use super::shown::{plain, shown};

/// What each column of a list is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    headers: Vec<String>,
    roles: Vec<Role>,
    /// How many of them are the list's own: all but those that a rejects file adds.
    own: usize,
    /// The columns of phone numbers, in the order in which they are tried.
    numbers: Vec<usize>,
    /// Columns of phone numbers among which one was chosen, the chosen one first; nobody said which one is meant.
    rivals: Vec<usize>,
    /// The columns that say whether somebody may be called. They are variables as well.
    refusals: Vec<(usize, Sense)>,
}

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// One of the fields.
    Is(Field),
    /// A template variable, named like its header.
    Variable,
    /// Without a header, or added by a rejects file that was mended.
    Ignored,
}

/// Why the headers do not make a list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ColumnsError {
    /// No header means the number.
    #[error("has no column of phone numbers")]
    NoNumber,
    /// The same header twice.
    #[error("has two columns named \"{}\"", plain(.0))]
    Duplicate(String),
    /// `--column` names no column of the list.
    #[error("has no column \"{}\", which --column {}={} names", plain(&.0.header), .0.field.name(), plain(&.0.header))]
    Missing(Column),
    /// Two `--column` for one field, or one column for two fields.
    #[error("cannot have --column {}={} beside another one", .0.field.name(), plain(&.0.header))]
    Twice(Column),
}

/// The two columns that a rejects file has at its end; dropped wherever they are read.
pub const REJECT_COLUMNS: [&str; 2] = ["dialer_line", "dialer_reason"];

/// Our own variable: a column of that name, as in an exported report, must not stand in its way.
const OWN_VARIABLE: &str = "dialer_attempt_id";

impl Columns {
    /// Reads the header row. `rows`: the first ones below it, which tell the column that holds phone numbers from others
    /// named like it.
    pub fn new(headers: &[String], rows: &[Vec<String>], said: &[Column]) -> Result<Self, ColumnsError> {
        let mut headers: Vec<String> = headers.iter().map(|header| header.trim().to_owned()).collect();
        while headers.last().is_some_and(String::is_empty) {
            headers.pop();
        }
        let is_own = |header: &String| !REJECT_COLUMNS.contains(&header.as_str());
        let used = headers.iter().rposition(is_own).map_or(0, |last| last + 1);
        let is_used = |header: &String| !header.is_empty() && is_own(header);
        if let Some(twice) = (1..used).find(|at| is_used(&headers[*at]) && headers[..*at].contains(&headers[*at])) {
            return Err(ColumnsError::Duplicate(headers.swap_remove(twice)));
        }
        let roles = vec![Role::Ignored; headers.len()];
        let (numbers, rivals, refusals) = (Vec::new(), Vec::new(), Vec::new());
        let mut columns = Self { roles, headers, own: used, numbers, rivals, refusals };
        for at in 0..used {
            let header = columns.headers[at].as_str();
            if !header.is_empty() && header != OWN_VARIABLE && !REJECT_COLUMNS.contains(&header) {
                columns.roles[at] = Role::Variable;
            }
        }
        let (off, said): (Vec<&Column>, _) = said.iter().partition(|column| column.header == NO_COLUMN);
        for column in said {
            columns.say(column)?;
        }
        for field in Field::ALL {
            if columns.find(field).is_none() && off.iter().all(|column| column.field != field) {
                match field {
                    Field::Number => columns.guess_number(rows),
                    field => columns.guess(field, rows),
                }
            }
        }
        if off.iter().all(|column| column.field != Field::DoNotCall) {
            columns.guess_refusals();
        }
        if columns.find(Field::Number).is_none() { Err(ColumnsError::NoNumber) } else { Ok(columns) }
    }

    /// The headers, trimmed.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The headers without those that a rejects file adds.
    pub fn own_headers(&self) -> &[String] {
        &self.headers[..self.own]
    }

    /// What each column is.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The columns of phone numbers, in the order in which they are tried.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The headers of the columns of phone numbers among which one was chosen, that one first; none where there was
    /// nothing to choose.
    pub fn rivals(&self) -> impl Iterator<Item = &str> {
        self.rivals.iter().map(|at| self.headers[*at].as_str())
    }

    /// The columns that say whether somebody may be called.
    pub fn refusals(&self) -> &[(usize, Sense)] {
        &self.refusals
    }

    /// Where a field stands; of several columns of phone numbers, the first.
    pub fn find(&self, field: Field) -> Option<usize> {
        match field {
            Field::Number => return self.numbers.first().copied(),
            Field::DoNotCall => return self.refusals.first().map(|(at, _)| *at),
            _ => {}
        }
        self.roles.iter().position(|role| *role == Role::Is(field))
    }

    /// The fields that were found and their headers, for people.
    pub fn summary(&self) -> String {
        let part = |field: Field| {
            let columns: Vec<usize> = match field {
                Field::Number => self.numbers.clone(),
                Field::DoNotCall => self.refusals.iter().map(|(at, _)| *at).collect(),
                field => self.find(field).into_iter().collect(),
            };
            let headers: Vec<String> = columns.iter().map(|at| format!("\"{}\"", shown(&self.headers[*at]))).collect();
            (!headers.is_empty()).then(|| format!("{} from {}", field.name().replace('_', " "), headers.join(", ")))
        };
        Field::ALL.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
    }

    /// The column with that header, or the only one with a header like it.
    pub fn called(&self, header: &str) -> Option<usize> {
        let headers = self.own_headers();
        let mut alike = (0..headers.len()).filter(|at| bare(&headers[*at]) == bare(header));
        let (one, another) = (alike.next(), alike.next());
        let exact = headers.iter().position(|own| own == header);
        exact.or(one.filter(|_| another.is_none()))
    }

    /// Variables that are named like a phone.
    pub fn other_phones(&self) -> Vec<usize> {
        let is_one = |at: &usize| self.roles[*at] == Role::Variable && headers::names_a_phone(&self.headers[*at]);
        (0..self.own).filter(is_one).collect()
    }

    fn say(&mut self, column: &Column) -> Result<(), ColumnsError> {
        let Some(at) = self.called(&column.header) else { return Err(ColumnsError::Missing(column.clone())) };
        let is_one_of_several = matches!(column.field, Field::Number | Field::DoNotCall);
        let is_taken = !is_one_of_several && self.find(column.field).is_some();
        if is_taken || self.roles[at] != Role::Variable || self.refusals.iter().any(|(other, _)| *other == at) {
            return Err(ColumnsError::Twice(column.clone()));
        }
        match column.field {
            Field::DoNotCall => {
                let sense = Sense::of(&self.headers[at]).unwrap_or(Sense::Refusal);
                self.refusals.push((at, sense));
                return Ok(());
            }
            Field::Number => self.numbers.push(at),
            _ => {}
        }
        self.roles[at] = Role::Is(column.field);
        Ok(())
    }

    /// Where the country of the number stands: its name in one column, its calling code in another.
    pub fn countries(&self) -> impl Iterator<Item = usize> {
        (0..self.own).filter(|at| self.roles[*at] == Role::Is(Field::Country))
    }

    /// The column that means the field best. Every column that says the country counts, and one is of states only if
    /// most of what stands in it are some.
    fn guess(&mut self, field: Field, rows: &[Vec<String>]) {
        for rank in headers::of(field) {
            let fits = |at: &usize| self.roles[*at] == Role::Variable && rank.fits(&self.headers[*at]);
            let mut fitting: Vec<usize> = (0..self.own).filter(fits).collect();
            if field == Field::State {
                fitting.retain(|at| holds(rows, *at, is_state));
            }
            if field == Field::Country {
                // In English, land is what a surveyor measures.
                let is_sure = |at: &usize| bare(&self.headers[*at]) != "land";
                fitting.retain(|at| is_sure(at) || holds(rows, *at, |cell| country(cell).is_some()));
                for at in &fitting {
                    self.roles[*at] = Role::Is(field);
                }
            } else if let Some(at) = fitting.first() {
                self.roles[*at] = Role::Is(field);
                break;
            }
        }
    }

    /// The column of phone numbers. Of several that may hold a person's phone, whatever they are called, it is the one in
    /// which the most numbers stand; where that is the same, the likelier header, then the first.
    fn guess_number(&mut self, rows: &[Vec<String>]) {
        let holds =
            |at: &usize| rows.iter().filter_map(|row| row.get(*at)).filter(|cell| is_like_a_number(cell)).count();
        let groups = headers::PHONES.map(|ranks| self.fitting(ranks, rows));
        let phones = &groups[..2];
        let full = phones.iter().find(|group| group.iter().any(|at| holds(at) > 0));
        let Some(group) = full.or_else(|| groups.iter().find(|group| !group.is_empty())) else { return };
        let most = group.iter().map(holds).max();
        let Some(chosen) = group.iter().copied().find(|at| Some(holds(at)) == most) else { return };
        self.roles[chosen] = Role::Is(Field::Number);
        self.numbers.push(chosen);
        let others: Vec<usize> = group.iter().copied().filter(|at| *at != chosen && holds(at) > 0).collect();
        if !others.is_empty() {
            self.rivals = std::iter::once(chosen).chain(others).collect();
        }
    }

    /// The columns whose headers are of these ranks, the likelier first.
    fn fitting(&self, ranks: &[Rank], rows: &[Vec<String>]) -> Vec<usize> {
        let mut fitting: Vec<usize> = Vec::new();
        for rank in ranks {
            for (at, header) in self.headers[..self.own].iter().enumerate() {
                let is_sure = matches!(rank, Rank::Named(_)) || holds_numbers(rows, at);
                let is_free = self.roles[at] == Role::Variable && !fitting.contains(&at);
                if is_free && is_sure && rank.fits(header) && !headers::is_not_to_be_called(header) {
                    fitting.push(at);
                }
            }
        }
        fitting
    }

    fn guess_refusals(&mut self) {
        for at in 0..self.own {
            let is_known = self.refusals.iter().any(|(known, _)| *known == at);
            if self.roles[at] == Role::Variable && !is_known {
                self.refusals.extend(Sense::of(&self.headers[at]).map(|sense| (at, sense)));
            }
        }
    }
}

/// Whether most of what stands in a column, in these rows, looks like a phone number.
pub fn holds_numbers(rows: &[Vec<String>], column: usize) -> bool {
    holds(rows, column, is_like_a_number)
}

/// Whether most of what stands in a column, in these rows, is such a thing.
fn holds(rows: &[Vec<String>], column: usize, is_one: fn(&str) -> bool) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.trim().is_empty());
    let (mut like, mut all) = (0, 0);
    for cell in cells {
        like += usize::from(is_one(cell));
        all += 1;
    }
    like * 2 > all
}

/// Whether a cell looks like a phone number, of whichever country.
pub fn is_like_a_number(cell: &str) -> bool {
    match Reading::default().read(cell) {
        Ok(_) => true,
        Err(reason) => matches!(
            reason.kind,
            Kind::NoCountry | Kind::NoPlus | Kind::Ambiguous | Kind::Premium | Kind::SharedCost | Kind::Spreadsheet
        ),
    }
}

#[cfg(test)]
mod tests;
