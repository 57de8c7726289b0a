//! A peer that means harm. All of it is in the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    tests::hostile::run(&tests::hostile::Order::parse())
}
