//! What the tests of the binary share: running it, and a node for it to talk to.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod fake_node;
pub mod mined;
pub mod network;

use fake_node::{FakeNode, Reply};
use mined::{Mined, transfers};
use network::{Network, poor, rich};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use wallet_cli::keystore::Keystore;

/// A wallet directory and the binary that works in it, without a terminal.
pub struct Wallet {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What one run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Outcome {
    /// Of a process that has ended.
    pub fn of(output: Output) -> Outcome {
        Outcome {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Standard output as one line of JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "one line expected: {self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the JSON error, after checking how the process ended.
    pub fn error(&self, exit: i32) -> String {
        assert_eq!(self.code, exit, "{self:?}");
        let error = &self.json()["error"];
        assert!(error["message"].is_string(), "{self:?}");
        error["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }
}

impl Wallet {
    /// An empty one.
    pub fn new() -> Wallet {
        let home = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(home.path().join("wallet")).expect("a directory");
        Wallet { home, variables: Vec::new() }
    }

    /// Sets a variable of the environment for every further run.
    pub fn with(mut self, name: &'static str, value: &str) -> Wallet {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The wallet's directory, which `WALLET_DIR` names.
    pub fn dir(&self) -> PathBuf {
        self.home.path().join("wallet")
    }

    /// Writes a file into the directory and returns its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.dir().join(name);
        fs::write(&path, content).expect("a file in our own directory");
        path.to_str().expect("a temporary path is text").to_owned()
    }

    /// Runs `wallet`.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// `wallet`, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command
            .args(arguments)
            .env_remove("WALLET_NODE")
            .env_remove("WALLET_PASSPHRASE")
            .env("HOME", self.home.path())
            .env("WALLET_DIR", self.dir())
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs `wallet … --json`.
    pub fn json(&self, arguments: &[&str]) -> Outcome {
        self.run(&[arguments, &["--json"]].concat())
    }
}

/// A network that the tests and its node share.
pub type Shared = Arc<Mutex<Network>>;

/// An honest node. What waits is decided when it is asked about for the `patience`th time.
pub fn honest_node(network: &Shared, patience: usize) -> FakeNode {
    let network = Arc::clone(network);
    let mut asked = 0;
    FakeNode::start(move |method, params| {
        let mut network = network.lock().expect("no test panics while it holds this");
        asked += usize::from(method == "transaction");
        if method == "transaction" && asked == patience {
            network.decide_waiting();
        }
        answer(&mut network, method, params)
    })
}

/// An honest node's answer.
pub fn answer(network: &mut Network, method: &str, params: &Value) -> Reply {
    let text = |key: &str| params[key].as_str().expect("a text");
    match method {
        "status" => Reply::result(json!(network.status())),
        "account" => {
            let address = text("address").parse().expect("an address");
            Reply::result(json!(network.account(address)))
        }
        "block" => Reply::result(json!(network.block(number(params, "height")))),
        "blocks" => Reply::result(json!(network.blocks(number(params, "from")))),
        "stake" => Reply::result(json!(network.stake())),
        "committees" => Reply::result(json!(network.committees(number(params, "from")))),
        "submit" => {
            let bytes = hex::decode(text("transaction")).expect("hexadecimal");
            let transaction = ledger::Transaction::decode(&bytes).expect("canonical");
            Reply::result(json!({"id": network.submit(transaction)}))
        }
        "transaction" => {
            let id = text("id").parse().expect("an id");
            Reply::result(json!(network.transaction(id)))
        }
        other => Reply::refusal(-32601, "no such method", other),
    }
}

/// A height among the parameters.
pub fn number(params: &Value, key: &str) -> u64 {
    params[key].as_u64().expect("a height")
}

/// A network and a wallet that knows its genesis, and the rich account as `rich`.
pub fn network_and_wallet(name: &str) -> (Shared, Wallet) {
    in_wallet(Network::new(name))
}

/// The same with rules of stake.
pub fn staked_network_and_wallet(name: &str) -> (Shared, Wallet) {
    in_wallet(Network::staked(name))
}

/// The same where the votes of the absent fade.
pub fn leaking_network_and_wallet(name: &str) -> (Shared, Wallet) {
    in_wallet(Network::leaking(name))
}

fn in_wallet(network: Network) -> (Shared, Wallet) {
    let wallet = Wallet::new();
    wallet.file("genesis.json", &network.genesis.to_json());
    let name = "rich".parse().expect("a good name");
    Keystore::open(wallet.dir()).create_dev(&name, &rich()).expect("an empty keystore");
    (Arc::new(Mutex::new(network)), wallet)
}

/// The same genesis and the same validators, and this many blocks, which differ for different
/// `seeds`: two of these are a chain whose validators broke the rules.
pub fn fork(name: &str, blocks: u64, seed: u64) -> Shared {
    let mut network = Network::new(name);
    for nonce in 0..blocks {
        let transfer = network.transfer(nonce, poor(), seed);
        network.decide(vec![transfer], true);
    }
    Arc::new(Mutex::new(network))
}

/// A chain of proof-of-work that the tests and its node share.
pub type Pit = Arc<Mutex<Mined>>;

/// A chain of proof-of-work, and a wallet that knows its genesis, and the rich account as `rich`.
pub fn pit_and_wallet(chain: Mined) -> (Pit, Wallet) {
    let wallet = Wallet::new();
    wallet.file("genesis.json", &chain.genesis.to_json());
    let name = "rich".parse().expect("a good name");
    Keystore::open(wallet.dir()).create_dev(&name, &rich()).expect("an empty keystore");
    (Arc::new(Mutex::new(chain)), wallet)
}

/// A chain with a transfer in block 4 and so many blocks upon it, and the transfer's id.
pub fn paid(upon: u64) -> (Pit, Wallet, String) {
    let mut chain = Mined::new("light");
    chain.grow(3);
    let payment = transfers(&chain, 0..1, 25);
    let tx = payment[0].id().to_string();
    chain.mine(payment);
    chain.grow(upon);
    let (pit, wallet) = pit_and_wallet(chain);
    (pit, wallet, tx)
}

/// An honest node on that chain.
pub fn miner(pit: &Pit) -> FakeNode {
    let pit = Arc::clone(pit);
    FakeNode::start(move |method, params| {
        pit.lock().expect("no test panics while it holds this").answer(method, params)
    })
}

/// A node on that chain that lies where `lie` has an answer.
pub fn crooked(
    pit: &Pit,
    mut lie: impl FnMut(&mut Mined, &str, &Value) -> Option<Reply> + Send + 'static,
) -> FakeNode {
    let pit = Arc::clone(pit);
    FakeNode::start(move |method, params| {
        let mut chain = pit.lock().expect("no test panics while it holds this");
        lie(&mut chain, method, params).unwrap_or_else(|| chain.answer(method, params))
    })
}
