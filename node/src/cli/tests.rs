use super::*;
use crypto::SecretKey;
use ledger::{Genesis, Stake, genesis::Validator};
use std::{fs, path::Path};

fn genesis(first: &SecretKey) -> Genesis {
    let other = SecretKey::from_seed([2; 32]);
    let validator = |key: &SecretKey| Validator { key: key.public(), stake: Stake(1) };
    Genesis {
        name: "a test".into(),
        time: 1,
        consensus: "tendermint".into(),
        block_time: 100,
        settings: Default::default(),
        validators: vec![validator(first), validator(&other)],
        accounts: Vec::new(),
    }
}

fn node(arguments: &str) -> Result<(), CliError> {
    let words = arguments.split_whitespace();
    let node = Node::try_parse_from(["node"].into_iter().chain(words)).expect("it parses");
    match node.command {
        Command::Init(init) => init.run(),
        Command::Run(run) => run.run(Extras::default(), Plain),
        Command::Keys(keys) => keys.run(),
        Command::Check(check) => check.run(),
    }
}

/// A directory with a key, and a genesis that names it first.
fn prepared() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let node_dir = dir.path().join("n0");
    node(&format!("keys --new --dir {}", node_dir.display())).expect("a key");
    let key = key::load(&node_dir.join(KEY_FILE)).expect("a key");
    let file = dir.path().join("chain.json");
    fs::write(&file, genesis(&key).to_json()).expect("written");
    (dir, node_dir.display().to_string(), file.display().to_string())
}

#[test]
fn a_key_a_genesis_and_init_make_a_node() {
    let (_dir, dir, genesis) = prepared();
    node(&format!("init --dir {dir} --genesis {genesis} --id 0 --peer 1@127.0.0.1:7001"))
        .expect("made");
    let config = NodeConfig::load(Path::new(&dir)).expect("good");
    assert_eq!(config.settings().peers[0].id, 1);
    assert_eq!(config.settings().peers[0].public_key, config.genesis().validators[1].key);
    assert!(!config.settings().trace);
}

#[test]
fn init_never_overwrites() {
    let (_dir, dir, genesis) = prepared();
    let init = format!("init --dir {dir} --genesis {genesis} --id 0");
    node(&init).expect("made");
    let path = Path::new(&dir).join("config.toml");
    let before = fs::read(&path).expect("there");
    let error = node(&format!("{init} --rpc 127.0.0.1:9")).expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("not overwritten"), "{error}");
    assert_eq!(fs::read(&path).expect("there"), before);
}

#[test]
fn init_keeps_another_chains_genesis() {
    let (_dir, dir, genesis) = prepared();
    let path = Path::new(&dir).join("genesis.json");
    let text = fs::read_to_string(&genesis).expect("there");
    fs::write(&path, text.replace("a test", "another")).expect("written");
    let error = node(&format!("init --dir {dir} --genesis {genesis} --id 0")).expect_err("refused");
    assert!(error.to_string().contains("genesis.json exists"), "{error}");
    assert!(!Path::new(&dir).join("config.toml").exists());
}

#[test]
fn init_with_a_fresh_key_says_what_to_do_with_it() {
    let (dir, _, genesis) = prepared();
    let fresh = dir.path().join("fresh");
    let init = format!("init --dir {} --genesis {genesis} --id 0", fresh.display());
    let error = node(&init).expect_err("the genesis cannot know it");
    let made = key::load(&fresh.join(KEY_FILE)).expect("it was made");
    assert!(error.to_string().contains(&made.public().to_string()), "{error}");
    assert!(error.to_string().contains("build the genesis with this key"), "{error}");
    assert!(!fresh.join("config.toml").exists());
}

#[test]
fn bad_arguments_exit_with_two() {
    let (_dir, dir, genesis) = prepared();
    let cases = [
        format!("init --dir {dir} --genesis {dir}/none.json --id 0"),
        format!("init --dir {dir} --genesis {genesis} --id 2"),
        format!("init --dir {dir} --genesis {genesis} --id 0 --peer 5@127.0.0.1:1"),
        format!("init --dir {dir} --genesis {genesis} --id 0 --peer 0@127.0.0.1:1"),
        format!("init --dir {dir} --genesis {genesis} --id 0 --rpc 0.0.0.0:8000"),
        format!("run --dir {dir}"),
        format!("keys --dir {dir}/none"),
    ];
    for case in cases {
        let error = node(&case).expect_err("refused");
        assert_eq!(error.exit_code(), 2, "{case}: {error}");
        assert!(!Path::new(&dir).join("config.toml").exists(), "{case}");
    }
}

#[test]
fn a_peer_is_an_id_and_an_address() {
    let peer: init::PeerAddress = "3@[::1]:70".parse().expect("good");
    assert_eq!((peer.id, peer.address.to_string().as_str()), (3, "[::1]:70"));
    for text in ["", "3", "@", "3@", "@127.0.0.1:1", "3@localhost", "-1@127.0.0.1:1", "3@1@2"] {
        let error = text.parse::<init::PeerAddress>().expect_err("refused");
        assert!(error.contains("ID@ADDRESS"), "{error}");
    }
}

#[test]
fn the_peer_id_is_the_one_the_network_uses() {
    let key = SecretKey::from_seed([1; 32]);
    let mut seed = *key.seed();
    let pair = libp2p::identity::Keypair::ed25519_from_bytes(&mut seed).expect("a seed");
    let identity = Identity::of(key.public());
    assert_eq!(identity.peer_id, pair.public().to_peer_id().to_string());
    assert_eq!(identity.address, key.public().address());
}

#[test]
fn a_filter_for_the_log_is_checked_when_it_is_given() {
    assert!(log_filter("info").is_ok());
    assert!(log_filter("info,node::network=debug").is_ok());
    assert!(log_filter("node=loud").is_err());
    assert_eq!(log_filter("").as_deref(), Ok(DEFAULT_LOG));
}

#[test]
fn the_log_is_text_for_people_unless_json_is_asked_for() {
    let run = |more: &str| {
        let words = ["node", "run", "--dir", "x"].into_iter().chain(more.split_whitespace());
        match Node::try_parse_from(words).map(|node| node.command) {
            Ok(Command::Run(run)) => Some((run.log, run.log_format)),
            _ => None,
        }
    };
    assert_eq!(run(""), Some((DEFAULT_LOG.to_owned(), LogFormat::Text)));
    assert_eq!(run("--log-format json --log warn"), Some(("warn".to_owned(), LogFormat::Json)));
    assert_eq!(run("--log-format xml"), None);
    assert!(log_filter(DEFAULT_LOG).is_ok());
}

#[test]
fn the_filter_for_the_log_may_come_from_the_environment() {
    let command = <Node as clap::CommandFactory>::command();
    let run = command.find_subcommand("run").expect("node run");
    let log = run.get_arguments().find(|argument| argument.get_id() == "log").expect("--log");
    assert_eq!(log.get_env(), Some("RUST_LOG".as_ref()));
}
