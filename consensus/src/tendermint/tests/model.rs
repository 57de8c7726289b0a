//! Agreement under weights that nobody agrees on, by trying everything.
//!
//! A leak makes quorums relative: each is one of the weights under some table, and everybody may have
//! its own. Here there are no tables. *Any* set is a quorum that is one under *some* weights from the floor to
//! the whole, whoever looks at it, whenever. What agreement then still rests on is the lemma of
//! [`ledger::leak`] and the rules of locks. Whatever else a protocol does about tables (which of
//! them it proposes, which rows count, when a round begins) only takes from what is possible here.
//!
//! What is left of a height are the votes for two values, v and w:
//!
//! - Who is Byzantine is in every quorum that it helps. All of them are one, called Z.
//! - Proposers are adversarial: in each round either value may be prevoted that the rules of locks let
//!   through (L22, L28), by whomever it is shown to, with whatever polka there is.
//! - Delivery is adversarial: a set that is a quorum is one before whomever it pleases, from when it is full.
//! - Jumps are adversarial: an honest replica may go from any round to any later one.
//! - A vote for nil and a timeout bind nobody to anything: who casts one or skips a round only
//!   gives away what it could have said there. So they are left out, and a replica is in the last
//!   round for which it voted. It may precommit where it did not prevote: it prevoted nil.
//!
//! Then each step adds one vote, and a history is a set of votes.

mod search;
mod tell;

use super::rig::committee;
use ledger::{Leak, Share, leak::Mode};
use search::{Ending, explore};

/// Bits that a replica's votes in a round take in a state.
const BITS: usize = 4;

/// The votes of the honest: a bit each for prevotes of v and w and precommits of v and w, of each round.
type State = u64;

/// A value: v or w.
type Value = usize;

/// Which rule is weak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weak {
    None,
    /// T3: prevotes whatever is offered.
    NoLock,
    /// K3: the leak begins with round 1, and a lock from before it binds nobody.
    ForgetsLocks,
    /// T4: the polka of a proposal may be older than the lock.
    OldPolka,
    /// A proposal need not come with the polka of the round it names.
    UncheckedRound,
    /// T6: prevotes every proposal of a round.
    PrevotesTwice,
    /// Votes once for each table, instead of once for each round and kind.
    VotesForEachTable,
    /// Votes in a round after it voted in a later one.
    GoesBack,
}

/// Who takes part, and by which rules.
#[derive(Clone, Debug)]
struct Model {
    /// Of the honest.
    bonds: Vec<u64>,
    /// Which sets of the honest, as bits, pass for a quorum with the help of Z.
    quorums: Vec<bool>,
    rounds: usize,
    weak: Weak,
}

/// One vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Vote {
    replica: usize,
    round: usize,
    is_precommit: bool,
    value: Value,
}

impl Model {
    /// Of these bonds, all but the last honest; where there is no Byzantine its bond is zero. It lasts so
    /// many rounds. Outside a quorum `left` is left of a bond.
    fn new(bonds: &[u64], rounds: usize, left: u32) -> Model {
        let (byzantine, honest) = bonds.split_last().expect("somebody is there");
        let bits = honest.len() * BITS * rounds;
        assert!(bits <= State::BITS as usize, "a state has room for all votes");
        let committee = committee(if *byzantine > 0 { bonds } else { honest });
        let is_quorum = |set: usize| {
            let inside = |seat: &usize| set >> seat & 1 == 1 || *seat == honest.len();
            let seats = 0..committee.len();
            let shares = seats.clone().map(|seat| match inside(&seat) {
                true => Share::FULL,
                false => Share { left, score: 0 },
            });
            let weighed = committee.with_shares(shares.collect());
            weighed.is_quorum(seats.filter(inside).map(|seat| weighed.weight(seat)).sum())
        };
        let quorums = (0..1 << honest.len()).map(is_quorum).collect();
        Model { bonds: honest.to_vec(), quorums, rounds, weak: Weak::None }
    }

    /// The same with the floor that a genesis sets for as many Byzantine.
    fn floored(bonds: &[u64], rounds: usize) -> Model {
        let byzantine = bonds.last().expect("somebody is there");
        let leak = Leak {
            mode: Mode::Recovery,
            quotient: 64,
            tolerates_permille: (1000 * byzantine).div_ceil(bonds.iter().sum()),
            bounded: true,
            grace_rounds: 1,
        };
        Model::new(bonds, rounds, leak.floor())
    }

    fn weakened(self, weak: Weak) -> Model {
        Model { weak, ..self }
    }

    /// How many bits a replica takes.
    fn span(&self) -> usize {
        BITS * self.rounds
    }

    fn bit(&self, vote: Vote) -> State {
        let kind = 2 * usize::from(vote.is_precommit);
        1 << (self.span() * vote.replica + BITS * vote.round + kind + vote.value)
    }

