//! What other shells ask for, and what they are told.

use super::*;
use crate::campaign::attempt::State;
use crate::campaign::event::News;
use crate::campaign::reply::Denied;
use crate::journal::Control;
use crate::journal::lead_status::LeadState;
use crate::leads::lead::Lead;

fn account() -> Account {
    Account { id: 1, name: "org-1".to_owned() }
}

#[test]
fn a_key_finds_its_account_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut disk = Disk::open(dir.path(), &mut chance(1)).unwrap();
    assert_eq!(disk.account_of_key("https://api.vapi.ai", "secret").unwrap(), None);
    let account = disk.remember_account("org-9", "https://api.vapi.ai", "secret").unwrap();
    drop(disk);
    let disk = Disk::open(dir.path(), &mut chance(2)).unwrap();
    assert_eq!(disk.account_of_key("https://api.vapi.ai", "secret").unwrap(), Some(account));
    assert_eq!(disk.account_of_key("http://127.0.0.1:1", "secret").unwrap(), None);
    let bytes = std::fs::read(dir.path().join("journal.db")).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
}

#[test]
fn another_list_or_target_needs_an_explicit_name() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let people = list((0..3).map(person));
    let elsewhere = |head: Head| Head { lists: vec!["/other.csv".to_owned()], ..head };
    let target = |head: Head| Head { target: "squad s".to_owned(), ..head };
    cast.import(&people, |head| elsewhere(target(head))).unwrap();
    // Nobody was called: whatever was mistyped binds nothing.
    let mut run = cast.run(0..3, 0);
    let lead = batch(&mut run, 1)[0];
    assert_eq!(claim(&mut run, &[lead], roomy(3, at(1)), 1).granted.len(), 1);
    run.end(at(2)).unwrap();
    assert!(matches!(cast.import(&people, elsewhere), Err(Error::OtherList { known, .. }) if known == "/leads.csv"));
    assert!(matches!(cast.import(&people, target), Err(Error::OtherTarget { .. })));
    cast.import(&people, |head| Head { explicit: true, ..elsewhere(target(head)) }).unwrap();
    cast.import(&people, |head| elsewhere(target(head))).unwrap();
    assert!(matches!(cast.import(&people, |head| head), Err(Error::OtherList { .. })));
}

#[test]
fn a_list_whose_people_another_campaign_has_just_called_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let called = Cast::new(dir.path(), "leads");
    let mut run = called.run(0..4, 0);
    let leads = batch(&mut run, 1);
    let claimed = claim(&mut run, &leads[..3], roomy(5, at(1)), 1);
    let ids: Vec<_> = claimed.granted.into_iter().map(|granted| granted.attempt).collect();
    run.record(at(21), &listed(ids.iter().map(|id| ended(id, "customer-busy", 20)).collect(), 21)).unwrap();
    run.end(at(22)).unwrap();
    let import = |cast: &Cast<'_>, people: std::ops::Range<u64>, seconds: i64, head: &dyn Fn(Head) -> Head| {
        let (mut disk, account, lock) = cast.open().unwrap();
        let people = list(people.map(person));
        disk.import(&lock, &head(cast.head(&account)), at(seconds), &mut rows(&people)).map_err(journal_error)
    };
    let (renamed, hour) = (Cast::new(dir.path(), "renamed"), 3600);
    let refused = import(&renamed, 0..5, hour, &|head| head);
    assert!(matches!(&refused, Err(Error::CalledLately { by, leads: 3, of: 5 }) if by == "leads"), "{refused:?}");
    assert!(Disk::open(dir.path(), &mut chance(1)).unwrap().campaigns().unwrap().iter().all(|it| it.name == "leads"));
    let told = import(&Cast::new(dir.path(), "said"), 0..5, hour, &|head| Head { explicit: true, ..head });
    assert_eq!(told.unwrap().called_by, Some(("leads".to_owned(), 3)));
    import(&Cast::new(dir.path(), "half"), 0..6, hour, &|head| head).unwrap();
    import(&Cast::new(dir.path(), "unasked"), 0..5, hour, &|head| Head { ask_others: false, ..head }).unwrap();
    import(&Cast { account: "org-2", ..Cast::new(dir.path(), "elsewhere") }, 0..5, hour, &|head| head).unwrap();
    import(&renamed, 0..5, 21 * hour, &|head| head).unwrap();
    // A campaign that was imported and has called nobody is asked again, one that goes on is not.
    assert!(import(&renamed, 0..5, hour, &|head| head).is_err());
    import(&called, 0..4, hour, &|head| head).unwrap();
}

