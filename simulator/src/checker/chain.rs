//! Every block that anybody called final, judged once, by its parent's state.
//!
//! The blocks are a chain as long as all agree. Where they do not, each branch is judged by
//! itself: state is kept where a branch ends, and found again from the genesis where one begins.

use super::{
    account::Purses,
    execution::{Rules, State},
    flaw::Flaw,
};
use crypto::merkle;
use ledger::{
    Block, BlockHash, Committee, Genesis, Keys, Ledger, Register,
    chain::genesis_header,
    store::{Batch, MemoryStore, Store},
};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

#[derive(Debug)]
pub(crate) struct Chain {
    genesis: Genesis,
    /// What judges evidence.
    keys: Keys,
    rules: Rules,
    /// By the name each was called.
    judged: BTreeMap<BlockHash, Judged>,
    /// Where branches end.
    tips: BTreeMap<BlockHash, Tip>,
}

/// A block that was judged.
#[derive(Debug)]
struct Judged {
    /// None where nobody held it.
    block: Option<Arc<Block>>,
    height: u64,
    /// Whether it and all its ancestors are as they should be. Nothing is said of the others'
    /// descendants, since there is no state to judge them by.
    sound: bool,
    /// Who decides its children, as a ledger has it that took it.
    committee: Arc<Committee>,
}

#[derive(Debug)]
struct Tip {
    state: State,
    replay: Ledger,
    store: Arc<MemoryStore>,
}

impl Chain {
    pub(crate) fn new(genesis: &Genesis, keys: Keys) -> Chain {
        let header = genesis_header(genesis);
        let committee = Arc::new(genesis.committee().expect("a world began with it"));
        let (name, block) = (header.hash(), Block { header, transactions: vec![], duties: vec![] });
        let root = Judged { block: Some(Arc::new(block)), height: 0, sound: true, committee };
        Chain {
            genesis: genesis.clone(),
            rules: Rules::new(genesis),
            judged: BTreeMap::from([(name, root)]),
            tips: BTreeMap::from([(name, Tip::new(genesis, &keys))]),
            keys,
        }
    }

    /// Judges a block that was called `name` and final at `height`; its parent before it. Says what
    /// is wrong with it, once.
    pub(crate) fn judge(
        &mut self,
        name: BlockHash,
        height: u64,
        block: Option<&Arc<Block>>,
    ) -> Vec<Flaw> {
        if self.judged.contains_key(&name) {
            return Vec::new();
        }
        let mut flaws = Vec::new();
        let parent = block.and_then(|block| self.judged.get(&block.header.parent));
        let mut sound = parent.is_some_and(|parent| parent.sound);
        let mut committee =
            parent.map_or_else(|| self.founders(), |parent| parent.committee.clone());
        match (block, parent) {
            (None, _) => flaws.push(Flaw::NoBody),
            (Some(block), None) => flaws.push(Flaw::Parent { parent: block.header.parent }),
            (Some(block), Some(parent)) => {
                let median = self.median_time(block.header.parent);
                judge_header(name, height, block, (parent, median), &mut flaws);
                if sound {
                    let tip = self.execute(block, &mut flaws);
                    if flaws.is_empty() {
                        committee = tip.replay.committee(name).unwrap_or(committee);
                        self.tips.insert(name, tip);
                    }
                }
            }
        }
        sound &= flaws.is_empty();
        self.judged.insert(name, Judged { block: block.cloned(), height, sound, committee });
        flaws
    }

    /// Who decides the children of a judged block; the founders if it is not known.
    pub(crate) fn committee(&self, name: BlockHash) -> Arc<Committee> {
        let judged = self.judged.get(&name);
        judged.map_or_else(|| self.founders(), |judged| judged.committee.clone())
    }

    fn founders(&self) -> Arc<Committee> {
        Arc::new(self.genesis.committee().expect("a world began with it"))
    }