    /// What a replica said, as if it were the first.
    fn own(&self, state: State, replica: usize) -> State {
        state >> (self.span() * replica) & ((1 << self.span()) - 1)
    }

    /// Whether there is a polka of `round` for `value`, or a quorum of its precommits.
    fn is_quorum(&self, state: State, round: usize, is_precommit: bool, value: Value) -> bool {
        let vote = |replica| Vote { replica, round, is_precommit, value };
        let voters = (0..self.bonds.len()).filter(|&replica| state & self.bit(vote(replica)) != 0);
        self.quorums[voters.fold(0, |set, replica| set | 1 << replica)]
    }

    /// The rounds in which `value` is decided.
    fn decisions(&self, state: State, value: Value) -> impl Iterator<Item = usize> {
        (0..self.rounds).filter(move |&round| self.is_quorum(state, round, true, value))
    }

    /// Whether both values are decided.
    fn forks(&self, state: State) -> bool {
        (0..2).all(|value| self.decisions(state, value).next().is_some())
    }

    /// Whether an honest replica may cast a vote now that it has not cast.
    fn may(&self, state: State, vote: Vote) -> bool {
        let own = self.own(state, vote.replica);
        let from_here = own >> (BITS * vote.round);
        let is_over = from_here > 0b1111;
        if is_over && self.weak != Weak::GoesBack {
            return false;
        }
        let (prevoted, precommitted) = (from_here & 0b11 != 0, from_here & 0b1100 != 0);
        let each_table = self.weak == Weak::VotesForEachTable;
        if vote.is_precommit {
            // L36: step prevote, which a precommit leaves.
            return (each_table || !precommitted)
                && self.is_quorum(state, vote.round, false, vote.value);
        }
        // L22 and L28: step propose, which a prevote leaves.
        let again = each_table || self.weak == Weak::PrevotesTwice;
        (again || !(prevoted || precommitted)) && self.is_free(state, own, vote)
    }

    /// L23 and L29: whether the lock of whoever said `own` lets it cast this prevote.
    fn is_free(&self, state: State, own: State, vote: Vote) -> bool {
        let Some((locked, values)) = self.lock(own) else { return true };
        if values >> vote.value & 1 == 1 {
            return true;
        }
        let earliest = if self.weak == Weak::OldPolka { 0 } else { locked };
        let mut polkas = earliest..vote.round;
        match self.weak {
            Weak::NoLock => true,
            Weak::ForgetsLocks if locked == 0 && vote.round > 0 => true,
            Weak::UncheckedRound => !polkas.is_empty(),
            _ => polkas.any(|round| self.is_quorum(state, round, false, vote.value)),
        }
    }

    /// The round in which whoever said `own` is locked, and on which values, as bits: on one, but by the
    /// weakest rules.
    fn lock(&self, own: State) -> Option<(usize, State)> {
        let precommits = |round: usize| own >> (BITS * round) >> 2 & 0b11;
        let mut locks = (0..self.rounds).map(|round| (round, precommits(round)));
        locks.rfind(|(_, values)| *values != 0)
    }

    /// All that may be said next.
    fn votes(&self, state: State) -> impl Iterator<Item = Vote> {
        let is_new = move |vote: &Vote| state & self.bit(*vote) == 0;
        self.all_votes().filter(move |vote| is_new(vote) && self.may(state, *vote))
    }

    fn all_votes(&self) -> impl Iterator<Item = Vote> + use<> {
        let span = self.span();
        (0..self.bonds.len() * span).map(move |bit| Vote {
            replica: bit / span,
            round: bit % span / BITS,
            is_precommit: bit % BITS / 2 == 1,
            value: bit % 2,
        })
    }

    /// The same with equal replicas and the values in an order of their own, so that a state stands for
    /// all that differ from it in names only.
    fn named(&self, state: State) -> State {
        const FIRST: State = 0x5555_5555_5555_5555;
        let swapped = (state & FIRST) << 1 | state >> 1 & FIRST;
        self.ordered(state).min(self.ordered(swapped))
    }

    fn ordered(&self, state: State) -> State {
        let mut own = [0; State::BITS as usize / BITS];
        let own = &mut own[..self.bonds.len()];
        for (replica, own) in own.iter_mut().enumerate() {
            *own = self.own(state, replica);
        }
        let mut at = 0;
        for equals in self.bonds.chunk_by(|one, other| one == other) {
            own[at..at + equals.len()].sort_unstable();
            at += equals.len();
        }
        own.iter().rev().fold(0, |state, own| state << self.span() | own)
    }
}

/// Asserts that nothing forks, and returns how many states there are.
fn holds(model: &Model) -> usize {
    match explore(model, |state| model.forks(state)) {
        Ending::Never { states } => states,
        Ending::Reached { history } => panic!("{}", tell::story(model, &history)),
    }
}

