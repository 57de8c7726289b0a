//! `node check`: says whether a stopped node's database is sound.

use super::CliError;
use crate::check::{self, Report};
use clap::Args;
use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

/// Arguments of `node check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The node's directory; the node must not be running
    pub dir: PathBuf,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// Blocks between two lines of progress.
const EVERY: u64 = 1_000;

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let shown = !self.json && std::io::stderr().is_terminal();
        let mut progress = |at: u64, end: u64| {
            if shown && (at.is_multiple_of(EVERY) || at == end) {
                eprint!("\r{at} of {end} blocks checked");
                let _ = std::io::stderr().flush();
            }
        };
        let checked = check::check(&self.dir, &mut progress);
        if shown {
            eprintln!();
        }
        let report = checked.map_err(CliError::Check)?;
        match self.json {
            true => println!("{}", serde_json::to_string(&report).expect("a report is plain data")),
            false => tell(&report),
        }
        match report.flaws.len() {
            0 => Ok(()),
            flaws => Err(CliError::Unsound { dir: self.dir, flaws }),
        }
    }
}

fn tell(report: &Report) {
    println!("chain         {} ({})", report.chain_id, report.consensus);
    println!("blocks        good up to height {}, proven up to {}", report.height, report.proven);
    println!("transactions  {}", report.transactions);
    println!("accounts      {}, with {} coins together", report.accounts, report.supply);
    println!("undecided     {} blocks above, {} messages of ours", report.undecided, report.signed);
    for flaw in &report.flaws {
        println!("WRONG         {flaw}");
    }
    if report.flaws.is_empty() {
        println!("sound: every block, proof, account and index is as it should be");
    }
}