    /// Who owns what after a block, if it and its ancestors are as they should be.
    pub(crate) fn purses(&self, name: BlockHash) -> Option<Cow<'_, Purses>> {
        self.judged.get(&name).filter(|judged| judged.sound)?;
        if let Some(tip) = self.tips.get(&name) {
            return Some(Cow::Borrowed(&tip.state.purses));
        }
        Some(Cow::Owned(self.recount(name).purses))
    }

    /// The headers from just above `below` up to the block, if they are known.
    pub(crate) fn headers(&self, name: BlockHash, below: u64) -> Option<Vec<ledger::Header>> {
        let mut headers = Vec::new();
        let mut at = name;
        loop {
            let block = self.judged.get(&at)?.block.as_ref()?;
            if block.header.height <= below {
                break;
            }
            headers.push(block.header.clone());
            at = block.header.parent;
        }
        headers.reverse();
        Some(headers)
    }

    /// The header of a block that was judged, if anybody held it.
    pub(crate) fn header(&self, name: BlockHash) -> Option<&ledger::Header> {
        Some(&self.judged.get(&name)?.block.as_ref()?.header)
    }

    /// The median of the times of a judged block and of those before it that have a say.
    fn median_time(&self, name: BlockHash) -> u64 {
        let mut times = Vec::new();
        let mut at = self.header(name);
        while let Some(header) = at.filter(|_| times.len() < self.genesis.median_blocks()) {
            times.push(header.time);
            at = self.header(header.parent);
        }
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }

    /// Executes a block, and has a ledger that knows nothing but its ancestors take it.
    fn execute(&mut self, block: &Arc<Block>, flaws: &mut Vec<Flaw>) -> Tip {
        let parent = block.header.parent;
        let mut tip = self.tips.remove(&parent).unwrap_or_else(|| self.grow(parent));
        let taken = tip.take(block);
        let register = taken.is_ok().then(|| tip.register());
        self.rules.execute(&mut tip.state, block, register.as_deref(), flaws);
        if let Err(reason) = taken {
            flaws.push(Flaw::Replay { reason });
        }
        tip
    }

    /// Another branch begins at `name`, a sound block.
    fn grow(&self, name: BlockHash) -> Tip {
        let mut tip = Tip { state: self.recount(name), ..Tip::new(&self.genesis, &self.keys) };
        for block in self.path(name) {
            tip.take(block).expect("it was taken when it was judged");
        }
        let register = tip.register();
        tip.state.name(&register);
        tip
    }

    /// The state after a sound block, from the genesis on.
    fn recount(&self, name: BlockHash) -> State {
        let mut state = State::new(&self.genesis);
        for block in self.path(name) {
            self.rules.repeat(&mut state, block);
        }
        state
    }

    /// The blocks that lead from the genesis to a sound one, the first child of the genesis first.
    fn path(&self, name: BlockHash) -> Vec<&Arc<Block>> {
        let mut path = Vec::new();
        let mut at = &self.judged[&name];
        while at.height > 0 {
            let block = at.block.as_ref().expect("a sound block has a body");
            path.push(block);
            at = &self.judged[&block.header.parent];
        }
        path.reverse();
        path
    }
}

impl Tip {
    fn new(genesis: &Genesis, keys: &Keys) -> Tip {
        let store = Arc::new(MemoryStore::default());
        let replay = Ledger::open_with(store.clone(), genesis, keys.clone());
        let replay = replay.expect("memory takes a good genesis");
        Tip { state: State::new(genesis), replay, store }
    }

    fn register(&self) -> Arc<Register> {
        self.replay.register(self.replay.root()).expect("the root has one")
    }

    fn take(&mut self, block: &Arc<Block>) -> Result<(), String> {
        let mut batch = Batch::default();
        let accepted = self.replay.accept(block, &mut batch);
        let name = accepted.map_err(|rejected| rejected.to_string())?;
        self.replay.commit(name, None, &mut batch).map_err(|error| error.to_string())?;
        self.store.write(&batch).expect("memory takes everything");
        // Otherwise it would remember what a crash brings back, for ever.
        self.store.sync().expect("memory takes everything");
        Ok(())
    }
}

/// What can be said of a block without its state. Beside its parent stands the median of the times
/// before it.
fn judge_header(
    name: BlockHash,
    height: u64,
    block: &Block,
    (parent, median): (&Judged, u64),
    flaws: &mut Vec<Flaw>,
) {
    let header = &block.header;
    let computed = block.hash();
    if computed != name {
        flaws.push(Flaw::Name { computed });
    }
    if header.height != parent.height + 1 {
        flaws.push(Flaw::Height { expected: parent.height + 1, stated: header.height });
    }
    if header.height != height {
        flaws.push(Flaw::Reported { stated: header.height });
    }
    if header.time <= median {
        flaws.push(Flaw::Time { median, stated: header.time });
    }
    let ids: Vec<_> = block.transactions.iter().map(|each| each.id().0.to_bytes()).collect();
    let computed = merkle::root(&ids);
    if header.transactions != computed {
        flaws.push(Flaw::TransactionRoot { stated: header.transactions, computed });
    }
}
