//! `dialer completions` and `dialer man`: for shells and for readers of manuals.

use clap::CommandFactory;

use super::{Cli, print};
use crate::exit::Exit;
use crate::report::failure::Failure;

/// `dialer completions`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Writes the completions of a shell.
pub fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dialer", &mut text);
    print(&String::from_utf8_lossy(&text)).map(|()| Exit::Settled)
}

/// Writes the manual page: the program, then each of its commands.
pub fn man() -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let render = |command: &clap::Command, text: &mut Vec<u8>| {
        let page = clap_mangen::Man::new(command.clone());
        page.render(text).map_err(|error| Failure::machine(format!("cannot write the manual: {error}")))
    };
    render(&command, &mut text)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        render(sub, &mut text)?;
    }
    print(&String::from_utf8_lossy(&text)).map(|()| Exit::Settled)
}
