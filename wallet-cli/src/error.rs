//! Everything that can go wrong in a command, with the word programs see and the exit code.

use crate::{
    client::{BadUrl, ClientError, NodeUrl},
    environment::NoDirectory,
    history::CacheError,
    interrupt::Stopped,
    keystore::KeystoreError,
    name::{AccountName, NameError},
    nodes::{Conflict, NodeReport},
    payments::Reverted,
    report::Exit,
    secrets::SecretsError,
    verify::NotProven,
};
use consensus::catalogue::BadSettings;
use crypto::{HexError, address::AddressError};
use ledger::{Amount, ChainId, ReplicaId, TransactionId, genesis::BadGenesis};
use serde_json::{Map, Value, json};
use std::{fmt::Display, io, path::PathBuf, time::Duration};
use thiserror::Error;

/// Why a command does not end well.
#[derive(Debug, Error)]
pub enum Error {
    /// A text that cannot name an account.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A text that is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A text that is no amount.
    #[error("{value:?} is no {what}: write a whole number from 0 to {}", u64::MAX)]
    Amount {
        /// "amount" or "fee".
        what: &'static str,
        /// As it was given.
        value: String,
    },
    /// A text that is no transaction id.
    #[error(transparent)]
    TransactionId(#[from] HexError),
    /// A text that is no node's URL.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The list of nodes in the wallet's directory is none.
    #[error("{}: {reason}", path.display())]
    NodeFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: BadUrl,
    },
    /// Nobody says where the wallet's directory is.
    #[error(transparent)]
    Directory(#[from] NoDirectory),
    /// There is no genesis to trust.
    #[error("there is no genesis at {} ({source}); copy the network's genesis.json there, or name it with --genesis FILE", path.display())]
    NoGenesis {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no genesis.
    #[error("{}: {reason}", path.display())]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: BadGenesis,
    },
    /// The genesis asks its consensus module for what that cannot do.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The keystore does not do as asked.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A passphrase or phrase is not known.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A node does not answer, or says no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The node belongs to another network than the genesis.
    #[error(
        "the node at {node} is on chain {found}, and the genesis in use is that of chain {genesis}; name another node with --node or another genesis with --genesis"
    )]
    OtherChain {
        /// Which node.
        node: NodeUrl,
        /// Our chain.
        genesis: ChainId,
        /// The node's chain.
        found: ChainId,
    },
    /// The sender has less than it wants to send.
    #[error(
        "{from} holds {balance}, and {amount} with a fee of {fee} takes {needed}; send less, pay less (--fee), or let somebody send it some first"
    )]
    Balance {
        /// Who pays.
        from: AccountName,
        /// What it holds.
        balance: Amount,
        /// What it wants to send.
        amount: Amount,
        /// What it pays on top.
        fee: Amount,
        /// Both together.
        needed: u128,
    },
    /// The genesis has no rules of stake.
    #[error(
        "on the chain {network:?} nobody has stake that could move or be lost: its validators are those of \
         its genesis for good, or work decides"
    )]
    NoStake {
        /// What the genesis calls the chain.
        network: String,
    },
    /// Nobody says that the account is to become a validator.
    #[error(
        "{from} is no validator yet; to make it one, a node has to run with its key and be known by the \
         number {next}: `testnet join` makes both, `node init --id {next}` the node; then say \
         --validator {next}"
    )]
    NoValidator {
        /// Whose money it is.
        from: AccountName,
        /// The number that the chain gives next.
        next: ReplicaId,
    },
    /// Nobody says which account.
    #[error("say which account, with --from NAME: {}", names(accounts))]
    WhichAccount {
        /// All there are.
        accounts: Vec<AccountName>,
    },
    /// The node's answer does not follow from the genesis.
    #[error("not proven: {reason} (asked at {node})")]
    NotProven {
        /// Who gave the answer.
        node: NodeUrl,
        /// Which link does not hold.
        reason: NotProven,
    },
    /// Two blocks at one height are final.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// Of several nodes none gave an answer that can be believed.
    #[error("{cause}")]
    Several {
        /// The gravest reason.
        cause: Box<Error>,
        /// How each node stands.
        nodes: Vec<NodeReport>,
    },
    /// On a chain where nothing is final: what else the command found out.
    #[error("{cause}")]
    Light {
        /// What went wrong.
        cause: Box<Error>,
        /// How each node stands.
        nodes: Vec<NodeReport>,
        /// Payments that the wallet had called confirmed.
        reverted: Vec<Reverted>,
    },
    /// Who answers does not have the heaviest chain.
    #[error(
        "every node that answers is on a branch with less work than the chain that this wallet has seen, which reaches height {height}; ask others with --node, or delete headers/ in the wallet's directory to believe these"
    )]
    OtherBranches {
        /// Of the heaviest chain.
        height: u64,
    },
    /// Another transaction of the same account took its place.
    #[error(
        "transaction {id} was replaced: transaction {by}, in the block at height {height}, has the same sender and the nonce {nonce}, so this one can never be included unless that block is undone"
    )]
    Replaced {
        /// The transaction.
        id: TransactionId,
        /// Its nonce.
        nonce: u64,
        /// The other one.
        by: TransactionId,
        /// Where that is.
        height: u64,
    },
    /// It was not confirmed in time.
    #[error(
        "transaction {id} is not confirmed after {waited:?}: {}; it may still become so, `wallet status {id}` tells{}",
        so_far(*height, *confirmations, *needed), last(reason)
    )]
    Unconfirmed {
        /// The transaction.
        id: TransactionId,
        /// How long we waited.
        waited: Duration,
        /// The height of its block, if it is in one.
        height: Option<u64>,
        /// How deep that lies, itself counted.
        confirmations: u64,
        /// How deep it has to lie.
        needed: u64,
        /// Why the last question was not answered, if it was not.
        reason: Option<String>,
    },
    /// Ctrl-C, or a deadline, ended the command.
    #[error("stopped; what was checked so far is kept, and the same command goes on from there")]
    Ended(Stopped),
    /// The history cannot be kept.
    #[error(transparent)]
    History(#[from] CacheError),
    /// Ctrl-C ended the reading of a history.
    #[error(
        "stopped at height {height}; what was read is kept, and the same command goes on from there"
    )]
    Stopped {
        /// How far it came.
        height: u64,
    },
    /// The system does not let us listen for Ctrl-C, and nothing was begun yet.
    #[error("the system does not let the wallet listen for Ctrl-C: {0}; try again")]
    Signals(io::Error),
    /// The node names a transaction that we did not send.
    #[error(
        "the node at {node} calls the transaction {found}, and its hash is {id}; do not trust that node"
    )]
    WrongReceipt {
        /// Who.
        node: NodeUrl,
        /// The hash of what we sent.
        id: TransactionId,
        /// What the node says.
        found: TransactionId,
    },
    /// It was not final in time.
    #[error(
        "transaction {id} is not final after {waited:?}; it may still become so, `wallet status {id}` tells{}",
        last(reason)
    )]
    NotInTime {
        /// The transaction.
        id: TransactionId,
        /// How long we waited.
        waited: Duration,
        /// Why the last question was not answered, if it was not.
        reason: Option<Box<ClientError>>,
    },
    /// Ctrl-C ended the wait.
    #[error(
        "stopped waiting; transaction {id} was handed over and may become final, `wallet status {id}` tells"
    )]
    Interrupted {
        /// The transaction.
        id: TransactionId,
    },
    /// The system does not let us listen for Ctrl-C.
    #[error(
        "the system does not let the wallet listen for Ctrl-C: {source}; transaction {id} was handed over, `wallet status {id}` tells"
    )]
    NoSignals {
        /// The transaction.
        id: TransactionId,
        /// What the system said.
        source: io::Error,
    },
}

