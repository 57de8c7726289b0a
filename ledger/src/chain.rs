//! The ledger: what is committed, and the tree of undecided blocks that stands upon it.
//!
//! ```text
//!   genesis ── 1 ── 2 ── root ─┬─ 4 ── 5   head
//!   committed, in the store    └─ 4'       undecided, state in memory over the root's
//! ```
//!
//! A block enters the tree by [`Ledger::accept`], which checks everything about it that needs no
//! clock and no consensus. [`Ledger::adopt`] says which tip is ours for now and may be undone;
//! [`Ledger::commit`] moves the root and never is. A branch keeps its state as differences to its
//! parent's, so that a reorganisation needs no undo log.
//!
//! The ledger writes nothing but the genesis. It puts its changes into the batch of the step, so
//! that they become durable together with what the replica says in that step, and sees them at once
//! itself. Batches must be written in the order they were filled, all of them.
//!
//! A failing store is the end of a replica, since it no longer knows what it promised: methods that
//! do not return a [`StoreError`] panic on one.

use crate::{
    Amount, Block, BlockHash, ChainId, Genesis, Header, Keys, Leak, Proof, Rejected, Staking,
    Transaction, TransactionId,
    query::Finality,
    state::{
        Account, AccountProof,
        tree::{self, Overlay, View},
    },
    store::{Batch, StoreError, ahead::Ahead, keys},
};
use crypto::{Address, codec};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub mod audit;
mod build;
mod index;
mod open;
mod recall;
mod stakes;
#[cfg(test)]
mod tests;

use index::Index;
pub use open::{OpenError, genesis_header};
use recall::Recall;
use stakes::Standing;

/// How many undecided blocks the tree holds at most.
pub const MAX_UNDECIDED: usize = 512;

/// How many blocks beside the root are remembered, to tell a conflict from a stranger.
const BESIDE: usize = 4 * MAX_UNDECIDED;

/// One chain as one replica knows it.
#[derive(Debug)]
pub struct Ledger {
    genesis: Genesis,
    chain: ChainId,
    /// What tells whether a vote in evidence is signed.
    keys: Keys,
    staking: Option<Staking>,
    leak: Option<Leak>,
    /// All the money there was at first.
    founding: Amount,
    disk: Ahead,
    stand: Stand,
    /// Who votes, after the root.
    standing: Standing,
    /// The heights of all headers that are the first to name their committee.
    changes: Vec<u64>,
    root: Arc<Block>,
    head: BlockHash,
    /// Every block here descends from the root.
    undecided: BTreeMap<BlockHash, Undecided>,
    index: Index,
    /// Blocks committed since the store was last seen to have caught up, by height.
    fresh: BTreeMap<u64, Arc<Block>>,
    /// Blocks that can never be committed, because others were.
    beside: Recall<BlockHash>,
}

/// Where a ledger stands, as it is stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Stand {
    root: BlockHash,
    height: u64,
    /// The greatest height with a proof.
    proven: u64,
}

#[derive(Debug)]
struct Undecided {
    block: Arc<Block>,
    state: Overlay,
    standing: Standing,
}

/// What changed with the adopted head.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Adopted {
    /// The transactions in blocks left and in none of those entered, oldest first.
    pub abandoned: Vec<Transaction>,
    /// The names of the transactions in blocks entered, oldest first.
    pub included: Vec<TransactionId>,
    /// The height of the newest block that is on both branches.
    pub fork: u64,
}

/// Why a block is not committed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommitError {
    /// It was never accepted, or is long forgotten.
    #[error("block {0} cannot be committed: it is not known")]
    Unknown(BlockHash),
    /// Two blocks of which neither descends from the other are both said to be final.
    #[error("block {asked} is said to be final, but {committed}, which excludes it, is committed")]
    Conflict {
        /// The root.
        committed: BlockHash,
        /// The block that does not descend from it.
        asked: BlockHash,
    },
}

