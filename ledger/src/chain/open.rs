//! Beginning a chain, and taking it up again after a stop or a crash.

use super::{BESIDE, Ledger, Recall, Stand, index::Index, stakes::Standing};
use crate::{
    Block, BlockHash, ChainId, Committee, Genesis, Header, Keys, Register, ReplicaId, Seal,
    block::{self, MAX_BLOCK_BYTES},
    genesis::BadGenesis,
    state::{
        Account,
        tree::{self, Overlay, View},
    },
    store::{
        Batch, MemoryStore, Store, StoreError,
        ahead::{Ahead, decode},
        keys,
    },
};
use crypto::{Hash, codec};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// The layout of the store that this program reads and writes. It changes with the meaning of any
/// key in [`keys`].
const LAYOUT: u32 = 4;

/// What a store says about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Label {
    layout: u32,
    chain: ChainId,
    /// The genesis' name, for people.
    name: String,
}

/// Why a ledger does not open.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// No chain can begin with this genesis.
    #[error(transparent)]
    Genesis(#[from] BadGenesis),
    /// The store belongs to another chain.
    #[error(
        "the database holds chain {found_name:?} ({found}), the genesis is that of chain \
         {expected_name:?} ({expected}); use that chain's genesis, or another data directory"
    )]
    WrongChain {
        /// The genesis' chain.
        expected: ChainId,
        /// Its name for people.
        expected_name: String,
        /// The store's chain.
        found: ChainId,
        /// Its name for people.
        found_name: String,
    },
    /// The store was written by another version of this program.
    #[error(
        "the database has layout {found}, this program reads layout {LAYOUT}; remove the data \
         directory and sync again, or use the program that wrote it"
    )]
    Layout {
        /// The store's layout.
        found: u32,
    },
    /// The store failed, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// Opens the chain of `genesis` in `store`. A fresh store gets the genesis, durably; a kept one
    /// is taken up where it stands, and its undecided blocks are executed again.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Panics
    /// If the store fails while undecided blocks are executed.
    pub fn open(store: Arc<dyn Store>, genesis: &Genesis) -> Result<Ledger, OpenError> {
        genesis.check()?;
        let founders = genesis.committee().map_err(BadGenesis::from)?;
        Ledger::open_with(store, genesis, Keys::of(genesis.chain_id(), &founders))
    }

    /// The same in a world whose votes are signed otherwise; `keys` judges evidence, and learns of
    /// newcomers.
    ///
    /// # Errors
    /// See [`OpenError`].
    ///
    /// # Panics
    /// If the store fails while undecided blocks are executed.
    pub fn open_with(
        store: Arc<dyn Store>,
        genesis: &Genesis,
        keys: Keys,
    ) -> Result<Ledger, OpenError> {
        genesis.check()?;
        let chain = genesis.chain_id();
        match store.get(keys::CHAIN)? {
            None => found(&*store, &Ahead::new(store.clone()), genesis)?,
            Some(label) => check_label(decode(keys::CHAIN, &label, MAX_BLOCK_BYTES)?, genesis)?,
        }
        let disk = Ahead::new(store);
        let stand: Stand = disk
            .read(keys::STAND, 64)?
            .ok_or_else(|| StoreError::damaged(keys::STAND, "it is missing"))?;
        let root = Arc::new(load_block(disk.store(), stand.height)?);
        let state = View::new(Vec::new(), &disk).root(stand.height)?;
        if root.hash() != stand.root || root.header.state != state {
            let reason = "the newest committed block and the state do not belong together";
            return Err(StoreError::damaged(keys::STAND, reason).into());
        }
        let index = Index::load(&disk, stand.height)?;
        let standing = match disk.read(keys::REGISTER, codec::LONGEST)? {
            Some(register) => Standing::of(Arc::new(register)),
            None => Standing::founding(genesis),
        };
        for (id, validator) in standing.register.validators() {
            keys.learn(id, &validator.key);
        }
        let mut ledger = Ledger {
            genesis: genesis.clone(),
            chain,
            keys,
            staking: genesis.staking(),
            leak: genesis.leak(),
            founding: genesis.founding_supply(),
            changes: changes(disk.store())?,
            disk,
            stand,
            standing,
            root,
            head: stand.root,
            index,
            undecided: BTreeMap::new(),
            fresh: BTreeMap::new(),
            beside: Recall::new(BESIDE),
        };
        ledger.reload()?;
        Ok(ledger)
    }

    /// Takes the undecided blocks in the store into the tree again, oldest first. Every one was
    /// accepted before, on an ancestor that is still there.
    fn reload(&mut self) -> Result<(), StoreError> {
        for height in self.stand.height + 1.. {
            let found = self.disk.store().scan(&keys::blocks(height))?;
            if found.is_empty() {
                break;
            }
            for (key, value) in found {
                let block: Arc<Block> = Arc::new(decode(&key, &value, MAX_BLOCK_BYTES)?);
                if key != keys::block(height, block.hash()) {
                    return Err(StoreError::damaged(&key, "the block there has another name"));
                }
                self.accept(&block, &mut Batch::default())
                    .map_err(|reason| StoreError::damaged(&key, reason))?;
            }
        }
        Ok(())
    }
}