/// The shortest history that forks.
fn fork(model: &Model) -> Vec<Vote> {
    match explore(model, |state| model.forks(state)) {
        Ending::Never { states } => panic!("{:?} forks nowhere in {states} states", model.weak),
        Ending::Reached { history } => {
            let story = tell::story(model, &history);
            println!("{:?} of {:?} and Z\n{story}", model.weak, model.bonds);
            history
        }
    }
}

/// As many as are Byzantine, the floor that a genesis sets for them, and every history there is.
#[test]
fn whatever_weights_anybody_counts_by_nothing_forks() {
    let sizes: [(&[u64], usize, usize); 3] = [
        (&[1, 1, 1, 1], 3, 45_484),
        (&[1, 1, 1, 1, 1], 3, 257_679),
        (&[33, 38, 9, 20], 3, 260_771),
    ];
    for (bonds, rounds, states) in sizes {
        assert_eq!(holds(&Model::floored(bonds, rounds)), states, "{bonds:?}, {rounds} rounds");
    }
}

/// `cargo test --release -p consensus -- --ignored nothing_forks_in_longer`
#[test]
#[ignore = "takes minutes"]
fn nothing_forks_in_longer_histories_either() {
    let sizes: [(&[u64], usize); 4] =
        [(&[1, 1, 1, 1], 4), (&[1; 6], 2), (&[1; 7], 2), (&[1, 1, 1, 1, 1, 2], 2)];
    for (bonds, rounds) in sizes {
        let states = holds(&Model::floored(bonds, rounds));
        println!("{bonds:?} and {rounds} rounds: {states} states");
    }
}

/// Each rule by itself: with any of them weak, the same search finds two decisions.
#[test]
fn each_weak_rule_forks() {
    // By how many honest votes, and in how many rounds.
    let shortest = [
        (Weak::NoLock, 8, 2),
        (Weak::ForgetsLocks, 8, 2),
        (Weak::OldPolka, 10, 3),
        (Weak::UncheckedRound, 8, 2),
        (Weak::PrevotesTwice, 10, 2),
        (Weak::VotesForEachTable, 8, 1),
        (Weak::GoesBack, 8, 2),
    ];
    for (weak, votes, rounds) in shortest {
        let history = fork(&Model::floored(&[1, 1, 1, 1], 3).weakened(weak));
        let last = history.iter().map(|vote| vote.round).max();
        assert_eq!((history.len(), last), (votes, Some(rounds - 1)), "{weak:?}");
    }
}

/// K3, in words: what a lock is for does not end where a leak begins.
#[test]
fn a_history_reads_like_a_story() {
    let model = Model::floored(&[1, 1, 1, 1], 2).weakened(Weak::ForgetsLocks);
    let story = "\
        round 0: A prevotes w\n\
        round 0: B prevotes w\n\
        round 0: A locks and precommits w for its polka of A, B, Z\n\
        round 0: B locks and precommits w for its polka of A, B, Z\n         \
        w is decided by A, B, Z\n\
        round 1: A prevotes v, shown no polka, though locked on w since round 0\n\
        round 1: C prevotes v\n\
        round 1: B locks and precommits v for its polka of A, C, Z\n\
        round 1: C locks and precommits v for its polka of A, C, Z\n         \
        v is decided by B, C, Z\n";
    assert_eq!(tell::story(&model, &fork(&model)), story);
}

/// The smallest weights that are sound are so by a hair. Beneath them a single round is enough.
#[test]
fn a_floor_that_is_too_low_forks() {
    for (bonds, sound, too_low) in [
        (&[1, 1, 1, 1, 1][..], 750_000, 740_000),
        (&[3, 3, 2], 833_334, 833_333),
        (&[9, 9, 2], 611_112, 611_111),
    ] {
        holds(&Model::new(bonds, 2, sound));
        let history = fork(&Model::new(bonds, 1, too_low));
        assert!(history.len() <= 8, "{bonds:?}");
    }
    // A floor for a tenth does not bear one of five.
    fork(&Model::new(&[1, 1, 1, 1, 1], 1, 611_112));
    // Two of seven had two thirds left when the height began, and the floor is taken on that.
    fork(&Model::new(&[2, 2, 3, 3, 3, 3, 3], 1, 666_667));
    holds(&Model::new(&[1; 7], 1, 666_667));
    // K1 and K2: without a floor Z is a quorum by itself, under weights that only it counts by.
    assert_eq!(fork(&Model::new(&[1, 1, 1, 1], 1, 0)), []);
}

/// Why weights do not follow from a certificate (K4): one value can have two, of two rounds, and so under
/// two tables.
#[test]
fn one_value_can_be_decided_in_two_rounds() {
    let model = Model::floored(&[1, 1, 1, 1], 2);
    let twice = |state| (0..2).any(|value| model.decisions(state, value).count() == 2);
    let ending = explore(&model, twice);
    let Ending::Reached { history } = ending else { panic!("it cannot") };
    println!("{}", tell::story(&model, &history));
}
