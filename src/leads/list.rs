//! One list, from its file to its leads, row by row. Each row comes out exactly once, as a lead or as a rejection;
//! blank ones do not count. Duplicates are not looked for here: whoever takes the rows has a better place to.

mod number;
mod place;

use std::collections::HashSet;

use super::columns::{Columns, ColumnsError, Role};
use super::counts::Counts;
use super::findings::{Findings, Group, Kind, Reason};
use super::head;
use super::lead::{Lead, Phone};
use super::options::{Field, ListOptions, Source};
use super::shown::{plain, shown};
use super::table::{MAX_CELL, Table, TableError, TableFlaw};
use super::trouble::{self, ListHead};
use super::zone::Asked;

/// The longest name that the provider takes, in characters.
pub const MAX_NAME: usize = 40;

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name} {what}")]
pub struct ListError {
    /// The list.
    pub name: String,
    /// What is wrong with it.
    pub what: Box<Wrong>,
}

/// What is wrong with a list as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It is no table, or cannot be read.
    #[error("{0}")]
    Table(#[from] TableError),
    /// Not a row in it.
    #[error("is empty\n  a list has a row of headers, and a row for each lead")]
    Empty,
    /// Not a row in the sheet, though the workbook has others.
    #[error("has nothing in its sheet \"{}\"\n  take another of its sheets:   {}", plain(.0), trouble::sheets(.1))]
    EmptySheet(String, Vec<String>),
    /// Its headers do not tell the columns; this is how it begins.
    #[error("{}", trouble::headers(.0, .1))]
    Columns(ColumnsError, ListHead),
    /// `--require` names a variable for which there is no column.
    #[error("has no column \"{}\", which --require names\n  its columns are: {}", plain(.0), .1)]
    Required(String, String),
    /// A line of a do-not-call list cannot be read: whoever stands on it would be called.
    #[error("cannot be read: line {line}: \"{text}\": {why}\n  mend it or take it out")]
    DoNotCall {
        /// The line.
        line: u64,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nobody on it can be called.
    #[error("has nobody who can be called: {}", trouble::nobody(*.0))]
    NoLead(u64),
}

/// One row of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// Somebody who may be called.
    Lead {
        /// The line on which the row starts.
        line: u64,
        /// Who.
        lead: Lead,
    },
    /// Somebody who may not.
    Rejected {
        /// The line on which the row starts.
        line: u64,
        /// Why.
        reason: Reason,
        /// The cells, under the columns of [`List::header`]; more of them where the row has more.
        cells: Vec<String>,
    },
}

/// A list that is being read. After its last row it yields [`Wrong::NoLead`] if nobody on it can be called.
pub struct List {
    name: String,
    table: Table,
    columns: Columns,
    options: ListOptions,
    required: Vec<usize>,
    /// Further columns that are named like a phone.
    others: Vec<usize>,
    asked: Asked,
    findings: Findings,
    leads: u64,
    rejected: u64,
    duplicates: u64,
    /// Rejected rows that another list has as well.
    repeats: u64,
    /// Whom the list itself says not to call.
    refused: HashSet<Phone>,
    /// The rows that say so.
    refusals: Group,
    ended: bool,
}

impl List {
    /// Opens a list and reads its headers.
    pub fn open(source: &Source, options: &ListOptions) -> Result<Self, ListError> {
        let name = source.to_string();
        let table = Table::open(source, options.sheet.as_deref());
        table
            .map_err(Wrong::from)
            .and_then(|table| Self::read(&name, table, options))
            .map_err(|what| named(&name, what))
    }

    /// A list in memory.
    pub fn from_bytes(name: &str, bytes: Vec<u8>, options: &ListOptions) -> Result<Self, ListError> {
        let table = Table::from_bytes(bytes, options.sheet.as_deref());
        table.map_err(Wrong::from).and_then(|table| Self::read(name, table, options)).map_err(|what| named(name, what))
    }