/// The header of block 0, which a genesis determines: whoever knows the genesis knows it by itself.
///
/// # Panics
/// If [`Genesis::check`] fails.
pub fn genesis_header(genesis: &Genesis) -> Header {
    let nothing = Ahead::new(Arc::new(MemoryStore::default()));
    let committee = genesis.committee().expect("a checked genesis has a committee");
    header(genesis, &committee, &founding_state(genesis, &nothing))
}

fn header(genesis: &Genesis, committee: &Committee, state: &Overlay) -> Header {
    Header {
        // Binds every block to the genesis, not only to what the genesis says of the state.
        parent: BlockHash(genesis.chain_id().0),
        height: 0,
        time: genesis.time,
        proposer: ReplicaId(0),
        transactions: block::transaction_root(&[]),
        state: state.root(),
        committee: committee.root(),
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal::default(),
    }
}

fn founding_state(genesis: &Genesis, nothing: &Ahead) -> Overlay {
    let mut accounts: BTreeMap<_, Account> = BTreeMap::new();
    for funded in &genesis.accounts {
        accounts.entry(funded.address).or_default().balance = funded.balance;
    }
    let register = genesis.staking().map(|_| Register::founding(genesis));
    if register.is_some() {
        for founder in &genesis.validators {
            accounts.entry(founder.key.address()).or_default().bonded = founder.stake;
        }
    }
    View::new(Vec::new(), nothing).update(0, accounts, register.as_ref())
}

/// The heights at which the committee changed, rising.
fn changes(store: &dyn Store) -> Result<Vec<u64>, StoreError> {
    let found = store.scan(keys::CHANGES)?.into_iter();
    let height = |(key, _): (Vec<u8>, _)| {
        let height = key.get(keys::CHANGES.len()..).and_then(|height| height.try_into().ok());
        let height = height.ok_or_else(|| StoreError::damaged(&key, "it is no height"))?;
        Ok(u64::from_be_bytes(height))
    };
    found.map(height).collect()
}

/// Writes block 0 and its state, in one batch.
fn found(store: &dyn Store, nothing: &Ahead, genesis: &Genesis) -> Result<(), OpenError> {
    let committee = genesis.committee().map_err(BadGenesis::from)?;
    let state = founding_state(genesis, nothing);
    let header = header(genesis, &committee, &state);
    let hash = header.hash();
    let block = Block { header, transactions: Vec::new(), duties: Vec::new() };
    let stand = Stand { root: hash, height: 0, proven: 0 };
    let label = Label { layout: LAYOUT, chain: genesis.chain_id(), name: genesis.name.clone() };

    let mut batch = Batch::default();
    tree::commit(&[&state], &mut batch);
    batch.put(keys::block(0, hash), codec::encode(&block));
    batch.put(keys::height(hash), codec::encode(&0u64));
    if genesis.staking().is_some() {
        let register = Register::founding(genesis);
        batch.put(keys::REGISTER.to_vec(), codec::encode(&register));
    }
    batch.put(keys::STAND.to_vec(), codec::encode(&stand));
    batch.put(keys::CHAIN.to_vec(), codec::encode(&label));
    store.write(&batch)?;
    store.sync()?;
    Ok(())
}

fn check_label(label: Label, genesis: &Genesis) -> Result<(), OpenError> {
    if label.layout != LAYOUT {
        return Err(OpenError::Layout { found: label.layout });
    }
    let expected = genesis.chain_id();
    if label.chain != expected {
        return Err(OpenError::WrongChain {
            expected,
            expected_name: genesis.name.clone(),
            found: label.chain,
            found_name: label.name,
        });
    }
    Ok(())
}

/// Where a store of this chain says that it stands.
pub(super) fn stand(store: &dyn Store, genesis: &Genesis) -> Result<Stand, OpenError> {
    genesis.check()?;
    let read =
        |key: &[u8]| store.get(key)?.ok_or_else(|| StoreError::damaged(key, "it is missing"));
    check_label(decode(keys::CHAIN, &read(keys::CHAIN)?, MAX_BLOCK_BYTES)?, genesis)?;
    Ok(decode(keys::STAND, &read(keys::STAND)?, 64)?)
}

/// The block at a committed height, which is the only one there.
pub(super) fn load_block(store: &dyn Store, height: u64) -> Result<Block, StoreError> {
    load_named(store, height).map(|(_, block)| block)
}

/// The same, and the name it is filed under.
pub(super) fn load_named(store: &dyn Store, height: u64) -> Result<(BlockHash, Block), StoreError> {
    let prefix = keys::blocks(height);
    match &store.scan(&prefix)?[..] {
        [(key, value)] => {
            let name = key.get(prefix.len()..).and_then(|name| name.try_into().ok());
            let name = name.ok_or_else(|| StoreError::damaged(key, "it names no block"))?;
            let block = decode(key, value, MAX_BLOCK_BYTES)?;
            Ok((BlockHash(Hash::from_bytes(name)), block))
        }
        found => Err(StoreError::damaged(
            &prefix,
            format!("there are {} blocks at this committed height", found.len()),
        )),
    }
}
