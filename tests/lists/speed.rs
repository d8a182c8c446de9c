//! How fast a million rows are checked, and in how much memory: `cargo test --release --test lists speed -- --ignored
//! --nocapture`. A figure for a person, on the machine at hand; CI has no use for it.

use std::collections::BTreeSet;
use std::io::Write;

use dialer::campaign::hours::Calling;
use dialer::leads::options::{ListOptions, Source};
use dialer::run::check::{Request, check};

/// Writes a list of that many rows, no number twice: all from the United States, or from the countries of `numbers.tsv`.
fn write_list(path: &std::path::Path, rows: u64, world: bool) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let stems: BTreeSet<&str> = include_str!("../data/numbers.tsv")
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|cells| cells.len() == 6 && cells[2] == "valid" && cells[4].starts_with("MOBILE"))
        .map(|cells| &cells[3][..cells[3].len() - 5])
        .collect();
    let stems: Vec<&str> = stems.into_iter().collect();
    let areas = [212, 415, 713, 303, 617, 305, 206, 312, 602, 808];
    writeln!(file, "phone,name,appointment,doctor,city").unwrap();
    for row in 0..rows {
        let number = if world {
            let stem = stems[usize::try_from(row).unwrap() % stems.len()];
            format!("{stem}{:05}", row / stems.len() as u64)
        } else {
            format!("({}) {}-{:04}", areas[usize::try_from(row % 10).unwrap()], 200 + row / 100_000, row / 10 % 10_000)
        };
        writeln!(file, "{number},Customer {row},Monday at 9:{:02},Dr. Brandt,Springfield", row % 60).unwrap();
    }
    file.flush().unwrap();
}

/// The most memory this process has held, in MB, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse().ok()).unwrap_or(0_u64) / 1_024
}

#[test]
#[ignore = "a measurement, not a check"]
#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn a_million_rows() {
    let folder = tempfile::tempdir().unwrap();
    for world in [false, true] {
        let path = folder.path().join("million.csv");
        write_list(&path, 1_000_000, world);
        let options = ListOptions { region: Some("US".parse().unwrap()), ..ListOptions::default() };
        let rejects = folder.path().join("rejects.csv");
        let request = Request {
            sources: &[Source::File(path)],
            options: &options,
            calling: &Calling::any(),
            suppression: None,
            suppressed: &|_| false,
            rejects: Some(&rejects),
            strict: false,
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        let start = std::time::Instant::now();
        let checked = check(&request, &mut |_| {}).unwrap();
        let took = start.elapsed().as_secs_f64();
        let mix = if world { "the world" } else { "the United States" };
        println!("{mix}: {:?} in {took:.1} s, {} MB at most", checked.counts, peak());
        for (kind, group) in checked.lists[0].findings.groups() {
            println!("  {} {} {:?}", group.count, kind.name(), group.samples.first());
        }
    }
}