fn so_far(height: Option<u64>, confirmations: u64, needed: u64) -> String {
    match height {
        Some(height) => {
            format!("it has {confirmations} of {needed} confirmations, at height {height}")
        }
        None => "it is in no block of the heaviest chain yet".to_owned(),
    }
}

fn names(accounts: &[AccountName]) -> String {
    match accounts {
        [] => "there are none yet; `wallet new NAME` makes one".to_owned(),
        some => {
            let names: Vec<_> = some.iter().map(AccountName::to_string).collect();
            format!("there are {}", names.join(", "))
        }
    }
}

fn last(reason: &Option<impl Display>) -> String {
    reason
        .as_ref()
        .map(|reason| format!(" (the last question was in vain: {reason})"))
        .unwrap_or_default()
}

impl Error {
    /// One word for programs.
    pub fn code(&self) -> &str {
        match self {
            Error::Name(_) => "bad_name",
            Error::Address(_) => "bad_address",
            Error::Amount { .. } => "bad_amount",
            Error::TransactionId(_) => "bad_transaction_id",
            Error::Url(_) | Error::NodeFile { .. } => "bad_url",
            Error::Directory(_) => "no_directory",
            Error::NoGenesis { .. } => "no_genesis",
            Error::Genesis { .. } | Error::Settings(_) => "bad_genesis",
            Error::File { .. } => "file",
            Error::Keystore(error) => match error {
                KeystoreError::Exists { .. } => "account_exists",
                KeystoreError::Unknown { .. } => "unknown_account",
                KeystoreError::Locked { .. } => "wrong_passphrase",
                KeystoreError::Damaged { .. } | KeystoreError::BadFileName { .. } => "damaged_key",
                KeystoreError::Disk { .. } => "disk",
            },
            Error::Secrets(error) => match error {
                SecretsError::Nobody(_) => "no_terminal",
                SecretsError::Differ => "passphrases_differ",
                SecretsError::File { .. } => "file",
                SecretsError::Phrase(_) => "bad_phrase",
                SecretsError::Prompt(_) => "terminal",
            },
            Error::Client(ClientError::NoAnswer(_)) => "no_node",
            Error::Client(ClientError::Refused(refusal)) => match &refusal.reason {
                Some(reason) => reason,
                None if refusal.code == -32001 => "halted",
                None => "refused",
            },
            Error::OtherChain { .. } => "wrong_chain",
            Error::Balance { .. } => "balance",
            Error::NoStake { .. } => "no_stake",
            Error::NoValidator { .. } => "no_validator",
            Error::WhichAccount { .. } => "which_account",
            Error::NotProven { .. } => "not_proven",
            Error::Conflict(_) => "conflicting_finality",
            Error::Several { cause, .. } | Error::Light { cause, .. } => cause.code(),
            Error::History(CacheError::Disk { .. }) => "disk",
            Error::History(CacheError::Busy { .. }) => "busy",
            Error::WrongReceipt { .. } => "wrong_receipt",
            Error::OtherBranches { .. } => "other_branch",
            Error::Replaced { .. } => "replaced",
            Error::NotInTime { .. } | Error::Unconfirmed { .. } => "not_in_time",
            Error::Interrupted { .. } | Error::Stopped { .. } | Error::Ended(_) => "interrupted",
            Error::NoSignals { .. } | Error::Signals(_) => "signals",
        }
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Keystore(KeystoreError::Disk { .. })
            | Error::Secrets(SecretsError::Prompt(_))
            | Error::File { .. }
            | Error::Client(ClientError::NoAnswer(_))
            | Error::History(_)
            | Error::NoSignals { .. }
            | Error::Signals(_) => Exit::OurFailure,
            Error::Several { cause, .. } | Error::Light { cause, .. } => cause.exit(),
            Error::Client(ClientError::Refused(refusal)) if !refusal.is_verdict() => {
                Exit::OurFailure
            }
            Error::Client(ClientError::Refused(_))
            | Error::Balance { .. }
            | Error::NotProven { .. }
            | Error::Conflict(_)
            | Error::Stopped { .. }
            | Error::Ended(_)
            | Error::OtherBranches { .. }
            | Error::Replaced { .. }
            | Error::Unconfirmed { .. }
            | Error::WrongReceipt { .. }
            | Error::NotInTime { .. }
            | Error::Interrupted { .. } => Exit::DoesNotHold,
            _ => Exit::BadInput,
        }
    }

    /// What programs see beside code and message: `tx` is a transaction that is on its way all the
    /// same, `conflict` and `nodes` say who showed what, `reverted` what is confirmed no more.
    pub fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        match self {
            Error::NotInTime { id, .. }
            | Error::Interrupted { id }
            | Error::NoSignals { id, .. }
            | Error::WrongReceipt { id, .. } => _ = details.insert("tx".to_owned(), json!(id)),
            Error::Unconfirmed { id, height, confirmations, .. } => {
                details.insert("tx".to_owned(), json!(id));
                details.insert("height".to_owned(), json!(height));
                details.insert("confirmations".to_owned(), json!(confirmations));
            }
            Error::Replaced { id, by, height, .. } => {
                details.insert("tx".to_owned(), json!(id));
                details.insert("by".to_owned(), json!(by));
                details.insert("height".to_owned(), json!(height));
            }
            Error::Conflict(conflict) => {
                details.insert("conflict".to_owned(), json!(conflict));
            }
            Error::Several { cause, nodes } => {
                details = cause.details();
                details.insert("nodes".to_owned(), json!(nodes));
            }
            Error::Light { cause, nodes, reverted } => {
                details = cause.details();
                details.insert("nodes".to_owned(), json!(nodes));
                details.insert("reverted".to_owned(), json!(reverted));
            }
            _ => {}
        }
        details
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Error {
        Error::Conflict(Box::new(conflict))
    }
}
