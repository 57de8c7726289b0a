use super::*;
use crate::work::Target;
use crypto::Hash;
use ledger::{Header, Seal};

const SECOND: Duration = Duration::from_secs(1);

/// A block on `parent`, as heavy as so many hashes; another `time` makes it another one.
fn block(parent: BlockHash, height: u64, hashes: u64, time: u64) -> Orphan {
    let header = Header {
        parent,
        height,
        time,
        proposer: ReplicaId(0),
        transactions: Hash::ZERO,
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal { bits: Target::for_hashes(hashes).to_bits(), nonce: 0 },
    };
    let block = Arc::new(Block { header, transactions: Vec::new(), duties: Vec::new() });
    Orphan { hash: block.hash(), block, from: ReplicaId(0) }
}

/// Blocks in a row upon `parent`, lowest first, all waiting.
fn wait(
    orphans: &mut Orphans,
    parent: BlockHash,
    heights: std::ops::Range<u64>,
    time: u64,
) -> Vec<BlockHash> {
    let mut parent = parent;
    let each = heights.map(|height| {
        let orphan = block(parent, height, 100, time);
        parent = orphan.hash;
        orphans.insert(orphan, Duration::ZERO);
        parent
    });
    each.collect()
}

/// A branch that began below the root is needed whole to be weighed (R12).
#[test]
fn what_a_branch_above_the_root_stands_on_stays() {
    let mut orphans = Orphans::default();
    let long = wait(&mut orphans, BlockHash::default(), 5..20, 0);
    let short = wait(&mut orphans, long[0], 6..9, 1);
    orphans.expire(10, SECOND, SECOND);
    assert!(long.iter().all(|hash| orphans.contains(*hash)));
    assert!(short.iter().all(|hash| !orphans.contains(*hash)), "it ends below the root");
    orphans.expire(19, SECOND, SECOND);
    assert!(long.iter().all(|hash| !orphans.contains(*hash)), "it does not reach above the root");
}

#[test]
fn nothing_waits_for_ever() {
    let mut orphans = Orphans::default();
    let branch = wait(&mut orphans, BlockHash::default(), 5..20, 0);
    orphans.expire(0, SECOND * PATIENCE, SECOND);
    assert!(branch.iter().all(|hash| !orphans.contains(*hash)));
    assert!(orphans.all_missing().is_empty());
}

/// Work is what counts, not length.
#[test]
fn the_heaviest_branch_upon_a_block_is_found() {
    let mut orphans = Orphans::default();
    let trunk = wait(&mut orphans, BlockHash::default(), 5..8, 0);
    let long = wait(&mut orphans, trunk[1], 7..12, 1);
    let heavy = block(trunk[2], 8, 600, 0);
    let hash = heavy.hash;
    assert_eq!(orphans.heaviest_upon(trunk[0]), long[4]);
    orphans.insert(heavy, Duration::ZERO);
    assert_eq!(orphans.heaviest_upon(trunk[0]), hash);
    assert_eq!(orphans.heaviest_upon(long[0]), long[4]);
    assert_eq!(orphans.heaviest_upon(long[4]), long[4]);
}
