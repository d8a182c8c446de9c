//! argv to exit code.

fn main() -> std::process::ExitCode {
    dialer::cli::shell::complete();
    let argv: Vec<_> = std::env::args_os().collect();
    dialer::cli::main(&argv).code().into()
}
