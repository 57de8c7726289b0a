//! Several replicas and a network on a virtual clock: whole numbers, and random schedules.

use super::{
    super::{Config, Message, Pbft, Size, Value},
    rig::*,
};
use crate::{
    protocol::{Effect, Input, Protocol, Timer, To},
    quorum::Signed,
};
use ledger::{BlockHash, ReplicaId};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[derive(Clone, Debug)]
enum Event {
    Mail { to: usize, signed: Signed<Message> },
    Ring { who: usize, timer: Timer },
    Crash { who: usize },
    Request,
    Sync,
    Lie,
}

/// Everything that can happen next, in order of time.
struct Cluster {
    rigs: Vec<Rig>,
    now: Duration,
    born: Vec<Duration>,
    queue: BTreeMap<(Duration, u64), Event>,
    count: u64,
    rng: ChaCha8Rng,
    /// Until when messages take up to `worst`; from then on at most `best`.
    stable_from: Duration,
    worst: Duration,
    best: Duration,
    /// One that signs whatever it likes, or is just gone.
    liar: Option<usize>,
    /// All that was ever said for everybody: what gossip brings to one that lost its inbox.
    said: Vec<Signed<Message>>,
    /// By number, the value that a quorum committed, and in which view first.
    decided: BTreeMap<u64, (u64, Value)>,
    /// Who committed what in which view.
    votes: BTreeMap<(u64, u64, Value), BTreeSet<ReplicaId>>,
    /// What happened, for people.
    diary: Vec<(Duration, usize, Effect<Message>)>,
}

impl Cluster {
    fn new(n: u32, config: Config, seed: u64) -> Cluster {
        Cluster {
            rigs: (0..n).map(|id| Rig::new(id, n, config)).collect(),
            now: Duration::ZERO,
            born: vec![Duration::ZERO; n as usize],
            queue: BTreeMap::new(),
            count: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            stable_from: Duration::ZERO,
            worst: ms(10),
            best: ms(10),
            liar: None,
            said: Vec::new(),
            decided: BTreeMap::new(),
            votes: BTreeMap::new(),
            diary: Vec::new(),
        }
    }

    fn honest(&self) -> impl Iterator<Item = usize> + use<> {
        let liar = self.liar;
        (0..self.rigs.len()).filter(move |&id| Some(id) != liar)
    }

