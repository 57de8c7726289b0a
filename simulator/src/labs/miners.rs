//! Miners and nothing else: the very module of proof-of-work, on headers without transactions.
//!
//! Whole replicas execute, store, sync and gossip, which takes most of their time and changes no
//! figure of these labs. Here every step and every choice between branches is still the module's
//! ([`Nakamoto`] through [`Protocol::step`], R1 to R12), and so are the lies; seals are really
//! searched for. What is missing is the replica around it. Who hears what, and when, is the lab's
//! business: it carries each block to each miner by [`Miners::hear`].

use super::chance::Chance;
use crate::mining::seal;
use consensus::{
    Application, Effect, Input, Protocol, Signed, Timer, Turn,
    byzantine::{self, Liar, Plot, Seat},
    catalogue::Depths,
    nakamoto::{Config, Message, Nakamoto},
    work::Target,
};
use crypto::{Domain, Hash, hash};
use headers::Headers;
use ledger::{
    Block, BlockHash, ChainId, Hand, Header, Keys, ReplicaId, Slot, vote::SimulatedSecret,
};
use rand_chacha::ChaCha8Rng;
use std::{collections::VecDeque, sync::Arc, time::Duration};

mod headers;

/// When virtual time begins on everybody's calendar, in milliseconds since 1970.
pub(super) const EPOCH: u64 = 1_700_000_000_000;

/// What nobody outside can sign with.
const SECRET: SimulatedSecret = SimulatedSecret([0x1a; 32]);

/// A block on its way, under its miner's signature.
pub(super) type Said = Signed<Message>;

/// Some miners, each with the head that it works on. Numbered from zero.
#[derive(Debug)]
pub(super) struct Miners {
    keys: Keys,
    chance: ChaCha8Rng,
    miners: Vec<Miner>,
    /// Virtual time since the beginning; whoever moves it never moves it back.
    pub(super) now: Duration,
}

/// The newest block of a branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tip {
    /// Its name.
    pub(super) block: BlockHash,
    /// How many blocks precede it.
    pub(super) height: u64,
    /// Whose it is; nobody's, if it is the first of all.
    pub(super) miner: Option<ReplicaId>,
}

#[derive(Debug)]
struct Miner {
    id: ReplicaId,
    protocol: Liar<Nakamoto>,
    headers: Headers,
    hand: Hand,
    search: Option<(Header, Target)>,
    tip: Tip,
}

/// A difficulty that stays, blocks that go straight to everybody, and nothing that is ever final.
/// The target is the easiest there is: how many hashes a block takes changes none of the figures.
pub(super) fn steady(interval: Duration) -> Config {
    Config {
        depths: Depths { confirmations: u64::MAX, irreversible: u64::MAX },
        interval,
        // On a schedule that began long ago and hardly matters no block is early.
        half_life: Duration::MAX,
        began: 0,
        anchor: Target::EASIEST,
        limit: Target::EASIEST,
        clock_skew: interval * 100,
        max_transactions: 0,
        refresh: interval,
        relay: 0,
    }
}

impl Miners {
    /// Honest miners, who all begin at the genesis, and a liar for each name in `lies`, which gets
    /// the next number.
    ///
    /// # Panics
    /// If the module has no such lie.
    pub(super) fn new(config: Config, honest: u32, lies: &[&str], chance: &mut Chance) -> Miners {
        Miners::of(|| Nakamoto::with(config), honest, lies, chance)
    }

    /// The same, all made alike.
    pub(super) fn of(
        make: impl Fn() -> Nakamoto,
        honest: u32,
        lies: &[&str],
        chance: &mut Chance,
    ) -> Miners {
        let chain = ChainId(hash::tagged(Domain::Genesis, b"labs"));
        let all = honest + lies.len() as u32;
        let mut miners = Vec::with_capacity(all as usize);
        for id in (0..all).map(ReplicaId) {
            let hand = || Hand::simulated(id, chain, SECRET);
            let protocol = make();
            let protocol = match lies.get(id.0.wrapping_sub(honest) as usize) {
                None => Liar::honest(protocol),
                Some(name) => {
                    let entry = byzantine::choose::<Nakamoto>(name).expect("the module has it");
                    let lie = entry.lie().expect("it takes one replica");
                    Liar::new(protocol, lie, Seat::new(hand(), Arc::new(Plot::default())))
                }
            };
            miners.push(Miner::new(id, protocol, hand()));
        }
        let keys = Keys::simulated(chain, SECRET, all);
        let now = Duration::ZERO;
        let mut world = Miners { keys, chance: chance.stream(), miners, now };
        for number in 0..world.miners.len() {
            let start = Input::Start { records: Vec::new(), own: Vec::new() };
            assert!(world.step(number, start).is_empty(), "nobody has found anything");
        }
        world
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.miners.len()
    }

