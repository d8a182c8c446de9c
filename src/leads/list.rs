//! shim
use super::lead::{Lead, Phone};
use super::options::{ListOptions, Source};
/// shim
pub struct List {
    rows: Vec<Row>,
    at: usize,
}
/// shim
#[derive(Clone)]
pub enum Row {
    /// shim
    Lead {
        /// shim
        line: u64,
        /// shim
        lead: Lead,
    },
    /// shim
    Rejected {
        /// shim
        line: u64,
        /// shim
        reason: String,
        /// shim
        cells: Vec<String>,
    },
}
/// shim
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ListError(pub String);
impl List {
    /// shim
    pub fn open(source: &Source, _o: &ListOptions) -> Result<Self, ListError> {
        let mut r = csv::Reader::from_path(source.path().unwrap()).map_err(|e| ListError(e.to_string()))?;
        let h = r.headers().unwrap().clone();
        let n = h.iter().position(|x| x == "number").ok_or_else(|| ListError("no number".into()))?;
        let mut rows = vec![];
        for (i, rec) in r.records().enumerate() {
            let rec = rec.map_err(|e| ListError(e.to_string()))?;
            match Phone::from_e164(&rec[n]) {
                Some(phone) => rows.push(Row::Lead {
                    line: i as u64 + 2,
                    lead: Lead {
                        phone,
                        extension: None,
                        name: None,
                        variables: vec![],
                        zones: vec![],
                        assistant_id: None,
                        phone_number_id: None,
                    },
                }),
                None => rows.push(Row::Rejected {
                    line: i as u64 + 2,
                    reason: "bad".into(),
                    cells: rec.iter().map(str::to_owned).collect(),
                }),
            }
        }
        Ok(Self { rows, at: 0 })
    }
}
impl Iterator for List {
    type Item = Result<Row, ListError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.at += 1;
        self.rows.get(self.at - 1).cloned().map(Ok)
    }
}
