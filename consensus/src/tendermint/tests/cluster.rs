//! Several replicas and a network on a virtual clock: whole heights, and random schedules.

use super::{attendance::leaking, rig::*};
use crate::{
    protocol::{Effect, Input, Protocol, Timer, Want},
    quorum::Signed,
    tendermint::{Config, Message, Tendermint},
};
use ledger::{Block, BlockHash, Duty, leak::Mode};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[derive(Clone, Debug)]
enum Event {
    Mail { to: usize, signed: Signed<Message> },
    Body { to: usize, block: Arc<Block> },
    Ring { who: usize, timer: Timer },
    Crash { who: usize },
    Sync,
    Lie,
}

/// Everything that can happen next, in order of time.
pub(super) struct Cluster {
    pub(super) rigs: Vec<Rig>,
    pub(super) now: Duration,
    born: Vec<Duration>,
    queue: BTreeMap<(Duration, u64), Event>,
    count: u64,
    rng: ChaCha8Rng,
    /// Until when messages take up to `worst`; from then on at most `best`.
    pub(super) stable_from: Duration,
    pub(super) worst: Duration,
    pub(super) best: Duration,
    /// One that signs whatever it likes, or is just gone.
    pub(super) liar: Option<usize>,
    /// All that was ever said: what gossip brings to one that lost its inbox.
    said: Vec<Signed<Message>>,
    known: BTreeMap<BlockHash, Arc<Block>>,
    /// What happened, for people.
    pub(super) diary: Vec<(Duration, usize, Effect<Message>)>,
}

impl Cluster {
    pub(super) fn new(stakes: &[u64], config: Config, seed: u64) -> Cluster {
        let committee = committee(stakes);
        let ids = 0..u32::try_from(stakes.len()).unwrap();
        Cluster {
            rigs: ids.map(|id| Rig::new(id, committee.clone(), config)).collect(),
            now: Duration::ZERO,
            born: vec![Duration::ZERO; stakes.len()],
            queue: BTreeMap::new(),
            count: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            stable_from: Duration::ZERO,
            worst: ms(10),
            best: ms(10),
            liar: None,
            said: Vec::new(),
            known: BTreeMap::new(),
            diary: Vec::new(),
        }
    }

    fn honest(&self) -> impl Iterator<Item = usize> + use<> {
        let liar = self.liar;
        (0..self.rigs.len()).filter(move |&id| Some(id) != liar)
    }

    pub(super) fn start(&mut self) {
        for who in self.honest() {
            self.with(who, Rig::wake);
        }
    }

