//! The program `node`, as a person or the testnet runs it: a chain of one validator.

use ledger::{Genesis, Stake, genesis::Validator};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn node(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("it runs")
}

/// A directory made by the program itself.
fn prepared() -> TempDir {
    prepared_with(&[])
}

/// The same with these settings of the chain.
fn prepared_with(settings: &[(&str, u64)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("text");
    let keys = node(&["keys", "--dir", path, "--new", "--json"]);
    let keys: serde_json::Value = serde_json::from_slice(&keys.stdout).expect("JSON");
    let key = keys["public_key"].as_str().expect("a key").parse().expect("a key");
    let genesis = Genesis {
        name: "one".into(),
        time: 1,
        consensus: "tendermint".into(),
        block_time: 50,
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
        validators: vec![Validator { key, stake: Stake(1) }],
        accounts: Vec::new(),
    };
    let file = dir.path().join("chain.json");
    fs::write(&file, genesis.to_json()).expect("written");
    let file = file.to_str().expect("text");
    let any = "127.0.0.1:0";
    let init =
        ["init", "--dir", path, "--genesis", file, "--id", "0", "--listen", any, "--rpc", any];
    let made = node(&init);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

/// A running node and its RPC's address. Killed if a test fails.
struct Running {
    child: Child,
    rpc: String,
}

impl Running {
    fn start(dir: &Path, arguments: &[&str]) -> Running {
        let mut command = program();
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        command.args(["run", "--dir"]).arg(dir).args(arguments);
        Running::spawn(command)
    }

    fn spawn(mut command: Command) -> Running {
        let mut child = command.spawn().expect("it runs");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let rpc = line.strip_prefix("ready: rpc ").and_then(|rest| rest.split(',').next());
        let rpc = rpc.unwrap_or_else(|| panic!("not ready: {line:?}")).to_owned();
        Running { child, rpc }
    }

    fn height(&self) -> u64 {
        let call = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "status" });
        let mut answer = ureq::post(&self.rpc).send_json(call).expect("the RPC answers");
        let answer: serde_json::Value = answer.body_mut().read_json().expect("JSON");
        answer["result"]["height"].as_u64().expect("a height")
    }

    fn reach(&self, height: u64) {
        let start = Instant::now();
        while self.height() < height {
            assert!(start.elapsed() < SOON);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("ours") {
                return status;
            }
            assert!(start.elapsed() < SOON, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_signal_stops_it_in_order_and_it_goes_on_where_it_was() {
    let dir = prepared();
    for signal in ["-TERM", "-INT"] {
        let mut running = Running::start(dir.path(), &["--log", "error"]);
        let before = running.height();
        running.reach(before + 2);
        let told = Command::new("kill").arg(signal).arg(running.child.id().to_string()).status();
        assert!(told.expect("kill").success());
        assert_eq!(running.ended().code(), Some(0), "{signal}");
        let again = Running::start(dir.path(), &[]);
        assert!(again.height() >= before + 2);
    }
}

#[test]
fn it_leaves_with_its_parent() {
    let dir = prepared();
    let mut running = Running::start(dir.path(), &["--until-stdin-closes"]);
    running.reach(1);
    assert!(running.child.try_wait().expect("ours").is_none());
    drop(running.child.stdin.take());
    assert_eq!(running.ended().code(), Some(0));
}

#[test]
fn a_killed_node_goes_on_where_its_disk_was() {
    let dir = prepared();
    let mut running = Running::start(dir.path(), &[]);
    running.reach(3);
    running.child.kill().expect("ours");
    running.ended();
    let again = Running::start(dir.path(), &[]);
    assert!(again.height() >= 3, "what the RPC told was durable");
    again.reach(again.height() + 1);
}

#[test]
fn a_second_node_on_one_directory_exits_with_three() {
    let dir = prepared();
    let _running = Running::start(dir.path(), &[]);
    let second = program().args(["run", "--dir"]).arg(dir.path()).output().expect("it runs");
    assert_eq!(second.status.code(), Some(3));
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(words.contains("another node"), "{words}");
}

#[test]
fn bad_input_exits_with_two_and_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = program().args(["run", "--dir"]).arg(dir.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("node init"));
    assert_eq!(node(&["run"]).status.code(), Some(2), "clap agrees");
}

#[test]
fn it_is_ready_soon() {
    let dir = prepared();
    let start = Instant::now();
    let mut running = Running::start(dir.path(), &["--until-stdin-closes"]);
    running.height();
    let took = start.elapsed();
    // A few hundred milliseconds; a machine may be slow, but nothing is waited for without end.
    assert!(took < SOON, "{took:?}");
    drop(running.child.stdin.take());
    running.ended();
    let mut rest = String::new();
    running.child.stdout.take().expect("piped").read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "", "standard output has one line");
}

#[test]
fn its_log_is_json_for_programs_and_without_colours_for_files() {
    for (format, is_json) in [("json", true), ("text", false)] {
        let dir = prepared();
        let mut command = program();
        command.stdin(Stdio::null()).args(["run", "--until-stdin-closes", "--dir"]).arg(dir.path());
        let output = command.args(["--log-format", format]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let log = String::from_utf8(output.stderr).expect("text");
        assert!(!log.contains('\u{1b}'), "{log}");
        let mut lines = log.lines().peekable();
        assert!(lines.peek().is_some());
        for line in lines {
            let value: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert_eq!(value.is_ok_and(|value| value["level"].is_string()), is_json, "{line}");
        }
    }
}

/// A node's log, once its chain has grown. However slow the machine, no round fails.
fn log_of(arguments: &[&str], variable: Option<&str>) -> String {
    let dir = prepared_with(&[("tendermint.propose_ms", 60_000)]);
    let mut command = program();
    command.stdin(Stdio::piped()).env_remove("RUST_LOG");
    command.args(["run", "--until-stdin-closes", "--dir"]).arg(dir.path()).args(arguments);
    variable.map(|filter| command.env("RUST_LOG", filter));
    let mut running = Running::spawn(command);
    // A pipe that nobody empties would stop it.
    let mut pipe = running.child.stderr.take().expect("piped");
    let reader = thread::spawn(move || {
        let mut log = String::new();
        pipe.read_to_string(&mut log).expect("text");
        log
    });
    running.reach(4);
    drop(running.child.stdin.take());
    running.ended();
    reader.join().expect("no panic")
}

#[test]
fn every_line_about_a_height_says_which_in_text_and_json() {
    let text = log_of(&[], None);
    let blocks = |log: &str| log.lines().filter(|line| line.contains(" is final: ")).count();
    assert!(blocks(&text) >= 4, "{text}");
    for height in 2..=4 {
        let block = format!(
            " INFO height{{height={height} round=0}}: node::runtime::driver: block {height} is final: "
        );
        let line = text.lines().find(|line| line.contains(&block));
        let line = line.unwrap_or_else(|| panic!("no {block:?} in {text}"));
        let took = line.split_once(" transactions, after ").map(|(_, rest)| rest);
        let took = took.and_then(|rest| rest.strip_suffix(" s, in one round"));
        assert!(took.is_some_and(|seconds| seconds.parse::<f64>().is_ok()), "{line}");
    }
    let json = log_of(&["--log-format", "json"], None);
    let values =
        json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let about: Vec<_> = values
        .filter(|value| value["message"].as_str().is_some_and(|text| text.contains(" is final: ")))
        .collect();
    assert!(about.len() >= 4, "{json}");
    for (height, value) in (1..).zip(about) {
        assert_eq!(
            (&value["span"]["name"], &value["span"]["height"]),
            (&"height".into(), &height.into())
        );
    }
}

#[test]
fn the_environment_says_what_to_log_unless_a_flag_does() {
    let steps = log_of(&[], Some("info,node::runtime=debug"));
    let step = "height{height=3 round=0}: node::runtime::heights: the first proposal is here";
    assert!(steps.contains(step), "{steps}");
    assert_eq!(log_of(&["--log", "error"], Some("debug")), "");
    assert!(log_of(&[], Some("")).contains(" is final: "), "set to nothing is not set");
}
