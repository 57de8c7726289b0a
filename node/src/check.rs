//! Checks a stopped node's database from the genesis on.
//!
//! Every committed block is executed again, every proof verified, every index, account and node of
//! the state tree compared with what the blocks make of them, all money counted, and every message
//! the node signed and may still need checked against its key.

use crate::config::{ConfigError, DATABASE, NodeConfig};
use consensus::{
    Protocol, Trusted,
    catalogue::{self, Module, UnknownModule, Visitor},
};
use ledger::{
    BlockHash, ChainId, Committee, Hand, Header,
    chain::{
        OpenError,
        audit::{Audit, Audited, Flaw},
    },
    store::{DiskError, DiskStore, Store, StoreError},
};
use replica::signer::Signer;
use serde::Serialize;
use std::{path::Path, sync::Arc};

#[cfg(test)]
mod tests;

/// What was found in a database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The chain it belongs to.
    pub chain_id: ChainId,
    /// The module that ordered its blocks.
    pub consensus: String,
    /// The height up to which its blocks are good.
    pub height: u64,
    /// The block at that height.
    pub block: BlockHash,
    /// The greatest height that a verified proof covers.
    pub proven: u64,
    /// How many transactions are in those blocks.
    pub transactions: u64,
    /// How many accounts there are.
    pub accounts: u64,
    /// All their money together.
    pub supply: u128,
    /// How many undecided blocks stand above the last committed one.
    pub undecided: usize,
    /// How many messages of its own the node may have to send again.
    pub signed: usize,
    /// Everything that is wrong, in sentences; nothing if the database is good.
    pub flaws: Vec<String>,
}

/// Checks the database in a node's directory. `progress` hears how many blocks are checked, and of
/// how many.
///
/// # Errors
/// [`CheckError`] where there is nothing to check, or it belongs to something else. What is wrong
/// with a database that can be read is in the [`Report`].
pub fn check(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, CheckError> {
    let config = NodeConfig::load(dir)?;
    let path = dir.join(DATABASE);
    if !path.exists() {
        return Err(CheckError::Missing { path: path.display().to_string() });
    }
    let store: Arc<dyn Store> = Arc::new(DiskStore::open(path)?);
    let consensus = config.genesis().consensus.clone();
    catalogue::dispatch(&consensus, Check { config: &config, store, progress })?
}

/// A check, once the protocol's name has become a type.
struct Check<'a> {
    config: &'a NodeConfig,
    store: Arc<dyn Store>,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Visitor for Check<'_> {
    type Output = Result<Report, CheckError>;

    fn visit<P: Module>(self) -> Self::Output {
        let Check { config, store, progress } = self;
        let genesis = config.genesis();
        let mut audit = Audit::begin(Arc::clone(&store), genesis)?;
        let end = audit.height();
        let mut proofs = Proofs {
            config,
            flaws: Vec::new(),
            proven: 0,
            above: Vec::new(),
            top: None,
            learnt: None,
        };
        for audited in audit.by_ref() {
            progress(audited.header.height, end);
            proofs.take::<P>(&audited);
        }
        let findings = audit.finish()?;
        let mut flaws: Vec<_> = findings.flaws.iter().map(Flaw::to_string).collect();
        flaws.append(&mut proofs.flaws);
        if P::proofs_settle() && findings.height > proofs.proven && findings.flaws.is_empty() {
            let (from, to) = (proofs.proven + 1, findings.height);
            flaws.push(format!(
                "the blocks from height {from} to {to} are committed without a proof"
            ));
        }
        let hand = Hand::new(config.id(), config.keys().chain(), config.key().clone());
        let signed = match Signer::<P::Message>::open(hand, config.keys(), &*store) {
            Ok(signer) => signer.own().len(),
            Err(error) => {
                flaws.push(format!("what the node signed cannot be read: {error}"));
                0
            }
        };
        Ok(Report {
            chain_id: config.keys().chain(),
            consensus: genesis.consensus.clone(),
            height: findings.height,
            block: proofs.top.map(|header| header.hash()).unwrap_or_default(),
            proven: proofs.proven,
            transactions: findings.transactions,
            accounts: findings.accounts,
            supply: findings.supply,
            undecided: findings.undecided,
            signed,
            flaws,
        })
    }
}

/// Verifies each proof for the headers that no earlier one covers.
struct Proofs<'a> {
    config: &'a NodeConfig,
    flaws: Vec<String>,
    proven: u64,
    /// Headers above the newest proven one, the first of them that one itself.
    above: Vec<Header>,
    top: Option<Header>,
    /// Whose keys are known: checking a key takes longer than comparing committees.
    learnt: Option<Arc<Committee>>,
}

impl Proofs<'_> {
    fn take<P: Protocol>(&mut self, audited: &Audited) {
        let Audited { header, committee, proof } = audited;
        let height = header.height;
        self.top = Some(header.clone());
        self.above.push(header.clone());
        if self.learnt.as_ref().is_none_or(|learnt| !Arc::ptr_eq(learnt, committee)) {
            for member in committee.members() {
                self.config.keys().learn(member.id, &member.key);
            }
            self.learnt = Some(committee.clone());
        }
        let Some(proof) = proof else { return };
        let genesis = self.config.genesis();
        let (parent, headers) = self.above.split_first().expect("it was just pushed");
        let keys = self.config.keys();
        let trusted = Trusted { genesis, parent: Some(parent), committee, keys };
        if let Err(reason) = P::verify(headers, proof, trusted) {
            self.flaws.push(format!("the proof at height {height} does not hold: {reason}"));
        } else {
            self.proven = height;
        }
        self.above.drain(..self.above.len() - 1);
    }
}

/// Why a database was not checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The directory is no node's.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node never ran.
    #[error("there is no database in {path}; has the node ever run?")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// The database does not open; where a node runs on it, stop that first.
    #[error(transparent)]
    Database(#[from] DiskError),
    /// It belongs to another chain, or does not say to which.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It could not be read to the end.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody knows the rules of its chain.
    #[error(transparent)]
    Module(#[from] UnknownModule),
}

impl CheckError {
    /// Whether it says that the database is damaged, which is what a check is there to find.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            CheckError::Database(DiskError::Damaged { .. })
                | CheckError::Open(OpenError::Store(StoreError::Damaged { .. }))
                | CheckError::Store(StoreError::Damaged { .. })
        )
    }
}