    fn read(name: &str, mut table: Table, options: &ListOptions) -> Result<Self, Wrong> {
        let mut findings = Findings::default();
        let (line, columns) = head::read(&mut table, options, &mut findings)?;
        let place = |column: Option<usize>, variable: &String| {
            let found = column.or_else(|| columns.find(Field::Name).filter(|_| variable == Field::Name.name()));
            found.ok_or_else(|| Wrong::Required(variable.clone(), trouble::names(columns.headers())))
        };
        let mut required: Vec<usize> = Vec::new();
        for variable in &options.require {
            required.push(place(columns.called(variable), variable)?);
        }
        for variable in &options.needed {
            required.push(place(columns.headers().iter().position(|header| header == variable), variable)?);
        }
        let others = columns.other_phones();
        let rivals: Vec<String> = columns.rivals().map(shown).collect();
        if !rivals.is_empty() {
            findings.add(Kind::SeveralColumns, line, &rivals.join(", "));
        }
        Ok(Self {
            name: name.to_owned(),
            table,
            columns,
            options: options.clone(),
            required,
            others,
            asked: Asked::default(),
            findings,
            leads: 0,
            rejected: 0,
            duplicates: 0,
            repeats: 0,
            refused: HashSet::new(),
            refusals: Group::default(),
            ended: false,
        })
    }

    /// What the list is called: its path, as it was typed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The headers, without those that a rejects file adds: the columns of a rejected row's cells.
    pub fn header(&self) -> &[String] {
        self.columns.own_headers()
    }

    /// What was found so far.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Rows so far.
    pub fn counts(&self) -> Counts {
        Counts {
            rows: self.leads + self.rejected,
            leads: self.leads - self.duplicates,
            rejected: self.rejected - self.repeats,
            duplicates: self.duplicates + self.repeats,
        }
    }

    /// Takes down that another list has this rejected row, too.
    pub fn repeat(&mut self, line: u64, reason: &Reason) {
        self.repeats += 1;
        self.findings.take_back(reason.kind, line);
        self.findings.add(Kind::Duplicate, line, &reason.about);
    }

    /// Takes down that the lead of this row is on an earlier row already, here or in another list.
    pub fn duplicate(&mut self, line: u64, phone: Phone) {
        self.duplicates += 1;
        self.findings.add(Kind::Duplicate, line, &phone.to_string());
    }

    /// Whom the list itself, in the rows so far, says not to call: suppressed wherever their number stands.
    pub fn refused(&self) -> &HashSet<Phone> {
        &self.refused
    }

    /// The rows that said so.
    pub fn refusals(&self) -> &Group {
        &self.refusals
    }

    /// How it was read, for people: `CSV, semicolons, Windows-1252`. Certain once the last row was read.
    pub fn format(&self) -> String {
        self.table.format()
    }

