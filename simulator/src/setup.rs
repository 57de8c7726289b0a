//! All that is chosen before a run. Everything else follows.

use crate::{
    adversary::Adversary, clock::Skew, delay::Delay, network::Conditions, record::Tracing,
    schedule::Schedule, topology::Topology,
};
use consensus::{
    byzantine::mutants::{About, Beneath},
    catalogue,
};
use crypto::{SecretKey, codec, hash};
use ledger::{
    Amount, Genesis, Hand, Keys, ReplicaId, Stake,
    genesis::{Funded, Validator},
    vote::SimulatedSecret,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use replica::{Options, Weak, weak::Rule};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What every funded account owns in the beginning.
pub const BALANCE: Amount = Amount(1_000_000);

/// When virtual time begins on everybody's calendar, in milliseconds since 1970: the genesis.
const EPOCH: u64 = 1_700_000_000_000;

/// Describes a run. [`Setup::new`] fills in what most experiments want.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All chance grows from it.
    pub seed: u64,
    /// How many replicas there are.
    pub replicas: u32,
    /// How many of them, the last ones, are no founders: each has an account with [`BALANCE`], follows the
    /// chain and may bond.
    pub candidates: u32,
    /// What each weighs, by its id; those past the end weigh one.
    pub stakes: Vec<u64>,
    /// How many other accounts own [`BALANCE`] in the beginning.
    pub accounts: u32,
    /// The consensus module, as a genesis names it.
    pub consensus: String,
    /// What a genesis tells the module, and the ledger.
    pub settings: BTreeMap<String, u64>,
    /// How long an idle chain waits between two blocks.
    pub block_time: Duration,
    /// How the network treats what it carries.
    pub network: Conditions,
    /// Who is connected to whom.
    pub topology: Topology,
    /// How long a disk takes to make durable what was written before it was asked.
    pub sync_delay: Delay,
    /// Disks that take another time.
    pub disks: BTreeMap<ReplicaId, Delay>,
    /// Calendars that are wrong.
    pub clocks: BTreeMap<ReplicaId, Skew>,
    /// How many hashes miners try in a second of virtual time; not negative. Each of those that are
    /// not named tries its equal share of as many as all replicas need together to find a block in
    /// each [`Setup::block_time`], at the target at which the first of them begins.
    pub hash_rates: BTreeMap<ReplicaId, f64>,
    /// What goes wrong when.
    pub schedule: Schedule,
    /// Who lies, and how: by the names of [`consensus::byzantine::list`]. The checker takes none of
    /// them at its word.
    pub byzantine: BTreeMap<ReplicaId, String>,
    /// Of the honest, those to whom all liars show their other face; drawn from the seed, if nobody has
    /// chosen.
    pub faces: Option<BTreeSet<ReplicaId>>,
    /// Which rule of the module is weak; none but in worlds that want to see what it is for.
    pub mutant: Option<About>,
    /// What an adversary chooses, message by message, as long as it has a say.
    pub adversary: Adversary,
    /// Before this time replicas hear what their peers say, and nothing of what they missed: no summary,
    /// request or block of a sync travels, and the adversary has its way. None for no such time.
    pub catch_up: Option<Duration>,
    /// Whether everything travels as bytes and is signed with real Ed25519 keys, as between real
    /// nodes. Otherwise values travel as they are, under signatures that only this world can make
    /// and check, which is several times faster.
    pub wire: bool,
    /// What becomes of the trace.
    pub tracing: Tracing,
    /// How replicas behave. Whether they trace is not asked here but of [`Setup::tracing`].
    pub options: Options,
}

impl Setup {
    /// Some replicas on a fast and faultless network, and four accounts with money. The genesis
    /// sets what is [customary](catalogue::customs) for the module.
    pub fn new(consensus: &str, replicas: u32, seed: u64) -> Setup {
        Setup {
            seed,
            replicas,
            candidates: 0,
            stakes: Vec::new(),
            accounts: 4,
            consensus: consensus.into(),
            settings: customs(consensus),
            block_time: Duration::from_secs(1),
            network: Conditions::default(),
            topology: Topology::Mesh,
            sync_delay: Duration::from_millis(1).into(),
            disks: BTreeMap::new(),
            clocks: BTreeMap::new(),
            hash_rates: BTreeMap::new(),
            schedule: Schedule::default(),
            byzantine: BTreeMap::new(),
            faces: None,
            mutant: None,
            adversary: Adversary::default(),
            catch_up: None,
            wire: false,
            tracing: Tracing::Hashed,
            options: Options::default(),
        }
    }

