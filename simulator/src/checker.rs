//! Judges a run: did everybody keep the promises that consensus makes?
//!
//! The checker is apart from all protocols. It knows blocks, transactions, proofs and signed slots,
//! executes blocks by rules of its own, and asks a protocol one thing only, whether a proof proves
//! ([`Protocol::verify`]). What it looks at is the [`Record`] of a world and the ledgers of those who
//! are up.
//!
//! | promise | what it means |
//! |---|---|
//! | agreement | no two replicas ever hold different blocks final at one height |
//! | finality | nobody takes a final block back |
//! | validity | every final block follows from the genesis by signed transactions and money that is neither made nor lost, and a proof covers it; a replica's ledger says of every account what its blocks say |
//! | integrity | a replica reports every height once, in order, across crashes too; no transaction is ordered twice |
//! | durability | what was reported is never forgotten |
//! | accountability | nobody lets two different values leave that it signed in one slot, and nobody who is honest is punished |
//! | progress | once the world is calm, everybody who is up gets on within a bound |
//! | confirmation | nobody takes back a block that was deep enough beneath its head to be counted on |
//! | no censorship | what an honest replica took is ordered within a bound |
//! | union | from some time on all who are up are on one chain, but for its newest blocks |
//!
//! Confirmation and union are for protocols whose blocks are never quite certain
//! ([`consensus::catalogue::depths`]). Final is there what is committed, progress is that of the
//! adopted head, and a confirmed block that was taken back is the protocol's failure unless it
//! [may](Promises::may_revert) be.
//!
//! Across a crash, integrity means: a life begins at some height of the ledger on the disk, never
//! below what was reported. Blocks between the two are final and their reports were lost; they
//! count as held from then on, and the first report of the new life is one above them.
//!
//! Where agreement is broken the verdict says who did it, with proof, or why nobody can be convicted:
//! [`Blame`].
//!
//! Replicas that are [faulty](Promises::faulty) by design make no promises.
//!
//! ```
//! use consensus::{catalogue::Module, tendermint::Tendermint};
//! use simulator::{Goal, Progress, Promises, Setup, World, checker};
//! use std::time::Duration;
//!
//! let setup = Setup::new(Tendermint::NAME, 4, 7);
//! let mut world = World::<Tendermint>::new(setup, |genesis| Module::new(genesis).unwrap());
//! world.run_for(Duration::from_secs(30));
//! let calm = Duration::from_secs(10);
//! let mut promises = Promises::default();
//! promises.progress.push(Progress { since: calm, within: calm, goal: Goal::Gain(3) });
//! let verdict = checker::judge(&world, promises);
//! assert!(verdict.holds(), "{verdict}");
//! ```

use crate::{Record, World};
use chain::Chain;
use consensus::{Protocol, Trusted, Unproven, catalogue};
use crypto::hash::sha256;
use follow::Follow;
use ledger::{BlockHash, Committee, Genesis, Header, Keys, Ledger, Proof, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

mod account;
mod blame;
mod censorship;
mod chain;
mod execution;
mod flaw;
mod follow;
pub(crate) mod progress;
mod stakes;
#[cfg(test)]
mod tests;
mod together;
mod verdict;

pub use blame::{Blame, Guilt, Unprovable};
pub use flaw::{Bad, Flaw};
pub use progress::{Goal, Progress};
pub use together::Together;
pub use verdict::{Standing, Verdict, Violation};

/// What is promised in a run, and by whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Promises {
    /// Those who may do anything: machines that lose their disks, for example. Nobody looks at them,
    /// nor at those who [lie](crate::Setup::byzantine).
    pub faulty: BTreeSet<ReplicaId>,
    /// How many of the newest final heights of a replica may still lack a proof, beyond those that
    /// the module asks for ([`catalogue::unproven`]). [`PROVEN_LATE`] more where blocks are final by
    /// depth.
    pub unproven: u64,
    /// When everybody is to get on.
    pub progress: Vec<Progress>,
    /// Whether confirmed blocks may be taken back: there are figures for that in
    /// [`World::mining`] then.
    pub may_revert: bool,
    /// From when on all are on one chain.
    pub together: Option<Together>,
    /// How long a transaction that an honest replica took may wait until somebody honest holds it
    /// final; for ever, if none.
    pub censorship: Option<Duration>,
}