#[test]
fn a_pause_is_kept_and_a_stop_is_for_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    assert_eq!(run.control(at(1)).unwrap(), Control::default());
    assert!(shell.pause(&account(), "leads", true).unwrap() && shell.stop(&account(), "leads").unwrap());
    assert_eq!(run.control(at(2)).unwrap(), Control { paused: true, stop: true });
    drop(run);
    let (mut run, history) = cast.start(cast.plan(), &list((0..3).map(person)), 3).unwrap();
    assert!(history.paused);
    assert_eq!(run.control(at(4)).unwrap(), Control { paused: true, stop: false });
    shell.pause(&account(), "leads", false).unwrap();
    assert_eq!(run.control(at(5)).unwrap(), Control::default());
    run.end(at(6)).unwrap();
    assert!(!shell.stop(&account(), "leads").unwrap(), "nobody is there to hear it");
    assert!(matches!(shell.stop(&account(), "nothing"), Err(Error::NoCampaign(_))));
}

#[test]
fn what_the_newest_run_tells_of_itself_is_seen_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let published = || Disk::look(dir.path()).unwrap().unwrap().campaigns().unwrap().remove(0).published;
    let run = cast.run(0..3, 0);
    assert_eq!(published(), None);
    let first = run.publisher()().unwrap();
    first.publish(at(1).wall, "{}").unwrap();
    first.publish(at(2).wall, r#"{"paused":true}"#).unwrap();
    let told = published().unwrap();
    assert_eq!((told.at, &*told.status), (at(2).wall, r#"{"paused":true}"#));
    run.end(at(3)).unwrap();
    let next = cast.run(0..3, 4);
    assert_eq!(published(), None, "of the run before");
    next.publisher()().unwrap().publish(at(5).wall, "{}").unwrap();
    first.publish(at(6).wall, "late").unwrap();
    assert_eq!(published().unwrap().status, "{}");
    next.end(at(6)).unwrap();
    drop(first);
    Disk::open(dir.path(), &mut chance(9)).unwrap().forget(person(0).phone, at(7)).unwrap();
    assert_eq!(published(), None, "it may have named who is forgotten");
}

#[test]
fn nothing_is_left_of_a_forgotten_person_however_often_their_row_was_moved() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let told = |n: u64, words: usize| {
        let variables = vec![("note".to_owned(), format!("{:0>words$}", format!("secret-{n:04}")))];
        Listed { lead: Lead { variables, ..person(n) }, ..list([person(n)]).remove(0) }
    };
    // Rows grow and shrink from list to list, so that pages are split and what was on them is moved.
    for (round, words) in [20_usize, 900, 40, 2_000, 20].into_iter().enumerate() {
        let people: Vec<Listed> = (0..80).map(|n| told(n, words + usize::try_from(n).unwrap() % 7 * 30)).collect();
        let seconds = i64::try_from(round).unwrap() * 100;
        let mut run = cast.start(cast.plan(), &people, seconds).unwrap().0;
        let leads = batch(&mut run, seconds + 1);
        let attempt = claim(&mut run, &leads[..1], roomy(9, at(seconds + 2)), seconds + 2).granted[0].attempt.clone();
        run.record(at(seconds + 3), &answered(&attempt, seconds + 3)).unwrap();
        run.record(at(seconds + 9), &listed(vec![ended(&attempt, "customer-busy", seconds + 8)], seconds + 9)).unwrap();
        run.end(at(seconds + 10)).unwrap();
    }
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    for n in (0..80).step_by(3) {
        shell.forget(person(n).phone, at(1000)).unwrap();
    }
    drop(shell);
    for file in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(dir.path().join(file)).unwrap_or_default();
        for n in (0..80).step_by(3) {
            let (secret, number) = (format!("secret-{n:04}"), person(n).phone.to_string());
            let holds = |needle: &str| bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
            assert!(!holds(&secret) && !holds(&number), "{file} still holds {secret}, {number}");
        }
    }
}

