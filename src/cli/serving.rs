//! `dialer status --serve`: the campaigns of a state directory, in a browser of this machine, until Ctrl-C.

use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use super::runtime;
use super::status::{StatusArgs, chosen};
use crate::drive::signals::Signals;
use crate::drive::talk::say;
use crate::exit::Exit;
use crate::live::directory::ShownDirectory;
use crate::live::{Address, Server};
use crate::report::failure::Failure;

/// A run tells of itself once a second.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves them until a signal comes.
pub(super) fn serve(args: &StatusArgs, address: Address, around: &Environment<'_>) -> Result<Exit, Failure> {
    let shown = ShownDirectory::new(crate::host::name());
    shown.show(chosen(args, around)?, around.now);
    let server = Server::start(address, Arc::clone(&shown) as _)?;
    say(&format!("shown at {}", server.url()));
    let exit = runtime()?.block_on(look_on(args, &shown, around))?;
    server.finish();
    Ok(exit)
}

/// Looks at them again and again; the code of the signal that ended it.
async fn look_on(args: &StatusArgs, shown: &ShownDirectory, around: &Environment<'_>) -> Result<Exit, Failure> {
    let mut signals =
        Signals::listen().map_err(|error| Failure::machine(format!("cannot listen to signals: {error}")))?;
    let mut trouble = None;
    loop {
        tokio::select! {
            biased;
            order = signals.next() => {
                return Ok(if order.exit == Exit::Interrupted { Exit::Settled } else { order.exit });
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let around = around.later();
        match chosen(args, &around) {
            Ok(campaigns) => {
                shown.show(campaigns, around.now);
                trouble = None;
            }
            // What was seen last stays; that is said once.
            Err(failure) if trouble.is_none() => {
                let words = failure.one_line();
                say(&format!("{words}; what was seen last is still shown"));
                trouble = Some(words);
            }
            Err(_) => {}
        }
    }
}