    /// Where this world's chain begins: it names the validators and accounts grown from the seed.
    pub fn genesis(&self) -> Genesis {
        let founders = self.founders();
        let validators = (0..founders).map(|id| Validator {
            key: self.validator(ReplicaId(id)).public(),
            stake: Stake(self.stakes.get(id as usize).copied().unwrap_or(1)),
        });
        let accounts = (0..self.accounts).map(|number| Funded {
            address: self.account(number).public().address(),
            balance: BALANCE,
        });
        let candidates = (founders..self.replicas).map(|id| Funded {
            address: self.validator(ReplicaId(id)).public().address(),
            balance: BALANCE,
        });
        Genesis {
            name: format!("simulation {}", self.seed),
            time: EPOCH,
            consensus: self.consensus.clone(),
            block_time: u64::try_from(self.block_time.as_millis()).expect("far below an age"),
            settings: self.settings.clone(),
            validators: validators.collect(),
            accounts: accounts.chain(candidates).collect(),
        }
    }

    /// How many validators there are in the beginning.
    pub fn founders(&self) -> u32 {
        self.replicas.saturating_sub(self.candidates)
    }

    /// The key of a funded account; they are numbered from zero.
    pub fn account(&self, number: u32) -> SecretKey {
        SecretKey::from_seed(grow(self.seed, "account", number.into()))
    }

    /// A validator's key, which owns the fees it earns, and signs its votes on the wire.
    pub fn validator(&self, id: ReplicaId) -> SecretKey {
        SecretKey::from_seed(grow(self.seed, "validator", id.0.into()))
    }

    /// What signs for a replica in this world.
    pub(crate) fn hand(&self, id: ReplicaId, genesis: &Genesis) -> Hand {
        match self.wire {
            true => Hand::new(id, genesis.chain_id(), self.validator(id)),
            false => Hand::simulated(id, genesis.chain_id(), self.secret())
                .with_account(self.validator(id)),
        }
    }

    /// What checks those signatures.
    pub(crate) fn keys(&self, genesis: &Genesis) -> Keys {
        match (self.wire, genesis.committee()) {
            (true, Ok(committee)) => Keys::of(genesis.chain_id(), &committee),
            (true, Err(reason)) => panic!("a simulation cannot begin so: {reason}"),
            (false, _) => {
                let keys = Keys::simulated(genesis.chain_id(), self.secret(), self.replicas);
                match self.lacks(Beneath::ConfusesKinds) {
                    true => keys.confusing_kinds(),
                    false => keys,
                }
            }
        }
    }

    /// Whether this is what is weak beneath the protocol.
    pub(crate) fn lacks(&self, beneath: Beneath) -> bool {
        self.mutant.is_some_and(|mutant| mutant.beneath == beneath)
    }

    /// What is weak in replicas.
    pub(crate) fn weak(&self) -> Weak {
        match self.mutant.map(|mutant| mutant.beneath) {
            Some(Beneath::SignsTwice) => Weak::lacking(Rule::SignOnce),
            Some(Beneath::HearsTwice) => Weak::lacking(Rule::HearOnce),
            _ => self.options.weak,
        }
    }

    fn secret(&self) -> SimulatedSecret {
        SimulatedSecret(grow(self.seed, "signatures", 0))
    }
}

/// Nothing for a module that is not in the catalogue: a test's.
fn customs(consensus: &str) -> BTreeMap<String, u64> {
    let customs = catalogue::customs(consensus).unwrap_or_default();
    customs.iter().map(|(key, value)| (key.to_string(), *value)).collect()
}

/// 32 bytes that follow from the seed and tell nothing of those grown for another purpose or
/// under another number.
pub(crate) fn grow(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    hash::sha256(&codec::encode(&("byzantium/simulator", seed, purpose, number))).to_bytes()
}

/// A stream of chance of its own.
pub(crate) fn stream(seed: u64, purpose: &str, number: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(grow(seed, purpose, number))
}