    fn start(&mut self) {
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
            if let Effect::SetTimer { timer, after } = &effect {
                self.at(self.now + *after, Event::Ring { who, timer: *timer });
            }
            self.diary.push((self.now, who, effect));
        }
        sent.into_iter().for_each(|(to, signed)| self.spread(who, &to, &signed));
    }

    fn spread(&mut self, from: usize, to: &To, signed: &Signed<Message>) {
        self.look_at(from, signed);
        if *to == To::All {
            self.said.push(signed.clone());
        }
        for one in self.honest() {
            let is_meant = match to {
                To::One(id) => id.0 as usize == one,
                _ => one != from,
            };
            if is_meant {
                let time = self.now + self.delay();
                self.at(time, Event::Mail { to: one, signed: signed.clone() });
            }
        }
    }

    /// What a quorum has committed in one view no honest replica ever commits otherwise in a later
    /// one: a view change loses nothing.
    fn look_at(&mut self, from: usize, signed: &Signed<Message>) {
        let Message::Commit { view, sequence, value } = *signed.message() else { return };
        if self.liar != Some(from)
            && let Some(&(decided_in, decided)) = self.decided.get(&sequence)
            && view > decided_in
        {
            assert_eq!(value, decided, "number {sequence} in view {view}, {from} says");
        }
        let votes = self.votes.entry((view, sequence, value)).or_default();
        votes.insert(signed.sender());
        if votes.len() >= (Size { n: self.rigs.len() }).quorum() {
            let (_, decided) = *self.decided.entry(sequence).or_insert((view, value));
            assert_eq!(value, decided, "number {sequence} is decided twice");
        }
    }

    /// The next event. False if there is none.
    fn tick(&mut self) -> bool {
        let Some(((time, _), event)) = self.queue.pop_first() else { return false };
        self.now = time;
        match event {
            Event::Mail { to, signed } => self.with(to, |rig| rig.deliver(signed)),
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
                self.gossip(who);
            }
            Event::Request => {
                let number = self.count;
                for who in self.honest() {
                    self.with(who, |rig| rig.want(payment(number)));
                }
            }
            Event::Sync => self.sync(),
            Event::Lie => self.lie(),
        }
        true
    }

    /// What may still be of use to one is brought to it.
    fn gossip(&mut self, who: usize) {
        let (low, round) = self.rigs[who].horizon;
        let lives = |signed: &&Signed<Message>| {
            signed.slot().is_some_and(|slot| match slot.height {
                0 => slot.round >= round,
                number => number > low && number <= low + 70,
            })
        };
        let living: Vec<_> = self.said.iter().filter(lives).cloned().collect();
        for signed in living {
            let time = self.now + self.delay();
            self.at(time, Event::Mail { to: who, signed });
        }
    }

    /// What the replica's sync and gossip do: whoever is behind is brought proven blocks, and
    /// messages that it lacks.
    fn sync(&mut self) {
        let newest = self.honest().max_by_key(|&who| self.proven(who)).unwrap();
        let proven = self.proven(newest);
        for who in self.honest() {
            if self.rigs[who].commits.len() < proven {
                let source = &self.rigs[newest];
                let (hash, blocks) = (source.commits[proven - 1], source.book.blocks.clone());
                let (commits, proof) =
                    (source.commits[..proven].to_vec(), source.proofs[&hash].clone());
                let header = blocks[&hash].header.clone();
                let verify = |trusted: crate::Trusted<'_>| Pbft::verify(&[header], &proof, trusted);
                trusting(&committee(self.rigs.len() as u32), verify).unwrap();
                let rig = &mut self.rigs[who];
                assert!(commits.starts_with(&rig.commits), "replica {who} is on another chain");
                rig.book.blocks.extend(blocks);
                (rig.book.root, rig.commits) = (hash, commits);
                self.with(who, |rig| rig.feed(Input::Advanced { block: hash, proof }));
            }
            self.gossip(who);
        }
        let (low, round) = self.honest().fold((u64::MAX, u64::MAX), |(low, round), who| {
            let horizon = self.rigs[who].horizon;
            (low.min(horizon.0), round.min(horizon.1))
        });
        // What is dead to everybody is of use to nobody, not even to the liar.
        self.said.retain(|signed| match signed.slot().map(|slot| (slot.height, slot.round)) {
            Some((0, said_for)) => said_for >= round,
            Some((number, _)) => number > low,
            None => false,
        });
        self.at(self.now + ms(1000), Event::Sync);
    }

    /// How many of its blocks a replica can prove.
    fn proven(&self, who: usize) -> usize {
        let rig = &self.rigs[who];
        rig.commits.iter().rposition(|hash| rig.proofs.contains_key(hash)).map_or(0, |at| at + 1)
    }

    /// The liar signs something that might hurt, and everybody will hear of it.
    fn lie(&mut self) {
        let liar = self.liar.expect("only a liar lies");
        let victims: Vec<_> = self.honest().collect();
        let victim = victims[self.below(victims.len() as u64) as usize];
        let sequence = self.rigs[victim].low() + 1 + self.below(4);
        let view = (self.rigs[victim].view() + self.below(3)).saturating_sub(1);
        let salt = self.below(3);
        let one = batch(sequence, liar as u32, salt);
        let said = |message: &Message| match message {
            Message::Prepare { sequence: number, value, .. } if *number == sequence => Some(*value),
            _ => None,
        };
        let values: Vec<_> = self.said.iter().filter_map(|signed| said(signed.message())).collect();
        let value = match self.below(values.len() as u64 + 2) as usize {
            0 => None,
            1 => Some(one.hash()),
            at => values[at - 2],
        };
        let message = match self.below(7) {
            0 | 1 => pre_prepare(view, &one),
            2 => prepare(view, sequence, value),
            3 | 4 => commit(view, sequence, value),
            5 => Message::ViewChange(self.false_change(view + 1)),
            _ => {
                let ids: Vec<_> = (0..self.rigs.len() as u32).collect();
                let changes: Vec<_> =
                    ids.iter().filter_map(|&id| self.change_of(id, view)).collect();
                new_view(view, &changes)
            }
        };
        self.spread(liar, &To::All, &by(liar as u32, message));
    }

    /// A view change that claims no more than certificates it could gather, but maybe less.
    fn false_change(&mut self, view: u64) -> super::super::ViewChange {
        let honest = self.said.iter().rev().find_map(|signed| match signed.message() {
            Message::ViewChange(change) if change.view <= view => Some(change.clone()),
            _ => None,
        });
        let mut change = honest.unwrap_or_else(|| change(view, Vec::new()));
        change.view = view;
        let keeps = self.below(4);
        change.prepared.retain(|prepared| prepared.sequence % 4 != keeps);
        change
    }

    /// The view change for `view` that a replica has said, where it has: nothing else is signed.
    fn change_of(&self, id: u32, view: u64) -> Option<(u32, super::super::ViewChange)> {
        self.said.iter().find_map(|signed| match signed.message() {
            Message::ViewChange(change) if signed.sender().0 == id && change.view == view => {
                Some((id, change.clone()))
            }
            _ => None,
        })
    }

    fn height(&self, who: usize) -> usize {
        self.rigs[who].commits.len()
    }

    /// No two replicas have executed differently; returns the longest chain.
    fn agreement(&self) -> Vec<BlockHash> {
        let longest = self.honest().map(|who| &self.rigs[who].commits).max_by_key(|all| all.len());
        let longest = longest.unwrap();
        for who in self.honest() {
            let ours = &self.rigs[who].commits;
            assert!(longest.starts_with(ours), "replica {who} executed another chain");
        }
        longest.clone()
    }

    fn notes(&self, label: &str) -> usize {
        let is_it = |effect: &Effect<Message>| matches!(effect, Effect::Note { label: found, .. } if *found == label);
        self.diary.iter().filter(|(_, _, effect)| is_it(effect)).count()
    }
}

