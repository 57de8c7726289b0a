use super::*;
use crate::live::{
    home::Place,
    net::{Net, Wish},
};
use ledger::{
    Draft, Ledger, ReplicaId, Seal,
    store::{Batch, DiskStore, Store},
};
use node::config::DATABASE;
use std::sync::Arc;

/// A network of one that never ran, and what is in its node's database: as many blocks, each
/// committed without a proof.
fn founded(blocks: u64) -> (tempfile::TempDir, Net) {
    let dir = tempfile::tempdir().unwrap();
    let wish = Wish { replicas: Some(1), ..Wish::default() };
    let net = Net::found(Place::new(dir.path()), &wish).unwrap();
    let path = net.place.node(0).join(DATABASE);
    let store: Arc<dyn Store> = Arc::new(DiskStore::open(path).unwrap());
    let mut ledger = Ledger::open(Arc::clone(&store), &net.genesis).unwrap();
    for block in 1..=blocks {
        let mut batch = Batch::default();
        let draft = Draft {
            parent: ledger.root(),
            transactions: Vec::new(),
            time: net.genesis.time + block,
            proposer: ReplicaId(0),
            duties: Vec::new(),
            seal: Seal::default(),
        };
        let block = ledger.assemble(draft).unwrap();
        let name = ledger.accept(&block, &mut batch).unwrap();
        ledger.commit(name, None, &mut batch).unwrap();
        store.write(&batch).unwrap();
    }
    store.sync().unwrap();
    (dir, net)
}

#[test]
fn a_sound_database_has_no_flaw() {
    let (_dir, net) = founded(0);
    assert_eq!(flaw(&net.place.node(0)), None);
}

#[test]
fn what_the_check_finds_is_a_fault() {
    let (_dir, net) = founded(3);
    let flaw = flaw(&net.place.node(0)).unwrap();
    assert!(flaw.starts_with("it is flawed: "), "{flaw}");
    assert!(flaw.contains("from height 1 to 3 are committed without a proof"), "{flaw}");
}

#[test]
fn what_cannot_be_checked_is_a_fault() {
    let (_dir, net) = founded(0);
    std::fs::remove_dir_all(net.place.node(0).join(DATABASE)).unwrap();
    let flaw = flaw(&net.place.node(0)).unwrap();
    assert!(flaw.starts_with("it cannot be checked: "), "{flaw}");
}
