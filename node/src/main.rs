//! The binary `node`: see [`node::cli`].

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::run(node::cli::Node::parse(), node::Extras::default())
}