/// Where blocks are final by depth a proof says hardly more than the headers do, and there is one
/// for every 32nd height only.
pub const PROVEN_LATE: u64 = 31;

/// Judges all that has happened in a world so far.
pub fn judge<P: Protocol>(world: &World<P>, promises: Promises) -> Verdict {
    Checker::of(world, promises).look(&Sight::of(world))
}

/// What a checker looks at.
#[derive(Debug)]
pub struct Sight<'a> {
    /// Virtual time.
    pub now: Duration,
    /// What replicas put out.
    pub record: &'a Record,
    /// By replica; none for those who are down.
    pub ledgers: Vec<Option<&'a Ledger>>,
}

impl<'a> Sight<'a> {
    /// Everything there is to see in a world.
    pub fn of<P: Protocol>(world: &'a World<P>) -> Sight<'a> {
        let ledgers = world.replicas().map(|id| world.ledger(id)).collect();
        Sight { now: world.now(), record: world.record(), ledgers }
    }

    fn live(&self) -> impl Iterator<Item = (ReplicaId, &'a Ledger)> {
        let ledgers = (0..).map(ReplicaId).zip(&self.ledgers);
        ledgers.filter_map(|(id, ledger)| Some((id, (*ledger)?)))
    }
}

/// Judges one run, as often as one likes: each look costs only what is new.
#[derive(Debug)]
pub struct Checker {
    promises: Promises,
    /// How many of the newest final heights may lack a proof.
    lag: u64,
    ruling: Ruling,
    follows: Vec<Follow>,
    /// Who held which block final first, by height.
    agreed: BTreeMap<u64, (ReplicaId, BlockHash)>,
    flawed: BTreeMap<(u64, BlockHash), Vec<Flaw>>,
    violations: Vec<Violation>,
    /// Whoever was punished and is honest, and by the block at which height.
    unjust: BTreeMap<ReplicaId, u64>,
    /// None in tests of the rest.
    court: Option<blame::Court>,
    docket: censorship::Docket,
}

/// A protocol's word on whether a proof makes the last of some headers final. The third is the
/// header right below them, if it is known.
type Verify =
    Box<dyn Fn(&[Header], &Proof, Option<&Header>, &Committee) -> Result<(), Unproven> + Send>;

impl Checker {
    /// Begins before a world did: its first look sees everything.
    pub fn of<P: Protocol>(world: &World<P>, mut promises: Promises) -> Checker {
        promises.faulty.extend(world.setup().byzantine.keys());
        let (genesis, setup) = (world.genesis(), world.setup());
        Checker::with::<P>(genesis, setup.keys(genesis), setup.replicas, promises)
    }

    /// The same for a chain of real nodes, of which so many take part; `promises` names all that are faulty,
    /// those who lie among them. What it looks at is what somebody noted in a [`Record::observed`].
    ///
    /// # Panics
    /// If no chain can begin with this genesis.
    pub fn observing<P: Protocol>(genesis: &Genesis, replicas: u32, promises: Promises) -> Checker {
        let committee = genesis.committee().expect("the chain has begun");
        let keys = Keys::of(genesis.chain_id(), &committee);
        Checker::with::<P>(genesis, keys, replicas, promises)
    }

    fn with<P: Protocol>(
        genesis: &Genesis,
        keys: Keys,
        replicas: u32,
        promises: Promises,
    ) -> Checker {
        // The replay learns who comes; all others who check signatures hold clones.
        let learns = keys.clone();
        let root = genesis.clone();
        let verify: Verify = Box::new(move |headers, proof, parent, committee| {
            P::verify(headers, proof, Trusted { genesis: &root, parent, committee, keys: &keys })
        });
        let court = blame::Court::of::<P>(learns.clone());
        let faulty = promises.faulty.clone();
        let mut checker = Checker::new(genesis, promises, verify, learns);
        let founders = u32::try_from(genesis.validators.len()).expect("a committee is small");
        let candidates = (founders..replicas).map(ReplicaId).filter(|id| !faulty.contains(id));
        checker.follows.extend(candidates.map(Follow::new));
        Checker { court: Some(court), ..checker }
    }

