//! A net under attack, measured. All of it is in the library.
//!
//! Executed again as `siege node …` it is a node of that net, and as `siege hostile-peer …` who attacks it.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("node") => testnet::cli::run(testnet::cli::Cli::parse()),
        Some("hostile-peer") => {
            let arguments = std::env::args().skip(1);
            tests::hostile::run(&tests::hostile::Order::parse_from(arguments))
        }
        _ => tests::siege::run(&tests::siege::Order::parse()),
    }
}
