//! `testnet mutants`: protocols of which one rule is weak, to see what the rule is for.

use crate::lies;
use clap::Args;
use consensus::{
    byzantine::mutants::{self, About, Breaks},
    catalogue::UnknownModule,
};
use serde::Serialize;
use std::fmt::Write as _;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// `testnet mutants`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Mutants {
    /// Only those of this module
    #[arg(long, value_name = "NAME")]
    pub consensus: Option<String>,
    /// Say of each what its rule is for
    #[arg(long)]
    pub rules: bool,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet mutants
  testnet mutants --consensus pbft --rules
  testnet run scenarios/mutants/T3.toml        a schedule that shows what one does
  testnet explore --mutant T3                  looks for another

No node can run one. Exit codes: 0 they are listed, 2 there is no such module.";

/// The mutants of one module.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Chapter {
    consensus: &'static str,
    mutants: &'static [About],
}

/// Why nothing is listed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0}; choose one with --consensus NAME")]
pub struct MutantsError(#[from] UnknownModule);

/// Lists them.
///
/// # Errors
///
/// [`MutantsError`] if there is no such module.
pub fn mutants(order: &Mutants) -> Result<(), MutantsError> {
    let chapters = chapters(order.consensus.as_deref())?;
    lies::show(order.json, &chapters, |chapters| told(chapters, order.rules));
    Ok(())
}

/// The mutants of one module, or of each.
fn chapters(only: Option<&str>) -> Result<Vec<Chapter>, UnknownModule> {
    lies::of_modules(only, |consensus| Ok(Chapter { consensus, mutants: mutants::of(consensus)? }))
}

/// For people.
fn told(chapters: &[Chapter], rules: bool) -> String {
    let mut text = String::new();
    for Chapter { consensus, mutants } in chapters {
        let _ = writeln!(text, "{}{consensus}", if text.is_empty() { "" } else { "\n" });
        for About { id, line, rule, breaks, .. } in *mutants {
            let breaks = match breaks {
                Breaks::Agreement => "forks",
                Breaks::Progress => "stalls",
            };
            let _ = writeln!(text, "  {id:<4} {breaks:<7} {line}");
            if rules {
                let _ = writeln!(text, "               {rule}");
            }
        }
    }
    text
}
