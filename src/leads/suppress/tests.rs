use super::*;

fn lists(text: &str, region: &str) -> Suppression {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnc.csv");
    fs::write(&path, text).unwrap();
    Suppression::open(&[path], region.parse().ok()).unwrap()
}

fn contains(lists: &Suppression, number: &str) -> bool {
    lists.contains(Phone::from_e164(number).unwrap())
}

#[test]
fn any_format_will_do() {
    for (text, region) in [
        ("+14155550100\n+14155550101\n", ""),
        ("phone,reason\n(415) 555-0100,asked\n", "US"),
        ("Name;Telefon\nBob;+1 415 555 0100\n", ""),
        ("blocked\n4155550100\n", ""),
        ("4155550100", ""),
        ("14155550100", ""),
        ("415,5550100\n415,5550101\n", ""),
        ("who,where\nBob,+1 415-555-0100\n", ""),
        ("+1415*", ""),
        ("+1415", ""),
        ("1415*", ""),
        ("415*", "US"),
    ] {
        let lists = lists(text, region);
        assert!(contains(&lists, "+14155550100"), "{text:?}");
        assert!(!contains(&lists, "+14165550199"), "{text:?}");
        assert!(lists.told().all(|told| told.findings.is_empty() && told.entries > 0), "{text:?}");
    }
}

/// What is said of a file that cannot be read.
fn refused(text: &str, region: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnc.csv");
    fs::write(&path, text).unwrap();
    let refused = Suppression::open(&[path], region.parse().ok()).err();
    refused.map_or_else(|| format!("{text:?} was read"), |error| error.to_string())
}

#[test]
fn a_line_that_cannot_be_read_ends_it_and_is_named() {
    for (text, region, line, cell) in [
        ("number\n+14155550100\nn/a\n", "", 3, "n/a"),
        ("+14155550100\n9.17045E+11\n", "", 2, "9.17045E+11"),
        ("+14155550140\n+1415555014X\n+14155550142\n", "", 2, "+1415555014X"),
        ("we keep this list in the CRM\n", "", 1, "we keep this list in the CRM"),
        ("phone\n123\n", "", 2, "123"),
        ("+14155550100\n+\n", "", 2, "+"),
        ("+14155550100\n*\n", "", 2, "*"),
        ("+14155550140-+14155550144\n", "", 1, "+14155550140-+14155550144"),
        ("+14155550140 - +14155550144\n", "", 1, "+14155550140 - +14155550144"),
        ("4155550140-4155550144\n", "US", 1, "4155550140-4155550144"),
        ("4155550140..4155550144\n", "", 1, "4155550140..4155550144"),
        ("+14155550140-44\n", "", 1, "+14155550140-44"),
        ("415-555-0140-44\n", "US", 1, "415-555-0140-44"),
        ("415-555-0140-44\n", "", 1, "415-555-0140-44"),
        ("415555014\n", "US", 1, "415555014"),
        ("5550142\n", "US", 1, "5550142"),
        ("Name,Phone,Mobile\nAnn,+14155550142,0415X5550\n", "", 2, "0415X5550"),
        ("Name,Phone\nAnn,+14155550142,+14155550143\n", "", 2, "+14155550143"),
        ("2026-01-01,A\n", "", 1, "2026-01-01 A"),
        ("+14155550142 # not +14155550143\n", "", 1, "+14155550142 # not +14155550143"),
    ] {
        let said = refused(text, region);
        assert!(said.contains(&format!("line {line}: \"{cell}\"")), "{text:?} {region}: {said}");
    }
}

#[test]
fn every_number_on_a_line_counts_whatever_stands_beside_it() {
    for (text, region) in [
        ("Area Code,Phone Number\n415,5550142\n415,5550143\n", ""),
        ("Area Code,Phone Number\n415,555-0142\n415,5550143\n", "US"),
        ("415,5550142\n415,5550143\n", ""),
        ("415,5550142,2026-11-01,A\n415,5550143,2026-11-02,D\n", ""),
        ("2026-01-01,+14155550142\n2026-01-02,+14155550143\n", ""),
        ("01/02/2026,415-555-0142\n01/03/2026,415-555-0143\n", "US"),
        ("Date,Number\n2026-01-01,+14155550142\n2026-01-02,+14155550143\n", ""),
        ("Name,Phone,Mobile\nAnn,+14155550142,+14155550143\n", ""),
        ("Name,Home phone,Fax,Phone type\nAnn,+14155550142,+14155550143,home\n", ""),
        ("id,+14155550142,+14155550143\n", ""),
        ("Ann,+14155550142,+14155550143\n", ""),
        ("# asked on the 3rd\n+14155550142 # by phone\n+14155550143\n", ""),
        ("+14155550142;+14155550143\n", ""),
        ("+14155550142 (deceased)\nDNC 415-555-0143\n", "US"),
    ] {
        let lists = lists(text, region);
        let found = ["+14155550142", "+14155550143"].map(|number| contains(&lists, number));
        assert_eq!((found, contains(&lists, "+14155550144")), ([true, true], false), "{text:?} {region}");
        assert_eq!(lists.len(), 2, "{text:?} {region}");
        assert!(lists.told().all(|told| told.findings.is_empty()), "{text:?}");
    }
}

#[test]
fn an_empty_file_is_told_and_a_missing_one_is_an_error() {
    for text in ["", "number\n", "\n\n", "Area Code,Phone Number\n"] {
        assert!(lists(text, "").is_empty(), "{text:?}");
    }
    let nameless = lists("Name,Phone\nAnn,\nBob,+14155550142\n", "");
    let told = nameless.told().next().unwrap();
    assert_eq!((told.entries, told.findings.count(Kind::NoNumber)), (1, 1));
    assert!(Suppression::open(&["/nowhere/dnc.csv".into()], None).is_err());
}

#[test]
fn a_file_that_cannot_be_read_any_more_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnc.csv");
    fs::write(&path, "+14155550100\n").unwrap();
    let mut lists = Suppression::open(std::slice::from_ref(&path), None).unwrap();
    fs::write(&path, "+14155550101\nn/a\n").unwrap();
    for _ in 0..2 {
        assert!(lists.changed().unwrap());
        assert!(lists.reload().unwrap_err().to_string().contains("line 2: \"n/a\""));
    }
    assert!(contains(&lists, "+14155550100") && contains(&lists, "+14155550101"));
    fs::write(&path, "+14155550101\n").unwrap();
    lists.reload().unwrap();
    assert!(contains(&lists, "+14155550100") && !lists.changed().unwrap());
}

#[test]
fn entries_are_only_ever_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnc.csv");
    fs::write(&path, "+14155550100\n").unwrap();
    let mut lists = Suppression::open(std::slice::from_ref(&path), None).unwrap();
    assert!(!lists.changed().unwrap());
    fs::write(&path, "+14155550101\n+14155550102\n").unwrap();
    assert!(lists.changed().unwrap());
    lists.reload().unwrap();
    assert!(["+14155550100", "+14155550101", "+14155550102"].iter().all(|number| contains(&lists, number)));
    assert!(!lists.changed().unwrap());
    fs::remove_file(&path).unwrap();
    assert!(lists.changed().is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn a_number_is_found_however_it_was_written(area in 201_u64..989, rest in 2_000_000_u64..9_999_999) {
        let digits = format!("{area}{rest}");
        for text in [format!("+1{digits}"), digits.clone(), format!("1{digits}"), format!("001{digits}")] {
            for region in ["", "US"] {
                proptest::prop_assert!(contains(&lists(&text, region), &format!("+1{digits}")), "{text} {region}");
            }
        }
    }
}
