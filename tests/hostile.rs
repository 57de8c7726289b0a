//! One of four validators is a machine that says whatever it likes, with its own key. The others
//! go on, tell each other nothing wrong, and can say why they threw away what they threw away.

use consensus::{Signed, tendermint::Message, tendermint::Tendermint};
use crypto::{Hash, hash::sha256};
use ledger::{BlockHash, Hand, Proof, ReplicaId, Slot};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use replica::{
    Envelope, Packet,
    gossip::{SlotSummary, Summary},
    packet::{Ask, Chained},
};
use simulator::{Goal, Progress, Promises, Setup, Tracing, World, checker};
use std::{collections::BTreeSet, time::Duration};
use tests::tendermint;

const LIAR: ReplicaId = ReplicaId(3);
const HONEST: [ReplicaId; 3] = [ReplicaId(0), ReplicaId(1), ReplicaId(2)];

/// What sits where validator 3 should.
struct Liar {
    hand: Hand,
    chance: ChaCha8Rng,
    said: u64,
}

impl Liar {
    fn new(world: &World<Tendermint>, seed: u64) -> Liar {
        let hand = Hand::new(LIAR, world.genesis().chain_id(), world.setup().validator(LIAR));
        Liar { hand, chance: ChaCha8Rng::seed_from_u64(seed), said: 0 }
    }

    fn pick(&mut self, bound: u64) -> u64 {
        self.chance.next_u64() % bound
    }

    /// The next thing it says, at a time when the others are deciding `height`.
    fn bytes(&mut self, world: &World<Tendermint>, height: u64) -> Vec<u8> {
        self.said += 1;
        let mut bytes = match self.pick(8) {
            0 => return self.noise(),
            1 => self.envelope(self.summary(u64::MAX)),
            2 => self.envelope(Packet::Ask(Ask::Blocks { from: self.said })),
            3 => self.envelope(self.unproven_blocks(world)),
            // Far ahead, so that nobody can know whether it is nonsense.
            4 => self.vote(height + self.said, self.said),
            // Another one each time, for the round everybody is in.
            _ => self.vote(height, 0),
        };
        if self.pick(2) == 0 {
            let at = self.pick(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.pick(8);
        }
        bytes
    }

    fn noise(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; self.pick(2_000) as usize];
        self.chance.fill_bytes(&mut bytes);
        bytes
    }

    fn vote(&mut self, height: u64, round: u64) -> Vec<u8> {
        let value = Some(BlockHash(sha256(&self.said.to_le_bytes())));
        let message = match self.pick(2) {
            0 => Message::Prevote { height, round, value, table: None },
            _ => Message::Precommit { height, round, value, table: None },
        };
        self.envelope(Packet::Message(Signed::by(&self.hand, message)))
    }

    fn summary(&self, reach: u64) -> Packet<Message> {
        let slot = Slot { height: self.said, ..Slot::default() };
        let slots = vec![SlotSummary { slot, spoke: vec![0xff; 300], ids: Hash::ZERO }];
        Packet::Summary(Summary {
            reach,
            covers: (Slot::default(), slot),
            slots,
            dead: Box::default(),
        })
    }

    /// A block that stands on the newest final one, and a proof that proves nothing.
    fn unproven_blocks(&self, world: &World<Tendermint>) -> Packet<Message> {
        let ledger = world.ledger(HONEST[0]).expect("it is up");
        let mut block = (*ledger.block(ledger.root()).expect("the root is held")).clone();
        block.header.parent = ledger.root();
        block.header.height += 1;
        let proof = Some(Proof(self.said.to_le_bytes().to_vec()));
        Packet::Blocks(vec![Chained { block: block.into(), proof }])
    }

    fn envelope(&self, packet: Packet<Message>) -> Vec<u8> {
        Envelope { seq: self.said, packet }.encode()
    }
}

#[test]
fn three_honest_replicas_outlive_a_fourth_that_says_anything() {
    for seed in 0..3 {
        println!("seed {seed}");
        let mut setup = Setup::new("tendermint", 4, seed);
        (setup.wire, setup.tracing) = (true, Tracing::Kept);
        let mut world = World::new(setup, tendermint);
        world.crash(LIAR);
        let mut liar = Liar::new(&world, seed);
        while world.now() < Duration::from_secs(30) {
            world.run_for(Duration::from_millis(20));
            for to in HONEST {
                let height = world.height(to) + 1;
                let bytes = liar.bytes(&world, height);
                world.inject(to, LIAR, bytes);
            }
        }
        let (since, within) = (Duration::from_secs(5), Duration::from_secs(25));
        let promises = Promises {
            faulty: BTreeSet::from([LIAR]),
            progress: vec![Progress { since, within, goal: Goal::Gain(8) }],
            ..Promises::default()
        };
        let verdict = checker::judge(&world, promises);
        assert!(verdict.holds(), "seed {seed}: {verdict}\n{world:?}");
        for reason in ["malformed", "forged"] {
            assert!(world.record().refused().contains_key(reason), "seed {seed}: no {reason}");
        }
        let told: String = world.record().lines().iter().map(|line| format!("{line:?}")).collect();
        for word in ["equivocation", "unproven", "too_far"] {
            assert!(told.contains(word), "seed {seed}: nobody says {word}");
        }
    }
}