    /// Bytes read so far, and of how many, where that is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        self.table.progress()
    }

    fn row(&mut self, line: u64, mut cells: Vec<String>, flaw: Option<TableFlaw>) -> Row {
        let width = self.columns.headers().len();
        for cell in &mut cells {
            trim(cell);
        }
        while cells.len() > width && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        let lead = match flaw {
            Some(flaw) => Err(flawed(flaw, &cells)),
            None => self.lead(line, &mut cells),
        };
        match lead {
            Ok(lead) => {
                self.leads += 1;
                Row::Lead { line, lead }
            }
            Err(reason) => {
                self.rejected += 1;
                self.findings.add(reason.kind, line, &reason.about);
                let own = self.columns.own_headers().len();
                let extra = cells.split_off(width.min(cells.len()));
                cells.resize(own, String::new());
                cells.extend(extra);
                Row::Rejected { line, reason, cells }
            }
        }
    }

    /// The lead in a row. Takes the cells of its variables only once nothing can go wrong any more.
    fn lead(&mut self, line: u64, cells: &mut Vec<String>) -> Result<Lead, Reason> {
        let width = self.columns.headers().len();
        if cells.len() > width {
            return Err(Reason::new(Kind::ExtraCells, &cells[width..].join(" ")));
        }
        if cells.len() < self.columns.own_headers().len() {
            self.findings.add(Kind::MissingCells, line, "");
        }
        cells.resize(width, String::new());
        if let Some(long) = cells.iter().find(|cell| cell.len() > MAX_CELL) {
            return Err(Reason::new(Kind::TooLarge, long));
        }
        let found = self.number(line, cells)?;
        if let Some(word) = self.refusal(cells, &found)? {
            self.refusals.add(line, &word);
            self.refused.insert(found.phone);
        }
        let extension = self.extension(cells, &found)?;
        if let Some(empty) = self.required.iter().find(|at| cells[**at].is_empty()) {
            return Err(Reason::new(Kind::Missing, &self.columns.headers()[*empty]));
        }
        let zones = self.zones(line, cells, &found)?;
        if let Some((kind, about)) = &found.note {
            self.findings.add(*kind, line, about);
        }
        if self.table.is_hidden(line) {
            self.findings.add(Kind::HiddenRow, line, &found.phone.to_string());
        }
        let id = |field| Some(self.cell(cells, field)).filter(|id| !id.is_empty()).map(str::to_owned);
        let (assistant_id, phone_number_id) = (id(Field::AssistantId), id(Field::PhoneNumberId));
        let name = self.customer_name(line, cells);
        let variables = self.variables(line, cells);
        Ok(Lead { phone: found.phone, extension, name, variables, zones, assistant_id, phone_number_id })
    }

    fn cell<'a>(&self, cells: &'a [String], field: Field) -> &'a str {
        self.columns.find(field).map_or("", |at| &cells[at])
    }

    fn customer_name(&mut self, line: u64, cells: &[String]) -> Option<String> {
        let name = self.cell(cells, Field::Name);
        let cut = match name.char_indices().nth(MAX_NAME) {
            Some((end, _)) => {
                self.findings.add(Kind::NameCut, line, name);
                name[..end].trim_end()
            }
            None => name,
        };
        (!cut.is_empty()).then(|| cut.to_owned())
    }

    /// The variables, in the order of the columns. The customer's name is one under its own header and as `name`.
    fn variables(&mut self, line: u64, cells: &mut [String]) -> Vec<(String, String)> {
        let name = Field::Name.name();
        let headers = self.columns.headers();
        let also_name = !headers.iter().any(|header| header == name);
        let mut variables = Vec::with_capacity(cells.len());
        for ((header, role), cell) in headers.iter().zip(self.columns.roles()).zip(cells) {
            if cell.contains('\u{fffd}') {
                self.findings.add(Kind::BadText, line, cell);
            }
            match role {
                Role::Variable | Role::Is(Field::Country | Field::State) => {
                    variables.push((header.clone(), std::mem::take(cell)));
                }
                Role::Is(Field::Name) => {
                    if also_name {
                        variables.push((name.to_owned(), cell.clone()));
                    }
                    variables.push((header.clone(), std::mem::take(cell)));
                }
                Role::Ignored if header.is_empty() && !cell.is_empty() => {
                    self.findings.add(Kind::UnnamedColumn, line, cell);
                }
                Role::Is(_) | Role::Ignored => {}
            }
        }
        variables
    }
}

impl Iterator for List {
    type Item = Result<Row, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = loop {
            match self.table.next_row() {
                Ok(Some(row)) if row.flaw.is_none() && head::is_total(&self.columns, &row.cells) => {
                    self.findings.add(Kind::Total, row.line, row.cells.join(" ").trim());
                }
                row => break row,
            }
        };
        match row {
            Ok(Some(row)) => Some(Ok(self.row(row.line, row.cells, row.flaw))),
            Ok(None) => {
                self.ended = true;
                (self.leads == 0).then(|| Err(named(&self.name, Wrong::NoLead(self.rejected))))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(named(&self.name, error.into())))
            }
        }
    }
}

fn named(name: &str, what: Wrong) -> ListError {
    ListError { name: name.to_owned(), what: Box::new(what) }
}

fn flawed(flaw: TableFlaw, cells: &[String]) -> Reason {
    let kind = match flaw {
        TableFlaw::OpenQuote => Kind::OpenQuote,
        TableFlaw::TooLarge => Kind::TooLarge,
    };
    Reason::new(kind, cells.iter().find(|cell| !cell.is_empty()).map_or("", String::as_str))
}

/// Takes spaces off both ends, in place.
fn trim(cell: &mut String) {
    let end = cell.trim_end().len();
    cell.truncate(end);
    let start = cell.len() - cell.trim_start().len();
    cell.drain(..start);
}
