use super::*;
use ledger::{Stake, genesis::Validator};
use proptest::prelude::*;
use std::fs;
use tempfile::TempDir;

fn key(id: u8) -> SecretKey {
    SecretKey::from_seed([id + 1; 32])
}

fn genesis() -> Genesis {
    let validators = (0..4).map(|id| Validator { key: key(id).public(), stake: Stake(10) });
    Genesis {
        name: "a test".into(),
        time: 1,
        consensus: "tendermint".into(),
        block_time: 100,
        settings: [("ledger.unbonding_blocks".into(), 240)].into(),
        validators: validators.collect(),
        accounts: Vec::new(),
    }
}

fn settings() -> Settings {
    let peer = |id: u8| Peer {
        id: id.into(),
        public_key: key(id).public(),
        address: ([127, 0, 0, 1], 7000 + u16::from(id)).into(),
    };
    Settings {
        id: 0,
        genesis: GENESIS_FILE.into(),
        listen: "127.0.0.1:7000".parse().expect("an address"),
        transport: Transport::Tcp,
        rpc: "127.0.0.1:8000".parse().expect("an address"),
        trace: false,
        guests: MAX_GUESTS,
        miner: Mining::default(),
        peers: (1..4).map(peer).collect(),
    }
}

#[test]
fn the_transport_is_tcp_unless_it_says_quic() {
    let of = |line: &str| {
        let dir = written(&format!("{line}\n{}", settings().to_toml()));
        NodeConfig::load(dir.path()).map(|config| config.settings().transport)
    };
    assert_eq!(of("").expect("good"), Transport::Tcp);
    assert_eq!(of("transport = \"tcp\"").expect("good"), Transport::Tcp);
    assert_eq!(of("transport = \"quic\"").expect("good"), Transport::Quic);
    let words = of("transport = \"udp\"").expect_err("refused").to_string();
    assert!(words.contains("udp") && words.contains("quic"), "{words}");
    assert!(!settings().to_toml().contains("transport"), "what is usual is not written");
    let settings = Settings { transport: Transport::Quic, ..settings() };
    assert_eq!(toml::from_str(&settings.to_toml()), Ok(settings));
}

/// A directory as `node init` writes it, with other settings.
fn written(toml: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join(CONFIG_FILE), toml).expect("written");
    fs::write(dir.path().join(GENESIS_FILE), genesis().to_json()).expect("written");
    key::write(&dir.path().join(KEY_FILE), &key(0)).expect("written");
    dir
}

/// The error's words, after checking that they name the file.
fn complaint(toml: &str) -> String {
    let dir = written(toml);
    let error = NodeConfig::load(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
    error
}

fn changed(change: impl FnOnce(&mut Settings)) -> String {
    let mut settings = settings();
    change(&mut settings);
    complaint(&settings.to_toml())
}

#[test]
fn what_is_written_is_read_back() {
    let dir = written(&settings().to_toml());
    let config = NodeConfig::load(dir.path()).expect("good");
    assert_eq!(config.settings(), &settings());
    assert_eq!(config.genesis(), &genesis());
    assert_eq!(config.key().public(), key(0).public());
    assert_eq!(config.keys().chain(), genesis().chain_id());
    assert_eq!(config.id(), ReplicaId(0));
}

#[test]
fn trace_and_peers_may_be_left_out() {
    let dir = written(
        "id = 0\ngenesis = \"genesis.json\"\nlisten = \"127.0.0.1:0\"\nrpc = \"[::1]:0\"\n",
    );
    let config = NodeConfig::load(dir.path()).expect("good");
    assert!(!config.settings().trace);
    assert!(config.settings().peers.is_empty());
}

#[test]
fn the_miner_may_be_left_out_in_whole_or_in_part() {
    let mining = |section: &str| {
        let dir = written(&format!("{}\n{section}", settings().to_toml()));
        NodeConfig::load(dir.path()).expect("good").settings().miner
    };
    assert_eq!(mining(""), Mining { threads: 1, share: 1.0 });
    assert_eq!(mining("[miner]"), Mining::default());
    assert_eq!(mining("[miner]\nshare = 0.1"), Mining { threads: 1, share: 0.1 });
    assert_eq!(mining("[miner]\nthreads = 256\nshare = 1"), Mining { threads: 256, share: 1.0 });
    assert!(!settings().to_toml().contains("miner"), "what is usual is not written");
    let mut settings = settings();
    settings.miner = Mining { threads: 3, share: 0.25 };
    assert_eq!(toml::from_str(&settings.to_toml()), Ok(settings));
}

#[test]
fn a_miner_that_cannot_be_is_refused() {
    for share in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
        let error = changed(|settings| settings.miner.share = share);
        assert!(error.contains(&format!("`share = {share}` in [miner]")), "{error}");
        assert!(error.contains("above 0 and at most 1"), "{error}");
    }
    for threads in [0, 257, u32::MAX] {
        let error = changed(|settings| settings.miner.threads = threads);
        assert!(error.contains(&format!("`threads = {threads}` in [miner]")), "{error}");
        assert!(error.contains("1 to 256"), "{error}");
    }
    let with = |section: &str| complaint(&format!("{}\n{section}", settings().to_toml()));
    let error = with("[miner]\nspeed = 1");
    assert!(error.contains("speed") && error.contains("`threads`"), "{error}");
    let error = with("[miner]\nshare = \"half\"");
    assert!(error.contains("half") && error.contains("f64"), "{error}");
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let error = complaint(&format!("tarce = true\n{}", settings().to_toml()));
    assert!(error.contains("tarce"), "{error}");
    assert!(error.contains("trace"), "it names what there is: {error}");
}

