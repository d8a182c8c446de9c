//! Headers to fields: which column is the number, which the name, and so on, in the languages our users write, or as
//! they were told. Every other column is a variable. Where two columns could be meant alike it asks instead of guessing.

use super::findings::Kind;
use super::headers::{self, Rank, bare};
use super::options::{Column, Field};
use super::phone::Reading;
use super::shown::{plain, shown};

/// What each column of a list is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    headers: Vec<String>,
    roles: Vec<Role>,
    /// How many of them are the list's own: all but those that a rejects file adds.
    own: usize,
}

/// What a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// One of the fields.
    Is(Field),
    /// A template variable, named like its header.
    Variable,
    /// Without a header, or the `line` and `reason` of a rejects file that was mended.
    Ignored,
}

/// Why the headers do not make a list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ColumnsError {
    /// No header means the number.
    #[error("has no column of phone numbers")]
    NoNumber,
    /// Several could.
    #[error("has several columns that may hold the phone numbers")]
    Ambiguous(Vec<String>),
    /// The same header twice.
    #[error("has two columns named \"{}\"", plain(.0))]
    Duplicate(String),
    /// `--column` names no column of the list.
    #[error("has no column \"{}\", which --column {}={} names", plain(&.0.header), .0.field.name(), plain(&.0.header))]
    Missing(Column),
    /// Two `--column` for one field, or one column for two fields.
    #[error("cannot have --column {}={} besides another one", .0.field.name(), plain(&.0.header))]
    Twice(Column),
}

/// The two columns that a rejects file has at its end.
pub const REJECT_COLUMNS: [&str; 2] = ["line", "reason"];

/// Our own variable: a column of that name, as in an exported report, must not stand in its way.
const OWN_VARIABLE: &str = "dialer_attempt_id";

