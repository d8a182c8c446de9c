//! What a person is told when nothing could be done: what, where, and what now.

use std::fmt;

use crate::exit::Exit;
use crate::journal::Error;
use crate::text;

/// An error at the edge: it ends the command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What the process says as it ends.
    pub exit: Exit,
    /// What is wrong, and where: a file, a line, a flag.
    pub what: String,
    /// What to do now, one line each.
    pub advice: Vec<String>,
}

impl Failure {
    /// An error that ends with this code.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), advice: Vec::new() }
    }

    /// Wrong usage or an impossible plan: exit 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// This machine failed: exit 1.
    pub fn machine(what: impl Into<String>) -> Self {
        Self::new(Exit::Machine, what)
    }

    /// The same with one more line of what to do.
    #[must_use]
    pub fn advise(mut self, line: impl Into<String>) -> Self {
        self.advice.push(line.into());
        self
    }

    /// Both: the other stands below, unless it is told already.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if self.what != other.what && !self.advice.contains(&other.what) {
            self.advice.push(other.what);
            self.advice.extend(other.advice);
        }
        self
    }

    /// All of it on one line, for `--json`.
    pub fn one_line(&self) -> String {
        let lines = std::iter::once(&self.what).chain(&self.advice);
        let plain = |line: &String| text::clean(line, usize::MAX);
        lines.map(plain).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", text::plain(&self.what))?;
        self.advice.iter().try_for_each(|line| write!(f, "\n  {}", text::plain(line)))
    }
}

impl std::error::Error for Failure {}

/// What went wrong with the journal: its first line is what, the others are what to do.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Held { .. } | Error::Copied { .. } | Error::TakenOver { .. } | Error::Moved { .. } => Exit::Held,
            Error::SameMark { .. }
            | Error::OtherList { .. }
            | Error::OtherTarget { .. }
            | Error::Drops { .. }
            | Error::CalledLately { .. }
            | Error::Empty
            | Error::NotEmpty(_)
            | Error::Database { .. }
            | Error::NoCampaign(_) => Exit::Usage,
            Error::Damage { .. }
            | Error::Full(_)
            | Error::Directory { .. }
            | Error::Version { .. }
            | Error::Busy { .. }
            | Error::Away { .. }
            | Error::Gone(_)
            | Error::Trouble { .. } => Exit::Machine,
        };
        let text = error.to_string();
        let mut lines = text.lines();
        let what = lines.next().unwrap_or_default();
        lines.fold(Self::new(exit, what), |failure, line| failure.advise(line.trim_start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_an_error_is_shown_and_not_obeyed() {
        let failure = Failure::usage("cannot read a\u{1b}[2J\u{202e}.toml").advise("or b\n\u{9b}1m");
        assert_eq!(failure.to_string(), "error: cannot read a\u{fffd}[2J\u{fffd}.toml\n  or b \u{fffd}1m");
        assert_eq!(failure.one_line(), "cannot read a [2J.toml; or b 1m");
    }

    #[test]
    fn an_error_says_what_where_and_what_now() {
        let failure = Failure::usage("a reserve of 10 leaves no slot of the pool's 10 to dial with")
            .advise("keep 9 or fewer, or say how many there are:   --slots N");
        insta::assert_snapshot!(failure, @r"
        error: a reserve of 10 leaves no slot of the pool's 10 to dial with
          keep 9 or fewer, or say how many there are:   --slots N
        ");
        insta::assert_snapshot!(
            failure.one_line(),
            @"a reserve of 10 leaves no slot of the pool's 10 to dial with; keep 9 or fewer, or say how many there are: --slots N"
        );
    }

    #[test]
    fn a_held_campaign_is_told_with_what_to_do() {
        let held =
            Error::Held { campaign: "leads".into(), pid: Some(4711), host: None, since: Some("09:00:02".into()) };
        insta::assert_snapshot!(Failure::from(held), @r"
        error: campaign leads is being run since 09:00:02 by process 4711
          wait for it, or look: dialer status leads
        ");
        assert_eq!(Failure::from(Error::NoCampaign("x".into())).exit, Exit::Usage);
        assert_eq!(Failure::from(Error::Full("journal.db".into())).exit, Exit::Machine);
    }
}
