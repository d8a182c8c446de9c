//! The layers that a value may come from: the command line, a campaign file, the environment, files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dialer::cli::layers::Layer;
use dialer::cli::read;
use dialer::run::plan::State;
use dialer::vapi::request::Target;
use secrecy::ExposeSecret;

use crate::cli_plan::Typing;

#[test]
fn state_is_kept_where_the_nearest_layer_says() {
    let account = Typing::with_account();
    let state = |typing: &Typing, line: &str| typing.plan(line).unwrap().state;
    let kept = |path: &str| State::Kept(PathBuf::from(path));
    let xdg = account.clone().set("XDG_STATE_HOME", "/xdg");
    assert_eq!(state(&xdg, "leads.csv"), kept("/xdg/dialer"));
    assert_eq!(state(&xdg.set("DIALER_STATE", "/env"), "leads.csv"), kept("/env"));
    assert_eq!(
        state(&account.clone().set("XDG_STATE_HOME", "not/absolute"), "leads.csv"),
        kept("/home/ada/.local/state/dialer")
    );
    let homeless = account.unset("HOME");
    assert!(homeless.refusal("leads.csv").contains("--state"));
    assert_eq!(state(&homeless, "leads.csv --state /typed"), kept("/typed"));
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_environment() {
    let mut typing = Typing::with_account().set("DIALER_STATE", "/env").set("VAPI_BASE_URL", "https://env.example");
    let config = typing.file(
        "campaign.toml",
        r#"
            campaign = "spring"
            state = "/file"
            base-url = "https://file.example/api/"
            phone-number-id = ["f1", "f2"]
            reserve = 5
            rate = "2/s"
            batch-size = 60
            max-cost = 12.5
            until = 17:30:00
            wait = true
            drain = false
            attempts = 3
            retry = { no-answer = ["2h", "1d"], voicemail = "never" }
            column = { number = "Telefon" }
        "#,
    );
    let line = format!("leads.csv --config {}", config.display());
    let file = typing.plan(&line).unwrap();
    assert_eq!((file.plan.campaign.as_str(), file.name_given), ("spring", true));
    assert_eq!(file.state, State::Kept("/file".into()));
    assert_eq!(file.account.base_url, "https://file.example/api");
    assert_eq!(file.account.lines, ["f1", "f2"]);
    assert_eq!(file.account.target, Target::Assistant("assistant-1".into()), "from the environment");
    assert_eq!((file.plan.reserve.table.clone(), file.plan.batch_size), (vec![(0, 5)], 60));
    assert_eq!((file.plan.max_cost, file.plan.wait, file.plan.drain), (Some(12.5), true, false));
    let flags =
        typing.plan(&format!("{line} --reserve 2 --phone-number-id typed --squad-id team --rate 1/min")).unwrap();
    assert_eq!(flags.plan.reserve.table, [(0, 2)]);
    assert_eq!(flags.account.lines, ["typed"]);
    assert_eq!(flags.account.target, Target::Squad("team".into()), "a typed target hides that of the environment");
    assert_eq!(flags.plan.rate.per, Duration::from_mins(1));
}

#[test]
fn a_campaign_file_is_wrong_by_name_line_and_key() {
    let table = [
        ("reserve = 3\nbatch_size = 50\n", "line 2", "batch_size", "is it batch-size?"),
        ("\n\nnonsense = 1\n", "line 3", "nonsense", "dialer run --help"),
        ("config = \"x\"\n", "line 1", "config", ""),
        ("rate = \"0/s\"\n", "line 1", "rate", "nobody is ever called"),
        ("batch-size = 500\n", "line 1", "batch-size", "50 to 100"),
        ("color = \"pink\"\n", "line 1", "color", ""),
        ("wait = \"yes\"\n", "line 1", "wait", "true or false"),
        ("reserve = true\n", "line 1", "reserve", "takes a value"),
        ("campaign = [\"a\", \"b\"]\n", "line 1", "campaign", "one value"),
        ("reserve = 3\nreserve = 4\n", "line 2", "duplicate", ""),
        ("reserve = \n", "line 1", "", ""),
        ("bach-size = 50\n", "line 1", "bach-size", "is it batch-size?"),
        ("wait = true\nhours = 08:00-21:00\n", "line 2", "", "quote it:   hours = \"08:00-21:00\""),
        ("rate = 1/s\n", "line 1", "", "quote it:   rate = \"1/s\""),
        ("hours = 08:00:00\n", "line 1", "hours", ""),
        ("wait = true\nhours = \"25:00-26:00\"\n", "line 2", "hours", ""),
        ("attempts = -1\n", "line 1", "attempts", "not a whole number from 1"),
        ("attempts = 2\nretry = \"no-answer=1m,2m,busy=30s\"\n", "line 2", "retry", "one --retry a class"),
        ("caution = -1\n", "line 1", "margin", "not a number of slots"),
    ];
    for (text, line, key, cure) in table {
        let mut typing = Typing::with_account();
        let config = typing.file("wrong.toml", text);
        let refusal = typing.refusal(&format!("leads.csv --config {}", config.display()));
        for part in ["wrong.toml", line, key, cure] {
            assert!(refusal.contains(part), "{text:?}: {refusal:?} does not say {part:?}");
        }
    }
}

#[test]
fn all_that_is_wrong_with_a_campaign_file_is_told_at_once() {
    let mut typing = Typing::with_account();
    let config = typing.file("wrong.toml", "reserve = 3\nrate = \"0/s\"\nattempts = -1\nnonsense = 1\n");
    let refusal = typing.refusal(&format!("leads.csv --config {}", config.display()));
    for part in ["line 2: rate", "line 3: attempts", "line 4: there is no option"] {
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn where_a_value_comes_from_is_known() {
    let argv = ["dialer", "run", "leads.csv", "--reserve", "3"].map(OsString::from);
    let typed = read(&argv, &|name| (name == "DIALER_STATE").then(|| "/env".into())).ok().unwrap();
    let layers = ["reserve", "state", "rate"].map(|option| typed.sources.of(option));
    assert_eq!(layers, [Layer::CommandLine, Layer::Environment, Layer::Default]);
}

#[test]
fn a_key_may_stand_in_a_file() {
    let mut typing = Typing::with_account().unset("VAPI_API_KEY");
    let path = typing.file("key", "  sk-from-file\n");
    let line = |path: &Path| format!("leads.csv --api-key-file {}", path.display());
    let planned = typing.plan(&line(&path)).unwrap();
    assert_eq!(planned.account.key.unwrap().expose_secret(), "sk-from-file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let warned = |mode: u32| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            typing.plan(&line(&path)).unwrap().warnings
        };
        assert!(warned(0o644)[0].contains("chmod 600"));
        assert_eq!(warned(0o600), Vec::<String>::new());
    }
    let empty = typing.file("empty", "\n");
    assert!(typing.refusal(&line(&empty)).contains("is empty"));
    let odd = typing.file("odd", "two\nlines\n");
    assert!(!typing.refusal(&line(&odd)).contains("two"), "what may be a key is not shown");
    assert!(typing.refusal("leads.csv --api-key-file /nowhere/key").contains("/nowhere/key"));
}