impl Columns {
    /// Reads the header row. `rows`: the first ones below it, which tell a rejects file that is given back from a list
    /// whose own last columns have the same names, and the column that holds phone numbers from others named like it.
    pub fn new(headers: &[String], rows: &[Vec<String>], said: &[Column]) -> Result<Self, ColumnsError> {
        let mut headers: Vec<String> = headers.iter().map(|header| header.trim().to_owned()).collect();
        while headers.last().is_some_and(String::is_empty) {
            headers.pop();
        }
        let used =
            if is_fed_back(&headers, rows.first().map(Vec::as_slice)) { headers.len() - 2 } else { headers.len() };
        if let Some(twice) = (1..used).find(|at| !headers[*at].is_empty() && headers[..*at].contains(&headers[*at])) {
            return Err(ColumnsError::Duplicate(headers.swap_remove(twice)));
        }
        let mut columns = Self { roles: vec![Role::Ignored; headers.len()], headers, own: used };
        for at in 0..used {
            if !columns.headers[at].is_empty() && columns.headers[at] != OWN_VARIABLE {
                columns.roles[at] = Role::Variable;
            }
        }
        for column in said {
            columns.say(column)?;
        }
        for field in Field::ALL {
            if columns.find(field).is_none() {
                columns.guess(field, used, rows)?;
            }
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

    /// Where a field stands.
    pub fn find(&self, field: Field) -> Option<usize> {
        self.roles.iter().position(|role| *role == Role::Is(field))
    }

    /// The fields that were found and their headers, for people.
    pub fn summary(&self) -> String {
        let found = |field| self.find(field).map(|at| (field, &self.headers[at]));
        let parts: Vec<String> = Field::ALL
            .into_iter()
            .filter_map(found)
            .map(|(field, header)| format!("{} from \"{}\"", field.name().replace('_', " "), shown(header)))
            .collect();
        parts.join(", ")
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
        if self.find(column.field).is_some() || matches!(self.roles[at], Role::Is(_)) {
            return Err(ColumnsError::Twice(column.clone()));
        }
        self.roles[at] = Role::Is(column.field);
        Ok(())
    }

    /// The column that means the field best. Only for the number does it matter which one is taken: there two of the
    /// same rank are told apart by what stands in them, or are an error.
    fn guess(&mut self, field: Field, used: usize, rows: &[Vec<String>]) -> Result<(), ColumnsError> {
        for rank in headers::of(field) {
            let fits = |at: &usize| self.roles[*at] == Role::Variable && rank.fits(&self.headers[*at]);
            let mut fitting: Vec<usize> = (0..used).filter(fits).collect();
            if field == Field::Number {
                let held: Vec<usize> = fitting.iter().copied().filter(|at| holds_numbers(rows, *at)).collect();
                if matches!(rank, Rank::Worded) || (fitting.len() > 1 && !held.is_empty()) {
                    fitting = held;
                }
                if fitting.len() > 1 {
                    return Err(ColumnsError::Ambiguous(fitting.iter().map(|at| self.headers[*at].clone()).collect()));
                }
            }
            if let Some(at) = fitting.first() {
                self.roles[*at] = Role::Is(field);
                break;
            }
        }
        Ok(())
    }
}

/// Whether most of what stands in a column, in these rows, looks like a phone number.
pub fn holds_numbers(rows: &[Vec<String>], column: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.trim().is_empty());
    let (mut like, mut all) = (0, 0);
    for cell in cells {
        like += usize::from(is_like_a_number(cell));
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

/// Whether the last two columns are those that a rejects file adds: the row below says on which line it stood, and
/// why it was rejected.
fn is_fed_back(headers: &[String], first: Option<&[String]>) -> bool {
    let Some(at) = headers.len().checked_sub(REJECT_COLUMNS.len()).filter(|at| *at > 0) else { return false };
    if headers[at..] != REJECT_COLUMNS {
        return false;
    }
    let cell = |at: usize| first.and_then(|cells| cells.get(at)).map_or("", |cell| cell.trim());
    let number = cell(at).rsplit(':').next().unwrap_or_default();
    let has_line = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let own = headers[..at].iter().any(|header| REJECT_COLUMNS.contains(&header.as_str()));
    own || (has_line && Kind::starts_reason(cell(at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::findings::Reason;

    fn columns(headers: &str, said: &[&str]) -> Result<Columns, ColumnsError> {
        let headers: Vec<String> = headers.split(',').map(str::to_owned).collect();
        let said: Vec<Column> = said.iter().map(|text| text.parse().unwrap()).collect();
        Columns::new(&headers, &[], &said)
    }

    fn number_of(headers: &str) -> String {
        let columns = columns(headers, &[]).unwrap();
        columns.headers()[columns.find(Field::Number).unwrap()].clone()
    }

    #[test]
    fn the_number_is_found_by_its_header_in_any_case_and_language() {
        for header in [
            "number",
            "Phone",
            "PHONE_NUMBER",
            "Phone Number",
            "phone-number",
            " Mobile ",
            "Tel.",
            "Telefon",
            "Rufnummer",
            "Handy",
            "Téléphone",
            "MÓVIL",
            "teléfono",
            "Celular",
            "numero",
            "Telefone",
            "電話番号",
            "Телефон",
            "cell phone",
        ] {
            assert_eq!(number_of(&format!("Order,{header},City")), header.trim());
        }
    }

    #[test]
    fn the_likelier_of_two_columns_is_taken_and_equals_are_asked_for() {
        assert_eq!(number_of("number,phone"), "phone");
        assert_eq!(number_of("Handy,Telefon"), "Telefon");
        assert_eq!(number_of("phone,phone_number"), "phone_number");
        assert_eq!(number_of("customer number,Phone"), "Phone");
        assert!(matches!(columns("phone,Telefon", &[]), Err(ColumnsError::Ambiguous(names)) if names.len() == 2));
        assert!(matches!(columns("phone,Phone", &[]), Err(ColumnsError::Ambiguous(_))));
        assert!(columns("phone,Telefon", &["number=Telefon"]).is_ok());
    }

    #[test]
    fn what_stands_in_a_column_tells_it_from_others_named_like_it() {
        let number = |headers: &str, row: &str| {
            let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
            let columns = Columns::new(&cells(headers), &[cells(row)], &[]);
            columns.map(|columns| columns.headers()[columns.find(Field::Number).unwrap()].clone())
        };
        let found = |headers: &str, row: &str| number(headers, row).unwrap();
        assert_eq!(found("customer number,Phone no. (work),name", "1001,(415) 555-0100,Ada"), "Phone no. (work)");
        assert_eq!(found("Number,Phone Number (mobile)", "7,+14155550100"), "Phone Number (mobile)");
        assert_eq!(found("number,phone number 2", "1,+14155550100"), "phone number 2");
        assert_eq!(found("phone type,number", "mobile,+14155550100"), "number");
        assert_eq!(found("Phone,Te\u{301}le\u{301}phone", "none,+14155550100"), "Te\u{301}le\u{301}phone");
        assert_eq!(found("number", "anything"), "number");
        let two = number("home phone,work phone", "+14155550100,+14155550101");
        assert!(matches!(two, Err(ColumnsError::Ambiguous(names)) if names.len() == 2));
    }

    #[test]
    fn what_is_said_wins_and_must_exist() {
        let columns_said = columns("Kunde,Ort,Telefonnr", &["number=telefonNR", "name=Ort"]).unwrap();
        assert_eq!(columns_said.find(Field::Number), Some(2));
        assert_eq!(columns_said.find(Field::Name), Some(1));
        assert_eq!(columns_said.roles()[0], Role::Variable);
        assert_eq!(columns("Kunde,Ort", &[]), Err(ColumnsError::NoNumber));
        assert!(matches!(columns("phone", &["name=Kunde"]), Err(ColumnsError::Missing(_))));
        assert!(matches!(columns("phone,b", &["number=phone", "number=b"]), Err(ColumnsError::Twice(_))));
        assert!(matches!(columns("phone,b", &["number=b", "name=b"]), Err(ColumnsError::Twice(_))));
    }

    #[test]
    fn a_header_must_not_stand_there_twice() {
        assert_eq!(columns("phone,city,city ", &[]), Err(ColumnsError::Duplicate("city".to_owned())));
        assert!(columns("phone,,,", &[]).is_ok());
    }

    #[test]
    fn a_rejects_file_is_a_list_again() {
        let fed_back = columns("phone,reason,line,reason", &[]).unwrap();
        assert_eq!(fed_back.roles()[1..], [Role::Variable, Role::Ignored, Role::Ignored]);
        assert_eq!(fed_back.own_headers(), ["phone", "reason"]);
        let headers = ["phone", "line", "reason"].map(str::to_owned);
        let with = |line: &str, reason: &str| {
            let first = ["1", line, reason].map(str::to_owned);
            Columns::new(&headers, &[first.to_vec()], &[]).unwrap().own_headers().len()
        };
        let reason = Reason::new(Kind::NotANumber, "n/a").to_string();
        assert_eq!((with("17", &reason), with("leads.csv:17", &reason)), (1, 1));
        assert_eq!((with("17", "contract ends"), with("blue", &reason), with("", "")), (3, 3, 3), "its own columns");
        let list = columns("phone,reason", &[]).unwrap();
        assert_eq!(list.roles()[1], Role::Variable);
        assert_eq!(list.own_headers(), ["phone", "reason"]);
    }
}
