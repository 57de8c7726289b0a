use super::*;
use crate::{
    config::{Settings, key},
    testing::free_address,
};
use ledger::{
    Amount, Draft, Genesis, Ledger, ReplicaId, Seal, Stake,
    genesis::{Funded, Validator},
    store::Batch,
};
use std::collections::BTreeMap;
use tempfile::TempDir;

mod committees;

/// A directory of a single validator whose chain has a few blocks, committed with these proofs.
fn node(consensus: &str, blocks: u64) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = key::create(&dir.path().join(crate::config::KEY_FILE)).expect("a key");
    let validator = Validator { key: secret.public(), stake: Stake(1) };
    let genesis = Genesis {
        name: "checked".into(),
        time: 0,
        consensus: consensus.into(),
        block_time: 1_000,
        settings: BTreeMap::new(),
        validators: vec![validator],
        accounts: vec![Funded { address: secret.public().address(), balance: Amount(77) }],
    };
    configure(&dir, &genesis);
    let store: Arc<dyn Store> =
        Arc::new(DiskStore::open(dir.path().join(DATABASE)).expect("a fresh database"));
    let mut ledger = Ledger::open(Arc::clone(&store), &genesis).expect("a fresh chain");
    for time in 1..=blocks {
        let mut batch = Batch::default();
        let draft = Draft {
            parent: ledger.root(),
            transactions: Vec::new(),
            time,
            proposer: ReplicaId(0),
            duties: Vec::new(),
            seal: Seal::default(),
        };
        let block = ledger.assemble(draft).expect("a valid draft");
        let name = ledger.accept(&block, &mut batch).expect("our own");
        ledger.commit(name, None, &mut batch).expect("on the root");
        store.write(&batch).expect("disk");
    }
    store.sync().expect("disk");
    dir
}

/// Writes what makes a directory that of the first validator.
fn configure(dir: &TempDir, genesis: &Genesis) {
    let settings = Settings {
        id: 0,
        genesis: crate::config::GENESIS_FILE.into(),
        listen: free_address(),
        transport: Default::default(),
        rpc: free_address(),
        trace: false,
        guests: 0,
        peers: Vec::new(),
        miner: Default::default(),
    };
    let write =
        |name: &str, text: String| std::fs::write(dir.path().join(name), text).expect("disk");
    write(crate::config::CONFIG_FILE, settings.to_toml());
    write(crate::config::GENESIS_FILE, genesis.to_json());
}

fn look(dir: &TempDir) -> Result<Report, CheckError> {
    check(dir.path(), &mut |_, _| {})
}

#[test]
fn a_chain_whose_proofs_settle_nothing_is_sound_without_any() {
    let dir = node("pow", 5);
    let report = look(&dir).expect("it can be read");
    assert_eq!(report.flaws, Vec::<String>::new());
    assert_eq!((report.height, report.supply, report.accounts), (5, 77, 1));
}

#[test]
fn blocks_that_were_committed_without_a_proof_are_told() {
    let dir = node("tendermint", 3);
    let report = look(&dir).expect("it can be read");
    let [flaw] = &report.flaws[..] else { panic!("{:?}", report.flaws) };
    assert!(flaw.contains("from height 1 to 3 are committed without a proof"), "{flaw}");
}

#[test]
fn a_proof_that_does_not_hold_is_told() {
    let dir = node("tendermint", 2);
    let path = dir.path().join(DATABASE);
    let store: Arc<dyn Store> = Arc::new(DiskStore::open(&path).expect("it opens"));
    let genesis = NodeConfig::load(dir.path()).expect("a node").genesis().clone();
    let mut ledger = Ledger::open(Arc::clone(&store), &genesis).expect("it opens");
    let mut batch = Batch::default();
    let root = ledger.root();
    ledger.commit(root, Some(ledger::Proof(vec![1, 2, 3])), &mut batch).expect("committed");
    store.write(&batch).expect("disk");
    store.sync().expect("disk");
    drop((ledger, store));
    let report = look(&dir).expect("it can be read");
    assert!(report.flaws[0].contains("the proof at height 2 does not hold"), "{:?}", report.flaws);
}

#[test]
fn a_directory_without_a_database_says_so() {
    let dir = node("tendermint", 0);
    std::fs::remove_dir_all(dir.path().join(DATABASE)).expect("disk");
    let error = look(&dir).expect_err("nothing to check");
    assert!(matches!(error, CheckError::Missing { .. }), "{error}");
    assert!(!error.is_damage());
}

#[test]
fn a_damaged_file_is_damage_or_a_flaw_and_never_a_panic() {
    let dir = node("tendermint", 40);
    let path = dir.path().join(DATABASE);
    for entry in std::fs::read_dir(&path).expect("disk") {
        let file = entry.expect("disk").path();
        let whole = std::fs::read(&file).unwrap_or_default();
        if whole.len() < 64 {
            continue;
        }
        let mut bytes = whole.clone();
        let middle = bytes.len() / 3;
        bytes[middle..middle + 32].fill(0xa5);
        std::fs::write(&file, bytes).expect("disk");
        match look(&dir) {
            // Where nothing lies there is nothing to damage.
            Ok(report) => drop(report),
            Err(error) => assert!(error.is_damage(), "{}: {error}", file.display()),
        }
        std::fs::write(&file, whole).expect("disk");
    }
    let report = look(&dir).expect("restored");
    assert_eq!(report.height, 40);
}
