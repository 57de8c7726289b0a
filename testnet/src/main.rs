//! The `testnet` binary: a whole network on one machine. All of it is in the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    testnet::cli::run(testnet::cli::Cli::parse())
}
