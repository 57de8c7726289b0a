//! `completions`: a script for a shell.

use super::Session;
use crate::{
    cli::{Shell, Wallet},
    error::Error,
    report::Exit,
};
use clap::CommandFactory;
use clap_complete::{generate, shells};

/// Prints the script for the binary `wallet`, also if another binary offers this command.
pub(super) fn completions(session: &mut Session<'_>, shell: Shell) -> Result<Exit, Error> {
    let mut command = Wallet::command();
    let mut script = Vec::new();
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "wallet", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "wallet", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "wallet", &mut script),
    }
    // Whoever closed the pipe has read enough.
    let _ = session.output.results().write_all(&script);
    Ok(Exit::Holds)
}