impl Ledger {
    /// The chain's name.
    pub fn chain_id(&self) -> ChainId {
        self.chain
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// All the money there is after the newest committed block: what there was at first and what was
    /// made, less what was burned.
    pub fn supply(&self) -> Amount {
        let made = self.genesis.supply(self.founding, self.stand.height);
        Amount(made.0 - self.standing.register.burned().0)
    }

    /// The rules of an inactivity leak, if the genesis has any.
    pub fn leak(&self) -> Option<&Leak> {
        self.leak.as_ref()
    }

    /// The rules of stake, if the genesis has any.
    pub fn staking(&self) -> Option<&Staking> {
        self.staking.as_ref()
    }

    /// What checks votes: it learns of newcomers as their seats are committed.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The newest committed block.
    pub fn root(&self) -> BlockHash {
        self.stand.root
    }

    /// The header of the newest committed block.
    pub fn root_header(&self) -> &Header {
        &self.root.header
    }

    /// The height of the newest committed block.
    pub fn height(&self) -> u64 {
        self.stand.height
    }

    /// The adopted block; the root if none is.
    pub fn head(&self) -> BlockHash {
        self.head
    }

    /// The height of the adopted block.
    pub fn head_height(&self) -> u64 {
        self.header(self.head).map_or(self.stand.height, |header| header.height)
    }

    /// The greatest committed height with a proof; zero, which needs none, before the first.
    pub fn proven_height(&self) -> u64 {
        self.stand.proven
    }

    /// A block, undecided or committed.
    pub fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        if let Some(undecided) = self.undecided.get(&hash) {
            return Some(undecided.block.clone());
        }
        self.committed(self.committed_height(hash)?)
    }

    /// The committed block at a height.
    pub fn committed(&self, height: u64) -> Option<Arc<Block>> {
        if height == self.stand.height {
            return Some(self.root.clone());
        }
        if let Some(block) = self.fresh.get(&height) {
            return Some(block.clone());
        }
        if height > self.stand.height {
            return None;
        }
        Some(Arc::new(sound(open::load_block(self.disk.store(), height))))
    }

    /// The block at a height, committed or on the adopted branch.
    pub fn adopted(&self, height: u64) -> Option<Arc<Block>> {
        if height <= self.stand.height {
            return self.committed(height);
        }
        let branch = self.branch(self.head).expect("the head is the root or undecided");
        let at = usize::try_from(self.head_height().checked_sub(height)?).ok()?;
        branch.get(at).map(|(_, undecided)| undecided.block.clone())
    }

    /// The proof that was committed at exactly this height.
    pub fn proof(&self, height: u64) -> Option<Proof> {
        sound(self.disk.read(&keys::proof(height), codec::LONGEST))
    }

    /// Why the block at `height` is final: the headers from it to the first one at or above it that
    /// has a proof, and that proof. None for the genesis, which needs none.
    pub fn finality(&self, height: u64) -> Option<Finality> {
        if height == 0 {
            return None;
        }
        let mut headers = Vec::new();
        for height in height..=self.stand.proven {
            headers.push(self.committed(height)?.header.clone());
            if let Some(proof) = self.proof(height) {
                return Some(Finality { headers, proof });
            }
        }
        None
    }

    /// What `address` holds after the block `at`, if that is the root or undecided.
    pub fn account(&self, at: BlockHash, address: Address) -> Option<Account> {
        Some(self.state(at)?.account(address))
    }

    /// What `address` holds after the newest committed block, and the proof of it.
    ///
    /// # Errors
    /// If the store fails.
    pub fn account_with_proof(
        &self,
        address: Address,
    ) -> Result<(Account, AccountProof), StoreError> {
        View::new(Vec::new(), &self.disk).prove(self.stand.height, address)
    }

    /// What `address` holds after the block `at`, and the proof of it, if that is the root or
    /// undecided.
    ///
    /// # Errors
    /// If the store fails.
    pub fn account_proven_at(
        &self,
        at: BlockHash,
        address: Address,
    ) -> Result<Option<(Account, AccountProof)>, StoreError> {
        let (Some(header), Some(state)) = (self.header(at), self.state(at)) else {
            return Ok(None);
        };
        state.prove(header.height, address).map(Some)
    }

