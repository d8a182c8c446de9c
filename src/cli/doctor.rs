//! `dialer check`: from its options to what it says.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::CheckArgs;
use super::environment::Environment;
use super::layers::Sources;
use super::{guard, online, place, plan, print, say};
use crate::campaign::hours::Calling;
use crate::exit::Exit;
use crate::journal::disk::Disk;
use crate::leads::lead::Phone;
use crate::leads::suppress::Suppression;
use crate::report::failure::Failure;
use crate::report::online::AccountLook;
use crate::report::style::thousands;
use crate::run::check::{CheckError, Progress, Request, check, list_failure, mending, with_unreadable};

/// Looks at lists without calling anybody.
pub fn check_lists(args: &CheckArgs, layers: &Sources, around: &Environment<'_>) -> Result<Exit, Failure> {
    guard::guard_rejects(&args.list, &args.calling, [("--config", args.config.as_deref()), ("--state", None)])?;
    let sources = place::inputs(&args.leads)?;
    let (calling, misused) = match plan::calling(&args.calling, true, around) {
        Ok(calling) => (calling, None),
        Err(failure) => (Calling::any(), Some(failure)),
    };
    let mut options = plan::list(&args.list, (args.calling.zone.as_ref(), args.calling.zone_from), &calling, around);
    if let Some(failure) = layers.wrong().cloned().into_iter().chain(misused).reduce(Failure::and) {
        return Err(with_unreadable(failure, &sources, &options, &args.calling.dnc));
    }
    let mut online = args.online.then(|| online::look(&args.account, around)).transpose()?;
    if let Some((look, _)) = &online {
        options.needed.clone_from(&look.variables);
    }
    let all_wrong = |failure| with_unreadable(failure, &sources, &options, &args.calling.dnc);
    let suppression = Suppression::open(&args.calling.dnc, options.region);
    let suppression = suppression.map_err(|error| all_wrong(list_failure(&error)))?;
    let suppressed = suppressed(args, around)?;
    let request = Request {
        sources: &sources,
        options: &options,
        calling: &calling,
        suppression: Some(&suppression),
        suppressed: &suppressed,
        rejects: args.list.rejects.as_deref(),
        strict: args.list.strict,
        now: around.now,
    };
    let bar = bar();
    let checked = check(&request, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let checked = checked.map_err(|error| match error {
        CheckError::List(error) => all_wrong(list_failure(&error)),
        other => Failure::new(other.exit(), other.to_string()),
    });
    let mut checked = match checked {
        Ok(checked) => checked,
        Err(failure) => {
            let Some((look, _)) = &mut online else { return Err(failure) };
            return Err(beside(failure, look, args.json));
        }
    };
    let stem = sources.iter().find_map(|source| source.path()?.file_stem()?.to_str());
    checked.mending = stem.map(|stem| mending(&sources, stem, &options, false));
    if let Some((look, _)) = online.as_mut().filter(|_| checked.error.is_some()) {
        look.ready = false;
        look.lacks("the list cannot be called", "see what was said of it above");
    }
    let account = online.as_ref().map_or(Exit::Settled, |(_, exit)| *exit);
    let exit = if checked.error.is_some() && account != Exit::Account { Exit::Usage } else { account };
    checked.exit = exit.code();
    let look = online.as_ref().map(|(look, _)| look);
    if args.json {
        let mut json = serde_json::to_value(&checked).map_err(|error| Failure::machine(error.to_string()))?;
        if let Some(look) = look {
            json["online"] = serde_json::to_value(look).map_err(|error| Failure::machine(error.to_string()))?;
        }
        print(&format!("{json}\n"))?;
    } else {
        print(&(checked.text(&around.zone) + &look.map(AccountLook::text).unwrap_or_default()))?;
    }
    if let Some(error) = &checked.error {
        say(&format!("error: {error}"));
    }
    Ok(exit)
}

/// A list that cannot be read at all: what the account said is told first.
fn beside(failure: Failure, look: &mut AccountLook, json: bool) -> Failure {
    look.ready = false;
    look.lacks("the list cannot be read", "see the error");
    let text =
        if json { format!("{}\n", serde_json::json!({ "online": look, "error": failure.what })) } else { look.text() };
    match print(&text) {
        Ok(()) => failure,
        Err(unprinted) => unprinted,
    }
}

/// Whom the state directory suppresses, where there is one.
fn suppressed(args: &CheckArgs, around: &Environment<'_>) -> Result<Box<dyn Fn(Phone) -> bool>, Failure> {
    let nobody = || -> Box<dyn Fn(Phone) -> bool> { Box::new(|_| false) };
    let Some(dir) = place::known_state_dir(args.state.as_deref(), around)? else { return Ok(nobody()) };
    match Disk::look(&dir).and_then(|disk| disk.map(|disk| disk.suppressions()).transpose()) {
        Ok(None) => Ok(nobody()),
        Ok(Some(suppresses)) => Ok(Box::new(suppresses)),
        // A list can be looked at without a journal, unless that very one was named.
        Err(error) if args.state.is_none() => {
            let first = error.to_string().lines().next().unwrap_or_default().to_owned();
            say(&format!("warning: {first}; its do-not-call list is not looked at"));
            Ok(nobody())
        }
        Err(error) => Err(error.into()),
    }
}

/// A bar for long lists, where somebody looks.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} · {msg} rows");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: Progress) {
    if let Some(of) = progress.of {
        bar.set_length(of);
    }
    bar.set_position(progress.bytes);
    bar.set_message(thousands(progress.rows));
}