#[test]
fn a_broken_line_is_shown() {
    let error = complaint("id = 0\nlisten = nowhere\n");
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn an_rpc_for_other_machines_is_refused() {
    for address in ["0.0.0.0:8000", "192.168.1.7:8000", "[::]:8000"] {
        let error = changed(|settings| settings.rpc = address.parse().expect("an address"));
        assert!(error.contains(address) && error.contains("use 127.0.0.1"), "{error}");
    }
}

#[test]
fn a_number_that_no_validator_can_have_is_refused() {
    for id in [MAX_SEATS, u32::MAX] {
        let error = changed(|settings| settings.id = id);
        assert!(error.contains(&format!("id = {id}")) && error.contains("4095"), "{error}");
        let error = changed(|settings| settings.peers[0].id = id);
        assert!(error.contains(&format!("id = {id}")) && error.contains("4095"), "{error}");
    }
}

#[test]
fn where_members_are_fixed_a_number_beyond_the_genesis_is_refused() {
    let fixed = Genesis { settings: Default::default(), ..genesis() };
    let load = |settings: Settings, key: SecretKey| {
        NodeConfig::new(Path::new("there"), settings, fixed.clone(), key)
    };
    load(settings(), key(0)).expect("the founders are as anywhere");
    let error = load(Settings { id: 4, ..settings() }, key(4)).expect_err("refused").to_string();
    assert!(error.contains("id = 4") && error.contains("choose 0 to 3"), "{error}");
    let mut settings = settings();
    settings.peers[0] = Peer { id: 9, public_key: key(9).public(), ..settings.peers[0].clone() };
    let error = load(settings, key(0)).expect_err("refused").to_string();
    assert!(error.contains("id = 9") && error.contains("remove it"), "{error}");
}

#[test]
fn a_node_that_is_no_founder_has_a_number_and_a_key_of_its_own() {
    let mut settings = settings();
    settings.peers[0].id = 9;
    settings.peers[0].public_key = key(9).public();
    settings.id = 4;
    let load = |settings: &Settings, key: SecretKey| {
        NodeConfig::new(Path::new("there"), settings.clone(), genesis(), key)
    };
    let config = load(&settings, key(4)).expect("good");
    assert_eq!((config.id(), config.is_founder()), (ReplicaId(4), false));
    assert_eq!(config.settings().peers[0].id, 9, "another may have joined, too");
    let error = load(&settings, key(2)).expect_err("refused").to_string();
    assert!(error.contains("write `id = 2`"), "{error}");
    assert!(error.contains(&key(2).public().to_string()), "{error}");
}

#[test]
fn peers_with_a_founders_number_have_its_key_and_nobody_else_has_it() {
    let error = changed(|settings| settings.peers[0].id = 9);
    assert!(error.contains("peer 9") && error.contains("validator 1"), "{error}");
    let error = changed(|settings| settings.peers[0] = settings.peers[1].clone());
    assert!(error.contains("peer 2 is listed twice"), "{error}");
    let error = changed(|settings| settings.peers[0].id = 0);
    assert!(error.contains("this node itself"), "{error}");
    let error = changed(|settings| settings.peers[0].public_key = key(9).public());
    assert!(error.contains(&key(9).public().to_string()), "{error}");
    assert!(error.contains(&key(1).public().to_string()), "{error}");
}

#[test]
fn the_key_must_be_the_one_the_genesis_gives() {
    let error = changed(|settings| {
        settings.id = 1;
        settings.peers.remove(0);
    });
    assert!(error.contains(&key(0).public().to_string()), "{error}");
    assert!(error.contains(&key(1).public().to_string()), "{error}");
    assert!(error.contains(KEY_FILE), "{error}");
}

#[test]
fn a_bad_genesis_is_named() {
    let dir = written(&settings().to_toml());
    let path = dir.path().join(GENESIS_FILE);
    for (content, word) in [("{}", "missing field"), ("[1, 2", "genesis cannot be read")] {
        fs::write(&path, content).expect("written");
        let error = NodeConfig::load(dir.path()).expect_err("refused").to_string();
        assert!(error.contains(word) && error.contains(GENESIS_FILE), "{error}");
    }
    fs::remove_file(&path).expect("removed");
    let error = NodeConfig::load(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(GENESIS_FILE), "{error}");
}

#[test]
fn an_empty_directory_says_what_fills_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = NodeConfig::load(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(CONFIG_FILE) && error.contains("node init"), "{error}");
}

proptest! {
    #[test]
    fn whatever_a_file_holds_is_settings_or_an_error(
        text in "[ -~\n]{0,300}",
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..128_u8), 0..6),
    ) {
        let mut bytes = settings().to_toml().into_bytes();
        for (index, byte) in changes {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        let nearly_right = String::from_utf8(bytes).expect("all of it is ASCII");
        for text in [text, nearly_right] {
            if let Ok(read) = toml::from_str::<Settings>(&text) {
                prop_assert_eq!(toml::from_str::<Settings>(&read.to_toml()), Ok(read.clone()));
                // Whatever it says, it is checked without a panic.
                let _ = check_settings(&read, &genesis());
            }
            let _ = Genesis::parse(&text);
        }
    }
}
