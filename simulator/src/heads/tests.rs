use super::*;
use crate::Setup;
use ledger::{
    Draft, Seal,
    store::{Batch, MemoryStore, Store},
};
use std::sync::Arc;

const ZERO: ReplicaId = ReplicaId(0);
const CONFIRMATIONS: u64 = 3;

/// A replica that adopts what it is told to.
struct Puppet {
    ledger: Ledger,
    store: Arc<MemoryStore>,
    heads: Heads,
    now: u64,
}

impl Puppet {
    fn new() -> Puppet {
        let store = Arc::new(MemoryStore::default());
        let genesis = Setup::new("tendermint", 1, 1).genesis();
        let ledger = Ledger::open(store.clone(), &genesis).expect("memory takes it");
        let mut puppet = Puppet { ledger, store, heads: Heads::new(1), now: 0 };
        puppet.look();
        puppet
    }

    fn look(&mut self) {
        self.now += 1;
        let now = Duration::from_secs(self.now);
        self.heads.look(ZERO, now, &self.ledger, CONFIRMATIONS);
    }

    /// So many more blocks on `parent`, the last of them adopted. Their names.
    fn grow(&mut self, parent: BlockHash, count: usize) -> Vec<BlockHash> {
        let mut parent = parent;
        let mut batch = Batch::default();
        let blocks = (0..count).map(|_| {
            // Its time makes each block another.
            self.now += 1;
            let time = self.ledger.genesis().time + 1_000 * self.now;
            let (proposer, seal) = (ZERO, Seal::default());
            let (transactions, duties) = (Vec::new(), Vec::new());
            let draft = Draft { parent, transactions, time, proposer, duties, seal };
            let block = self.ledger.assemble(draft).expect("it can be built");
            parent = self.ledger.accept(&block, &mut batch).expect("it is good");
            parent
        });
        let blocks = blocks.collect();
        self.store.write(&batch).expect("memory takes it");
        self.adopt(parent);
        blocks
    }

    fn adopt(&mut self, head: BlockHash) {
        self.ledger.adopt(head).expect("it is known");
        self.look();
    }

    fn commit(&mut self, block: BlockHash) {
        let mut batch = Batch::default();
        self.ledger.commit(block, None, &mut batch).expect("it is known");
        self.store.write(&batch).expect("memory takes it");
        self.look();
    }

    /// Lowest height, confirmed blocks and depth of each reversion.
    fn reversions(&self) -> Vec<(u64, u64, u64)> {
        let each = self.heads.reversions().iter();
        each.map(|each| (each.height, each.blocks, each.depth)).collect()
    }
}

#[test]
fn confirmed_blocks_that_are_replaced_are_a_reversion() {
    let mut puppet = Puppet::new();
    let genesis = puppet.ledger.root();
    let ours = puppet.grow(genesis, 5);
    // Heights 1 to 3 are confirmed; 2 to 5 go.
    puppet.grow(ours[0], 5);
    assert_eq!(puppet.reversions(), [(2, 2, 4)]);
    assert_eq!(puppet.heads.deepest(), 4);
}

#[test]
fn what_was_not_confirmed_may_go() {
    let mut puppet = Puppet::new();
    let genesis = puppet.ledger.root();
    let ours = puppet.grow(genesis, 5);
    puppet.grow(ours[2], 3);
    assert_eq!(puppet.reversions(), []);
    assert_eq!(puppet.heads.deepest(), 2);
    puppet.grow(ours[2], 4);
    assert_eq!(puppet.reversions(), [(4, 1, 3)], "height 4 was confirmed under the second branch");
}

/// A branch may be heavier and shorter.
#[test]
fn confirmed_is_what_was_confirmed_under_any_head() {
    let mut puppet = Puppet::new();
    let genesis = puppet.ledger.root();
    let ours = puppet.grow(genesis, 5);
    let shorter = puppet.grow(ours[2], 1);
    assert_eq!(puppet.reversions(), []);
    puppet.adopt(ours[1]);
    assert_eq!(puppet.reversions(), [], "an ancestor contradicts nothing");
    puppet.grow(ours[1], 2);
    assert_eq!(puppet.reversions(), [(3, 1, 2)], "height 3 was confirmed under height 5");
    assert_ne!(puppet.ledger.head(), shorter[0]);
}

#[test]
fn whoever_is_thrown_back_has_taken_nothing_back() {
    let mut puppet = Puppet::new();
    let genesis = puppet.ledger.root();
    let ours = puppet.grow(genesis, 6);
    puppet.adopt(genesis);
    puppet.adopt(ours[2]);
    puppet.adopt(ours[5]);
    assert_eq!(puppet.reversions(), []);
    puppet.adopt(genesis);
    puppet.grow(genesis, 1);
    assert_eq!(puppet.reversions(), [(1, 4, 6)]);
}

/// Many blocks may be adopted and committed within one look.
#[test]
fn what_is_committed_at_once_counts_too() {
    let mut puppet = Puppet::new();
    let genesis = puppet.ledger.root();
    puppet.grow(genesis, 5);
    let mut behind = std::mem::replace(&mut puppet.heads, Heads::new(1));
    let theirs = puppet.grow(genesis, 30);
    puppet.commit(theirs[24]);
    std::mem::swap(&mut behind, &mut puppet.heads);
    puppet.look();
    assert_eq!(puppet.reversions(), [(1, 3, 5)]);
}

#[test]
fn heights_are_known_at_any_time() {
    let mut puppet = Puppet::new();
    let height = |puppet: &Puppet, time| puppet.heads.height(ZERO, Duration::from_secs(time));
    assert_eq!((height(&puppet, 0), height(&puppet, 1)), (None, Some(0)));
    puppet.now = 10;
    let genesis = puppet.ledger.root();
    let ours = puppet.grow(genesis, 5);
    let then = puppet.now;
    assert_eq!((height(&puppet, then - 1), height(&puppet, then)), (Some(0), Some(5)));
    puppet.commit(ours[4]);
    assert_eq!(height(&puppet, then + 100), Some(5));
}

/// However long a run is, a branch takes no more than its heights below the root that are kept.
#[test]
fn what_is_long_committed_is_forgotten() {
    let mut puppet = Puppet::new();
    for _ in 0..5 {
        let root = puppet.ledger.root();
        let more = puppet.grow(root, 100);
        puppet.commit(more[99]);
    }
    // And what was adopted since the head before.
    assert!(puppet.heads.branches[0].blocks.len() as u64 <= KEPT_BELOW_ROOT + 101);
    assert_eq!(puppet.reversions(), []);
}