    /// The height of a committed transaction, and its place in the block.
    pub fn locate(&self, id: TransactionId) -> Option<(u64, u32)> {
        let (height, index) = sound(self.index.find(id, &self.disk))?;
        // The index knows half of the name only.
        let block = self.committed(height)?;
        let found = block.transactions.get(usize::try_from(index).ok()?)?;
        (found.id() == id).then_some((height, index))
    }

    /// The height of a transaction on the adopted branch, and its place in the block, if it is
    /// there and not committed.
    pub fn locate_adopted(&self, id: TransactionId) -> Option<(u64, u32)> {
        let branch = self.branch(self.head).expect("the head is the root or undecided");
        branch.iter().find_map(|(_, undecided)| {
            let transactions = &undecided.block.transactions;
            let index = transactions.iter().position(|each| each.id() == id)?;
            Some((undecided.block.header.height, u32::try_from(index).ok()?))
        })
    }
}

impl Ledger {
    /// Makes `head`, the root or an undecided block, the block we build on. It may be undone.
    ///
    /// # Errors
    /// [`Rejected::UnknownParent`] or [`Rejected::BelowRoot`] where there is nothing to build on.
    pub fn adopt(&mut self, head: BlockHash) -> Result<Adopted, Rejected> {
        let entered = self.branch(head).ok_or_else(|| self.nowhere(head))?;
        let left = self.branch(self.head).expect("the head is the root or undecided");
        let shared = entered.iter().rev().zip(left.iter().rev());
        let shared = shared.take_while(|(one, other)| one.0 == other.0).count();

        let entered = entered.iter().rev().skip(shared);
        let entered = entered.flat_map(|(_, entered)| &entered.block.transactions);
        let included: Vec<_> = entered.map(Transaction::id).collect();
        let kept: BTreeSet<_> = included.iter().collect();
        let left = left.iter().rev().skip(shared);
        let left = left.flat_map(|(_, left)| &left.block.transactions);
        let abandoned = left.filter(|each| !kept.contains(&each.id())).cloned();
        let fork = self.height() + shared as u64;
        let adopted = Adopted { abandoned: abandoned.collect(), included, fork };
        self.head = head;
        Ok(adopted)
    }

    /// Makes `block` and its undecided ancestors stand for good, and drops whatever does not descend
    /// from it. Returns the newly committed blocks, oldest first, each exactly once ever. For a
    /// block that is committed already this only records the proof, unless its height has one.
    ///
    /// If the adopted head is dropped, the new root becomes the head; adopt `block` first to learn
    /// which transactions that abandons.
    ///
    /// # Errors
    /// See [`CommitError`]; nothing has changed then.
    pub fn commit(
        &mut self,
        block: BlockHash,
        proof: Option<Proof>,
        batch: &mut Batch,
    ) -> Result<Vec<Arc<Block>>, CommitError> {
        if sound(self.disk.settle()) {
            self.fresh.clear();
        }
        if let Some(height) = self.committed_height(block) {
            self.record_proof(height, proof, batch);
            return Ok(Vec::new());
        }
        let Some(branch) = self.branch(block) else {
            return Err(if self.beside.contains(&block) {
                CommitError::Conflict { committed: self.stand.root, asked: block }
            } else {
                CommitError::Unknown(block)
            });
        };
        let mut changes = Batch::default();
        let branch: Vec<_> = branch.into_iter().rev().collect();
        for (hash, undecided) in &branch {
            let height = undecided.block.header.height;
            changes.put(keys::height(*hash), codec::encode(&height));
        }
        let states: Vec<_> = branch.iter().map(|(_, undecided)| &undecided.state).collect();
        tree::commit(&states, &mut changes);
        let standing = |each: &Undecided| (each.block.header.height, each.standing.clone());
        let standings = branch.iter().map(|(_, undecided)| standing(undecided)).collect();
        let blocks: Vec<_> = branch.iter().map(|(_, each)| each.block.clone()).collect();
        blocks.iter().for_each(|block| self.index.add(block, &mut changes));

        self.root = blocks.last().expect("the block itself").clone();
        self.stand.root = block;
        self.stand.height = self.root.header.height;
        self.fresh.extend(blocks.iter().map(|block| (block.header.height, block.clone())));
        self.prune(&blocks, &mut changes);
        self.file_standing(standings, &mut changes);
        self.put_stand(proof.map(|proof| (self.stand.height, proof)), &mut changes);
        self.disk.hand_out(&changes, batch);
        Ok(blocks)
    }

