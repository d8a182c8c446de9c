//! What the runs of an organisation have made of its budget of requests, in the database.

use super::super::Error;
use super::super::booking::Ledger;
use super::db::values;
use super::settings;
use super::table::Table;
use crate::campaign::budget::Made;
use crate::campaign::plan::Plan;
use crate::time::Instant;

/// The budget of this run's organisation, and what was made of it. Where there is none, nothing is read.
pub(super) fn ledger(table: &Table<'_>, plan: &Plan) -> Result<Ledger, Error> {
    let mut ledger = Ledger { budget: plan.requests, made: Made::NOTHING, runs: 1 };
    if ledger.budget.is_none() {
        return Ok(ledger);
    }
    let made = settings::get(table.db, &name(table))?;
    // What cannot be read was written by another version: it counts for no more than a minute.
    ledger.made = made.and_then(|made| serde_json::from_slice(&made).ok()).unwrap_or(Made::NOTHING);
    let line = table.db.line();
    ledger.made = ledger.made.at(|at| line.instant(at.as_micros()));
    let alive = "SELECT count(*) FROM runs JOIN campaigns ON campaigns.id = runs.campaign \
                 WHERE runs.ended IS NULL AND campaigns.account = ?1";
    ledger.runs = table.db.get(alive, values![table.account])?;
    Ok(ledger)
}

/// Writes down what was made of it.
pub(super) fn keep(table: &Table<'_>, ledger: &Ledger) -> Result<(), Error> {
    if ledger.budget.is_none() {
        return Ok(());
    }
    let line = table.db.line();
    let made = ledger.made.at(|at| Instant::from_micros(line.micros(at)));
    let made = serde_json::to_vec(&made).expect("three numbers");
    settings::put(table.db, &name(table), &made)
}

fn name(table: &Table<'_>) -> String {
    format!("requests of account {}", table.account)
}
