//! What a person is told when nothing could be done: what, where, and what now.

use std::fmt;

use crate::exit::Exit;

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

    /// All of it on one line, for `--json`.
    pub fn one_line(&self) -> String {
        let lines = std::iter::once(&self.what).chain(&self.advice);
        let plain = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.map(plain).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        self.advice.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

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
}
