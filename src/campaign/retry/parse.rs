//! Reads `--retry`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::campaign::disposition::Class;
use crate::campaign::plan_error::PlanError;

const DEFAULTS: [&str; 5] = ["no-answer=4h", "busy=30m", "voicemail=1d", "rejected=1d", "fault=1h"];
const MOST_DELAYS: usize = 32;
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The defaults, and over them every `CLASS=D[,D..]|never`, in order; `never` alone is for every class.
pub(super) fn delays(retry: &[String]) -> Result<BTreeMap<Class, Vec<Duration>>, PlanError> {
    let mut table = BTreeMap::new();
    for rule in DEFAULTS.into_iter().chain(retry.iter().map(String::as_str)) {
        if rule.trim() == "never" {
            table.clear();
            continue;
        }
        let (class, delays) = one(rule).map_err(|problem| PlanError::new("--retry", problem))?;
        table.insert(class, delays);
    }
    table.retain(|_, delays| !delays.is_empty());
    Ok(table)
}

fn one(rule: &str) -> Result<(Class, Vec<Duration>), String> {
    let (name, delays) = rule
        .split_once('=')
        .ok_or_else(|| format!("{rule:?} names no delay; write no-answer=2h,1d or voicemail=never"))?;
    let class = Class::named(name.trim()).filter(|class| *class != Class::Suppressed).ok_or_else(|| {
        let known: Vec<_> = Class::ALL.iter().filter(|class| **class != Class::Suppressed).map(|c| c.name()).collect();
        format!("{:?} is not a class of calls that can be called again; those are: {}", name.trim(), known.join(", "))
    })?;
    if delays.trim() == "never" {
        return Ok((class, Vec::new()));
    }
    let delays: Vec<Duration> = delays.split(',').map(|text| delay(class, text.trim())).collect::<Result<_, _>>()?;
    if delays.len() > MOST_DELAYS {
        return Err(format!("{class} has {} delays; {MOST_DELAYS} at most, the last one repeats", delays.len()));
    }
    Ok((class, delays))
}

fn delay(class: Class, text: &str) -> Result<Duration, String> {
    if text.contains('=') {
        return Err(format!("{text} is another class; say one --retry a class:   --retry {class}=.. --retry {text}"));
    }
    let delay = humantime::parse_duration(text)
        .map_err(|error| format!("{class}={text}: {error}; write 30m, 4h, 1d, or never"))?;
    if delay > LONGEST { Err(format!("{class}={text} is longer than a year; write never")) } else { Ok(delay) }
}
