//! A committee that changes: proofs are checked under the one that decided.

use super::*;
use consensus::{
    Signed,
    tendermint::{Commit, Message},
};
use crypto::SecretKey;
use ledger::{Action, Block, Payload, Proof};

/// How many blocks there are. The newcomer bonds in the first and decides from the third on.
const BLOCKS: u64 = 5;

/// A founder's directory. A newcomer with twice its stake joins. The last block is certified by `last`.
fn joined(last: &[u32]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let founder = key::create(&dir.path().join(crate::config::KEY_FILE)).expect("a key");
    let newcomer = SecretKey::from_seed([9; 32]);
    let genesis = Genesis {
        name: "joined".into(),
        time: 0,
        consensus: "tendermint".into(),
        block_time: 1_000,
        settings: [("ledger.unbonding_blocks".to_owned(), 9)].into(),
        validators: vec![Validator { key: founder.public(), stake: Stake(10) }],
        accounts: vec![Funded { address: newcomer.public().address(), balance: Amount(50) }],
    };
    configure(&dir, &genesis);
    let store: Arc<dyn Store> =
        Arc::new(DiskStore::open(dir.path().join(DATABASE)).expect("a fresh database"));
    let mut ledger = Ledger::open(Arc::clone(&store), &genesis).expect("a fresh chain");
    for height in 1..=BLOCKS {
        let mut batch = Batch::default();
        let action = Action::Bond { amount: Amount(20), validator: ReplicaId(1) };
        let (chain, sender, fee) = (genesis.chain_id(), newcomer.public(), Amount(0));
        let bond = Payload { chain, sender, nonce: 0, fee, action }.sign(&newcomer);
        let signers: Vec<u32> = match height {
            BLOCKS => last.to_vec(),
            _ => {
                let committee = ledger.committee(ledger.root()).expect("the root is known");
                committee.members().iter().map(|member| member.id.0).collect()
            }
        };
        let draft = Draft {
            parent: ledger.root(),
            transactions: if height == 1 { vec![bond] } else { Vec::new() },
            time: height,
            proposer: ReplicaId(0),
            duties: Vec::new(),
            seal: Seal::default(),
        };
        let block = ledger.assemble(draft).expect("a valid draft");
        let name = ledger.accept(&block, &mut batch).expect("our own");
        let keys = [&founder, &newcomer];
        let proof =
            certify(&genesis, &block, signers.into_iter().map(|id| (id, keys[id as usize])));
        ledger.commit(name, Some(proof), &mut batch).expect("on the root");
        store.write(&batch).expect("disk");
    }
    store.sync().expect("disk");
    dir
}

fn certify<'a>(
    genesis: &Genesis,
    block: &Block,
    signers: impl Iterator<Item = (u32, &'a SecretKey)>,
) -> Proof {
    let (height, value) = (block.header.height, Some(block.hash()));
    let sign = |(id, key): (u32, &SecretKey)| {
        let hand = Hand::new(ReplicaId(id), genesis.chain_id(), key.clone());
        let signed = Signed::by(&hand, Message::Precommit { height, round: 0, value, table: None });
        (ReplicaId(id), *signed.signature())
    };
    let (signatures, table) = (signers.map(sign).collect(), Default::default());
    Commit { round: 0, block: block.hash(), signatures, table }.encode()
}

#[test]
fn proofs_are_checked_under_the_committee_that_decided() {
    let dir = joined(&[0, 1]);
    let report = look(&dir).expect("it can be read");
    assert_eq!(report.flaws, Vec::<String>::new());
    assert_eq!((report.height, report.proven, report.supply), (BLOCKS, BLOCKS, 60));
}

#[test]
fn the_founders_alone_decide_no_more_after_a_change() {
    let dir = joined(&[0]);
    let report = look(&dir).expect("it can be read");
    assert_eq!(report.proven, BLOCKS - 1);
    let told = format!("the proof at height {BLOCKS} does not hold");
    assert!(report.flaws[0].contains(&told), "{:?}", report.flaws);
}