    /// Whether `block` is undecided and not on the branch of `head`.
    pub fn excludes(&self, head: BlockHash, block: BlockHash) -> bool {
        let held = |branch: Vec<(BlockHash, _)>| branch.iter().any(|(hash, _)| *hash == block);
        self.undecided.contains_key(&block) && !self.branch(head).is_some_and(held)
    }

    /// Records the first proof of a committed block. A second one tells nobody anything new.
    fn record_proof(&mut self, height: u64, proof: Option<Proof>, batch: &mut Batch) {
        if let Some(proof) = proof
            && height > 0
            && self.proof(height).is_none()
        {
            let mut changes = Batch::default();
            self.put_stand(Some((height, proof)), &mut changes);
            self.disk.hand_out(&changes, batch);
        }
    }

    /// Ends a batch with where the ledger stands now, and the proof that came with it. Neither was
    /// ever in the store, as [`Ahead::hand_out`] asks.
    fn put_stand(&mut self, proven: Option<(u64, Proof)>, changes: &mut Batch) {
        if let Some((height, _)) = proven {
            self.stand.proven = self.stand.proven.max(height);
        }
        changes.put(keys::STAND.to_vec(), codec::encode(&self.stand));
        if let Some((height, proof)) = proven {
            changes.put(keys::proof(height), codec::encode(&proof));
        }
    }

    /// Drops the committed blocks from the tree, and all that do not descend from the new root.
    fn prune(&mut self, committed: &[Arc<Block>], changes: &mut Batch) {
        let before = std::mem::take(&mut self.undecided);
        let mut by_height: Vec<_> = before.into_iter().collect();
        by_height.sort_by_key(|(_, undecided)| undecided.block.header.height);
        for (hash, undecided) in by_height {
            let Header { parent, height, .. } = undecided.block.header;
            if parent == self.stand.root || self.undecided.contains_key(&parent) {
                self.undecided.insert(hash, undecided);
            } else if !committed.iter().any(|block| Arc::ptr_eq(block, &undecided.block)) {
                changes.delete(keys::block(height, hash));
                self.beside.insert(hash);
            }
        }
        if !self.undecided.contains_key(&self.head) {
            self.head = self.stand.root;
        }
    }
}

/// What the rest is made of.
impl Ledger {
    /// The undecided blocks from `tip` down to just above the root, with their names.
    fn branch(&self, tip: BlockHash) -> Option<Vec<(BlockHash, &Undecided)>> {
        let mut branch = Vec::new();
        let mut at = tip;
        while at != self.stand.root {
            let undecided = self.undecided.get(&at)?;
            branch.push((at, undecided));
            at = undecided.block.header.parent;
        }
        Some(branch)
    }

    /// The state after the block `at`, if that is the root or undecided.
    fn state(&self, at: BlockHash) -> Option<View<'_>> {
        let layers = self.branch(at)?.into_iter().map(|(_, undecided)| &undecided.state);
        Some(View::new(layers.collect(), &self.disk))
    }

    /// The header of the block `at`, if that is the root or undecided.
    fn header(&self, at: BlockHash) -> Option<&Header> {
        if at == self.stand.root {
            return Some(&self.root.header);
        }
        self.undecided.get(&at).map(|undecided| &undecided.block.header)
    }

    fn knows(&self, hash: BlockHash) -> bool {
        self.header(hash).is_some() || self.committed_height(hash).is_some()
    }

    fn committed_height(&self, hash: BlockHash) -> Option<u64> {
        if hash == self.stand.root {
            Some(self.stand.height)
        } else {
            sound(self.disk.read(&keys::height(hash), 8))
        }
    }

    /// Why nothing can be built on `hash`.
    fn nowhere(&self, hash: BlockHash) -> Rejected {
        if self.beside.contains(&hash) || self.committed_height(hash).is_some() {
            Rejected::BelowRoot
        } else {
            Rejected::UnknownParent(hash)
        }
    }
}

/// Trusts the store, or stops.
fn sound<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the ledger cannot go on: {error}"))
}
