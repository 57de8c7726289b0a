//! The command line: `wallet …`, and `testnet wallet …` through the same door.

use crate::{
    commands,
    environment::Environment,
    report::{Exit, Output},
    secrets::Terminal,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::Map;
use std::{path::PathBuf, process::ExitCode, time::Duration};

#[cfg(test)]
mod tests;

/// Keys, transfers and proofs.
///
/// The wallet keeps secret keys in sealed files, signs transfers, and checks by itself what nodes
/// say: it trusts the chain's genesis.json and nobody else.
#[derive(Debug, Parser)]
#[command(name = "wallet", version, after_help = AFTER_HELP)]
pub struct Wallet {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What applies to every command, and may stand after it.
    #[command(flatten)]
    pub options: Options,
}

const AFTER_HELP: &str = "\
Examples:
  wallet new alice
  wallet balance alice
  wallet send --from alice --to bob --amount 25 --wait
  wallet verify 3f8a…c1 --genesis ./genesis.json
  wallet history alice --limit 10
  wallet stake
  wallet balance alice --node http://127.0.0.1:7001 --node http://127.0.0.1:7002

The wallet's directory is --dir, else WALLET_DIR, else ~/.byzantium/wallet. It holds keys/NAME.json
for each account, genesis.json, perhaps node.url with one node a line, and history/, headers/ and
committees/, which may be deleted. payments/ remembers what was called confirmed, so that it can be told if that
is undone.
Nodes are --node, else WALLET_NODE, else node.url, else http://127.0.0.1:26657. Of several in
WALLET_NODE or node.url the next one is asked when one does not answer. With --node given several
times, `balance`, `stake`, `status`, `verify` and `history` ask all of them and compare: the highest proven
answer wins, a node that lags or is silent is noted on standard error (with --json: in \"nodes\"),
and two proven blocks at one height are CONFLICTING FINALITY. `send` takes the first that answers.

Where blocks are found by work nothing is final. There the wallet checks the headers of every node
it asks, from the genesis on, and follows the heaviest chain. A payment is confirmed when enough
blocks lie upon it, which the genesis says. One that was confirmed and is undone is told by every
command (with --json: in \"reverted\").

Exit codes: 0 it holds, 1 it does not (refused, not final or confirmed in time, not proven,
replaced, reverted, conflicting finality), 2 bad input, 3 our own failure (no node answers, the disk fails).";

/// What applies to every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// Print one line of JSON, errors too: {"error":{"code":…,"message":…}}
    #[arg(long, global = true)]
    pub json: bool,
    /// The wallet's directory [env: WALLET_DIR] [default: ~/.byzantium/wallet]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A node to ask, such as http://127.0.0.1:26657; give several to compare what they say
    /// [env: WALLET_NODE, of which the next one is asked when one does not answer]
    #[arg(long, global = true, value_name = "URL")]
    pub node: Vec<String>,
    /// The genesis to trust [default: genesis.json in the wallet's directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
}

/// What the wallet can do. Names, addresses and amounts are read by the commands, so that with
/// `--json` a mistake in one is JSON too.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account, and show its recovery phrase once
    ///
    /// The phrase of 24 words is shown on the terminal and nowhere else. Whoever has it has the
    /// account, and without it a lost or damaged key file cannot be made again: write it down.
    #[command(
        after_help = "Examples:\n  wallet new alice\n  wallet new carol --passphrase-file ./secret --json"
    )]
    New {
        /// What to call it here: a-z, 0-9, _ and -, at most 32
        name: String,
        /// Where the passphrase comes from.
        #[command(flatten)]
        passphrase: PassphraseOptions,
    },
    /// Bring an account back from its recovery phrase
    #[command(
        after_help = "Examples:\n  wallet import alice\n  wallet import alice --phrase-file ./words"
    )]
    Import {
        /// What to call it here: a-z, 0-9, _ and -, at most 32
        name: String,
        /// A file with the phrase; without it, the phrase is asked for
        #[arg(long, value_name = "FILE")]
        phrase_file: Option<PathBuf>,
        /// Where the passphrase comes from.
        #[command(flatten)]
        passphrase: PassphraseOptions,
    },
    /// List the accounts
    #[command(after_help = "Examples:\n  wallet list\n  wallet list --json --dir ./net/wallet")]
    List,
    /// Print an account's address
    #[command(after_help = "Example:\n  wallet address alice")]
    Address {
        /// The account
        name: String,
    },
    /// Print an account's balance and nonce, proven by a certified block
    ///
    /// Where nothing is final it is proven twice, under the wallet's own chain of headers: after the
    /// newest block, and after the newest that is confirmed. With --json, "balance" is the former and
    /// "confirmed" the latter.
    #[command(
        after_help = "Examples:\n  wallet balance alice\n  wallet balance byz1… --json\n  wallet balance alice --node 127.0.0.1:7001 --node 127.0.0.1:7002"
    )]
    Balance {
        /// An account of this wallet, or any address
        #[arg(value_name = "NAME|ADDRESS")]
        account: String,
    },
    /// Sign a transfer and hand it to a node
    ///
    /// With --wait the command returns when the transfer is final and the proof of that was
    /// checked, and fails when that takes longer than --timeout. Where nothing is final it counts
    /// confirmations aloud and returns when there are enough, says so when the block is undone
    /// meanwhile, and fails when another transfer with the same nonce takes its place. All --node are
    /// followed then.
    #[command(
        after_help = "Examples:\n  wallet send --from alice --to bob --amount 25\n  wallet send --from alice --to byz1… --amount 25 --fee 2 --wait --timeout 1m"
    )]
    Send(Transfer),
    /// Print who has what at stake, proven by a certified block
    ///
    /// For each validator: its number, its stake, the share that it votes with now, since which height
    /// it has a seat, and when it was punished. Of an account also what it has bonded, and what is on its
    /// way back and until when. A validator is an account whose key votes.
    #[command(
        after_help = "Examples:\n  wallet stake\n  wallet stake alice\n  wallet stake byz1… --json"
    )]
    Stake {
        /// An account of this wallet, or any address
        #[arg(value_name = "NAME|ADDRESS")]
        account: Option<String>,
    },
    /// Turn money of an account into stake: it votes with it
    ///
    /// The account's key has to vote, so a node has to run with it (`testnet join`, `node init`). A
    /// stake whose node is silent makes the chain slower, and a third of all of it makes it stand still.
    /// A newcomer gets the next free number and has to name it, because its node must know it already;
    /// `testnet join` does all of that.
    #[command(
        after_help = "Examples:\n  wallet bond 100 --from node-3 --wait\n  wallet bond 100 --from node-4 --validator 4      (a newcomer)"
    )]
    Bond(Bonding),
    /// Take stake out: it comes free after a while, and can be lost until then
    #[command(
        after_help = "Examples:\n  wallet unbond 40 --from node-3\n  wallet unbond 40 --from node-3 --wait --json"
    )]
    Unbond(Unbonding),
    /// Ask what became of a transaction
    ///
    /// This is a node's word. `wallet verify` proves it. Several --node are compared, and then
    /// "final" is proven too, which needs the genesis. Where nothing is final, and the genesis is
    /// there, the block and its confirmations are proven.
    #[command(
        after_help = "Examples:\n  wallet status 3f8a…c1\n  wallet status 3f8a…c1 --node 127.0.0.1:7001 --node 127.0.0.1:7002"
    )]
    Status {
        /// The transaction's id, 64 hexadecimal digits
        #[arg(value_name = "TX")]
        transaction: String,
    },
    /// Prove that a transaction is final, trusting only the genesis
    ///
    /// Checked are the transaction's hash and chain, its Merkle path into a block, and the
    /// certificate by which the committee of its height made that block final. The committee follows
    /// from the genesis: each change of it is certified by those before. Where nothing is final, the
    /// headers take the certificate's place: all from the genesis to the heaviest tip that a
    /// node shows, and the work in them. Exits 0 if all holds, and the transaction is final or
    /// confirmed, and 1 if anything does not.
    #[command(
        after_help = "Examples:\n  wallet verify 3f8a…c1\n  wallet verify 3f8a…c1 --genesis ./genesis.json --json"
    )]
    Verify {
        /// The transaction's id, 64 hexadecimal digits
        #[arg(value_name = "TX")]
        transaction: String,
    },
    /// Print every final transaction that touches an account, newest last
    ///
    /// The blocks themselves are read and checked from the genesis on, so that none can be left out
    /// or changed. How far that got is kept in history/ in the wallet's directory, and the next call
    /// reads on from there. What a proposer earns for a block is listed where the chain rewards
    /// blocks, with the fees; elsewhere the fees that a validator earns are not. Where nothing is
    /// final, the blocks of the heaviest chain are read, and what is undone is dropped again.
    #[command(after_help = HISTORY_HELP)]
    History {
        /// An account of this wallet, or any address
        #[arg(value_name = "NAME|ADDRESS")]
        account: String,
        /// Print only the newest N
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Print a script that completes the wallet's commands in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// For which shell
        shell: Shell,
    },
}

