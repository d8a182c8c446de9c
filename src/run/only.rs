//! `--only`: whether the one lead that is to be called is on the list, and may be called at all; if not, why not.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::journal::disk::one::OneLead;
use crate::journal::lead_status::LeadState;
use crate::leads::lead::Only;
use crate::leads::list::{List, Row};
use crate::leads::options::{ListOptions, Source};
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::style::moment;

/// Digits at a number's end that tell it in a row which is rejected.
const TELLING: usize = 8;

/// Looks for the lead on the lists. A rejected row that seems to have its number is named.
pub(super) fn on_list(only: &Only, sources: &[Source], options: &ListOptions) -> Result<(), Failure> {
    let mut rejected = None;
    for source in sources {
        // What is wrong with a list as a whole is told by whoever reads it next.
        let Ok(list) = List::open(source, options) else { return Ok(()) };
        let name = list.name().to_owned();
        for row in list.map_while(Result::ok) {
            match row {
                Row::Lead { lead, .. } if only.is(&lead) => return Ok(()),
                Row::Rejected { line, reason, cells } if rejected.is_none() && names(&cells, only) => {
                    rejected = Some(format!("{name}, line {line}, cannot be called: {reason}"));
                }
                Row::Lead { .. } | Row::Rejected { .. } => {}
            }
        }
    }
    let failure = absent(only);
    Err(rejected.into_iter().fold(failure, Failure::advise))
}

/// The lead is not on the list.
pub fn absent(only: &Only) -> Failure {
    let extension = only.extension.as_ref().map_or(String::new(), |extension| format!(" extension {extension}"));
    let what = format!("--only {}{extension} is not among the leads of the list that can be called", only.phone);
    Failure::usage(what).advise("nobody was called")
}

fn names(cells: &[String], only: &Only) -> bool {
    let digits = only.phone.digits().to_string();
    let telling = &digits[digits.len().saturating_sub(TELLING)..];
    let digits_of = |cell: &String| cell.chars().filter(char::is_ascii_digit).collect::<String>();
    cells.iter().any(|cell| digits_of(cell).ends_with(telling))
}

/// Whether the lead may be called in this run at all; that its hours are closed is told as in any run.
pub(super) fn may_be_called(
    only: &Only,
    found: Option<&OneLead>,
    is_suppressed: bool,
    (now, zone): (Timestamp, &TimeZone),
    sources: &[Source],
) -> Result<(), Failure> {
    let Some(found) = found else { return Err(absent(only)) };
    let list = sources.get(found.place.0).and_then(Source::path).map_or_else(|| "stdin".to_owned(), file);
    let refused = |why: String| {
        Err(Failure::usage(format!("--only {} ({list}, line {}) {why}", only.phone, found.place.1))
            .advise("nobody was called"))
    };
    let since = found.settled.map_or(String::new(), |at| format!(" at {}", moment(at, now, zone)));
    match found.state {
        LeadState::Settled(class) => refused(format!("is settled as {}{since}", class.name())),
        LeadState::Parked => refused("is put aside, as nobody knows whether it was called: dialer release".to_owned()),
        _ if is_suppressed => refused("is on a do-not-call list".to_owned()),
        LeadState::Open | LeadState::Busy | LeadState::InDoubt => Ok(()),
    }
}