#[test]
fn what_was_erased_stands_in_the_log_while_somebody_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    cast.import(&list((0..3).map(person)), |head| head).unwrap();
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    shell.patience.most = std::time::Duration::ZERO;
    let reader = Disk::open(dir.path(), &mut chance(2)).unwrap();
    reader.db.batch("BEGIN; SELECT count(*) FROM leads").unwrap();
    assert!(shell.forget(person(1).phone, at(5)).unwrap().in_log);
    reader.db.batch("COMMIT").unwrap();
    assert!(!shell.forget(person(1).phone, at(6)).unwrap().in_log);
}

#[test]
fn a_request_without_an_answer_is_in_doubt_when_its_run_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let leads = batch(&mut run, 1);
    let attempt = claim(&mut run, &leads[..1], roomy(9, at(1)), 1).granted.remove(0).attempt;
    let (_, totals) = run.end(at(7)).unwrap();
    assert_eq!((totals.open, totals.in_doubt), (2, 1));
    let (mut run, history) = cast.start(cast.plan(), &list((0..3).map(person)), 60).unwrap();
    let [open] = history.open.as_slice() else { panic!("{:?}", history.open) };
    assert_eq!((&open.attempt, open.state, open.failed), (&attempt, State::InDoubt, Some(at(7).at)));
    run.record(at(700), &News::Absent(attempt, at(700).at)).unwrap();
    assert_eq!(batch(&mut run, 701), leads, "proven absent, its lead is called");
}

#[test]
fn a_released_lead_is_called_again() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let leads = batch(&mut run, 1);
    for granted in claim(&mut run, &leads, roomy(9, at(1)), 1).granted {
        run.record(at(2), &failed(&granted.attempt, 2)).unwrap();
        run.record(at(3), &News::Parked(granted.attempt, at(3).at)).unwrap();
    }
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    assert_eq!(shell.parked(&account(), "leads", None).unwrap().len(), 3);
    assert_eq!(shell.release(&account(), "leads", Some(person(1).phone), at(4)).unwrap(), 1);
    let batched = batch(&mut run, 5);
    assert_eq!(batched, [leads[1]], "while the run is alive");
    assert_eq!(claim(&mut run, &batched, roomy(9, at(6)), 6).granted.len(), 1);
    assert_eq!(shell.release(&account(), "leads", None, at(7)).unwrap(), 2);
    drop(run);
    let mut run = cast.run(0..3, 8);
    assert_eq!(batch(&mut run, 9), [leads[0], leads[2]]);
}

#[test]
fn a_lead_whose_call_the_provider_has_lost_is_released() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..1, 0);
    let leads = batch(&mut run, 1);
    let attempt = claim(&mut run, &leads, roomy(9, at(1)), 1).granted[0].attempt.clone();
    run.record(at(2), &answered(&attempt, 2)).unwrap();
    let changes = run.record(at(200), &News::Lost(attempt.clone(), at(200).at)).unwrap().changes;
    assert_eq!(changes[0].now, State::Parked);
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    assert_eq!(shell.release(&account(), "leads", None, at(201)).unwrap(), 1);
    run.end(at(202)).unwrap();
    let mut run = cast.run(0..1, 203);
    let again = batch(&mut run, 204);
    assert_eq!(again, leads);
    assert_eq!(claim(&mut run, &again, roomy(9, at(205)), 205).granted.len(), 1);
    let late = listed(vec![ended(&attempt, "customer-busy", 206)], 207);
    let changes = run.record(at(207), &late).unwrap().changes;
    assert!(matches!(changes[0].now, State::Ended(_)), "shown late all the same: {changes:?}");
}

