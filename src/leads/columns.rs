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
mod tests {
    use super::*;

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
    fn the_likelier_of_two_columns_is_taken() {
        assert_eq!(number_of("number,phone"), "phone");
        assert_eq!(number_of("Handy,Telefon"), "Telefon");
        assert_eq!(number_of("phone,phone_number"), "phone_number");
        assert_eq!(number_of("customer number,Phone"), "Phone");
        assert_eq!(number_of("phone,Phone"), "phone");
        assert!(columns("phone,Telefon", &["number=Telefon"]).is_ok());
    }

    /// The column that is taken, and those that could have been.
    fn chosen(headers: &str, rows: &[&str]) -> Result<(String, Vec<String>), ColumnsError> {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
        let columns = Columns::new(&cells(headers), &rows, &[])?;
        let rivals = columns.rivals().map(str::to_owned).collect();
        Ok((columns.headers()[columns.find(Field::Number).unwrap()].clone(), rivals))
    }

    #[test]
    fn what_stands_in_a_column_tells_it_from_others_named_like_it() {
        let found = |headers: &str, row: &str| chosen(headers, &[row]).unwrap().0;
        assert_eq!(found("customer number,Phone no. (work),name", "1001,(415) 555-0100,Ada"), "Phone no. (work)");
        assert_eq!(found("Number,Phone Number (mobile)", "7,+14155550100"), "Phone Number (mobile)");
        assert_eq!(found("number,phone number 2", "1,+14155550100"), "phone number 2");
        assert_eq!(found("phone type,number", "mobile,+14155550100"), "number");
        assert_eq!(found("Phone,Te\u{301}le\u{301}phone", "none,+14155550100"), "Te\u{301}le\u{301}phone");
        assert_eq!(found("number", "anything"), "number");
    }

    #[test]
    fn of_several_phones_the_fullest_column_is_taken_and_the_choice_is_told() {
        for headers in ["Phone,Mobile", "Phone 1 - Value,Phone 2 - Value", "home phone,work phone"] {
            let (first, second) = headers.split_once(',').unwrap();
            let (header, rivals) = chosen(headers, &[",+14155550101", "+14155550102,+14155550103"]).unwrap();
            assert_eq!((header.as_str(), rivals.as_slice()), (second, &[second, first].map(str::to_owned)[..]));
            let (header, rivals) = chosen(headers, &["+14155550102,+14155550103"]).unwrap();
            assert_eq!((header.as_str(), rivals.len()), (first, 2));
            assert_eq!(chosen(headers, &["+14155550102,"]).unwrap().1.len(), 0, "nothing to choose");
        }
        assert_eq!(chosen("Phone,work phone", &["+14155550102,+14155550103"]).unwrap(), ("Phone".to_owned(), vec![]));
    }

    #[test]
    fn numbers_that_are_not_to_be_called_are_not_taken() {
        for (headers, taken) in [
            ("Phone (do not use),Mobile", "Mobile"),
            ("Fax,Phone", "Phone"),
            ("from_number,number", "number"),
            ("Phone (old),Number", "Number"),
        ] {
            assert_eq!(chosen(headers, &["+14155550100,+14155550101"]).unwrap(), (taken.to_owned(), vec![]));
        }
        assert_eq!(chosen("Name,Phone (do not use)", &["Ada,+14155550100"]), Err(ColumnsError::NoNumber));
    }

    #[test]
    fn several_columns_are_tried_in_the_order_in_which_they_were_named() {
        let said = columns("Name,Phone,Mobile", &["number=Mobile", "number=Phone"]).unwrap();
        assert_eq!((said.numbers(), said.rivals().count()), (&[2, 1][..], 0));
        assert_eq!(said.summary(), "number from \"Mobile\", \"Phone\", name from \"Name\"");
        assert!(matches!(columns("phone", &["number=phone", "number=phone"]), Err(ColumnsError::Twice(_))));
    }

    #[test]
    fn columns_say_whether_somebody_may_be_called() {
        let found = |said: &[&str]| columns("phone,Deceased,Do Not Contact,Consent,status,city", said).unwrap();
        let senses: Vec<Sense> = found(&[]).refusals().iter().map(|(_, sense)| *sense).collect();
        assert_eq!(senses, [Sense::Refusal, Sense::Refusal, Sense::Consent, Sense::Status]);
        assert_eq!(found(&[]).roles()[1..], [Role::Variable; 5], "they are variables as well");
        assert_eq!(found(&["do_not_call=none"]).refusals(), []);
        assert_eq!(found(&["do_not_call=none", "do_not_call=city"]).refusals(), [(5, Sense::Refusal)]);
        assert_eq!(found(&["do_not_call=city"]).refusals().len(), 5, "those that were found count all the same");
    }

    #[test]
    fn what_is_said_wins_and_must_exist() {
        let columns_said = columns("Kunde,Ort,Telefonnr", &["number=telefonNR", "name=Ort"]).unwrap();
        assert_eq!(columns_said.find(Field::Number), Some(2));
        assert_eq!(columns_said.find(Field::Name), Some(1));
        assert_eq!(columns_said.roles()[0], Role::Variable);
        assert_eq!(columns("Kunde,Ort", &[]), Err(ColumnsError::NoNumber));
        assert!(matches!(columns("phone", &["name=Kunde"]), Err(ColumnsError::Missing(_))));
        assert!(matches!(columns("phone,b", &["name=phone", "name=b"]), Err(ColumnsError::Twice(_))));
        assert_eq!(columns("phone,name", &["name=none"]).unwrap().find(Field::Name), None);
        assert_eq!(columns("phone,name", &["number=none"]), Err(ColumnsError::NoNumber));
        assert!(matches!(columns("phone,b", &["number=b", "name=b"]), Err(ColumnsError::Twice(_))));
    }

    #[test]
    fn the_country_is_all_columns_that_say_it_and_a_state_is_one() {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let headers = cells("phone_number,phone_code,country_code,state");
        let with = |row: &str, said: &[Column]| Columns::new(&headers, &[cells(row)], said).unwrap();
        let columns = with("4155550142,1,USA,TX", &[]);
        assert_eq!(columns.countries().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(columns.find(Field::State), Some(3));
        assert_eq!(with("4155550142,1,USA,open", &[]).find(Field::State), None, "a state of something else");
        let none = ["country=none", "state=none"].map(|text| text.parse().unwrap());
        assert_eq!(with("4155550142,1,USA,TX", &none).roles()[1..], [Role::Variable; 3]);
    }

    #[test]
    fn a_header_must_not_stand_there_twice() {
        assert_eq!(columns("phone,city,city ", &[]), Err(ColumnsError::Duplicate("city".to_owned())));
        assert!(columns("phone,,,", &[]).is_ok());
    }

    #[test]
    fn a_rejects_file_is_a_list_again() {
        let fed_back = columns("phone,line,reason,dialer_line,dialer_reason", &[]).unwrap();
        assert_eq!(fed_back.roles()[1..3], [Role::Variable, Role::Variable], "its own columns");
        assert_eq!(fed_back.roles()[3..], [Role::Ignored, Role::Ignored]);
        assert_eq!(fed_back.own_headers(), ["phone", "line", "reason"]);
        let reordered = columns("dialer_line,phone,dialer_reason,name", &[]).unwrap();
        assert_eq!([reordered.roles()[0], reordered.roles()[2]], [Role::Ignored, Role::Ignored]);
        assert_eq!(reordered.find(Field::Number), Some(1));
        assert_eq!(columns("dialer_line,dialer_reason", &[]), Err(ColumnsError::NoNumber));
    }
}
