//! The lists in `sample-leads/`, which the README shows: what each of them holds must not change unseen.

use std::fmt::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use dialer::campaign::hours::Calling;
use dialer::leads::findings::Kind;
use dialer::leads::list::{List, Row};
use dialer::leads::options::{ListOptions, Source};
use dialer::leads::rejects::is_free;
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
    phone,name,Ort,dialer_line,dialer_reason
    x,Bob,,/one.csv:3,"not a phone number (x): write digits, beginning with + and country code"
    y,Di,Bonn,/two.csv:3,"not a phone number (y): write digits, beginning with + and country code"
    "#);
}

#[test]
fn a_rejected_row_that_two_lists_have_stands_in_the_rejects_file_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("one.csv"), "phone,name\n+14155550100,Ada\nx,Bob\ny,Cy\n").unwrap();
    let rejects = path("rejects.csv");
    checked(&[Source::File(path("one.csv"))], &ListOptions::default(), Some(&rejects));
    assert_eq!(std::fs::metadata(&rejects).unwrap().permissions().mode() & 0o777, 0o600);
    let mended = std::fs::read_to_string(&rejects).unwrap().replace("x,Bob", "+14155550101,Bob");
    std::fs::write(path("mended.csv"), mended).unwrap();
    let sources = [Source::File(path("one.csv")), Source::File(path("mended.csv"))];
    let both = checked(&sources, &ListOptions::default(), Some(&rejects));
    let counts = (both.counts.rows, both.counts.leads, both.counts.rejected, both.counts.duplicates);
    assert_eq!(counts, (5, 2, 2, 1));
    let found = |kind| both.lists.iter().map(|list| list.findings.count(kind)).sum::<u64>();
    assert_eq!((found(Kind::NotANumber), found(Kind::Duplicate)), (2, 1));
    let text = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!((text.lines().count(), text.matches("y,Cy,").count()), (3, 1), "{text}");
}

#[test]
fn a_place_that_nobody_named_is_taken_only_from_a_rejects_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("theirs.csv"), "phone\n+14155550100\n").unwrap();
    std::fs::write(path("earlier.csv"), "phone,dialer_line,dialer_reason\nx,2,y\n").unwrap();
    std::os::unix::fs::symlink(path("earlier.csv"), path("link.csv")).unwrap();
    let free = ["none.csv", "earlier.csv", "theirs.csv", "link.csv"].map(|name| is_free(&path(name)));
    assert_eq!(free, [true, true, false, false]);
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
    assert!(std::fs::read_to_string(path("target.csv")).unwrap().starts_with("phone,dialer_line,dialer_reason\nx,3,"));
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 4, "nothing else is left behind");
}

#[test]
fn what_was_read_of_a_do_not_call_list_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("list.csv"), "phone\n+14155550100\n").unwrap();
    std::fs::write(path("dnc.csv"), "Area Code,Phone Number\n415,5550199\n415,5550198\n").unwrap();
    std::fs::write(path("empty.csv"), "phone\n").unwrap();
    let look = |names: &[&str], strict| {
        let files: Vec<PathBuf> = names.iter().map(|name| path(name)).collect();
        let dnc = Suppression::open(&files, None).unwrap();
        let request = Request {
            sources: &[Source::File(path("list.csv"))],
            options: &ListOptions::default(),
            calling: &Calling::any(),
            suppression: Some(&dnc),
            suppressed: &|phone| phone.to_string() == "+14155550100",
            rejects: None,
            strict,
            now: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        check(&request, &mut |_| {}).unwrap()
    };
    let full = look(&["dnc.csv"], true);
    assert_eq!((full.exit, full.suppressed, full.do_not_call[0].entries), (0, 1, 2), "{:?}", full.error);
    let both = look(&["dnc.csv", "empty.csv"], false);
    let text = both.text(&jiff::tz::TimeZone::UTC).replace(folder.path().to_str().unwrap(), "");
    assert!(text.contains("/dnc.csv: 2 numbers not to be called\n"), "{text}");
    assert!(
        text.contains("/empty.csv: a do-not-call list without a number: an empty list suppresses nobody\n"),
        "{text}"
    );
    assert_eq!((both.exit, look(&["empty.csv"], true).exit), (0, 2));
}

