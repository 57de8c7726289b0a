//! The tree of valid blocks over the committed root, and the work in each branch.

use super::{
    Message,
    mutants::{self, Branch, N1},
};
use crate::{
    Flaw,
    protocol::{Effect, Turn},
    work::{Target, Work},
};
use crypto::codec;
use ledger::{BlockHash, Header};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many invalid blocks are remembered; the oldest is forgotten first, and would be judged again.
const MAX_INVALID: usize = 1_024;

/// No record of ours is longer, in bytes: every block the ledger's tree can hold, by name.
const MAX_RECORD_BYTES: usize = 64 * 1024;

/// Valid blocks that may still count.
#[derive(Debug)]
pub(super) struct Tree {
    flaw: Flaw,
    root: BlockHash,
    head: BlockHash,
    /// The root, and everything known above it.
    nodes: BTreeMap<BlockHash, Node>,
    /// In the order they were seen, without the root.
    seen: Vec<BlockHash>,
    invalid: BTreeSet<BlockHash>,
    condemned: VecDeque<BlockHash>,
}

#[derive(Debug)]
struct Node {
    header: Header,
    /// From the genesis to this block.
    work: Work,
}

impl Node {
    fn branch(&self) -> Branch {
        Branch { height: self.header.height, work: self.work }
    }
}

/// What is persisted.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    /// Instead of all before: where the tree begins, and what stood in it, in the order it was seen.
    Tree { root: BlockHash, work: [u8; 32], seen: Vec<BlockHash> },
    /// One more.
    Accepted(BlockHash),
}

/// A block was accepted: told to later lives.
pub(super) fn accepted(hash: BlockHash) -> Effect<Message> {
    Effect::Persist { record: codec::encode(&Record::Accepted(hash)), fresh: false }
}

impl Tree {
    /// What the records and the ledger remember.
    ///
    /// # Panics
    /// If they do not belong together: they were written in the same batches.
    pub(super) fn restore(flaw: Flaw, records: &[Vec<u8>], turn: &Turn<'_, Message>) -> Tree {
        let root = turn.app.root();
        let header = turn.app.block(root).expect("the ledger has its root").header.clone();
        let (mut from, mut work, mut hashes) = (root, Work::ZERO, Vec::new());
        for record in records {
            match codec::decode(record, MAX_RECORD_BYTES).expect("a record we wrote ourselves") {
                Record::Accepted(hash) => hashes.push(hash),
                Record::Tree { root, work: sum, seen } => {
                    (from, work, hashes) = (root, Work::from_be_bytes(sum), seen);
                }
            }
        }
        let node = Node { header, work };
        let (nodes, seen) = (BTreeMap::from([(root, node)]), Vec::new());
        let (invalid, condemned) = (BTreeSet::new(), VecDeque::new());
        let mut tree = Tree { flaw, root, head: root, nodes, seen, invalid, condemned };
        if from != root {
            // The replica's sync committed in the last step of a life, and we never heard of it.
            tree.nodes.get_mut(&root).expect("just put there").work =
                work.plus(work_between(from, root, turn));
        }
        for hash in hashes.into_iter().filter(|hash| *hash != root) {
            if let Some(block) = turn.app.block(hash)
                && tree.contains(block.header.parent)
            {
                tree.insert(&block.header, hash);
            }
        }
        tree
    }

    pub(super) fn contains(&self, hash: BlockHash) -> bool {
        self.nodes.contains_key(&hash)
    }

    pub(super) fn header(&self, hash: BlockHash) -> Option<&Header> {
        self.nodes.get(&hash).map(|node| &node.header)
    }

    /// The tip of the branch that counts.
    pub(super) fn head(&self) -> BlockHash {
        self.head
    }

    pub(super) fn root_height(&self) -> u64 {
        self.nodes[&self.root].header.height
    }

    /// How many blocks there are from just above the root to the head.
    pub(super) fn length(&self) -> u64 {
        self.nodes[&self.head].header.height - self.root_height()
    }

    /// The work from the genesis to the head.
    pub(super) fn work(&self) -> Work {
        self.nodes[&self.head].work
    }

    /// The work from a committed block to the head.
    pub(super) fn work_since(&self, committed: BlockHash, turn: &Turn<'_, Message>) -> Work {
        let undecided = self.work().less(self.nodes[&self.root].work);
        undecided.plus(work_between(committed, self.root, turn))
    }

