//! Making blocks and checking them: two sides of one set of rules.

use super::{Ledger, MAX_UNDECIDED, Undecided, stakes::Standing};
use crate::{
    Amount, Block, BlockHash, Draft, Header, Register, Rejected, ReplicaId,
    block::{self, Invalid, MAX_BLOCK_BYTES},
    state::{Execution, Terms, tree::Overlay},
    store::{Batch, keys},
};
use crypto::{Address, Hash, codec};
use std::sync::Arc;

impl Ledger {
    /// Builds a block from a draft: leaves out the transactions that do not execute and those that
    /// would make it longer than [`MAX_BLOCK_BYTES`], and raises its time to one past the parent's.
    /// It does not enter the tree.
    ///
    /// # Errors
    /// Where no valid block can come of it: see [`Ledger::accept`] for parents and proposers.
    pub fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        let Draft { parent, transactions, time, proposer, duties, seal } = draft;
        let (Some(before), Some(state)) = (self.header(parent), self.state(parent)) else {
            return Err(self.nowhere(parent));
        };
        let standing = self.standing(parent).expect("the root or an undecided block");
        let fees = payee(standing, proposer)?;
        let header = Header {
            parent,
            height: before.height + 1,
            time: time.max(self.median_time(before).saturating_add(1)),
            proposer,
            transactions: Hash::ZERO,
            state: before.state,
            committee: before.committee,
            participation: block::duty_root(&duties),
            leak: block::leak_root(&duties),
            seal,
        };
        let mut block = Block { header, transactions: Vec::new(), duties };
        let height = block.header.height;
        let register = standing.register.clone();
        let mut execution = Execution::new(&state, register, self.terms(height, fees));
        execution.perform(&block.duties, &standing.committee)?;
        let mut len = codec::encoded_len(&block);
        for transaction in transactions {
            let grown = len + transaction.bytes();
            if grown <= MAX_BLOCK_BYTES
                && transaction.clone().verify(self.chain).is_ok()
                && execution.apply(&transaction).is_ok()
            {
                len = grown;
                block.transactions.push(transaction);
            }
        }
        block.header.transactions = block::transaction_root(&block.transactions);
        let (state, register) = execution.finish(self.reward(height));
        block.header.state = state.root();
        block.header.committee = heirs(before, standing, &standing.then(register));
        Ok(Arc::new(block))
    }

    /// Takes a block into the tree, after checking all that needs no clock and no consensus: its
    /// parent, height, time, proposer, body, length, signatures, execution, and roots, in this
    /// order. Signatures that are known to be good are not checked again
    /// ([`crate::Transaction::is_known_good`]). The body goes into `batch`. A block that is known already is
    /// fine, and changes nothing.
    ///
    /// # Errors
    /// See [`Rejected`]. [`Rejected::TooEarly`] is not among them: the ledger has no clock.
    pub fn accept(&mut self, block: &Arc<Block>, batch: &mut Batch) -> Result<BlockHash, Rejected> {
        let hash = block.hash();
        if self.knows(hash) {
            return Ok(hash);
        }
        let Header { parent, height, .. } = block.header;
        let Some(before) = self.header(parent) else {
            // What stands beside the root can never be committed. It is remembered, so that whoever
            // calls it final is told that this is a conflict.
            let rejected = if height <= self.stand.height {
                Rejected::BelowRoot
            } else {
                self.nowhere(parent)
            };
            if rejected == Rejected::BelowRoot {
                self.beside.insert(hash);
            }
            return Err(rejected);
        };
        if self.undecided.len() >= MAX_UNDECIDED {
            return Err(Rejected::Full(MAX_UNDECIDED));
        }
        let body = codec::encode(&**block);
        let checked = self.check(before, block, body.len())?;
        batch.put(keys::block(height, hash), body);
        self.undecided.insert(hash, checked);
        Ok(hash)
    }

    /// Checks a child of `before`, the root or an undecided block, whose encoding has `len` bytes.
    fn check(&self, before: &Header, block: &Arc<Block>, len: usize) -> Result<Undecided, Invalid> {
        let header = &block.header;
        if header.height != before.height + 1 {
            return Err(Invalid::Height { expected: before.height + 1, found: header.height });
        }
        let median = self.median_time(before);
        if header.time <= median {
            return Err(Invalid::Time { median, found: header.time });
        }
        let standing = self.standing(header.parent).expect("the parent is the root or undecided");
        let fees = payee(standing, header.proposer)?;
        if !block.body_matches() {
            return Err(Invalid::Body);
        }
        if len > MAX_BLOCK_BYTES {
            return Err(Invalid::TooLong(len));
        }
        for (index, transaction) in block.transactions.iter().enumerate() {
            let verified = transaction.clone().verify(self.chain);
            verified.map_err(|reason| Invalid::Transaction { index, reason })?;
        }
        let leak = block::leak_root(&block.duties);
        if header.leak != leak {
            return Err(Invalid::Leak { expected: leak, found: header.leak });
        }
        let (state, register) = self.execute(block, fees)?;
        if header.state != state.root() {
            return Err(Invalid::State { expected: state.root(), found: header.state });
        }
        let after = standing.then(register);
        let expected = heirs(before, standing, &after);
        if header.committee != expected {
            return Err(Invalid::Committee { expected, found: header.committee });
        }
        Ok(Undecided { block: block.clone(), state, standing: after })
    }

    /// Executes all of a block on the state of its parent.
    fn execute(&self, block: &Block, fees: Address) -> Result<(Overlay, Arc<Register>), Invalid> {
        let header = &block.header;
        let state = self.state(header.parent).expect("the parent is the root or undecided");
        let standing = self.standing(header.parent).expect("the parent is the root or undecided");
        let terms = self.terms(header.height, fees);
        let mut execution = Execution::new(&state, standing.register.clone(), terms);
        execution.perform(&block.duties, &standing.committee)?;
        for (index, transaction) in block.transactions.iter().enumerate() {
            execution.apply(transaction).map_err(|reason| Invalid::Execution { index, reason })?;
        }
        Ok(execution.finish(self.reward(header.height)))
    }

    /// What the execution of a block depends on besides its parent's state.
    pub(super) fn terms(&self, height: u64, proposer: Address) -> Terms<'_> {
        let (staking, leak) = (self.staking.as_ref(), self.leak.as_ref());
        Terms { height, proposer, staking, leak, keys: &self.keys }
    }

    /// What the block at `height` makes out of nothing: less than the genesis grants, or none, once
    /// an amount cannot hold all the money there is.
    fn reward(&self, height: u64) -> Amount {
        let supply = |height| self.genesis.supply(self.founding, height);
        Amount(supply(height).0 - supply(height - 1).0)
    }

    /// The median of the times of `last`, the root or an undecided block, and of some before it;
    /// of fewer where the chain has only begun.
    fn median_time(&self, last: &Header) -> u64 {
        let blocks = self.genesis.median_blocks();
        let mut times = vec![last.time];
        let (mut parent, mut height) = (last.parent, last.height);
        while times.len() < blocks && height > 0 {
            height -= 1;
            let time;
            (time, parent) = match self.header(parent) {
                Some(header) => (header.time, header.parent),
                None => {
                    let block = self.committed(height).expect("what is below the root is kept");
                    (block.header.time, block.header.parent)
                }
            };
            times.push(time);
        }
        times.sort_unstable();
        times[times.len() / 2]
    }
}

/// What a child of `before` names those by who decide its own children; hashed only if they are others.
fn heirs(before: &Header, standing: &Standing, after: &Standing) -> Hash {
    match Arc::ptr_eq(&after.committee, &standing.committee) {
        true => before.committee,
        false => after.committee.root(),
    }
}

/// The address that earns what `proposer` includes in a child.
fn payee(standing: &Standing, proposer: ReplicaId) -> Result<Address, Invalid> {
    let member = standing.committee.member(proposer).ok_or(Invalid::Proposer(proposer))?;
    Ok(member.key.address())
}
