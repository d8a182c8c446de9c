//! Flags over campaign file over environment over default: whatever stands in the file or the environment, and not on
//! the command line, becomes arguments, and clap reads the whole again. So an option is parsed in one place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::report::failure::Failure;

/// Options that the environment may give, and the variables that do. The key is not among them: it is no argument.
pub const ENVIRONMENT: [(&str, &str); 6] = [
    ("state", "DIALER_STATE"),
    ("assistant-id", "VAPI_ASSISTANT_ID"),
    ("squad-id", "VAPI_SQUAD_ID"),
    ("workflow-id", "VAPI_WORKFLOW_ID"),
    ("phone-number-id", "VAPI_PHONE_NUMBER_ID"),
    ("base-url", "VAPI_BASE_URL"),
];
/// Options of which one stands for all: a higher layer that names any of them hides the others of a lower one.
const TARGETS: [&str; 3] = ["assistant-id", "squad-id", "workflow-id"];
/// Two names as like as this are one with a slip in it.
pub(super) const LIKELY: f64 = 0.85;
/// No campaign file is larger.
const LARGEST_FILE: u64 = 1 << 20;

/// Where the value of an option comes from, the strongest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Layer {
    /// Nobody gave one.
    Default,
    /// An environment variable.
    Environment,
    /// The campaign file.
    File,
    /// The command line.
    CommandLine,
}

/// For every option that was given, by its long name, where.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    layers: BTreeMap<String, Layer>,
    /// For options that the campaign file gives, its file and line.
    places: BTreeMap<String, String>,
    /// What is wrong with the campaign file, which then gives nothing.
    wrong: Option<Failure>,
}

impl Sources {
    /// Where that option's value comes from.
    pub fn of(&self, option: &str) -> Layer {
        self.layers.get(option).copied().unwrap_or(Layer::Default)
    }

    /// What is wrong with the campaign file.
    pub fn wrong(&self) -> Option<&Failure> {
        self.wrong.as_ref()
    }

    /// An error about an option that stands in the campaign file says where there.
    pub fn placed(&self, mut failure: Failure) -> Failure {
        // It is named in what went wrong, or begins a line below.
        let what = failure.what.split(|c: char| c.is_whitespace() || c == ':').find(|word| word.starts_with("--"));
        let below = || failure.advice.iter().find(|line| line.starts_with("--"))?.split(':').next();
        let named = what.or_else(below).and_then(|word| word.strip_prefix("--"));
        if let Some(place) = named.filter(|option| self.of(option) == Layer::File).and_then(|it| self.places.get(it)) {
            let place = format!("it stands in {place}");
            if !failure.advice.contains(&place) {
                failure.advice.push(place);
            }
        }
        failure
    }

    /// Whether nothing stronger than `layer` has given this option, or one that stands for it.
    fn leaves_room_for(&self, option: &str, layer: Layer) -> bool {
        let family: &[&str] = if TARGETS.contains(&option) { &TARGETS } else { &[option] };
        family.iter().all(|member| self.of(member) <= layer)
    }
}

/// The arguments that the lower layers add, and where each option then comes from.
///
/// A campaign file that cannot be read gives nothing; what is wrong with it is kept beside. `typed` is what clap made of
/// the command line alone, `command` the subcommand it was, `options` the one whose
/// options may stand in a campaign file (those that `command` does not have are read and left).
pub fn lower(
    command: &Command,
    options: &Command,
    typed: &ArgMatches,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Vec<OsString>, Sources) {
    let mut sources = Sources::default();
    for arg in command.get_arguments() {
        if typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
            && let Some(long) = arg.get_long()
        {
            sources.layers.insert(long.into(), Layer::CommandLine);
        }
    }
    let mut added = Vec::new();
    if let Some(path) = typed.try_get_one::<std::path::PathBuf>("config").ok().flatten() {
        let read = read_file(path, options).unwrap_or_else(|failure| {
            sources.wrong = Some(failure);
            Vec::new()
        });
        for (option, place, arguments) in read {
            if has(command, &option) && sources.leaves_room_for(&option, Layer::File) {
                sources.places.insert(option.clone(), place);
                sources.layers.insert(option, Layer::File);
                added.extend(arguments);
            }
        }
    }
    for (option, variable) in ENVIRONMENT {
        let Some(value) = env(variable).filter(|value| !value.trim().is_empty()) else { continue };
        if !has(command, option) || !sources.leaves_room_for(option, Layer::Environment) {
            continue;
        }
        let several = action(command, option).is_some_and(|action| matches!(action, ArgAction::Append));
        let values = if several { value.split(',').collect() } else { vec![value.as_str()] };
        let values = values.into_iter().map(str::trim).filter(|value| !value.is_empty());
        added.extend(values.map(|value| OsString::from(format!("--{option}={value}"))));
        sources.layers.insert(option.into(), Layer::Environment);
    }
    (added, sources)
}

fn action<'a>(command: &'a Command, option: &str) -> Option<&'a ArgAction> {
    command.get_arguments().find(|arg| arg.get_long() == Some(option)).map(clap::Arg::get_action)
}

fn has(command: &Command, option: &str) -> bool {
    action(command, option).is_some()
}

/// An option that a campaign file gives: its long name, its file and line, and its arguments.
type Given = (String, String, Vec<OsString>);