const HISTORY_HELP: &str = "\
Examples:
  wallet history alice
  wallet history byz1… --limit 10 --json
  wallet history alice --node 127.0.0.1:7001 --node 127.0.0.1:7002

With --json: {\"address\", \"height\" and \"block\" (up to which it is read), \"count\" (of all there are),
\"transactions\": […], \"nodes\": […] (with several --node)}. A transaction has
  height        of its block
  time          of its block, in milliseconds since 1970
  direction     in, out, or own (to itself)
  kind          transfer, bond, unbond, evidence, reward
  counterparty  the other address of a transfer, else null
  amount        what was moved, without the fee; null if nothing was
  fee           what the sender paid on top; for a reward, the fees of the block, earned as well
  id            the transaction's id; null for a reward
  nonce         how many transactions of its sender precede it; null for a reward
Where nothing is final there are also \"confirmed_height\", up to which they are confirmed, and
\"reverted\".
A node in \"nodes\" has url, height (of the newest block that it proves), agrees (true, false, or null
if nobody can tell) and error; if it is on another branch, also branch, the height where that begins.";

const COMPLETIONS_HELP: &str = "\
Examples:
  wallet completions bash > ~/.local/share/bash-completion/completions/wallet
  wallet completions zsh > ~/.zfunc/_wallet     (with ~/.zfunc in fpath)
  wallet completions fish > ~/.config/fish/completions/wallet.fish";

