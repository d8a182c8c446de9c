use super::super::event::{ReadFailure, ReadTrouble, Unread};
use super::found::{Failed, Found};
use super::*;

const POLL: Duration = Duration::from_secs(1);

fn unread() -> Unread {
    Unread { rows: 1, first: "id c1, field createdAt".to_owned(), outbound: true }
}

fn needs(search: bool, watch: Haste) -> Needs {
    Needs { search, watch, provider_now: Stamp::from_micros(0), may_watch: true, may_read: true }
}

#[test]
fn a_search_that_holds_a_row_which_cannot_be_read_is_given_up_after_two_minutes() {
    let mut reader = ListingReader::new(POLL);
    reader.search_between(Stamp::from_micros(0), None);
    let began = Instant::from_micros(0);
    let mut now = began;
    let found = loop {
        let Wanted { read, wake, .. } = reader.want(now, &needs(true, Haste::None));
        let Some((id, _)) = read else {
            now = wake.expect("a search that goes on");
            continue;
        };
        match reader.heard(id, false, Some(&unread()), now, Stamp::from_micros(0)) {
            Found::Part => {}
            found => break found,
        }
    };
    assert_eq!(found, Found::Unread("a call in the listing cannot be read: id c1, field createdAt".to_owned()));
    assert_eq!(now.since(began), POLL * UNREAD * (TRIES - 1));
}

#[test]
fn a_watch_of_which_no_row_can_be_read_that_may_be_ours_ends_after_two_minutes() {
    let mut reader = ListingReader::new(POLL);
    let mut watch = |seconds: u64, sees: bool, unread: &Unread| {
        let now = Instant::from_micros(0) + POLL * u32::try_from(seconds).unwrap();
        let (id, _) = reader.want(now, &needs(false, Haste::Eager)).read.unwrap();
        if sees {
            reader.sees();
        }
        reader.heard(id, false, Some(unread), now, Stamp::from_micros(0))
    };
    let inbound = Unread { outbound: false, ..unread() };
    assert_eq!((watch(0, false, &unread()), watch(50, true, &unread())), (Found::Watch, Found::Watch));
    assert_eq!((watch(159, false, &unread()), watch(160, false, &inbound)), (Found::Watch, Found::Watch));
    assert_eq!(watch(161, false, &unread()), Found::Unread(unread().to_string()));
}

#[test]
fn a_row_that_cannot_be_one_of_ours_ends_no_search() {
    let mut reader = ListingReader::new(POLL);
    reader.search_between(Stamp::from_micros(0), None);
    let now = Instant::from_micros(0);
    let (id, _) = reader.want(now, &needs(true, Haste::None)).read.unwrap();
    let inbound = Unread { outbound: false, ..unread() };
    let found = reader.heard(id, false, Some(&inbound), now, Stamp::from_micros(0));
    assert_eq!(found, Found::Search(Some(now)));
}

#[test]
fn a_call_that_cannot_be_read_by_its_id_is_told_once_until_one_can() {
    let mut reader = ListingReader::new(POLL);
    let mut ask = |seconds: u32, fails: bool| {
        let now = Instant::from_micros(0) + POLL * seconds;
        reader.ask_for(CallId::new("c1"));
        let (id, _) = reader.want(now, &needs(false, Haste::None)).read.unwrap();
        if fails {
            let (kind, message) = (ReadTrouble::Fault, "500".to_owned());
            let failure = ReadFailure { kind, sent: now, received: now, date: None, message };
            let failed = reader.failed(id, &failure, now, Stamp::from_micros(0));
            return matches!(failed, Failed::Again { tell: true, .. });
        }
        matches!(reader.heard(id, false, None, now, Stamp::from_micros(0)), Found::One(_, true))
    };
    let told = [(0, true), (100, true), (200, true), (300, false), (400, false), (500, true)];
    assert_eq!(told.map(|(at, fails)| ask(at, fails)), [true, false, false, true, false, true]);
}

#[test]
fn the_watch_does_without_a_row_that_cannot_be_read_and_a_proof_does_not() {
    let mut reader = ListingReader::new(POLL);
    let now = Instant::from_micros(0);
    let watch = reader.want(now, &needs(false, Haste::Urgent)).read;
    let heard = reader.heard(watch.unwrap().0, false, Some(&unread()), now, Stamp::from_micros(0));
    assert_eq!((heard, reader.is_fresh(now, None, POLL)), (Found::Watch, true));
    reader.prove_since(Stamp::from_micros(0));
    let proof = reader.want(now, &needs(false, Haste::None)).read;
    assert_eq!(reader.heard(proof.unwrap().0, false, Some(&unread()), now, Stamp::from_micros(0)), Found::Part);
    assert!(reader.is_proving());
    assert!(reader.is_new(&unread()) && !reader.is_new(&unread()), "it is told once");
}
