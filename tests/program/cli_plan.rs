//! What was typed becomes a plan, or an error that names the flag and the cure.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use dialer::campaign::budget::Budget;
use dialer::cli::environment::Environment;
use dialer::cli::plan::plan;
use dialer::cli::{Command, Refusal, read};
use dialer::exit::Exit;
use dialer::report::failure::Failure;
use dialer::run::plan::{RunPlan, State, reserve_fits};
use dialer::vapi::request::Target;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;

/// A command line on some machine.
#[derive(Clone, Default)]
pub(super) struct Typing {
    env: HashMap<String, String>,
    files: Option<std::rc::Rc<tempfile::TempDir>>,
}

impl Typing {
    /// A machine that knows the account.
    pub(super) fn with_account() -> Self {
        Self::default()
            .set("HOME", "/home/ada")
            .set("VAPI_API_KEY", "sk-secret-key")
            .set("VAPI_ASSISTANT_ID", "assistant-1")
            .set("VAPI_PHONE_NUMBER_ID", "line-1")
    }

    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    pub(super) fn unset(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub(super) fn file(&mut self, name: &str, text: &str) -> PathBuf {
        let directory = self.files.get_or_insert_with(|| tempfile::tempdir().unwrap().into());
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn plan(&self, line: &str) -> Result<RunPlan, Failure> {
        let words = line.split_whitespace().map(OsString::from);
        let argv: Vec<OsString> = ["dialer".into(), "run".into()].into_iter().chain(words).collect();
        let env = |name: &str| self.env.get(name).cloned();
        let read = read(&argv, &env).map_err(|refusal| match refusal {
            Refusal::Wrong(failure) => failure,
            Refusal::Clap(error) => Failure::usage(error.to_string()),
        })?;
        let Command::Run(run) = &read.command else { panic!("{:?}", read.command) };
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        plan(run, &read.sources, &Environment { env: &env, now, zone }).map_err(|failure| read.sources.placed(failure))
    }

    pub(super) fn refusal(&self, line: &str) -> String {
        let failure = self.plan(line).expect_err(line);
        assert_eq!(failure.exit, Exit::Usage, "{line}: {failure}");
        failure.to_string()
    }
}

#[test]
fn a_plain_line_has_the_defaults_of_the_contract() {
    let planned = Typing::with_account().plan("leads.csv").unwrap();
    let plan = &planned.plan;
    assert_eq!(plan.campaign, "leads");
    assert!(!planned.name_given);
    assert_eq!(plan.reserve.table, [(0, 3)]);
    assert_eq!((plan.slots, plan.max_concurrent, plan.caution), (None, None, 0));
    assert_eq!((plan.batch_size, plan.drain, plan.adopt, planned.replace), (50, false, false, false));
    assert_eq!((plan.rate.count.get(), plan.rate.per), (1, Duration::from_secs(1)));
    assert_eq!(plan.requests.map(Budget::per_minute), Some(150));
    assert_eq!((plan.poll, plan.probe_after), (Duration::from_secs(1), Duration::from_mins(1)));
    assert_eq!((plan.in_doubt, plan.look_back), (Some(Duration::from_mins(10)), Duration::from_hours(7 * 24)));
    assert_eq!(planned.post_timeout, Duration::from_secs(30));
    assert_eq!((plan.limit, plan.max_cost, plan.until, plan.wait), (None, None, None, false));
    assert_eq!(plan.not_if_called_within, None);
    assert_eq!(planned.state, State::Kept("/home/ada/.local/state/dialer".into()));
    assert_eq!(planned.account.base_url, "https://api.vapi.ai");
    assert_eq!(planned.account.target, Target::Assistant("assistant-1".into()));
    assert_eq!(planned.account.lines, ["line-1"]);
    assert_eq!(planned.account.key.as_ref().unwrap().expose_secret(), "sk-secret-key");
    assert!(planned.plan.calling.needs_zone());
    assert!(!planned.list.hours_any && planned.list.region.is_none());
}

#[test]
fn a_stand_in_has_no_budget_of_requests_unless_it_is_said() {
    let requests = |line: &str| {
        let planned = Typing::with_account().plan(line).unwrap();
        (planned.plan.requests.map(Budget::per_minute), planned.warnings)
    };
    let here = "leads.csv --base-url http://127.0.0.1:8790 --rate 500/s";
    assert_eq!(requests(here), (None, vec![]));
    let warning = "--requests 600/min leaves 480 a minute to dials, and --rate would be 30000: the smaller holds";
    assert_eq!(requests(&format!("{here} --requests 10/s")), (Some(600), vec![warning.to_owned()]));
    assert_eq!(requests("leads.csv --sandbox").0, Some(150));
    let failure = Typing::with_account().plan("leads.csv --requests 5/min").unwrap_err().to_string();
    assert!(failure.contains("--requests") && failure.contains("fewer than 10 a minute"), "{failure}");
}

#[test]
fn the_key_is_nowhere_to_be_read() {
    let planned = Typing::with_account().plan("leads.csv").unwrap();
    assert!(!format!("{planned:?}").contains("sk-secret"), "{planned:?}");
}

#[test]
fn options_take_effect_as_typed() {
    let planned = Typing::with_account()
        .plan(
            "leads.csv --poll 100ms --rate 30/min --in-doubt never --look-back 0 --max-cost 7.5 --reserve 08:00=4,18:00=2 \
             --phone-number-id a --phone-number-id b,c --margin 1 --until 17:00 --post-timeout 2s --batch-size 100",
        )
        .unwrap();
    let plan = &planned.plan;
    assert_eq!((plan.poll, plan.probe_after), (Duration::from_millis(100), Duration::from_secs(6)));
    assert_eq!((plan.rate.count.get(), plan.rate.per), (30, Duration::from_mins(1)));
    assert_eq!((plan.in_doubt, plan.look_back), (None, Duration::ZERO));
    assert_eq!(plan.reserve.table, [(0, 2), (480, 4), (1080, 2)]);
    assert_eq!(plan.lines, ["a", "b", "c"]);
    assert_eq!(plan.until.unwrap().to_string(), "2026-11-23T16:00:00Z");
    assert_eq!((plan.max_cost, plan.caution, plan.batch_size), (Some(7.5), 1, 100));
}

#[test]
fn an_end_that_has_passed_says_how_to_mean_tomorrow() {
    let planned = Typing::with_account().plan("leads.csv --until 09:00").unwrap();
    assert_eq!(
        planned.warnings,
        ["--until 09:00 has passed today, so nobody is called; for tomorrow:   --until 2026-11-24T09:00:00+01:00"]
    );
    let soon = Typing::with_account().plan("leads.csv --until +2h").unwrap();
    assert_eq!(soon.plan.until.unwrap().to_string(), "2026-11-23T16:05:00Z");
    assert_eq!(planned.plan.until.unwrap().to_string(), "2026-11-23T08:00:00Z");
}

#[test]
fn a_wrong_value_is_refused_with_its_flag_and_a_cure() {
    let table = [
        ("leads.csv --batch-size 49", "--batch-size", "50 to 100"),
        ("leads.csv --batch-size 101", "--batch-size", "50 to 100"),
        ("leads.csv --rate 0/s", "--rate", "nobody is ever called"),
        ("leads.csv --rate 5/h", "--rate", "30/min"),
        ("leads.csv --target 2%", "--target", "add --reserve auto"),
        ("leads.csv --reserve 3 --target 2%", "--target", "add --reserve auto"),
        ("leads.csv --reserve auto --target 0", "--target", "0.01%"),
        ("leads.csv --reserve auto --target 60%", "--target", "50%"),
        ("leads.csv --reserve auto --slots 1", "--slots", ""),
        ("leads.csv --reserve -1", "", ""),
        ("leads.csv --poll 0s", "--poll", "longer than nought"),
        ("leads.csv --poll soon", "--poll", "1h30m"),
        ("leads.csv --in-doubt 0s", "--in-doubt", "never"),
        ("leads.csv --until yesterday", "--until", "17:00"),
        ("leads.csv --column phone=Telefon", "--column", "number"),
        ("leads.csv --region XX", "--region", "US"),
        ("leads.csv --zone EST", "--zone", "America/New_York"),
        ("leads.csv --allow everything", "--allow", "premium"),
        ("leads.csv --max-cost 0", "--max-cost", "dollars"),
        ("leads.csv --limit 0", "--limit", ""),
        ("leads.csv --attempts 0", "--attempts", ""),
        ("leads.csv --retry sometimes=1h --attempts 2", "--retry", ""),
        ("leads.csv --hours 25:00-26:00", "--hours", ""),
        ("leads.csv --days funday", "--days", ""),
        ("leads.csv --holidays /nowhere/at/all.txt", "--holidays", "all.txt"),
        ("leads.csv --color sometimes", "--color", ""),
        ("leads.csv --base-url http://api.vapi.ai", "--base-url", "https://"),
        ("leads.csv --base-url ftp://127.0.0.1", "--base-url", "https://"),
        ("leads.csv --assistant-id a --squad-id b", "--squad-id", "leave the others out"),
        ("leads.csv --assistant-id ../etc", "--assistant-id", "letters, digits"),
        ("leads.csv --api-key-file /some/key", "--api-key-file", "/some/key cannot be read"),
        ("leads.csv --campaign a/b", "--campaign", "'/'"),
        ("leads.csv --campaign {day}", "--campaign", "{date}"),
        ("leads.csv --config /nowhere/at/all.toml", "--config", "all.toml"),
        ("leads.csv --slots 10 --reserve 10", "--slots", "reserve 9 or fewer"),
        ("leads.csv --slots 10 --reserve 8 --caution 2", "--margin", "reserve 9 or fewer"),
        ("leads.csv --slots 1 --reserve 1", "--reserve 0", ""),
        ("leads.csv --slots 0", "--slots", "at least 1"),
        ("leads.csv more.csv", "--campaign leads", "to go on with what leads.csv was begun as"),
        ("-", "--campaign", "stdin"),
        ("- - --campaign x", "stdin", "once"),
        ("", "LEADS", ""),
        ("leads.csv --no-such-flag", "--no-such-flag", ""),
    ];
    for (line, flag, cure) in table {
        let refusal = Typing::with_account().refusal(line);
        assert!(refusal.contains(flag) && refusal.contains(cure), "{line}: {refusal}");
        assert!(!refusal.contains("sk-secret"), "{line}: {refusal}");
    }
}

#[test]
fn a_missing_account_is_told_with_what_to_set() {
    let account = Typing::with_account();
    let all = Typing::default().set("HOME", "/home/ada").refusal("/nowhere/nope.csv");
    for part in
        ["no key", "no assistant", "no phone number", "/nowhere/nope.csv", "--api-key-file", "--phone-number-id"]
    {
        assert!(all.contains(part), "all that is missing is told at once: {part}: {all}");
    }
    for (missing, flag) in [
        ("VAPI_API_KEY", "--api-key-file"),
        ("VAPI_ASSISTANT_ID", "--assistant-id"),
        ("VAPI_PHONE_NUMBER_ID", "--phone-number-id"),
    ] {
        for typing in [account.clone().unset(missing), account.clone().set(missing, "  ")] {
            let refusal = typing.refusal("leads.csv");
            assert!(refusal.contains(missing) && refusal.contains(flag), "{refusal}");
        }
    }
}

#[test]
fn a_dry_run_needs_no_account_and_names_what_is_missing() {
    let planned = Typing::default().plan("leads.csv --dry-run").unwrap();
    assert_eq!(planned.missing.len(), 3, "{:?}", planned.missing);
    assert_eq!(planned.account.lines, ["PHONE_NUMBER_ID"]);
    assert_eq!(planned.state, State::ThrownAway, "no HOME, and none is needed");
}

#[test]
fn the_sandbox_takes_nothing_of_a_real_account() {
    let typing = Typing::with_account().set("DIALER_STATE", "/var/dialer").set("VAPI_BASE_URL", "https://api.vapi.ai");
    let planned = typing.plan("leads.csv --sandbox").unwrap();
    assert!(planned.account.key.is_none());
    assert_ne!(planned.account.lines, ["line-1"]);
    assert_ne!(planned.account.target.id(), "assistant-1");
    assert_eq!(planned.state, State::ThrownAway);
    assert!(!planned.plan.calling.needs_zone(), "hours any");
    assert!(typing.plan("leads.csv --sandbox --hours 08:00-21:00").unwrap().plan.calling.needs_zone());
    assert_eq!(typing.plan("leads.csv --sandbox --state here").unwrap().state, State::Kept("here".into()));
    assert!(typing.refusal("leads.csv --sandbox --base-url http://127.0.0.1:1").contains("--base-url"));
    assert!(Typing::default().plan("leads.csv --sandbox").is_ok(), "nothing at all is needed");
}

#[test]
fn the_campaign_is_named_after_its_list_or_the_day() {
    let account = Typing::with_account();
    let named = |line: &str| account.plan(line).unwrap();
    assert_eq!(named("lists/Kunden.März.csv").plan.campaign, "Kunden.März");
    let dated = named("leads.csv --campaign daily-{date}");
    assert_eq!(dated.plan.campaign, "daily-2026-11-23");
    assert!(dated.name_given);
    assert_eq!(dated.plan.not_if_called_within, Some(Duration::from_hours(20)));
    let given = named("leads.csv --campaign daily-{date} --not-if-called-within 3h");
    assert_eq!(given.plan.not_if_called_within, Some(Duration::from_hours(3)));
    let late = Typing::with_account();
    assert_eq!(late.plan("- --campaign x").unwrap().plan.campaign, "x");
    assert!(account.refusal(".csv").contains("--campaign"));
    assert_ne!(named("a.csv").plan.seed, named("b.csv").plan.seed);
    assert_eq!(named("a.csv").plan.seed, named("a.csv --wait").plan.seed);
}

#[test]
fn a_reserve_may_be_left_to_the_run() {
    let mut typing = Typing::with_account();
    let auto = |plan: RunPlan| plan.plan.reserve.auto.map(|auto| (auto.target, auto.history));
    assert_eq!(auto(typing.plan("leads.csv --reserve auto").unwrap()), Some((0.01, None)));
    assert_eq!(auto(typing.plan("leads.csv --reserve auto --target 5%").unwrap()), Some((0.05, None)));
    let config = typing.file("campaign.toml", "reserve = \"auto\"\ntarget = \"2%\"\n");
    let line = format!("leads.csv --config {}", config.display());
    assert_eq!(auto(typing.plan(&line).unwrap()), Some((0.02, None)));
    assert_eq!(auto(typing.plan(&format!("{line} --reserve 4")).unwrap()), None, "a typed number wins over both");
}

#[test]
fn a_reserve_leaves_a_slot_or_is_a_timetable() {
    let fits = |line: &str, slots: u32| {
        let planned = Typing::with_account().plan(line).unwrap();
        reserve_fits(&planned.plan.reserve, planned.plan.caution, slots)
    };
    assert!(fits("leads.csv --reserve 9", 10).is_ok());
    assert!(fits("leads.csv --reserve 08:00=10,18:00=2", 10).is_ok(), "nobody is dialed from eight to six");
    assert!(fits("leads.csv --reserve 08:00=10", 10).is_err(), "one entry holds all day");
    assert!(fits("leads.csv --reserve 08:00=8,18:00=9 --caution 2", 10).is_err());
    assert_eq!(Typing::with_account().plan("leads.csv --reserve 18:00=2,08:00=4").unwrap().reserve, "18:00=2,08:00=4");
    insta::assert_snapshot!(fits("leads.csv --reserve 10", 10).unwrap_err(), @r"
    error: a reserve of 10 leaves no slot of the pool's 10 to dial with
      reserve 9 or fewer with --reserve, or say how many there are:   --slots N
    ");
    insta::assert_snapshot!(fits("leads.csv --reserve 8 --caution 2", 10).unwrap_err(), @r"
    error: a reserve of 8 and a margin of 2 leave no slot of the pool's 10 to dial with
      reserve 9 or fewer with --reserve and --margin together, or say how many there are:   --slots N
    ");
}

#[test]
fn what_was_rejected_is_mended_under_the_name_that_remembers_who_was_called() {
    use dialer::leads::options::Source;
    use dialer::run::check::mending;
    let options = |line: &str| Typing::with_account().plan(&format!("leads.csv {line}")).unwrap().list;
    let files = ["lists/my leads.csv", "-"].map(|name| Source::new(name.as_ref()));
    insta::assert_snapshot!(mending(&files[..1], "my leads", &options("--region US --sheet Mai"), false).command, @"dialer run 'lists/my leads.csv' mended.csv --campaign 'my leads' --region US --sheet Mai");
    insta::assert_snapshot!(mending(&files[1..], "x", &options(""), true).command, @"dialer run - mended.csv --campaign x --sandbox");
}

#[test]
fn a_missing_key_hides_no_other_mistake() {
    let mut typing = Typing::with_account().unset("VAPI_API_KEY");
    for (line, flag) in [("--hours 25:00-26:00", "--hours"), ("--attempts 2 --retry sometimes=1h", "--retry")] {
        let refusal = typing.refusal(&format!("leads.csv {line}"));
        assert!(refusal.contains(flag) && refusal.contains("VAPI_API_KEY"), "{refusal}");
    }
    let list = typing.file("leads.csv", "Kunde,Ort\nAda,Ulm\n");
    let refusal = typing.refusal(&list.display().to_string());
    assert!(refusal.contains("VAPI_API_KEY") && refusal.contains("has no column of phone numbers"), "{refusal}");
}

#[test]
fn all_that_is_missing_or_wrong_is_told_at_once() {
    let typing = Typing::default().set("HOME", "/home/ada");
    let said = typing.refusal("/no/a.csv /no/b.csv --dnc /no/dnc --holidays /no/days --config /no/config --rate 0/s");
    assert!(said.contains("--rate"), "a line that cannot be read comes first: {said}");
    let said = typing.refusal("/no/a.csv /no/b.csv --dnc /no/dnc --holidays /no/days --config /no/config --campaign x");
    let parts =
        ["no key", "no assistant", "no phone number", "/no/a.csv", "/no/b.csv", "/no/dnc", "/no/days", "/no/config"];
    for part in parts {
        assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
    }
}

#[test]
fn a_wrong_key_file_hides_nothing_that_is_missing() {
    let typing = Typing::default().set("HOME", "/home/ada");
    let said = typing.refusal("leads.csv --api-key-file /no/key --base-url ftp://x");
    for part in ["/no/key", "--base-url", "no assistant", "no phone number"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn only_a_rejects_file_is_written_over() {
    let mut typing = Typing::with_account();
    let notes = typing.file("notes.csv", "my notes\n");
    let refusal = typing.refusal(&format!("leads.csv --rejects {}", notes.display()));
    assert!(refusal.contains("is no rejects file"), "{refusal}");
    for text in ["", "phone,dialer_line,dialer_reason\nx,3,not a phone number\n"] {
        let rejects = typing.file("rejects.csv", text);
        assert!(typing.plan(&format!("leads.csv --rejects {}", rejects.display())).is_ok(), "{text:?}");
    }
}
