//! The lists in `sample-leads/`, which the README shows: what each of them holds must not change unseen.

use std::fmt::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use dialer::campaign::hours::Calling;
use dialer::leads::findings::Kind;
use dialer::leads::list::{List, Row};
use dialer::leads::options::{ListOptions, Source};
use dialer::leads::suppress::Suppression;
use dialer::report::findings::Checked;
use dialer::run::check::{Request, check};

fn sample(name: &str) -> Source {
    Source::File(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-leads").join(name))
}

fn messy_options() -> ListOptions {
    ListOptions { require: vec!["appointment".to_owned()], ..ListOptions::default() }
}

fn checked(sources: &[Source], options: &ListOptions, rejects: Option<&Path>) -> Checked {
    let request = Request {
        sources,
        options,
        calling: &Calling::any(),
        suppression: None,
        suppressed: &|_| false,
        rejects,
        strict: false,
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
    };
    check(&request, &mut |_| {}).unwrap()
}

fn kinds(checked: &Checked) -> String {
    let mut text = String::new();
    for (kind, group) in checked.lists[0].findings.groups() {
        let lines: Vec<String> = group.samples.iter().map(|sample| sample.line.to_string()).collect();
        writeln!(text, "{} {} ({})", lines.join(" "), kind.name(), group.samples[0].text).unwrap();
    }
    text
}

#[test]
fn the_clinic_can_be_called_without_a_finding() {
    let clinic = checked(&[sample("clinic.csv")], &ListOptions::default(), None);
    assert_eq!(kinds(&clinic), "");
    assert_eq!((clinic.counts.rows, clinic.counts.leads), (120, 120));
    assert_eq!((clinic.exit, clinic.hours.len(), clinic.hours[0].leads), (0, 24, 120));
    assert_eq!(clinic.lists[0].format, "CSV, commas, UTF-8");
    let zones: std::collections::BTreeSet<String> = List::open(&sample("clinic.csv"), &ListOptions::default())
        .unwrap()
        .filter_map(|row| if let Ok(Row::Lead { lead, .. }) = row { Some(lead.zones) } else { None })
        .flatten()
        .collect();
    assert!(zones.len() >= 10, "{zones:?}");
}

#[test]
fn the_messy_list_shows_one_row_of_each_kind() {
    let messy = checked(&[sample("messy.csv")], &messy_options(), None);
    insta::assert_snapshot!(kinds(&messy), @r"
    3 duplicate (+14155550142)
    4 no-number ()
    5 not-a-number (n/a)
    6 spreadsheet (9.17045E+11)
    7 no-country ((415) 555-0143)
    8 no-plus (442079460101)
    9 ambiguous (+49 30 123456/78)
    10 wrong-length (+1 415 555)
    11 not-valid (+1 415 155 0100)
    12 short-code (12345)
    13 emergency (911)
    14 premium (+1 900 234 5678)
    15 shared-cost (+33 820 12 34 56)
    16 pager (+48 64 123 45 67)
    17 extension (+14155550144 ext. 12345678901)
    18 missing-variable (appointment)
    19 bad-zone (Gotham)
    20 no-zone (+80012345678)
    21 extra-cells (a comma too many)
    22 open-quote (+14155550148)
    23 second-number (+14155550150)
    24 name-cut (Paula Bartholomea Henrietta Castillo y V..)
    25 bad-text (J�rgen Schmidt)
    26 missing-cells ()
    27 unnamed-column (call after lunch)
    ");
}

#[test]
fn what_was_rejected_can_be_given_back_and_is_rejected_again() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("messy.rejects.csv");
    let messy = checked(&[sample("messy.csv")], &messy_options(), Some(&rejects));
    assert_eq!(messy.rejects.as_deref(), Some(rejects.as_path()));
    let again = checked(&[Source::File(rejects.clone())], &messy_options(), None);
    assert_eq!(again.counts.rows, messy.counts.rejected);
    // Only a quotation mark is no trouble any more once the file is written as it should be.
    let quotes = messy.lists[0].findings.count(Kind::OpenQuote);
    assert_eq!(again.counts.rejected, messy.counts.rejected - quotes);
    let text = std::fs::read_to_string(&rejects).unwrap();
    let mended = text.replace("n/a,", "+14155550160,").replace("9.17045E+11,", "+14155550161,");
    std::fs::write(&rejects, mended).unwrap();
    let mended = checked(&[Source::File(rejects.clone())], &messy_options(), None);
    assert_eq!(mended.counts.leads, again.counts.leads + 2);
    let row = List::open(&Source::File(rejects), &messy_options()).unwrap().find_map(|row| match row {
        Ok(Row::Lead { lead, .. }) => Some(lead),
        _ => None,
    });
    let names: Vec<String> = row.unwrap().variables.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["name", "appointment", "what this row shows"]);
}