#[test]
fn four_replicas_execute_number_after_number_in_view_0() {
    let mut cluster = Cluster::new(4, brisk(), 1);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 8) {
        assert!(cluster.tick());
    }
    cluster.agreement();
    // Three message delays a number, and no timeout.
    assert_eq!(cluster.now, ms(8 * 30));
    assert_eq!(cluster.notes("view-change") + cluster.notes("dropped"), 0);
}

#[test]
fn a_number_costs_a_pre_prepare_a_prepare_of_each_backup_and_a_commit_and_checkpoint_of_each() {
    let mut cluster = Cluster::new(7, brisk(), 1);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 5) {
        assert!(cluster.tick());
    }
    for number in 1..=4 {
        let of_it =
            |signed: &&Signed<Message>| signed.slot().is_some_and(|slot| slot.height == number);
        assert_eq!(cluster.said.iter().filter(of_it).count(), 1 + 6 + 7 + 7);
    }
}

#[test]
fn dead_primaries_cost_timeouts_and_nothing_else() {
    let mut cluster = Cluster::new(7, brisk(), 1);
    cluster.liar = Some(0);
    cluster.start();
    while cluster.honest().any(|who| cluster.height(who) < 4) {
        assert!(cluster.tick());
    }
    cluster.agreement();
    assert_eq!(cluster.notes("view"), 6, "each of the living enters view 1");
    // The timeout, four hops, and three for each further number.
    assert_eq!(cluster.now, Config::default().timeout + ms(40 + 3 * 30));
}

#[test]
fn with_too_many_silent_nothing_is_executed_and_views_do_not_fly_by() {
    let mut cluster = Cluster::new(3, brisk(), 1);
    cluster.liar = Some(2);
    cluster.start();
    // Of three a quorum is two, so here the third may be gone.
    while cluster.honest().any(|who| cluster.height(who) < 4) {
        assert!(cluster.tick());
    }
    let mut cluster = Cluster::new(2, brisk(), 1);
    cluster.liar = Some(1);
    cluster.start();
    while cluster.tick() {}
    assert!(cluster.agreement().is_empty());
    assert_eq!(cluster.notes("view-change"), 1);
}

/// Random delays, reordering, crashes and a liar for 20 seconds, a good network afterwards.
fn ordeal(seed: u64) -> (usize, usize, usize) {
    let n = [4, 5, 6, 7][seed as usize % 4];
    let mut config = brisk();
    config.checkpoint = [1, 4][seed as usize / 4 % 2];
    config.timeout = ms(600);
    let mut cluster = Cluster::new(n, config, seed);
    cluster.stable_from = Duration::from_secs(20);
    cluster.worst = ms(100 + seed % 7 * 200);
    cluster.liar = (!seed.is_multiple_of(3)).then_some(seed as usize % n as usize);
    cluster.start();
    cluster.at(ms(1000), Event::Sync);
    for tenths in 0..200 {
        if cluster.liar.is_some() {
            cluster.at(ms(tenths * 100), Event::Lie);
        }
        cluster.at(ms(tenths * 100 + 20), Event::Request);
        let who = cluster.below(30) as usize;
        if who < n as usize && cluster.liar != Some(who) {
            cluster.at(ms(tenths * 100 + 50), Event::Crash { who });
        }
    }
    while cluster.now < cluster.stable_from {
        assert!(cluster.tick(), "seed {seed} has no event left");
    }
    let goal = cluster.agreement().len() + 3;
    let deadline = cluster.now + Duration::from_secs(300);
    while cluster.honest().any(|who| cluster.height(who) < goal) {
        let fine = cluster.tick() && cluster.now < deadline;
        assert!(fine, "seed {seed} executes nothing");
    }
    cluster.agreement();
    (goal - 3, cluster.notes("view"), cluster.notes("null"))
}

#[test]
fn random_schedules_lose_nothing_prepared_and_all_execute_the_same_in_the_end() {
    let (mut heights, mut views, mut nulls) = (0, 0, 0);
    for seed in 0..60 {
        println!("seed {seed}");
        let (height, view, null) = ordeal(seed);
        (heights, views, nulls) = (heights + height, views + view, nulls + null);
    }
    println!("{heights} blocks, {views} views entered, {nulls} null requests executed");
    assert!(heights > 600 && views > 600, "the schedules are neither idle nor hopeless");
}

#[test]
fn a_schedule_is_a_function_of_its_seed() {
    let run = |seed| {
        let mut cluster = Cluster::new(4, brisk(), seed);
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