/// Every option that a campaign file gives, each tried on its own; or everything that is wrong with them.
fn read_file(path: &Path, options: &Command) -> Result<Vec<Given>, Failure> {
    let text = read_text(path)?;
    let table = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = format!("{} line {}: {}", path.display(), line_of(&text, at), error.message());
        let mut failure = Failure::usage(what);
        failure.advice.extend(unquoted(&text, at));
        failure
    })?;
    let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| -> Result<Given, Failure> {
        let place = format!("{} line {}", path.display(), line_of(&text, key.span().start));
        let key = long_of(options, key.get_ref().as_ref());
        let action = action(options, key).filter(|_| !matches!(key, "config" | "help"));
        let Some(action) = action else {
            let mut failure = Failure::usage(format!("{place}: there is no option {key:?}"));
            failure.advice.extend(nearest(key, options).map(|near| format!("is it {near}?")));
            return Err(failure.advise("the keys are the long names of the options:   dialer run --help"));
        };
        let quote = matches!(value.get_ref(), DeValue::Datetime(_)).then(|| unquoted(&text, value.span().start));
        let wrong = |reason: String| {
            let mut failure = Failure::usage(format!("{place}: {key}: {reason}"));
            failure.advice.extend(quote.iter().flatten().cloned());
            failure
        };
        let arguments = arguments(key, value.get_ref(), action).map_err(wrong)?;
        try_alone(options, &arguments).map_err(wrong)?;
        Ok((key.to_owned(), place, arguments))
    };
    let (mut read, mut wrong) = (Vec::new(), Vec::new());
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for given in entries {
        match entry(given) {
            Ok(given) => read.push(given),
            Err(failure) => wrong.push(failure),
        }
    }
    wrong.into_iter().reduce(Failure::and).map_or(Ok(read), Err)
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable =
        |reason: String| Failure::usage(format!("cannot read {}, named by --config: {reason}", path.display()));
    crate::private_file::read_whole(path, LARGEST_FILE).map_err(|error| unreadable(error.to_string()))
}

/// Where a value that is no number stands bare on that line, TOML takes it for a time or for nothing at all.
fn unquoted(text: &str, at: usize) -> Option<String> {
    let line = text.lines().nth(line_of(text, at) - 1)?;
    let (key, value) = line.split_once('=')?;
    let value = value.split('#').next().unwrap_or_default().trim();
    let bare = value.starts_with(|c: char| c.is_alphanumeric() || c == '+' || c == '-');
    bare.then(|| format!("quote it:   {} = \"{value}\"", key.trim()))
}

/// The long name of an option that has another name as well.
fn long_of<'a>(options: &'a Command, key: &'a str) -> &'a str {
    let has_alias = |arg: &&clap::Arg| arg.get_all_aliases().is_some_and(|names| names.contains(&key));
    options.get_arguments().find(has_alias).and_then(clap::Arg::get_long).unwrap_or(key)
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// One option of a file, as it would be typed.
fn arguments(option: &str, value: &DeValue<'_>, action: &ArgAction) -> Result<Vec<OsString>, String> {
    let argument = |text: String| OsString::from(format!("--{option}={text}"));
    match (action, value) {
        (ArgAction::SetTrue, DeValue::Boolean(true)) => Ok(vec![format!("--{option}").into()]),
        (ArgAction::SetTrue, DeValue::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err("must be true or false".into()),
        (ArgAction::Append, DeValue::Array(values)) => {
            values.iter().map(|value| scalar(value.get_ref()).map(argument)).collect()
        }
        (ArgAction::Append, DeValue::Table(pairs)) => pairs
            .iter()
            .map(|(key, value)| Ok(argument(format!("{}={}", key.get_ref(), joined(value.get_ref())?))))
            .collect(),
        _ => Ok(vec![argument(scalar(value)?)]),
    }
}

/// The values of an array with commas between, or the one value.
fn joined(value: &DeValue<'_>) -> Result<String, String> {
    let DeValue::Array(values) = value else { return scalar(value) };
    Ok(values.iter().map(|value| scalar(value.get_ref())).collect::<Result<Vec<_>, _>>()?.join(","))
}

fn scalar(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Datetime(time) => Ok(time.to_string()),
        DeValue::Integer(_) => Err("must be a decimal number".into()),
        DeValue::Boolean(_) => Err("takes a value, not true or false".into()),
        DeValue::Array(_) => Err("takes one value, not several".into()),
        DeValue::Table(_) => Err("takes a value, not a table".into()),
    }
}

/// Whether clap takes these arguments, seen alone; so that an error can name the file and the line.
fn try_alone(options: &Command, arguments: &[OsString]) -> Result<(), String> {
    let leads = OsString::from("leads.csv");
    let line = std::iter::once(OsString::from("run")).chain(arguments.iter().cloned()).chain([leads]);
    match options.clone().try_get_matches_from(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(std::error::Error::source(&error).map_or_else(|| first_line(&error), ToString::to_string)),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The option that was probably meant.
fn nearest<'a>(key: &str, options: &'a Command) -> Option<&'a str> {
    let plain = |text: &str| text.replace(['_', ' '], "-").to_lowercase();
    let longs = options.get_arguments().filter_map(clap::Arg::get_long);
    let near = |long: &&str| strsim::jaro_winkler(&plain(long), &plain(key));
    let best = longs.filter(|long| *long != "config").max_by(|a, b| near(a).total_cmp(&near(b)))?;
    (near(&best) > LIKELY).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_file_without_an_end_is_refused() {
        let said = read_text(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(said.contains("--config") && said.contains("larger than 1048576 bytes"), "{said}");
    }
}