#[test]
fn the_suppressed_and_the_forgotten_are_not_called() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let leads = batch(&mut run, 1);
    let attempt = claim(&mut run, &leads[1..2], roomy(9, at(1)), 1).granted[0].attempt.clone();
    run.record(at(2), &answered(&attempt, 2)).unwrap();
    let mut shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    assert!(shell.suppress(person(0).phone, "asked not to be called", at(3)).unwrap());
    assert!(!shell.suppress(person(0).phone, "again", at(3)).unwrap());
    assert_eq!(shell.suppressed(person(0).phone).unwrap().unwrap().0, "asked not to be called");
    assert_eq!(claim(&mut run, &leads[..1], roomy(9, at(4)), 4).denied, [(leads[0], Denied::Suppressed)]);
    let forgotten = shell.forget(person(1).phone, at(5)).unwrap();
    assert_eq!((forgotten.leads, forgotten.attempts), (1, 1));
    assert!(shell.explain(person(1).phone).unwrap().is_empty());
    let over = listed(vec![ended(&attempt, "customer-ended-call", 20)], 21);
    let change = run.record(at(21), &over).unwrap().changes.remove(0);
    run.close_batch(at(22), 1).unwrap();
    assert!(matches!(change.now, State::Ended(_)) && change.lead.is_none());
    drop((run, shell));
    let is_nowhere = |needle: &[u8]| {
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            assert!(!bytes.windows(needle.len()).any(|part| part == needle), "{}", path.display());
        }
    };
    let (name, phone) = (person(1).name.unwrap(), person(1).phone);
    is_nowhere(name.as_bytes());
    for seconds in [30, 60] {
        let mut run = cast.run(0..3, seconds);
        let totals = run.totals(at(seconds)).unwrap();
        assert_eq!((totals.total, totals.suppressed, totals.open), (3, 2, 1), "the list still has the row");
        assert_eq!(batch(&mut run, seconds + 1).len(), 1);
        run.end(at(seconds + 2)).unwrap();
        is_nowhere(name.as_bytes());
        is_nowhere(phone.to_string().as_bytes());
        is_nowhere(&phone.digits().to_be_bytes()[3..]);
    }
    let known = Disk::look(dir.path()).unwrap().unwrap().known("leads", false).unwrap().0;
    assert_eq!(known, [person(0).phone]);
}

#[test]
fn everything_that_a_number_went_through_is_told_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Cast::new(dir.path(), "leads").run(0..3, 0);
    let leads = batch(&mut run, 1);
    let first = claim(&mut run, &leads[..1], roomy(9, at(1)), 1).granted[0].attempt.clone();
    run.record(at(31), &failed(&first, 31)).unwrap();
    run.record(at(700), &News::Absent(first.clone(), at(700).at)).unwrap();
    let second = claim(&mut run, &leads[..1], roomy(9, at(701)), 701).granted[0].attempt.clone();
    run.record(at(702), &answered(&second, 702)).unwrap();
    let stories = run.disk().explain(person(0).phone).unwrap();
    assert_eq!(stories.len(), 1);
    assert_eq!(stories[0].campaign.as_deref(), Some("leads"));
    assert_eq!((stories[0].rows[0].place, stories[0].rows[0].standing), ((0, 2), LeadState::Busy));
    let ids: Vec<_> = stories[0].attempts.iter().map(|attempt| attempt.id.clone()).collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(stories[0].attempts[0].message.as_deref(), Some("no answer for 30 s"));
    let campaigns = run.disk().campaigns().unwrap();
    assert_eq!((campaigns.len(), campaigns[0].totals.total), (1, 3));
    assert_eq!(campaigns[0].running.as_ref().map(|run| run.pid), Some(4711));
}

