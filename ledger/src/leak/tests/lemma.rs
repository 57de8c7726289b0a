//! The lemma that makes a floor sound, for every committee small enough to try them all; and what
//! becomes of it where the floor is a little lower, or is taken on something else.
//!
//! Two quorums clash if the Byzantine alone are in both. It is enough to split the honest in two: a quorum
//! that somebody joins stays one. The weights are the worst there can be: those in the quorum count in
//! full, the others as little as they may.

use super::*;

/// Stakes by seat, and which seats are Byzantine.
#[derive(Clone, Debug)]
struct Case {
    stakes: Vec<u64>,
    byzantine: u32,
}

impl Case {
    /// All there are: stakes that do not fall, so none is another with its seats exchanged, and every set
    /// with less than a third of them.
    fn all() -> impl Iterator<Item = Case> {
        let sizes = [(3, 12), (4, 8), (5, 6), (6, 5), (7, 4)];
        let stakes = sizes.into_iter().flat_map(|(seats, most)| rising(seats, 1, most));
        stakes.flat_map(|stakes| {
            let sets = (0..1u32 << stakes.len())
                .map(move |byzantine| Case { stakes: stakes.clone(), byzantine });
            sets.filter(|case| 3 * case.weight(case.byzantine) < case.total())
        })
    }

    /// What these seats have bonded.
    fn weight(&self, seats: u32) -> u64 {
        let stakes = (0..).zip(&self.stakes);
        stakes.filter(|(seat, _)| seats >> seat & 1 == 1).map(|(_, stake)| stake).sum()
    }

    fn total(&self) -> u64 {
        self.stakes.iter().sum()
    }

    /// Every way to split the honest in two.
    fn sides(&self) -> impl Iterator<Item = [u32; 2]> {
        let honest = ((1 << self.stakes.len()) - 1) & !self.byzantine;
        (0..=honest).filter(move |side| side & !honest == 0).map(move |side| [side, honest & !side])
    }

    /// The split of which both sides are quorums with the help of the Byzantine, where a seat that is
    /// not in one counts as `least` says of its stake, and in full as `full` says.
    fn clash(&self, full: u64, least: impl Fn(u64) -> u64) -> Option<[u32; 2]> {
        let is_quorum = |side: u32| {
            let inside = full * self.weight(side | self.byzantine);
            let outside = (0..).zip(&self.stakes);
            let outside = outside.filter(|(seat, _)| (side | self.byzantine) >> seat & 1 == 0);
            let outside: u64 = outside.map(|(_, stake)| least(*stake)).sum();
            3 * inside > 2 * (inside + outside)
        };
        self.sides().find(|sides| sides.iter().all(|side| is_quorum(*side)))
    }

    /// The same by the ledger's own weights, where `left` is left of what is outside.
    fn clash_in_ledger(&self, committee: &Committee, left: u32) -> bool {
        let seats = 0..self.stakes.len();
        let is_quorum = |side: u32| {
            let inside = |seat: &usize| (side | self.byzantine) >> seat & 1 == 1;
            let shares = seats.clone().map(|seat| match inside(&seat) {
                true => Share::FULL,
                false => Share { left, score: 0 },
            });
            let weighed = committee.with_shares(shares.collect());
            weighed.is_quorum(seats.clone().filter(inside).map(|seat| weighed.weight(seat)).sum())
        };
        self.sides().any(|sides| sides.iter().all(|side| is_quorum(*side)))
    }

    /// The least budget that covers these Byzantine, if a genesis can set it.
    fn leak(&self) -> Option<Leak> {
        let tolerates_permille = (1000 * self.weight(self.byzantine)).div_ceil(self.total());
        (tolerates_permille <= 333).then_some(Leak { tolerates_permille, ..LEAK })
    }

    /// φ of exactly these Byzantine, as a fraction.
    fn least_sound(&self) -> (u64, u64) {
        let byzantine = self.weight(self.byzantine);
        (self.total() + byzantine, 2 * (self.total() - byzantine))
    }
}

/// So many numbers from `least` to `most` that do not fall.
fn rising(count: usize, least: u64, most: u64) -> Vec<Vec<u64>> {
    if count == 0 {
        return vec![vec![]];
    }
    let with = |first| {
        let rest = rising(count - 1, first, most);
        rest.into_iter().map(move |rest| [vec![first], rest].concat())
    };
    (least..=most).flat_map(with).collect()
}

#[test]
fn no_committee_has_two_quorums_without_a_common_honest_member() {
    let mut cases = 0;
    for case in Case::all() {
        let leak = case.leak().expect("no such case is within a thousandth of a third");
        let committee = committee(&case.stakes);
        assert!(!case.clash_in_ledger(&committee, leak.floor()), "{case:?} {leak:?}");
        cases += 1;
    }
    assert_eq!(cases, 10_589);
}

