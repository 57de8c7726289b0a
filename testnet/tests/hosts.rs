//! Nodes on several hosts: each has a network namespace with an address of its own, and a switch joins
//! them. Needs root and `ip`; elsewhere it says why it does nothing.

mod support;

use crypto::{SecretKey, codec};
use ledger::{
    Action, Amount, Genesis, Payload, Stake, Transaction,
    genesis::{Funded, Validator},
};
use nix::{
    sched::{CloneFlags, setns},
    unistd::geteuid,
};
use node::network::Transport;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use support::{Guard, PATIENCE, finish};
use tempfile::TempDir;

const HOSTS: usize = 4;

/// Where `ip netns` keeps what it names.
const NAMESPACES: &str = "/run/netns";

/// Each host's RPC, which only that host reaches.
const RPC: &str = "127.0.0.1:8000";

/// One net at a time, since each has four nodes.
static TURN: Mutex<()> = Mutex::new(());

/// Runs `ip`, and tells what it complains of.
fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`ip` cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(format!("`ip {arguments}` says: {}", words.trim()))
        }
    }
}

/// A switch and the hosts at it, all gone with the value. Nothing of it is seen from outside.
struct Lan(String);

impl Lan {
    /// Builds it, or says why it cannot be built here.
    fn build(tag: &str) -> Result<Lan, String> {
        if !geteuid().is_root() {
            return Err("only root may make network namespaces".to_owned());
        }
        ip("-V")?;
        sweep();
        let lan = Lan(format!("byzantium-{}-{tag}", std::process::id()));
        let switch = lan.switch();
        ip(&format!("netns add {switch}"))?;
        ip(&format!("-n {switch} link add switch type bridge"))?;
        ip(&format!("-n {switch} link set switch up"))?;
        for number in 0..HOSTS {
            let host = lan.host(number);
            ip(&format!("netns add {host}"))?;
            ip(&format!("-n {host} link add eth type veth peer name p{number} netns {switch}"))?;
            ip(&format!("-n {switch} link set p{number} master switch up"))?;
            ip(&format!("-n {host} addr add {}/24 dev eth", address(number)))?;
            ip(&format!("-n {host} link set lo up"))?;
            ip(&format!("-n {host} link set eth up"))?;
        }
        Ok(lan)
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.0)
    }

    fn host(&self, number: usize) -> String {
        format!("{}-host{number}", self.0)
    }

    /// Pulls a host's plug, or puts it in again.
    fn plug(&self, number: usize, state: &str) {
        ip(&format!("-n {} link set p{number} {state}", self.switch())).unwrap();
    }

    /// Does something as a process on that host would: a thread of its own is there.
    fn on<T: Send>(&self, number: usize, work: impl FnOnce() -> T + Send) -> T {
        let path = Path::new(NAMESPACES).join(self.host(number));
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            there.join().unwrap()
        })
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        // The links go with their ends. One that cannot be removed is left to the next sweep.
        for name in (0..HOSTS).map(|number| self.host(number)).chain([self.switch()]) {
            let _ = ip(&format!("netns del {name}"));
        }
    }
}

/// Removes what tests left that were killed.
fn sweep() {
    let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        let Some(rest) = name.strip_prefix("byzantium-") else { continue };
        let process = rest.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            let _ = ip(&format!("netns del {name}"));
        }
    }
}

fn address(number: usize) -> String {
    format!("10.77.0.{}", number + 1)
}

fn peers_at(number: usize) -> String {
    format!("{}:7000", address(number))
}