    /// What a miner works on, as far as it has told anybody: whoever hides blocks says nothing of
    /// them.
    pub(super) fn tip(&self, miner: usize) -> Tip {
        self.miners[miner].tip
    }

    /// The block that a miner searches a child of, whether or not it has told anybody.
    pub(super) fn works_on(&self, miner: usize) -> BlockHash {
        self.search(miner).parent
    }

    /// How many blocks precede the one that it searches a child of, that included.
    pub(super) fn height(&self, miner: usize) -> u64 {
        self.search(miner).height - 1
    }

    /// What the hash of the block that it searches must meet.
    pub(super) fn target(&self, miner: usize) -> Target {
        let (_, target) = self.miners[miner].search.as_ref().expect("whoever lives searches");
        *target
    }

    /// The branch that a miner works on, newest first, without the first block of all.
    pub(super) fn chain(&self, miner: usize) -> impl Iterator<Item = &Header> {
        self.miners[miner].headers.chain(self.works_on(miner))
    }

    fn search(&self, miner: usize) -> &Header {
        let (header, _) = self.miners[miner].search.as_ref().expect("whoever lives searches");
        header
    }

    /// A miner finds the nonce of the block that it works on, and says so, or keeps it to itself.
    /// The block bears the present time.
    pub(super) fn find(&mut self, miner: usize) -> Vec<Said> {
        let (header, target) = self.miners[miner].search.take().expect("whoever lives searches");
        self.step(miner, Input::Mined(Box::new(seal(header, target))))
    }

    /// Brings the block that a miner works on up to date, as it does every [`Config::refresh`].
    pub(super) fn refresh(&mut self, miner: usize) {
        let said = self.step(miner, Input::Rang(Timer(Slot::default())));
        assert!(said.is_empty(), "nothing was found");
    }

    /// A miner hears of a block, and says what it has to say to that.
    pub(super) fn hear(&mut self, miner: usize, said: &Said) -> Vec<Said> {
        self.step(miner, Input::Heard(said.clone()))
    }

    /// One step, and those that follow from what a miner hears of itself.
    fn step(&mut self, number: usize, input: Input<Message>) -> Vec<Said> {
        let miner = &mut self.miners[number];
        let wall = Duration::from_millis(EPOCH) + self.now;
        let mut said = Vec::new();
        let mut next = Some(input);
        let mut later = VecDeque::new();
        while let Some(input) = next.take().or_else(|| later.pop_front()) {
            let (chance, headers) = (&mut self.chance, &mut miner.headers);
            let mut turn = Turn::new(self.now, wall, miner.id, chance, headers, &self.keys);
            miner.protocol.step(input, &mut turn);
            for effect in turn.into_effects() {
                later.extend(miner.carry_out(effect, &mut said).map(Input::Heard));
            }
        }
        said
    }
}

impl Miner {
    fn new(id: ReplicaId, protocol: Liar<Nakamoto>, hand: Hand) -> Miner {
        let headers = Headers::new(genesis());
        let tip = Tip { block: headers.root(), height: 0, miner: None };
        Miner { id, protocol, headers, hand, search: None, tip }
    }

    /// Returns what is heard back.
    fn carry_out(&mut self, effect: Effect<Message>, said: &mut Vec<Said>) -> Option<Said> {
        match effect {
            Effect::Send { message, .. } => {
                let signed = Signed::by(&self.hand, message);
                said.push(signed.clone());
                return Some(signed);
            }
            Effect::Relay { message, .. } => said.push(message),
            Effect::Mine { header, target } => {
                self.search = Some((*header, Target::from_le_bytes(target)));
            }
            Effect::Adopt { head } => {
                let header = &self.headers.find(head).expect("it was accepted").header;
                self.tip = Tip { block: head, height: header.height, miner: Some(header.proposer) };
            }
            Effect::Commit { block, proof: _ } => self.headers.commit(block),
            // Nothing is lost, late without reason, or wrong here.
            Effect::Want(missing) => panic!("miner {} lacks {missing:?}", self.id),
            Effect::Accuse { .. } | Effect::Defer(_) => panic!("no miner does that"),
            Effect::Note { label, detail } => assert!(
                !matches!(label, "refused" | "invalid" | "dropped" | "conflict" | "unbuilt"),
                "miner {}: {label}: {detail}",
                self.id
            ),
            // Nothing crashes, and the lab says when time has passed.
            Effect::Persist { .. } | Effect::SetTimer { .. } | Effect::Horizon { .. } => {}
        }
        None
    }
}

/// Where all chains of these labs begin.
fn genesis() -> Arc<Block> {
    let header = Header {
        parent: BlockHash(Hash::ZERO),
        height: 0,
        time: EPOCH,
        proposer: ReplicaId(0),
        transactions: ledger::block::transaction_root(&[]),
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: ledger::Seal::default(),
    };
    Arc::new(Block { header, transactions: Vec::new(), duties: Vec::new() })
}

#[cfg(test)]
mod tests;
