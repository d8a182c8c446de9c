//! Copies every row of a journal into another one, table by table, a few at a time.

use super::super::super::Error;
use super::super::db::{Db, Row, Value, values};
use super::super::settings;
use crate::campaign::budget::Made;
use crate::time::Instant;

/// Columns with instants, which stand on another line of time in the other place.
pub(in super::super) const INSTANTS: [(&str, &[&str]); 5] = [
    ("attempts", &["claimed", "sent", "received", "failed", "absent", "parked", "shown"]),
    ("campaigns", &["adopted"]),
    ("leads", &["added"]),
    ("pools", &["sent", "received", "rate_until"]),
    ("runs", &["keeps_since"]),
];
/// Rows that are fetched from a server at once.
const AT_ONCE: u64 = 1_000;

/// A table, with its columns and which of them are instants.
struct Table {
    name: String,
    columns: Vec<String>,
    instants: Vec<usize>,
}

/// Copies every row of one journal into the other, whose own rows go.
/// `told` is what goes wrong over there.
pub(super) fn copy(from: &Db, into: &Db, told: &dyn Fn(Error) -> Error) -> Result<(), Error> {
    let tables = tables(if from.is_remote() { into } else { from })?;
    let later = make_ready(into, &tables).map_err(told)?;
    for table in &tables {
        copy_table(from, into, table, told)?;
    }
    into.execute("DELETE FROM settings WHERE name = 'moved'", &[]).map_err(told)?;
    move_budgets(from, into).map_err(told)?;
    into.batch(&later).map_err(told)
}

/// The tables of the journal, from that side which is a file: on a server they are the same.
fn tables(file: &Db) -> Result<Vec<Table>, Error> {
    let all = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let names: Vec<String> = file.all(all, &[], |row| row.get(0))?;
    let columns = |name: String| {
        let columns = file.all("SELECT name FROM pragma_table_info(?1)", values![&name], |row| row.get(0))?;
        let known = INSTANTS.iter().find(|(table, _)| *table == name).map_or(&[][..], |(_, instants)| instants);
        let instants = known.iter().filter_map(|known| columns.iter().position(|column: &String| column == known));
        Ok(Table { instants: instants.collect(), name, columns })
    };
    names.into_iter().map(columns).collect()
}

/// Empties the tables. What counts and indexes their rows as they come is put out of the way; the statements that bring it
/// back are returned.
fn make_ready(into: &Db, tables: &[Table]) -> Result<String, Error> {
    let later = if into.is_remote() { triggers_off(into, tables)? } else { drop_all_beside(into)? };
    for table in tables {
        into.batch(&format!("DELETE FROM {}", table.name))?;
    }
    Ok(later.join("; "))
}

/// Switches the triggers of a server off. What brings them back numbers new rows from behind the last that came, too.
fn triggers_off(into: &Db, tables: &[Table]) -> Result<Vec<String>, Error> {
    let all = |how: &str| format!("ALTER TABLE leads {how} TRIGGER USER; ALTER TABLE attempts {how} TRIGGER USER");
    into.batch(&all("DISABLE"))?;
    let numbered = tables.iter().filter(|table| table.columns[0] == "id");
    let next = numbered.map(|Table { name, .. }| {
        format!("SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}")
    });
    Ok(next.chain([all("ENABLE"), "ANALYZE leads; ANALYZE attempts".to_owned()]).collect())
}

/// Drops the triggers and the indexes of a file.
fn drop_all_beside(into: &Db) -> Result<Vec<String>, Error> {
    let all = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let beside: Vec<(String, String, String)> = into.all(all, &[], read)?;
    for (kind, name, _) in &beside {
        into.batch(&format!("DROP {kind} {name}"))?;
    }
    Ok(beside.into_iter().map(|(.., sql)| sql).collect())
}

fn copy_table(from: &Db, into: &Db, table: &Table, told: &dyn Fn(Error) -> Error) -> Result<(), Error> {
    let Table { name, columns, instants } = table;
    let (out, to) = (from.line(), into.line());
    into.fill(name, columns, |put| {
        from.stream(&format!("SELECT {} FROM {name}", columns.join(", ")), AT_ONCE, |row| {
            let mut values = (0..columns.len()).map(|nth| row.value(nth)).collect::<Result<Vec<_>, _>>()?;
            for nth in instants {
                if let Value::Int(Some(micros)) = values[*nth] {
                    values[*nth] = Value::Int(Some(to.micros(out.instant(micros))));
                }
            }
            put(&values).map_err(told)
        })
    })
}

/// What was made of the budgets of requests has an instant in it, too.
fn move_budgets(from: &Db, into: &Db) -> Result<(), Error> {
    let (out, to) = (from.line(), into.line());
    let all = "SELECT name, value FROM settings WHERE name LIKE 'requests of account %'";
    let kept: Vec<(String, Vec<u8>)> = into.all(all, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (name, made) in kept {
        let Ok(made) = serde_json::from_slice::<Made>(&made) else { continue };
        let made = made.at(|at| Instant::from_micros(to.micros(out.instant(at.as_micros()))));
        settings::put(into, &name, &serde_json::to_vec(&made).expect("three numbers"))?;
    }
    Ok(())
}
