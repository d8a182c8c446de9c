//! `dialer completions` and `dialer man`: for shells and for readers of manuals.

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;
use roff::{Roff, bold, roman};

use super::{Cli, help, print};
use crate::exit::Exit;
use crate::report::failure::Failure;

/// Where a shell says that it asks for completions, and which shell it is.
const ASKED: &str = "DIALER_COMPLETE";

/// `dialer completions`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Writes what makes a shell ask this program whenever somebody completes a word.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell.to_string()).expect("the two lists of shells are one");
    shell
        .write_registration(ASKED, "dialer", "dialer", "dialer", &mut text)
        .map_err(|error| Failure::machine(format!("cannot write the completions: {error}")))?;
    print(&String::from_utf8_lossy(&text)).map(|()| Exit::Settled)
}

/// Answers a shell that completes a word, and ends the process; does nothing where none asks. To be called before
/// anything else, as it changes the environment.
pub fn complete() {
    CompleteEnv::with_factory(Cli::command).var(ASKED).complete();
}

/// Writes the manual page: the program, what its exit codes, variables and files mean, then each of its commands.
pub fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    render(&mut text).map_err(|error| Failure::machine(format!("cannot write the manual: {error}")))?;
    print(&String::from_utf8_lossy(&text)).map(|()| Exit::Settled)
}

fn render(text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(text)?;
    let mut sections = Roff::new();
    for (title, entries) in help::manual() {
        sections.control("SH", [title]);
        for (name, what) in entries {
            sections.control("TP", []).text([bold(name)]).text([roman(what)]);
        }
    }
    sections.to_writer(text)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        // Exit codes and examples stand above.
        let sub = sub.clone().after_help("").after_long_help("");
        clap_mangen::Man::new(sub).render(text)?;
    }
    Ok(())
}
