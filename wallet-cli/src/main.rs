//! The binary `wallet`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wallet_cli::cli::main()
}