    fn at(&mut self, time: Duration, event: Event) {
        self.count += 1;
        self.queue.insert((time, self.count), event);
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn delay(&mut self) -> Duration {
        let best = self.best;
        if self.now >= self.stable_from || self.worst == best {
            return best;
        }
        let worst = u64::try_from(self.worst.as_millis()).unwrap();
        ms(self.below(worst))
    }

    /// Lets one replica act, and takes up what it did.
    fn with(&mut self, who: usize, act: impl FnOnce(&mut Rig)) {
        let rig = &mut self.rigs[who];
        rig.now = self.now - self.born[who];
        rig.wall = EPOCH + self.now;
        act(rig);
        let sent: Vec<_> = rig.outbox.drain(..).collect();
        let effects: Vec<_> = rig.effects.drain(..).collect();
        for effect in effects {
            match &effect {
                Effect::SetTimer { timer, after } => {
                    self.at(self.now + *after, Event::Ring { who, timer: *timer });
                }
                Effect::Want(Want::Block(hash)) => {
                    let block = self.known[hash].clone();
                    let time = self.now + self.delay();
                    self.at(time, Event::Body { to: who, block });
                }
                _ => {}
            }
            self.diary.push((self.now, who, effect));
        }
        sent.into_iter().for_each(|signed| self.spread(who, &signed));
    }

    fn spread(&mut self, from: usize, signed: &Signed<Message>) {
        if let Message::Proposal { block, .. } = signed.message() {
            self.known.insert(block.hash(), block.clone());
        }
        self.said.push(signed.clone());
        for to in self.honest() {
            if to != from {
                let time = self.now + self.delay();
                self.at(time, Event::Mail { to, signed: signed.clone() });
            }
        }
    }

    /// The next event. False if there is none.
    pub(super) fn tick(&mut self) -> bool {
        let Some(((time, _), event)) = self.queue.pop_first() else { return false };
        self.now = time;
        match event {
            Event::Mail { to, signed } => self.with(to, |rig| rig.deliver(signed)),
            Event::Body { to, block } => self.with(to, |rig| rig.feed(Input::Arrived(block))),
            Event::Ring { who, timer } => {
                let now = self.now - self.born[who].min(self.now);
                if self.rigs[who].timers.get(&timer) == Some(&now) {
                    self.rigs[who].timers.remove(&timer);
                    self.with(who, |rig| rig.feed(Input::Rang(timer)));
                }
            }
            Event::Crash { who } => {
                self.rigs[who].crash();
                self.born[who] = self.now;
                self.with(who, Rig::wake);
                for signed in self.said.clone() {
                    let time = self.now + self.delay();
                    self.at(time, Event::Mail { to: who, signed });
                }
            }
            Event::Sync => self.sync(),
            Event::Lie => self.lie(),
        }
        true
    }

    /// What the replica's sync does: whoever is behind is brought the next block and its proof.
    fn sync(&mut self) {
        let longest = self.honest().max_by_key(|&who| self.height(who)).unwrap();
        for who in self.honest() {
            let Some((hash, proof)) = self.rigs[longest].commits.get(self.height(who)).cloned()
            else {
                continue;
            };
            let block = self.rigs[longest].book.blocks[&hash].clone();
            let book = &mut self.rigs[who].book;
            let headers = [block.header.clone()];
            trusting(&book.committee, |trusted| Tendermint::verify(&headers, &proof, trusted))
                .unwrap();
            book.hold(&block);
            book.root = hash;
            self.rigs[who].commits.push((hash, proof.clone()));
            self.with(who, |rig| rig.feed(Input::Advanced { block: hash, proof }));
        }
        self.at(self.now + ms(1000), Event::Sync);
    }

    /// The liar signs something that might hurt, and everybody will hear of it.
    fn lie(&mut self) {
        let liar = self.liar.expect("only a liar lies");
        let victims: Vec<_> = self.honest().collect();
        let victim = victims[self.below(victims.len() as u64) as usize];
        let root = self.rigs[victim].book.root;
        let height = self.rigs[victim].book.blocks[&root].header.height + 1;
        let round = (self.rigs[victim].round() + self.below(3)).saturating_sub(1);
        let siblings: Vec<_> =
            self.known.values().filter(|block| block.header.height == height).cloned().collect();
        let salt = self.below(4);
        let block = match siblings.get(self.below(siblings.len() as u64 + 2) as usize) {
            Some(block) => block.clone(),
            None => self.rigs[victim].book.child(root, liar as u32, salt),
        };
        let is_known = self.known.contains_key(&block.hash());
        let value = (is_known && self.below(4) > 0).then(|| block.hash());
        let message = match self.below(4) {
            0 if round > 0 && self.below(2) == 0 => {
                let valid_round = self.below(round);
                let vote = prevote(height, valid_round, Some(block.hash()));
                let votes = self.said.iter().filter(|signed| *signed.message() == vote);
                let mut voters: Vec<_> = votes.map(|signed| signed.sender().0).collect();
                voters.push(liar as u32);
                voters.sort();
                voters.dedup();
                again(height, round, valid_round, &voters, &block)
            }
            0 => proposal(height, round, &block),
            1 | 2 => prevote(height, round, value),
            _ => precommit(height, round, value),
        };
        self.spread(liar, &by(liar as u32, message));
    }

    fn height(&self, who: usize) -> usize {
        self.rigs[who].commits.len()
    }

    /// No two replicas have decided differently; returns the longest chain.
    fn agreement(&self) -> Vec<BlockHash> {
        let chain = |who: usize| -> Vec<_> {
            self.rigs[who].commits.iter().map(|(block, _)| *block).collect()
        };
        let longest = self.honest().map(chain).max_by_key(Vec::len).unwrap();
        for who in self.honest() {
            assert!(longest.starts_with(&chain(who)), "replica {who} decided another chain");
        }
        longest
    }
}

#[test]
fn four_replicas_decide_height_after_height_each_in_turn() {
    let mut cluster = Cluster::new(&[1; 4], brisk(), 1);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 8) {
        assert!(cluster.tick());
    }
    let chain = cluster.agreement();
    let book = &cluster.rigs[0].book;
    let builders: Vec<_> = chain.iter().map(|hash| book.blocks[hash].header.proposer.0).collect();
    assert_eq!(builders[..8], [1, 2, 3, 0, 1, 2, 3, 0]);
    // Three message delays a height, and no timeout.
    assert_eq!(cluster.now, ms(8 * 30));
    assert!(cluster.diary.iter().all(|(_, _, effect)| !matches!(
        effect,
        Effect::Note { label: "timeout" | "skip" | "dropped", .. } | Effect::Want(_)
    )));
}