    /// Adds a valid child of a block that is here. Heavier than the head, strictly, it is the head.
    pub(super) fn insert(&mut self, header: &Header, hash: BlockHash) {
        let work = self.nodes[&header.parent].work.plus(worth(header));
        self.nodes.insert(hash, Node { header: header.clone(), work });
        if self.outdoes(hash, self.head) {
            self.head = hash;
        }
        self.seen.push(hash);
    }

    /// R8: whether the branch that ends in `found` takes the place of the one that ends in `held`.
    fn outdoes(&self, found: BlockHash, held: BlockHash) -> bool {
        let [found, held] = [found, held].map(|hash| self.nodes[&hash].branch());
        match self.flaw.is(N1) {
            false => found.work > held.work,
            true => mutants::n1_outdoes(found, held),
        }
    }

    /// How much is in the branch that ends in a block, if that is here.
    pub(super) fn measure(&self, hash: BlockHash) -> Option<Branch> {
        self.nodes.get(&hash).map(Node::branch)
    }

    /// The branch from just above the root to the head, oldest first.
    pub(super) fn branch(&self) -> Vec<(BlockHash, &Header)> {
        let mut branch = Vec::new();
        let mut at = self.head;
        while at != self.root {
            let header = &self.nodes[&at].header;
            branch.push((at, header));
            at = header.parent;
        }
        branch.reverse();
        branch
    }

    /// How many blocks of the branch that ended in `before` are not in that of the head.
    pub(super) fn undone(&self, before: BlockHash) -> u64 {
        let below = |at: BlockHash| {
            let Header { parent, height, .. } = self.nodes[&at].header;
            (parent, height)
        };
        let (mut ours, mut theirs, mut undone) = (self.head, before, 0);
        // Both descend from the root: whichever is higher goes down until they meet.
        while ours != theirs {
            let (our_parent, our_height) = below(ours);
            let (their_parent, their_height) = below(theirs);
            if our_height >= their_height {
                ours = our_parent;
            }
            if their_height >= our_height {
                theirs = their_parent;
                undone += 1;
            }
        }
        undone
    }

    /// Whether this block can never count.
    pub(super) fn is_invalid(&self, hash: BlockHash) -> bool {
        self.invalid.contains(&hash)
    }

    /// This block, with the body its header names, can never count.
    pub(super) fn condemn(&mut self, hash: BlockHash) {
        if self.invalid.insert(hash) {
            self.condemned.push_back(hash);
        }
        if self.condemned.len() > MAX_INVALID
            && let Some(oldest) = self.condemned.pop_front()
        {
            self.invalid.remove(&oldest);
        }
    }

    /// Takes in a committed block that was never seen here, and whose ancestors below the present
    /// root were.
    pub(super) fn learn(&mut self, hash: BlockHash, turn: &Turn<'_, Message>) {
        let header = turn.app.block(hash).expect("it is committed").header.clone();
        let work = self.nodes[&self.root].work.plus(work_between(self.root, hash, turn));
        self.nodes.insert(hash, Node { header, work });
    }

    /// `root`, which is here, is committed: what does not descend from it is gone.
    pub(super) fn prune(&mut self, root: BlockHash) {
        let mut kept = BTreeSet::from([root]);
        // A child is always seen after its parent.
        self.seen.retain(|hash| {
            let stays = kept.contains(&self.nodes[hash].header.parent);
            if stays {
                kept.insert(*hash);
            }
            stays
        });
        self.nodes.retain(|hash, _| kept.contains(hash));
        self.root = root;
        if !self.contains(self.head) {
            // The first seen of the heaviest.
            let all = self.seen.iter().copied();
            self.head =
                all.fold(root, |best, hash| if self.outdoes(hash, best) { hash } else { best });
        }
    }

    /// All that later lives need to know.
    pub(super) fn record(&self) -> Effect<Message> {
        let work = self.nodes[&self.root].work.to_be_bytes();
        let record = Record::Tree { root: self.root, work, seen: self.seen.clone() };
        Effect::Persist { record: codec::encode(&record), fresh: true }
    }
}

/// What one header's target stands for.
pub(super) fn worth(header: &Header) -> Work {
    Target::from_bits(header.seal.bits).map_or(Work::ZERO, Target::work)
}

/// The work in the committed blocks above `from` up to `to`.
fn work_between(from: BlockHash, to: BlockHash, turn: &Turn<'_, Message>) -> Work {
    let mut sum = Work::ZERO;
    let mut at = to;
    while at != from {
        let block = turn.app.block(at).expect("what is committed is kept");
        if block.header.height == 0 {
            break;
        }
        sum = sum.plus(worth(&block.header));
        at = block.header.parent;
    }
    sum
}