    /// # Panics
    /// If no chain can begin with this genesis.
    fn new(genesis: &Genesis, promises: Promises, verify: Verify, keys: Keys) -> Checker {
        let ids = (0..genesis.validators.len() as u32).map(ReplicaId);
        let honest = ids.filter(|id| !promises.faulty.contains(id));
        let by_depth = catalogue::depths(genesis).ok().flatten().is_some();
        // A module that the catalogue does not know is a test's, and proves what it decides at once.
        let late = catalogue::unproven(genesis).unwrap_or(0);
        Checker {
            follows: honest.map(Follow::new).collect(),
            lag: promises.unproven + late + if by_depth { PROVEN_LATE } else { 0 },
            promises,
            ruling: Ruling { chain: Chain::new(genesis, keys), verify, seen: BTreeMap::new() },
            agreed: BTreeMap::new(),
            flawed: BTreeMap::new(),
            violations: Vec::new(),
            unjust: BTreeMap::new(),
            court: None,
            docket: censorship::Docket::default(),
        }
    }

    /// Looks at what has happened since the last look. Returns what was wrong so far, in all.
    pub fn look(&mut self, sight: &Sight<'_>) -> Verdict {
        let new = self.follow(sight);
        for (height, name) in new {
            let flaws = self.ruling.chain.judge(name, height, sight.record.block(name));
            if !flaws.is_empty() {
                self.flawed.insert((height, name), flaws);
            }
        }
        self.compare(sight);
        for follow in &mut self.follows {
            let found = follow.prove(&mut self.ruling, self.lag);
            self.violations.extend(found);
        }
        self.verdict(sight)
    }

    /// Reads on in everybody's history. Returns the blocks nobody held before, lowest first, so
    /// that parents are judged before their children.
    fn follow(&mut self, sight: &Sight<'_>) -> BTreeSet<(u64, BlockHash)> {
        let mut new = BTreeSet::new();
        for follow in &mut self.follows {
            let replica = follow.id;
            for commit in follow.read(sight.record.history(replica), &mut self.violations) {
                let (height, block) = (commit.height, commit.block);
                let one = *self.agreed.entry(height).or_insert((replica, block));
                if one.1 != block && one.0 != replica && !follow.disagrees {
                    follow.disagrees = true;
                    let other = (replica, block);
                    self.violations.push(Violation::Disagreement { height, one, other });
                }
                if let (Some(_), Some(body)) = (self.promises.censorship, sight.record.block(block))
                {
                    self.docket.ordered(body, commit.at);
                }
                let parent = sight.record.block(block).map(|block| block.header.parent);
                let below = height.checked_sub(1).and_then(|below| follow.held.get(&below));
                if let (Some(parent), Some(&below)) = (parent, below)
                    && parent != below
                {
                    self.violations.push(Violation::Unlinked { replica, height, below, parent });
                }
                new.insert((height, block));
            }
        }
        new
    }

    /// Compares the ledgers of those who are up with what their blocks say.
    fn compare(&mut self, sight: &Sight<'_>) {
        for (id, ledger) in sight.live() {
            let Some(follow) = self.follows.iter_mut().find(|follow| follow.id == id) else {
                continue;
            };
            let mut found = follow.compare(ledger, sight.now);
            // A ledger runs ahead of its reports by what is not durable yet.
            for height in follow.height + 1..=ledger.height() {
                let Some(block) = ledger.committed(height) else { continue };
                let flaws = self.ruling.chain.judge(block.hash(), height, Some(&block));
                if !flaws.is_empty() {
                    follow.held.insert(height, block.hash());
                    self.flawed.insert((height, block.hash()), flaws);
                }
            }
            found.extend(self.ruling.audit(id, ledger));
            let register = ledger.register(ledger.root()).expect("the root has one");
            for (replica, validator) in register.validators() {
                let honest = !self.promises.faulty.contains(&replica);
                if let Some(height) = validator.punished.filter(|_| honest) {
                    self.unjust.insert(replica, height);
                }
            }
            if !follow.estranged {
                follow.estranged = !found.is_empty();
                self.violations.extend(found);
            }
        }
    }