/// A shell that can complete what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// `wallet bond`.
#[derive(Clone, Debug, Args)]
pub struct Bonding {
    /// How much, a whole number
    #[arg(value_name = "AMOUNT", allow_negative_numbers = true)]
    pub amount: String,
    /// The number that the validator is known by; a newcomer has to say it, and a node has to be
    /// known by it [default: its own]
    #[arg(long, value_name = "N")]
    pub validator: Option<u32>,
    /// Whose stake, and how it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// `wallet unbond`.
#[derive(Clone, Debug, Args)]
pub struct Unbonding {
    /// How much, a whole number
    #[arg(value_name = "AMOUNT", allow_negative_numbers = true)]
    pub amount: String,
    /// Whose stake, and how it is sent.
    #[command(flatten)]
    pub sending: Sending,
}

/// What `bond` and `unbond` have in common.
#[derive(Clone, Debug, Args)]
pub struct Sending {
    /// The validator's account [default: the only one in this wallet]
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// What the block's proposer earns, on top
    #[arg(long, value_name = "F", default_value = "1", allow_negative_numbers = true)]
    pub fee: String,
    /// Wait until it is final, and check the proof
    #[arg(long)]
    pub wait: bool,
    /// How long to wait: 500ms, 30s, 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseOptions,
}

/// `wallet send`.
#[derive(Clone, Debug, Args)]
pub struct Transfer {
    /// The account that pays
    #[arg(long, value_name = "NAME")]
    pub from: String,
    /// Who receives: an address, or an account of this wallet
    #[arg(long, value_name = "ADDRESS|NAME")]
    pub to: String,
    /// How much, a whole number
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub amount: String,
    /// What the block's proposer earns, on top
    #[arg(long, value_name = "F", default_value = "1", allow_negative_numbers = true)]
    pub fee: String,
    /// Wait until it is final, or confirmed, and check the proof
    #[arg(long)]
    pub wait: bool,
    /// How long to wait: 500ms, 30s, 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseOptions,
}

/// Where a passphrase comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct PassphraseOptions {
    /// A file with the passphrase; without it, it is asked for [env: WALLET_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Does what the command line says, with this process's environment and terminal.
pub fn run(wallet: Wallet) -> ExitCode {
    let output = Output::to_process(wallet.options.json);
    commands::run(wallet, &Environment::of_process(), &mut Terminal, output).into()
}

/// The binary: reads this process's arguments and runs them.
///
/// A usage error exits with 2. Where the arguments contain `--json` it is JSON, as every error is.
pub fn main() -> ExitCode {
    let error = match Wallet::try_parse() {
        Ok(wallet) => return run(wallet),
        Err(error) => error,
    };
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let message = error.render().to_string();
        let summary = message.split("\n\n").next().unwrap_or_default();
        let summary = summary.trim_start_matches("error: ").replace('\n', " ");
        Output::to_process(true).error("usage", &summary, Map::new());
    } else {
        // Standard output may be closed already; there is nobody to tell.
        let _ = error.print();
    }
    if error.use_stderr() { Exit::BadInput.into() } else { Exit::Holds.into() }
}

/// Reads `500ms`, `30s`, `2m` or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "write it like 500ms, 30s or 2m".to_owned())?;
    let millis = match &text[digits.len()..] {
        "ms" => Some(number),
        "s" | "" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        unit => return Err(format!("{unit:?} is no unit of time; use ms, s or m")),
    };
    match millis {
        // Beyond a day nobody waits, and far beyond it instants cannot be computed.
        Some(millis) if millis <= 86_400_000 => Ok(Duration::from_millis(millis)),
        _ => Err("at most a day".to_owned()),
    }
}