#[test]
fn several_lists_share_one_rejects_file_and_call_nobody_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("one.csv"), "phone,name\n+14155550100,Ada\nx,Bob\n").unwrap();
    std::fs::write(path("two.csv"), "Kunde;Telefon;Ort\nCy;+1 415 555 0100;Ulm\nDi;y;Bonn\n").unwrap();
    let sources = [Source::File(path("one.csv")), Source::File(path("two.csv"))];
    let rejects = path("rejects.csv");
    let both = checked(&sources, &ListOptions::default(), Some(&rejects));
    assert_eq!((both.counts.leads, both.counts.duplicates, both.counts.rejected), (1, 1, 2));
    assert_eq!((both.lists[1].counts.leads, both.exit), (0, 0));
    let text = std::fs::read_to_string(rejects).unwrap().replace(folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(text, @r#"
    phone,name,Ort,line,reason
    x,Bob,,/one.csv:3,"not a phone number (x): write digits, beginning with + and country code"
    y,Di,Bonn,/two.csv:3,"not a phone number (y): write digits, beginning with + and country code"
    "#);
}

#[test]
fn the_users_own_file_is_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let list: PathBuf = folder.path().join("one.csv");
    std::fs::write(&list, "phone\nx\n").unwrap();
    let detour = folder.path().join("..").join(folder.path().file_name().unwrap()).join("one.csv");
    let sources = [Source::File(list.clone())];
    let options = ListOptions::default();
    let calling = Calling::any();
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let rejects = Some(detour.as_path());
    let request = Request {
        sources: &sources,
        options: &options,
        calling: &calling,
        suppression: None,
        suppressed: &|_| false,
        rejects,
        strict: false,
        now,
    };
    let error = check(&request, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("one of the lists"), "{error}");
    assert_eq!(std::fs::read_to_string(&list).unwrap(), "phone\nx\n");
}

#[test]
fn nobody_to_call_and_strictness_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("one.csv");
    let run = |text: &str, strict| {
        std::fs::write(&list, text).unwrap();
        let sources = [Source::File(list.clone())];
        let request = Request {
            sources: &sources,
            options: &ListOptions::default(),
            calling: &Calling::any(),
            suppression: None,
            suppressed: &|_| false,
            rejects: None,
            strict,
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        check(&request, &mut |_| {}).unwrap()
    };
    let nobody = run("phone\nx\ny\n", false);
    assert_eq!(nobody.exit, 2);
    assert!(nobody.error.unwrap().ends_with("has nobody who can be called: all of its 2 rows were rejected"));
    assert_eq!(run("phone\n+14155550100\n", true).exit, 0);
    assert_eq!(run("phone\n+14155550100\nx\n", false).exit, 0);
    assert_eq!(run("phone\n+14155550100\nx\n", true).exit, 2);
}

#[test]
fn each_hour_counts_those_who_may_be_called_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("one.csv");
    std::fs::write(&list, "phone\n+14155550100\n+14155550101\n+33199001234\n").unwrap();
    let calling = Calling::parse("08:00-21:00", None, None, std::time::Duration::from_mins(5)).unwrap();
    let request = Request {
        sources: &[Source::File(list)],
        options: &ListOptions::default(),
        calling: &calling,
        suppression: None,
        suppressed: &|_| false,
        rejects: None,
        strict: false,
        now: "2026-11-23T12:20:00Z".parse().unwrap(),
    };
    let hours = check(&request, &mut |_| {}).unwrap().hours;
    assert_eq!(hours[0].at.to_string(), "2026-11-23T12:00:00Z");
    // Paris closes at 20:00 UTC; San Francisco is open from 16:00 to 05:00 UTC.
    let counts: Vec<u64> = hours.iter().map(|hour| hour.leads).collect();
    let expected = [(4, 1), (4, 3), (9, 2), (2, 0), (5, 1)];
    assert_eq!(counts, expected.iter().flat_map(|(hours, leads)| vec![*leads; *hours]).collect::<Vec<_>>());
}

#[test]
fn a_rejects_file_that_is_a_link_or_a_device_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("list.csv"), "phone\n+14155550100\nx\n").unwrap();
    std::fs::write(path("target.csv"), "old").unwrap();
    std::os::unix::fs::symlink(path("target.csv"), path("link.csv")).unwrap();
    std::os::unix::fs::symlink("/dev/null", path("null.csv")).unwrap();
    for name in ["link.csv", "null.csv"] {
        checked(&[Source::File(path("list.csv"))], &ListOptions::default(), Some(&path(name)));
        assert!(std::fs::symlink_metadata(path(name)).unwrap().is_symlink(), "{name}");
    }
    assert!(std::fs::read_to_string(path("target.csv")).unwrap().starts_with("phone,line,reason\nx,3,"));
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 4, "nothing else is left behind");
}

#[test]
fn a_do_not_call_list_that_cannot_be_read_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("list.csv"), "phone\n+14155550100\n").unwrap();
    std::fs::write(path("dnc.csv"), "phone\n9.17045E+11\n+14155550199\nfoo\n").unwrap();
    let dnc = Suppression::open(&[path("dnc.csv")], None).unwrap();
    let request = Request {
        sources: &[Source::File(path("list.csv"))],
        options: &ListOptions::default(),
        calling: &Calling::any(),
        suppression: Some(&dnc),
        suppressed: &|phone| phone.to_string() == "+14155550100",
        rejects: None,
        strict: true,
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
    };
    let checked = check(&request, &mut |_| {}).unwrap();
    assert_eq!((checked.exit, checked.suppressed), (2, 1), "{:?}", checked.error);
    let text = checked.text(&jiff::tz::TimeZone::UTC).replace(folder.path().to_str().unwrap(), "");
    assert!(text.contains("/dnc.csv: a do-not-call list\n"), "{text}");
    assert!(text.contains("line 2 (\"9.17045E+11\")") && text.contains("line 4 (\"foo\")"), "{text}");
}
