//! What is written to is none of the files that are read, nor another that is written to.

use std::path::Path;

use super::args::{CallingArgs, ListArgs, RunArgs};
use super::layers::{Layer, Sources};
use crate::leads::rejects::is_rejects;
use crate::leads::shown::file;
use crate::private_file::is_same;
use crate::report::failure::Failure;

/// Options that say how a forecast is made.
const FORESEES: [&str; 4] = ["assume", "runs", "html", "online"];

/// Options of the forecast are for a dry run alone, and its page overwrites nothing that is read.
pub(super) fn guard_forecast(args: &RunArgs, sources: &Sources) -> Result<(), Failure> {
    if !args.rehearse.dry_run
        && let Some(flag) = FORESEES.iter().find(|flag| sources.of(flag) == Layer::CommandLine)
    {
        let what = format!("--{flag} is for the forecast, which only --dry-run makes");
        return Err(Failure::usage(what).advise("add --dry-run, or leave it out"));
    }
    if args.rehearse.online && args.rehearse.sandbox {
        let what = "--online reads the account, and the sandbox has none";
        return Err(Failure::usage(what).advise("leave one of the two out"));
    }
    if let Some(page) = args.rehearse.html.as_deref() {
        let lists = args.leads.iter().filter(|list| list.as_os_str() != "-");
        let lists = lists.map(|list| ("the list", Some(list.as_path())));
        let others = [
            ("--config", args.place.config.as_deref()),
            ("--api-key-file", args.place.account.api_key_file.as_deref()),
            ("--rejects", args.list.rejects.as_deref()),
        ];
        let read = others.into_iter().chain(read_by(&args.calling)).chain(keys(args));
        return guard_output("--html", page, read.chain(lists));
    }
    Ok(())
}

/// The rejects file must be none of the files that are read, the lists apart, which are looked at when they are.
pub(super) fn guard_rejects<'a>(
    list: &'a ListArgs,
    calling: &'a CallingArgs,
    others: [(&'static str, Option<&'a Path>); 2],
) -> Result<(), Failure> {
    let Some(rejects) = list.rejects.as_deref() else { return Ok(()) };
    if rejects.is_dir() {
        return Err(Failure::usage(format!("--rejects names {}, which is a directory", file(rejects))));
    }
    if rejects.is_file() && !is_rejects(rejects) {
        let what = format!("--rejects names {}, which is there already and is no rejects file", file(rejects));
        return Err(Failure::usage(what).advise("it would be written over: name another file, or move it away"));
    }
    let read = others.into_iter().chain(read_by(calling));
    guard_output("--rejects", rejects, read)
}

/// The log and the results file must be none of the files that a run reads, nor its rejects file, nor one and the same.
/// To be asked before either is opened.
pub(super) fn guard_outputs(args: &RunArgs) -> Result<(), Failure> {
    let (log, results) = (args.shown.log.as_deref(), args.shown.results.as_deref());
    log.map_or(Ok(()), |log| guard_output("--log", log, other_files(args)))?;
    if results == Some(Path::new("-")) {
        return Err(Failure::usage("--results - names no file")
            .advise("name one, and follow it:   tail -F results.jsonl")
            .advise("or a pipe:   --results >(jq .number)"));
    }
    results.map_or(Ok(()), |results| guard_output("--results", results, other_files(args).chain([("--log", log)])))
}

/// The files that a run reads, and its rejects file.
pub(super) fn other_files(args: &RunArgs) -> impl Iterator<Item = (&'static str, Option<&Path>)> {
    let lists = args.leads.iter().filter(|list| list.as_os_str() != "-").map(|list| ("the list", Some(list.as_path())));
    let others = [
        ("--config", args.place.config.as_deref()),
        ("--api-key-file", args.place.account.api_key_file.as_deref()),
        ("--rejects", args.list.rejects.as_deref()),
        ("--ping-file", args.told.ping_file.as_deref()),
        ("--webhook-secret-file", args.webhook.webhook_secret_file.as_deref()),
    ];
    others.into_iter().chain(read_by(&args.calling)).chain(keys(args)).chain(lists)
}

/// Files that are read to know when and whom not to call, each with its option.
fn read_by(calling: &CallingArgs) -> impl Iterator<Item = (&'static str, Option<&Path>)> {
    let dnc = calling.dnc.iter().map(|path| ("--dnc", Some(path.as_path())));
    dnc.chain([("--holidays", calling.holidays.as_deref())])
}

/// Files with keys of other organisations.
fn keys(args: &RunArgs) -> impl Iterator<Item = (&'static str, Option<&Path>)> {
    args.pool.watch_key_file.iter().map(|path| ("--watch-key-file", Some(path.as_path())))
}

/// A file that is written to must be none of the others. A device or a pipe may be.
pub(super) fn guard_output<'a>(
    flag: &str,
    output: &Path,
    others: impl Iterator<Item = (&'static str, Option<&'a Path>)>,
) -> Result<(), Failure> {
    if output.exists() && !output.is_file() {
        return Ok(());
    }
    for (other, path) in others {
        if path.is_some_and(|path| is_same(output, path)) {
            let what = format!("{flag} names {}, and so does {other}", file(output));
            return Err(Failure::usage(what).advise(format!("{flag} would write into it: name another file")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Command, read};

    #[test]
    fn what_is_written_is_nothing_that_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes");
        std::fs::write(&path, "").unwrap();
        let shown = path.display();
        let guarded = |line: String| {
            let words = ["dialer", "run"].into_iter().chain(line.split(' ')).map(OsString::from);
            let Command::Run(args) = read(&words.collect::<Vec<_>>(), &|_| None).unwrap().command else { panic!() };
            let key = ("--api-key-file", args.place.account.api_key_file.as_deref());
            guard_outputs(&args).and_then(|()| guard_rejects(&args.list, &args.calling, [("--config", None), key]))
        };
        for read in ["--config", "--api-key-file", "--dnc", "--holidays", "--watch-key-file"] {
            let said = guarded(format!("x.csv --log {shown} {read} {shown}")).unwrap_err().to_string();
            assert!(said.contains("--log") && said.contains(read), "{said}");
        }
        for read in ["--api-key-file", "--dnc", "--holidays"] {
            let said = guarded(format!("x.csv --rejects {shown} {read} {shown}")).unwrap_err().to_string();
            assert!(said.contains("--rejects") && said.contains(read), "{said}");
        }
        for read in ["--config", "--api-key-file", "--dnc", "--holidays", "--log", "--rejects"] {
            let said = guarded(format!("x.csv --results {shown} {read} {shown}")).unwrap_err().to_string();
            assert!(said.contains("--results") && said.contains(read), "{said}");
        }
        let said = guarded(format!("{shown} --log {shown}")).unwrap_err().to_string();
        assert!(said.contains("--log") && said.contains("the list"), "{said}");
        assert!(guarded(format!("x.csv --log {shown} --rejects {shown}")).is_err());
        assert!(guarded("x.csv --results -".to_owned()).unwrap_err().to_string().contains("tail -F"));
        assert!(guarded(format!("x.csv --log {shown} --dnc other")).is_ok());
        assert!(guarded("x.csv --log /dev/null --dnc /dev/null".to_owned()).is_ok());
    }
}
