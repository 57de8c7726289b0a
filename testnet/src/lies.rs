//! `testnet lies`: what a node can be made to do instead of what its protocol says.

use clap::Args;
use consensus::{
    byzantine::{self, About},
    catalogue::{NAMES, UnknownModule},
};
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{self, Write as _},
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// `testnet lies`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Lies {
    /// Only those about this module
    #[arg(long, value_name = "NAME")]
    pub consensus: Option<String>,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  testnet lies
  testnet lies --consensus tendermint
  testnet lies --json
  testnet up --byzantine 3=equivocate        a node that tells one

Exit codes: 0 they are listed, 2 there is no such module.";

/// The lies about one module.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Chapter {
    /// The module.
    pub consensus: &'static str,
    /// What can be done to it.
    pub lies: Vec<About>,
}

/// Why nothing is listed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0}; choose one with --consensus NAME")]
pub struct LiesError(#[from] UnknownModule);

/// Lists them.
///
/// # Errors
///
/// [`LiesError`] if there is no such module.
pub fn lies(order: &Lies) -> Result<(), LiesError> {
    let chapters = chapters(order.consensus.as_deref())?;
    show(order.json, &chapters, told);
    Ok(())
}

/// Prints a list as one line of JSON, or as people read it.
pub(crate) fn show<T: Serialize>(json: bool, list: &[T], told: impl Fn(&[T]) -> String) {
    let text = match json {
        true => serde_json::to_string(list).expect("it is plain data") + "\n",
        false => told(list),
    };
    // Whoever closed the pipe has seen enough, as with `head`.
    let _ = write!(io::stdout(), "{text}");
}

/// What there is to list about one module, or about each.
pub(crate) fn of_modules<T>(
    only: Option<&str>,
    of: impl Fn(&'static str) -> Result<T, UnknownModule>,
) -> Result<Vec<T>, UnknownModule> {
    let Some(name) = only else { return NAMES.iter().map(|name| of(name)).collect() };
    let known = NAMES.iter().find(|known| **known == name);
    let known = known.ok_or_else(|| UnknownModule { name: name.to_owned() })?;
    Ok(vec![of(known)?])
}

/// The lies about one module, or about each.
fn chapters(only: Option<&str>) -> Result<Vec<Chapter>, UnknownModule> {
    of_modules(only, |consensus| Ok(Chapter { consensus, lies: byzantine::list(consensus)? }))
}

/// For people: those that fit every module once, then those that know one.
fn told(chapters: &[Chapter]) -> String {
    let mut text = String::new();
    let width = chapters.iter().flat_map(|chapter| &chapter.lies).map(|lie| lie.name.len()).max();
    let width = width.unwrap_or(0);
    let mut tell = |title: &str, lies: Vec<&About>| {
        let _ = writeln!(text, "{}{title}", if text.is_empty() { "" } else { "\n" });
        for About { name, line, source, .. } in lies {
            let _ = writeln!(text, "  {name:<width$}  {line}\n  {:<width$}  {source}", "");
        }
    };
    let plain = chapters.iter().take(1).flat_map(|chapter| &chapter.lies);
    tell("about any module", plain.filter(|lie| !lie.knowing).collect());
    for Chapter { consensus, lies } in chapters {
        let knowing: Vec<_> = lies.iter().filter(|lie| lie.knowing).collect();
        if !knowing.is_empty() {
            tell(&format!("about {consensus}"), knowing);
        }
    }
    text
}