#[test]
fn the_list_itself_says_whom_not_to_call() {
    let folder = tempfile::tempdir().unwrap();
    let look = |text: &str, region: &str, columns: &[&str]| {
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).unwrap();
        let columns = columns.iter().map(|text| text.parse().unwrap()).collect();
        let options = ListOptions { columns, region: region.parse().ok(), ..ListOptions::default() };
        let checked = checked(&[Source::File(path)], &options, None);
        assert_eq!(checked.counts.rows, checked.counts.leads + checked.counts.rejected + checked.counts.duplicates);
        checked
    };
    let crm = "Name,Phone,Deceased,Do Not Contact\nAnn,+14155550141,FALSE,FALSE\nBob,+14155550142,TRUE,FALSE\n\
               Cy,+14155550143,FALSE,TRUE\nBob again,+14155550142,FALSE,FALSE\n";
    let found = look(crm, "", &[]);
    assert_eq!((found.counts.leads, found.counts.duplicates, found.suppressed), (3, 1, 2));
    let samples: Vec<_> = found.lists[0].refused.samples.iter().map(|row| (row.line, row.text.as_str())).collect();
    assert_eq!(samples, [(3, "Deceased: TRUE"), (4, "Do Not Contact: TRUE")]);
    assert_eq!(look(crm, "", &["do_not_call=none"]).suppressed, 0);
    let vicidial = "lead_id,status,phone_number\n1,NEW,4155550141\n2,DNC,4155550142\n3,DNCL,4155550143\n";
    assert_eq!(look(vicidial, "US", &[]).suppressed, 2);
    let late = "phone,dnc\n+14155550141,\n+14155550142,\n+14155550141,x\n";
    assert_eq!((look(late, "", &[]).suppressed, look(late, "", &[]).counts.duplicates), (1, 1));
    let unclear = look("phone,dnc\n+14155550141,perhaps\n+14155550142,0\n", "", &[]);
    assert_eq!((unclear.counts.rejected, unclear.lists[0].findings.count(Kind::Unclear)), (1, 1));
}

#[test]
fn no_word_beside_a_number_is_dropped_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.csv");
    let cells = [
        "415-555-0141 (do not call)",
        "DNC 415-555-0142",
        "415-555-0143 (disconnected)",
        "(fax) 415-555-0144",
        "415-555-0145 (wrong number)",
        "415-555-0146; do not call",
        "Deceased - 415-555-0147",
        "\"Fax: 415-555-0148, Tel: 415-555-0149\"",
        "415-555-0150; wrong number",
        "415-555-0151 do not call",
        "ask for Bob: 415-555-0152",
        "(work) 415-555-0153",
    ];
    std::fs::write(&path, format!("phone\n{}\n", cells.join("\n"))).unwrap();
    let options = ListOptions { region: "US".parse().ok(), ..ListOptions::default() };
    let checked = checked(&[Source::File(path.clone())], &options, None);
    let count = |kind| checked.lists[0].findings.count(kind);
    assert_eq!((checked.suppressed, count(Kind::NoUse), count(Kind::Words)), (5, 4, 1));
    let list = List::open(&Source::File(path), &options).unwrap();
    let leads = list.filter_map(|row| if let Ok(Row::Lead { lead, .. }) = row { Some(lead.phone) } else { None });
    let called: Vec<u64> =
        leads.map(|phone| phone.digits() % 100).filter(|end| ![41, 42, 46, 47, 51].contains(end)).collect();
    assert_eq!(called, [49, 52, 53]);
}