fn testnet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testnet"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The directories of nodes that know each other, as a person makes them on each host.
fn settle(dir: &Path, transport: &str) -> (Vec<PathBuf>, Genesis) {
    let dirs: Vec<_> = (0..HOSTS).map(|number| dir.join(format!("host{number}"))).collect();
    let key = |dir: &PathBuf| {
        let path = dir.to_str().unwrap();
        let output = finish(&mut testnet(&["node", "keys", "--new", "--json", "--dir", path]));
        let identity: Value = serde_json::from_slice(&output.stdout).unwrap();
        serde_json::from_value(identity["public_key"].clone()).unwrap()
    };
    let validators = dirs.iter().map(|dir| Validator { key: key(dir), stake: Stake(10) });
    let genesis = Genesis {
        name: "several hosts".into(),
        time: 1_700_000_000_000,
        consensus: "tendermint".into(),
        block_time: 200,
        settings: [].into(),
        validators: validators.collect(),
        accounts: vec![Funded { address: alice().public().address(), balance: Amount(1_000) }],
    };
    let file = dir.join("genesis.json");
    fs::write(&file, genesis.to_json()).unwrap();
    for (number, dir) in dirs.iter().enumerate() {
        let mut init = testnet(&["node", "init", "--rpc", RPC, "--transport", transport]);
        init.arg("--dir").arg(dir).arg("--genesis").arg(&file);
        init.args(["--id", &number.to_string(), "--listen", &peers_at(number)]);
        for other in (0..HOSTS).filter(|other| *other != number) {
            init.args(["--peer", &format!("{other}@{}", peers_at(other))]);
        }
        let output = finish(&mut init);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    (dirs, genesis)
}

/// A node on a host, once it says that it is ready. It ends with the test, since its standard input does.
fn start(lan: &Lan, number: usize, dir: &Path, transport: Transport) -> Guard {
    let log = File::create(dir.join("log")).unwrap();
    let mut command = testnet(&["node", "run", "--until-stdin-closes", "--dir"]);
    command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    let mut guard = Guard(lan.on(number, || command.spawn().unwrap()));
    let mut line = String::new();
    BufReader::new(guard.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let expected = format!("peers {} over {transport}\n", peers_at(number));
    assert!(line.ends_with(&expected), "{line:?}: {}", log_of(dir));
    guard
}

fn log_of(dir: &Path) -> String {
    fs::read_to_string(dir.join("log")).unwrap_or_default()
}

/// Asks a node, from its own host.
fn ask(lan: &Lan, number: usize, method: &str, params: Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    lan.on(number, || {
        let post = ureq::post(format!("http://{RPC}/")).config();
        let post = post.timeout_global(Some(PATIENCE)).build();
        let mut response = post.send_json(call).unwrap();
        let mut answer: Value = response.body_mut().read_json().unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].take()
    })
}

fn height(lan: &Lan, number: usize) -> u64 {
    ask(lan, number, "status", json!({}))["height"].as_u64().unwrap()
}

/// Waits until all of these hosts' nodes are so high.
fn reach(lan: &Lan, hosts: &[usize], wanted: u64, dirs: &[PathBuf]) {
    let start = Instant::now();
    for &number in hosts {
        while height(lan, number) < wanted {
            let late = start.elapsed() > PATIENCE;
            assert!(!late, "host {number} never reaches {wanted}: {}", log_of(&dirs[number]));
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn alice() -> SecretKey {
    SecretKey::from_seed([99; 32])
}

fn transfer(genesis: &Genesis) -> Transaction {
    let to = genesis.validators[0].key.address();
    let action = Action::Transfer { to, amount: Amount(30) };
    let (chain, sender, fee) = (genesis.chain_id(), alice().public(), Amount(2));
    Payload { chain, sender, nonce: 0, fee, action }.sign(&alice())
}

/// Four nodes on four hosts decide, one is unplugged for a while, and in the end all hold the same.
fn hosts_agree(transport: Transport) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let tag = transport.to_string().to_lowercase();
    let lan = match Lan::build(&tag) {
        Ok(lan) => lan,
        Err(why) => {
            // Past the test's own output, which nobody sees of a test that passes.
            let _ = writeln!(io::stderr(), "skipped: nodes on several hosts over {tag}: {why}");
            return;
        }
    };
    let dir = TempDir::new().unwrap();
    let (dirs, genesis) = settle(dir.path(), &tag);
    let _nodes: Vec<Guard> =
        dirs.iter().enumerate().map(|(number, dir)| start(&lan, number, dir, transport)).collect();
    reach(&lan, &[0, 1, 2, 3], 3, &dirs);

    lan.plug(3, "down");
    let transaction = transfer(&genesis);
    let digits = hex::encode(codec::encode(&transaction));
    ask(&lan, 0, "submit", json!({ "transaction": digits }));
    let before = (0..3).map(|number| height(&lan, number)).max().unwrap();
    reach(&lan, &[0, 1, 2], before + 4, &dirs);
    let stuck = height(&lan, 3);
    assert!(stuck <= before + 1, "{stuck} without a word from anybody, who were at {before}");
    lan.plug(3, "up");
    let now = height(&lan, 0);
    reach(&lan, &[0, 1, 2, 3], now + 3, &dirs);

    let found = |number| {
        let params = json!({ "id": transaction.id().to_string() });
        let answer = ask(&lan, number, "transaction", params);
        assert_eq!(answer["status"], "final", "{answer}");
        answer["height"].clone()
    };
    let at = found(0);
    assert!((1..HOSTS).all(|number| found(number) == at), "the same block everywhere");
    for height in 1..=now {
        let header = |number| {
            let blocks = ask(&lan, number, "blocks", json!({ "from": height }));
            blocks["blocks"][0]["header"].clone()
        };
        let first = header(0);
        assert_eq!(first["height"].as_u64(), Some(height));
        for number in 1..HOSTS {
            assert_eq!(header(number), first, "host {number} at height {height}");
        }
    }
}

#[test]
fn nodes_on_four_hosts_agree_over_tcp() {
    hosts_agree(Transport::Tcp);
}

#[test]
fn nodes_on_four_hosts_agree_over_quic() {
    hosts_agree(Transport::Quic);
}