/// As it would be where whole units of stake counted, which leaves most committees no room.
#[test]
fn a_floor_that_is_rounded_down_breaks_it() {
    let (mut cases, mut broken) = (0, Vec::new());
    for case in Case::all() {
        let (over, under) = case.least_sound();
        assert_eq!(case.clash(1, |stake| (stake * over).div_ceil(under)), None, "{case:?}");
        cases += 1;
        if case.clash(1, |stake| stake * over / under).is_some() {
            broken.push(case);
        }
    }
    assert_eq!((broken[0].stakes.as_slice(), broken[0].byzantine), ([1, 1, 1].as_slice(), 0));
    assert_eq!((cases, broken.len()), (10_589, 5_945));
}

/// As the ledger has it: millionths of each bond. Three of eight, three, and two Byzantine.
#[test]
fn it_takes_no_more_than_a_millionth() {
    let case = Case { stakes: vec![2, 3, 3], byzantine: 0b001 };
    let leak = case.leak().unwrap();
    assert_eq!((leak.tolerates_permille, leak.floor()), (250, 833_334));
    let committee = committee(&case.stakes);
    assert!(!case.clash_in_ledger(&committee, leak.floor()));
    assert!(case.clash_in_ledger(&committee, leak.floor() - 1));
}

/// Wherever the honest can be split evenly, no lower floor would do.
#[test]
fn the_floor_is_as_low_as_it_can_be() {
    let mut cases = 0;
    for case in Case::all() {
        if !case.sides().any(|[one, other]| case.weight(one) == case.weight(other)) {
            continue;
        }
        let (over, under) = case.least_sound();
        let least = u32::try_from((u64::from(WHOLE) * over).div_ceil(under)).unwrap();
        let committee = committee(&case.stakes);
        assert!(!case.clash_in_ledger(&committee, least), "{case:?}");
        assert!(case.clash_in_ledger(&committee, least - WHOLE / 100), "{case:?}");
        cases += 1;
    }
    assert_eq!(cases, 2_897);
}

/// The honest seats' weights when a height begins, in millionths of a bond, all bonds being one.
type Weights = Vec<u64>;

/// The first height at which one Byzantine of so many equal bonds finds two quorums without a common honest
/// member, of the first four. At each height before it, some that are a majority leave others behind as far as
/// the floor lets them; `floor` is of a weight that is left.
fn first_clash(seats: u64, floor: impl Fn(u64) -> u64) -> Option<u64> {
    let mut begin = vec![vec![u64::from(WHOLE); seats as usize - 1]];
    for height in 1..=4 {
        if begin.iter().any(|weights| clashes(weights, &floor)) {
            return Some(height);
        }
        let mut next: Vec<_> = begin.iter().flat_map(|from| leaks(from, &floor)).collect();
        next.iter_mut().for_each(|weights| weights.sort_unstable());
        next.sort();
        next.dedup();
        begin = next;
    }
    None
}

fn clashes(weights: &[u64], floor: impl Fn(u64) -> u64) -> bool {
    let is_quorum = |side: u32| {
        let weight = |inside: bool| -> u64 {
            let there = (0..).zip(weights).filter(|(seat, _)| (side >> seat & 1 == 1) == inside);
            there.map(|(_, weight)| if inside { *weight } else { floor(*weight) }).sum()
        };
        let inside = weight(true) + u64::from(WHOLE);
        3 * inside > 2 * (inside + weight(false))
    };
    let all = (1u32 << weights.len()) - 1;
    (0..=all).any(|side| is_quorum(side) && is_quorum(all & !side))
}

/// What can be left of them when the height is over.
fn leaks(weights: &Weights, floor: impl Fn(u64) -> u64) -> Vec<Weights> {
    let seats = weights.len() as u64 + 1;
    let leak = Leak { tolerates_permille: 1000u64.div_ceil(seats), ..LEAK };
    let absent = (0..1u32 << weights.len()).filter(|absent| {
        leak.is_majority(u128::from(seats) - u128::from(absent.count_ones()), seats.into())
    });
    let leave = |absent: u32| -> Weights {
        let left = (0..).zip(weights);
        left.map(|(seat, weight)| if absent >> seat & 1 == 1 { floor(*weight) } else { *weight })
            .collect()
    };
    absent.map(leave).collect()
}

/// Each height by itself would be sound with the floor taken on what an earlier leak has left: so little
/// that the next height's quorums have nobody in common.
#[test]
fn a_floor_on_what_an_earlier_leak_has_left_compounds() {
    let found = |of_bonds: bool| -> Vec<_> {
        let clash = |seats: u64| {
            let (whole, over, under) = (u64::from(WHOLE), seats + 1, 2 * (seats - 1));
            first_clash(seats, |weight| {
                let base = if of_bonds { whole } else { weight };
                (base * over).div_ceil(under).min(weight)
            })
        };
        (4..=10).map(clash).collect()
    };
    let [two, three] = [Some(2), Some(3)];
    assert_eq!(found(false), [None, three, three, two, two, two, three], "of 4 to 10");
    assert_eq!(found(true), [None; 7], "of 4 to 10");
}