#[test]
fn a_height_costs_one_proposal_and_two_votes_from_each() {
    let mut cluster = Cluster::new(&[1; 7], brisk(), 1);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 5) {
        assert!(cluster.tick());
    }
    let sends = cluster.said.iter().filter(|signed| signed.message().height() <= 5).count();
    assert_eq!(sends, 5 * (1 + 2 * 7));
}

#[test]
fn one_replica_alone_decides() {
    let mut cluster = Cluster::new(&[1], Config::default(), 1);
    cluster.start();
    while cluster.height(0) < 3 {
        assert!(cluster.tick());
    }
    assert_eq!(cluster.now, ms(3000), "one block time each");
}

#[test]
fn a_silent_replica_costs_timeouts_not_decisions() {
    let mut cluster = Cluster::new(&[1; 4], brisk(), 1);
    cluster.liar = Some(1);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 4) {
        assert!(cluster.tick());
    }
    cluster.agreement();
    let timeouts = cluster.diary.iter().filter(|(_, who, effect)| {
        *who == 0 && matches!(effect, Effect::Note { label: "timeout", .. })
    });
    // Height 1: propose, precommit. Then 2, 3, 0 open heights 2 to 4.
    assert_eq!(timeouts.count(), 2);
}

#[test]
fn with_a_third_silent_nothing_is_decided_and_no_timer_runs() {
    let mut cluster = Cluster::new(&[1; 3], brisk(), 1);
    cluster.liar = Some(2);
    cluster.start();
    while cluster.tick() {}
    assert!(cluster.agreement().is_empty());
    assert_eq!(cluster.rigs[0].round(), 0);
}

/// Random delays, reordering, crashes and a liar for 20 seconds, a good network afterwards.
fn ordeal(seed: u64, config: Config) -> Cluster {
    let stakes: &[u64] = match seed % 4 {
        0 => &[1, 1, 1, 1],
        1 => &[3, 2, 4, 2],
        2 => &[1, 1, 1, 1, 1],
        _ => &[5, 4, 4, 6, 1, 1],
    };
    let mut cluster = Cluster::new(stakes, config, seed);
    cluster.stable_from = Duration::from_secs(20);
    cluster.worst = ms(200 + seed % 7 * 500);
    cluster.liar = (!seed.is_multiple_of(3)).then_some(3);
    cluster.start();
    cluster.at(ms(1000), Event::Sync);
    for tenths in 0..200 {
        if cluster.liar.is_some() {
            cluster.at(ms(tenths * 100), Event::Lie);
        }
        let who = cluster.below(30) as usize;
        if who < stakes.len() && cluster.liar != Some(who) {
            cluster.at(ms(tenths * 100 + 50), Event::Crash { who });
        }
    }
    while cluster.now < cluster.stable_from {
        assert!(cluster.tick(), "seed {seed} has no event left");
        cluster.agreement();
    }
    let goal = cluster.agreement().len() + 3;
    let deadline = cluster.now + Duration::from_secs(300);
    while cluster.honest().any(|who| cluster.height(who) < goal) {
        let fine = cluster.tick() && cluster.now < deadline;
        assert!(fine, "seed {seed} decides nothing");
        cluster.agreement();
    }
    cluster
}

#[test]
fn random_schedules_never_decide_two_values_and_all_decide_in_the_end() {
    for seed in 0..120 {
        ordeal(seed, brisk());
    }
}

/// With a leak on the chain heights also end late, and blocks carry what each replica happens to know.
#[test]
fn nor_do_they_where_blocks_tell_who_took_part() {
    let (mut told, mut complete) = (0, 0);
    for seed in 0..60 {
        let cluster = ordeal(seed, leaking(Mode::OnChain));
        let blocks = &cluster.rigs[0].book.blocks;
        for block in cluster.agreement().iter().filter_map(|hash| blocks.get(hash)) {
            let [Duty::Participation { present, .. }] = &block.duties[..] else { continue };
            told += 1;
            complete += usize::from(present.len() == cluster.rigs.len());
        }
    }
    println!("{told} blocks tell, {complete} of them of everybody");
    assert!(complete > 0 && told > complete, "{complete} of {told}");
}

#[test]
fn a_schedule_is_a_function_of_its_seed() {
    let run = |seed| {
        let mut cluster = Cluster::new(&[1; 4], brisk(), seed);
        cluster.stable_from = Duration::from_secs(3);
        cluster.worst = ms(700);
        cluster.start();
        while cluster.now < Duration::from_secs(5) {
            assert!(cluster.tick());
        }
        format!("{:?}", cluster.diary)
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