    fn verdict(&self, sight: &Sight<'_>) -> Verdict {
        let holders = |height, block| {
            let held = |follow: &&Follow| follow.held.get(height) == Some(block);
            self.follows.iter().filter(held).map(|follow| follow.id).collect()
        };
        let invalid = self.flawed.iter().map(|((height, block), flaws)| Violation::InvalidBlock {
            height: *height,
            block: *block,
            replicas: holders(height, block),
            flaws: flaws.clone(),
        });
        let honest = |id: &ReplicaId| !self.promises.faulty.contains(id);
        let equivocations = sight.record.equivocations().iter().cloned();
        let equivocations = equivocations.filter(|each| honest(&each.signer)).map(|each| {
            let crate::record::Equivocation { signer, slot, first, second } = each;
            let [first, second] = [first, second].map(Box::new);
            Violation::Equivocation { signer, slot, first, second }
        });
        let halts = sight
            .record
            .halts()
            .filter(|(id, ..)| honest(id))
            .map(|(replica, at, why)| Violation::Halted { replica, at, why: why.into() });
        let reversions = sight.record.reversions().iter();
        let reverted = reversions.filter(|each| !self.promises.may_revert && honest(&each.replica));
        let reverted = reverted.map(|each| Violation::Reverted(*each));
        let progress = self.promises.progress.iter();
        let stalled = progress.filter_map(|each| each.judge(sight, &self.promises.faulty));
        let together = self.promises.together.iter();
        let apart = together.filter_map(|each| each.judge(sight, &self.promises.faulty));
        let found = self.violations.iter().cloned().chain(invalid).chain(equivocations);
        let unjust = self.unjust.iter();
        let unjust = unjust
            .map(|(replica, height)| Violation::Unjust { replica: *replica, height: *height });
        let accused = sight.record.accusations();
        let accused = accused.filter(|each| honest(&each.by) && honest(&each.offender));
        let accused = accused.cloned().map(|crate::record::Accusation { by, offender, charge }| {
            Violation::Accused { by, offender, charge }
        });
        let all = found
            .chain(unjust)
            .chain(accused)
            .chain(halts)
            .chain(reverted)
            .chain(stalled)
            .chain(apart);
        let censored = self.promises.censorship.into_iter();
        let censored =
            censored.flat_map(|bound| self.docket.judge(sight, bound, &self.promises.faulty));
        let violations: Vec<_> = all.chain(censored).collect();
        let blame =
            self.court.as_ref().map(|court| court.try_all(&violations, sight, &self.ruling.chain));
        Verdict { violations, blame: blame.unwrap_or_default() }
    }
}

/// What all replicas are judged by.
struct Ruling {
    chain: Chain,
    verify: Verify,
    /// What came of each proof, by block, the height above which it was to prove, and its hash.
    seen: BTreeMap<(BlockHash, u64, crypto::Hash), Result<(), String>>,
}

impl Ruling {
    /// Does `proof` make `block` and its ancestors above the height `proven` final?
    fn verify(&mut self, block: BlockHash, proven: u64, proof: &Proof) -> Result<(), String> {
        let key = (block, proven, sha256(&proof.0));
        if let Some(known) = self.seen.get(&key) {
            return known.clone();
        }
        let headers = self.chain.headers(block, proven).unwrap_or_default();
        let below = headers.first().and_then(|first| self.chain.header(first.parent));
        let parent = headers.first().map(|first| first.parent).unwrap_or_default();
        let committee = self.chain.committee(parent);
        let ruled = (self.verify)(&headers, proof, below, &committee);
        let ruled = ruled.map_err(|reason| reason.to_string());
        self.seen.insert(key, ruled.clone());
        ruled
    }

    /// Compares every account in a replica's ledger with what the blocks up to there say.
    fn audit(&self, replica: ReplicaId, ledger: &Ledger) -> Vec<Violation> {
        let (root, height) = (ledger.root(), ledger.height());
        let Some(purses) = self.chain.purses(root) else { return Vec::new() };
        let mut violations = Vec::new();
        for (&address, purse) in purses.iter() {
            let account = ledger.account(root, address).unwrap_or_default();
            // Stake counts as money here: what is wrong is told by its sum.
            let money = u128::from(account.balance.0) + u128::from(account.bonded.0);
            let found = (money, account.nonce);
            let expected = (purse.balance + purse.bonded, purse.nonce);
            if found != expected {
                let wrong = Violation::WrongAccount { replica, height, address, expected, found };
                violations.push(wrong);
            }
        }
        violations
    }
}

impl fmt::Debug for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ruling").field("chain", &self.chain).finish_non_exhaustive()
    }
}