#[test]
fn looking_makes_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    assert!(Disk::look(&state).unwrap().is_none());
    assert!(!state.exists());
    let cast = Cast::new(&state, "leads");
    cast.run(0..3, 0).end(at(1)).unwrap();
    let files = || {
        let entries = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap_or_default())).collect();
        files.sort();
        files
    };
    let before = files();
    let disk = Disk::look(&state).unwrap().unwrap();
    assert_eq!(disk.campaigns().unwrap()[0].totals.total, 3);
    drop(disk);
    assert_eq!(files(), before);
    let mut run = cast.run(0..3, 2);
    let leads = batch(&mut run, 3);
    claim(&mut run, &leads[..1], roomy(9, at(3)), 3);
    let disk = Disk::look(&state).unwrap().unwrap();
    let rows = &disk.explain(person(0).phone).unwrap()[0];
    assert_eq!(rows.attempts[0].state(), State::Claimed, "what is only in the log is seen, too");
}

#[test]
fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("deep").join("state");
    let run = Cast::new(&state, "leads").run(0..3, 0);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    let mut locks = std::fs::read_dir(state.join("locks")).unwrap().peekable();
    assert!(locks.peek().is_some());
    locks.for_each(|lock| assert_eq!(mode(&lock.unwrap().path()), 0o600));
    drop(run);
}

#[test]
fn extensions_of_one_number_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let with = |extension: &str| Lead { extension: Some(extension.to_owned()), ..person(0) };
    cast.import(&list([with("1"), person(0), with("1")]), |head| head).unwrap();
    let disk = Disk::look(dir.path()).unwrap().unwrap();
    let rows = &disk.explain(person(0).phone).unwrap()[0].rows;
    assert_eq!(rows.iter().map(|row| row.extension.as_deref()).collect::<Vec<_>>(), [Some("1"), None]);
}

#[test]
fn only_settled_campaigns_that_are_old_are_dropped_and_suppressions_stay() {
    let dir = tempfile::tempdir().unwrap();
    let settled = Cast::new(dir.path(), "settled");
    let mut run = settled.run(0..2, 0);
    let leads = batch(&mut run, 1);
    let claimed = claim(&mut run, &leads, roomy(5, at(1)), 1);
    let ended = |id: &_| ended(id, "customer-ended-call", 20);
    let calls = claimed.granted.iter().map(|granted| ended(&granted.attempt)).collect();
    run.record(at(21), &listed(calls, 21)).unwrap();
    run.end(at(22)).unwrap();
    Cast::new(dir.path(), "open").run(10..12, 0).end(at(22)).unwrap();
    let mut disk = Disk::open(dir.path(), &mut chance(9)).unwrap();
    disk.suppress(person(0).phone, "asked", at(22)).unwrap();
    let prune = |disk: &mut Disk, before: i64| disk.prune(at(before).wall, 4711, at(100)).unwrap();
    assert!(prune(&mut disk, 10).is_empty(), "something has happened since");
    let dropped = prune(&mut disk, 50);
    assert_eq!(dropped.iter().map(|it| (&*it.campaign, it.leads)).collect::<Vec<_>>(), [("settled", 2)]);
    let left: Vec<_> =
        disk.campaigns().unwrap().into_iter().map(|campaign| (campaign.name, campaign.totals.open)).collect();
    assert_eq!(left, [("open".to_owned(), 2)]);
    assert!(disk.explain(person(1).phone).unwrap().is_empty());
    assert!(disk.suppressed(person(0).phone).unwrap().is_some());
    assert!(prune(&mut disk, 50).is_empty());
    // What is dropped is as if it had never been.
    assert_eq!(settled.start(settled.plan(), &list((0..2).map(person)), 200).unwrap().1.unsettled, 2);
}
