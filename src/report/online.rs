//! What the doctor of an account has seen: for `check --online`.

use std::fmt::Write as _;

use serde::Serialize;

use super::style::count;

/// The account, as it answered, and what stands in the way of calling.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct AccountLook {
    /// Nothing stands in the way.
    pub ready: bool,
    /// The organisation.
    pub organisation: Option<String>,
    /// What talks, in words, and its name.
    pub target: Option<String>,
    /// Variables that it needs of each lead.
    pub variables: Vec<String>,
    /// The lines to call from.
    pub lines: Vec<LineLook>,
    /// How far this machine's clock is off the provider's, in seconds, where it surely is.
    pub clock_off_s: Option<f64>,
    /// What the last hour's listing shows.
    pub last_hour: Option<LastHour>,
    /// What is to be done, each with its cure.
    pub problems: Vec<Problem>,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LineLook {
    /// Its id.
    pub id: String,
    /// Its number, where it is shown.
    pub number: Option<String>,
    /// `active`, `activating`, `blocked`, `missing` or `unknown`.
    pub status: &'static str,
    /// A free one of the provider's.
    pub free: bool,
    /// Calls a day that it can make, where that is known.
    pub daily_limit: Option<u64>,
}

/// Calls of the last hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct LastHour {
    /// Calls that changed in it.
    pub calls: usize,
    /// There are more than could be read at once.
    pub more: bool,
    /// Those of them that are up.
    pub up: usize,
    /// Those that some campaign of `dialer` made.
    pub marked: usize,
}

/// Something to be done before anybody is called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub cure: String,
}

impl AccountLook {
    /// Something stands in the way.
    pub fn lacks(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        self.problems.push(Problem { what: what.into(), cure: cure.into() });
    }

    /// For a person.
    pub fn text(&self) -> String {
        let mut text = "account\n".to_owned();
        let mut row = |name: &str, words: &str| {
            let _infallible = writeln!(text, "  {name:<14}{words}");
        };
        if let Some(org) = &self.organisation {
            row("organisation", org);
        }
        if let Some(target) = &self.target {
            row("talks", target);
            if !self.variables.is_empty() {
                row("needs", &self.variables.join(", "));
            }
        }
        self.lines.iter().for_each(|line| row("line", &line.text()));
        match self.clock_off_s {
            Some(off) => row("clock", &format!("off by {off:.0} s")),
            None if self.organisation.is_some() => row("clock", "right"),
            None => {}
        }
        if let Some(hour) = &self.last_hour {
            row("last hour", &hour.text());
        }
        if self.ready {
            text.push_str("ready\n");
        } else {
            text.push_str("not ready\n");
        }
        for Problem { what, cure } in &self.problems {
            let _infallible = writeln!(text, "  {what}\n    {cure}");
        }
        text
    }
}

impl LineLook {
    fn text(&self) -> String {
        let mut text = format!("{}: {}", self.number.as_ref().unwrap_or(&self.id), self.status);
        if self.free {
            text.push_str("; a free one of the provider's, which calls no other countries");
        }
        if let Some(limit) = self.daily_limit {
            let _infallible = write!(text, "; about {limit} calls a day");
        }
        text
    }
}

impl LastHour {
    fn text(&self) -> String {
        let Self { calls, more, up, marked } = *self;
        if calls == 0 {
            return "no calls".to_owned();
        }
        let or_more = if more { " or more" } else { "" };
        let calls = count(calls as u64, "call", "calls");
        format!("{calls}{or_more}; {up} up now; {marked} made by dialer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_ready_or_with_what_to_do() {
        let line = LineLook { id: "l1".into(), number: None, status: "blocked", free: true, daily_limit: Some(10) };
        let mut look = AccountLook {
            organisation: Some("org-1".into()),
            target: Some("assistant Clinic".into()),
            variables: vec!["name".into()],
            lines: vec![line],
            last_hour: Some(LastHour { calls: 34, more: false, up: 2, marked: 0 }),
            ready: true,
            ..AccountLook::default()
        };
        insta::assert_snapshot!(look.text(), @r"
        account
          organisation  org-1
          talks         assistant Clinic
          needs         name
          line          l1: blocked; a free one of the provider's, which calls no other countries; about 10 calls a day
          clock         right
          last hour     34 calls; 2 up now; 0 made by dialer
        ready
        ");
        look.ready = false;
        look.lacks("line l1 is blocked", "look it up in the dashboard");
        assert!(look.text().ends_with("not ready\n  line l1 is blocked\n    look it up in the dashboard\n"));
    }
}
