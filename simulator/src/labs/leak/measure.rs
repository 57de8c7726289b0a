//! A height that nobody can decide, in a world of whole replicas: until somebody does, or patience ends.

use super::super::voting::{delay, seed_of};
use crate::{
    network::{Exception, MILLION},
    record::Tracing,
    schedule::Fault,
    setup::Setup,
    world::World,
};
use consensus::{
    Theory,
    catalogue::{self, Module, Visitor},
};
use ledger::{
    Block, Duty, ReplicaId, Table,
    leak::{Leak, MAX_ALIVES},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The module that has recovery rounds.
const MODULE: &str = "tendermint";

/// The lie of those who live on both sides.
const STRADDLE: &str = "straddle";

/// How long the first recovery round lasts, and what a third of it grows by: beside them no message is late.
const EPOCH: Duration = Duration::from_millis(900);
const GROWTH: Duration = Duration::from_millis(10);

/// How long an idle chain pauses.
const PAUSE: Duration = Duration::from_millis(100);

/// The height that is looked at: the first after the genesis.
const HEIGHT: u64 = 1;

/// Who is there, and who is not.
#[derive(Debug)]
pub(crate) struct Halt {
    leak: Leak,
    setup: Setup,
    /// Those who hear each other, for each side of a partition.
    sides: Vec<BTreeSet<ReplicaId>>,
}

/// What one side came to.
#[derive(Debug)]
pub(crate) struct Decision {
    /// Its first block.
    pub(crate) block: Arc<Block>,
    /// In which round it was proposed; none if no table says.
    pub(crate) round: Option<u64>,
    /// How many rows its table has.
    pub(crate) rows: u64,
    /// Of those, how many from the first on are enough for this side to be a quorum.
    pub(crate) needed: u64,
}

/// What a world came to.
#[derive(Debug)]
pub(crate) struct End {
    /// By side; none that decided nothing.
    pub(crate) decisions: Vec<Option<Decision>>,
    /// How often somebody signed two values in one slot.
    pub(crate) slashable: u64,
}

impl Halt {
    /// Of so many equals all but some crash before anything is decided.
    pub(crate) fn silent(leak: Leak, all: u32, silent: &[ReplicaId], seed: u64, job: u64) -> Halt {
        let mut setup = setup(leak, vec![1_000_000; all as usize], seed, job);
        for id in silent {
            let schedule = std::mem::take(&mut setup.schedule);
            setup.schedule = schedule.at(Duration::ZERO, Fault::Crash(*id));
        }
        let there = (0..all).map(ReplicaId).filter(|id| !silent.contains(id)).collect();
        Halt { leak, setup, sides: vec![there] }
    }

    /// Two halves of two equals each hear nothing of each other; somebody with a share of `permille`
    /// of the stake lives on both sides, if it is not nothing.
    pub(crate) fn partition(leak: Leak, permille: u64, seed: u64, job: u64) -> Halt {
        let halves = [[0, 1], [2, 3]].map(|half| half.map(ReplicaId));
        let mut stakes = vec![1000 - permille; 4];
        let liar = (permille > 0).then_some(ReplicaId(4));
        stakes.extend(liar.map(|_| 4 * permille));
        let mut setup = setup(leak, stakes, seed, job);
        setup.byzantine = liar.into_iter().map(|id| (id, STRADDLE.to_owned())).collect();
        setup.faces = Some(halves[1].into());
        let [left, right] = &halves;
        for (one, other) in left.iter().flat_map(|one| right.iter().map(|other| (*one, *other))) {
            let cut = |from, to| Exception { from, to, latency: None, loss: Some(MILLION) };
            setup.network.links.extend([cut(one, other), cut(other, one)]);
        }
        let sides = halves.map(|half| half.into_iter().chain(liar).collect());
        Halt { leak, setup, sides: sides.into() }
    }

    /// Runs it until every side has decided, or for as many rounds as all of this takes at most.
    pub(crate) fn run(&self) -> End {
        catalogue::dispatch(MODULE, self).expect("it is a module")
    }

    /// Those who have a round's turn, from the first round on.
    fn proposers(&self, rounds: u64) -> Vec<ReplicaId> {
        let theory: Option<Theory> = catalogue::theory(MODULE).expect("it is a module");
        let turns = theory.and_then(|theory| theory.turns).expect("its turns go by stake");
        // The genesis has the first turn.
        let turns = turns(&self.setup.stakes, rounds as usize + 2);
        turns.into_iter().skip(HEIGHT as usize).map(|seat| ReplicaId(seat as u32)).collect()
    }

    /// In how many rounds, from the first in which they could, somebody of them had the turn and nothing
    /// came of it.
    pub(crate) fn missed_turns(&self, side: usize, decision: &Decision) -> u64 {
        let first = match decision.needed {
            0 => 0,
            rows => self.leak.grace_rounds + rows,
        };
        let decided = decision.round.unwrap_or(first);
        let proposers = self.proposers(decided);
        let turns =
            (first..decided).filter(|round| self.sides[side].contains(&proposers[*round as usize]));
        turns.count() as u64
    }

    /// How many rounds are waited for: as many rows as a table has room for, or until hardly anything is
    /// left of anybody (e^-8, and where there is a floor it is reached by a quarter of the way); and
    /// until each has had its turn.
    fn patience(&self) -> u64 {
        let seats = self.setup.stakes.len() as u64;
        let room = MAX_ALIVES as u64 / seats;
        let rows = 4 * self.leak.quotient.isqrt() / if self.leak.bounded { 2 } else { 1 } + 4;
        self.leak.grace_rounds + rows.min(room) + 2 * seats + 2
    }

    fn decision(&self, world: &World<impl Module>, side: &BTreeSet<ReplicaId>) -> Option<Decision> {
        let honest = side.iter().filter(|id| !self.setup.byzantine.contains_key(id));
        let name = honest.filter_map(|id| world.decided(*id).get(&HEIGHT)).next()?;
        let block = world.record().block(*name).expect("it was published");
        let table = block.duties.iter().find_map(|duty| match duty {
            Duty::Leak { round, table } => Some((*round, table.clone())),
            Duty::Participation { .. } => None,
        });
        let (round, table) =
            table.map_or((None, Table::default()), |(round, it)| (Some(round), it));
        let committee = self.setup.genesis().committee().expect("a chain began with it");
        let rows = table.rows().len();
        let needed = (0..=rows).find(|count| {
            let some = Table::new(table.rows()[..*count].to_vec());
            let weighed = some.weigh(&committee, &self.leak);
            weighed.is_quorum(side.iter().map(|id| weighed.weight_of(*id)).sum())
        });
        let needed = needed.expect("they have decided under it") as u64;
        Some(Decision { block: Arc::clone(block), round, rows: rows as u64, needed })
    }
}

impl Visitor for &Halt {
    type Output = End;

    fn visit<P: Module>(self) -> End {
        let make = |genesis: &_| P::new(genesis).expect("the settings are in their ranges");
        let mut world = World::<P>::new(self.setup.clone(), make);
        let rounds = u32::try_from(self.patience()).expect("they are few");
        let limit = (EPOCH + 2 * EPOCH / 3) * rounds + 3 * GROWTH * rounds * rounds;
        let all = |world: &World<P>| {
            self.sides.iter().all(|side| {
                let honest = side.iter().filter(|id| !self.setup.byzantine.contains_key(id));
                honest.into_iter().any(|id| world.height(*id) >= HEIGHT)
            })
        };
        world.run_until(all, limit);
        let decisions = self.sides.iter().map(|side| self.decision(&world, side)).collect();
        End { decisions, slashable: world.record().equivocations().len() as u64 }
    }
}

fn setup(leak: Leak, stakes: Vec<u64>, seed: u64, job: u64) -> Setup {
    let replicas = u32::try_from(stakes.len()).expect("they are few");
    let mut setup = Setup::new(MODULE, replicas, seed_of(seed, job));
    let millis = |time: Duration| u64::try_from(time.as_millis()).expect("it is short");
    let settings = BTreeMap::from([
        ("ledger.leak", 2),
        ("ledger.leak_quotient", leak.quotient),
        ("ledger.leak_tolerates_permille", leak.tolerates_permille),
        ("ledger.leak_unbounded", u64::from(!leak.bounded)),
        ("ledger.leak_grace_rounds", leak.grace_rounds),
        ("tendermint.leak_epoch_ms", millis(EPOCH)),
        ("tendermint.leak_growth_ms", millis(GROWTH)),
    ]);
    setup.settings.extend(settings.into_iter().map(|(key, value)| (key.to_owned(), value)));
    setup.stakes = stakes;
    setup.network.latency = delay(seed, job).into();
    setup.sync_delay = Duration::ZERO.into();
    setup.block_time = PAUSE;
    setup.tracing = Tracing::Off;
    assert_eq!(setup.genesis().leak(), Some(leak), "the genesis says what was asked for");
    setup
}
