//! Turns in proportion to stake.

use super::*;
use proptest::prelude::*;

fn committee(stakes: &[u64]) -> Arc<Committee> {
    let members = (0..).zip(stakes).map(|(id, &stake)| Member {
        id: ReplicaId(id),
        key: crypto::SecretKey::from_seed([id as u8; 32]).public(),
        stake: Stake(stake),
        share: crate::Share::FULL,
    });
    Arc::new(Committee::new(members.collect()).expect("they all weigh something"))
}

fn first(stakes: &[u64], steps: usize) -> String {
    let mut rotation = Rotation::at(committee(stakes), 0);
    (0..steps).map(|_| char::from(b'a' + rotation.step().0 as u8)).collect()
}

/// As calculated from the specification and the code of CometBFT.
#[test]
fn the_published_rule_gives_these_sequences() {
    assert_eq!(first(&[1, 3], 4), "babb");
    assert_eq!(first(&[1, 2, 3], 6), "cbacbc");
    assert_eq!(first(&[4, 2, 1, 1], 8), "abacdaba");
    assert_eq!(first(&[5, 1, 1], 7), "aabacaa");
    assert_eq!(first(&[5; 4], 9), "abcdabcda");
}

#[test]
fn a_million_to_one_is_fair_too() {
    let period = Rotation::at(committee(&[1_000_000, 1]), 0).period();
    assert_eq!(period, 1_000_001);
    // Far beyond what single steps reach: reduced to 7 steps.
    let far = u64::try_from(period * 1_000_000_000 + 7).unwrap();
    let mut one = Rotation::at(committee(&[1_000_000, 1]), far);
    let mut other = Rotation::at(committee(&[1_000_000, 1]), 7);
    assert!((0..100).all(|_| one.step() == other.step()));
}

#[test]
fn huge_stakes_do_not_overflow() {
    let mut rotation = Rotation::at(committee(&[u64::MAX; 100]), 0);
    assert_eq!(rotation.period(), 100);
    assert_eq!((0..200).map(|_| rotation.step().0).max(), Some(99));
    let more = rotation.hand_on(committee(&[u64::MAX; 200]));
    assert_eq!(more.priorities().len(), 200);
}

/// Whoever leaves and comes back stands behind everybody who stayed.
#[test]
fn a_newcomer_waits_for_its_first_turn() {
    let old = Rotation::at(committee(&[1, 1, 1]), 10);
    let mut new = old.hand_on(committee(&[1, 1, 1, 1]));
    let turns: Vec<_> = (0..8).map(|_| new.step().0).collect();
    // By hand: -1,2,2,-3 after centring; then 0,-1,3,-2 | 1,0,0,-1 | -2,1,1,0 | -1,-2,2,1 | 0,-1,-1,2 | ...
    assert_eq!(turns, [1, 2, 0, 1, 2, 3, 0, 1]);
}

/// Nobody gets turns by making others' priorities forgotten: each height earns everybody its stake, a turn
/// costs the total, and who stays keeps the account. (Whoever proposes when the total is low pays less.)
#[test]
fn a_change_does_not_deal_the_turns_anew() {
    let mut rotation = Rotation::at(committee(&[2, 1, 1]), 0);
    let (mut earned, mut paid) = ([0i64; 3], [0i64; 3]);
    for height in 0..400 {
        let members = rotation.committee().clone();
        paid[rotation.step().0 as usize] += members.total() as i64;
        for (earned, member) in earned.iter_mut().zip(members.members()) {
            *earned += member.stake.0 as i64;
        }
        // The third validator's stake goes up and down with each height.
        rotation = rotation.hand_on(committee(&[2, 1, 1 + height % 2]));
    }
    for (earned, paid) in earned.iter().zip(paid) {
        assert!((earned - paid).abs() <= 5, "{earned} was earned, {paid} paid");
    }
}

proptest! {
    #[test]
    fn over_a_period_each_proposes_in_proportion_and_all_repeats(
        stakes in prop::collection::vec(1u64..40, 1..6),
    ) {
        let mut rotation = Rotation::at(committee(&stakes), 0);
        let period = usize::try_from(rotation.period()).unwrap();
        let turns: Vec<_> = (0..2 * period).map(|_| rotation.step()).collect();
        prop_assert_eq!(&turns[..period], &turns[period..]);
        let total: u64 = stakes.iter().sum();
        for (id, stake) in (0..).zip(&stakes) {
            let count = turns[..period].iter().filter(|&&turn| turn == ReplicaId(id)).count();
            prop_assert_eq!(count as u64 * total, stake * period as u64);
        }
    }

    /// Nobody is ever a turn ahead of its share: whoever has the highest priority has a positive one. Nobody was
    /// ever seen two turns behind; that it is never more than one is no theorem (5,5,5,5,16,3,36,36,2,39).
    #[test]
    fn nobody_is_ever_a_turn_ahead_of_its_share_or_two_behind(
        stakes in prop::collection::vec(1u64..1000, 1..20),
        steps in 1usize..300,
    ) {
        let mut rotation = Rotation::at(committee(&stakes), 0);
        let total: u64 = stakes.iter().sum();
        let mut counts = vec![0u64; stakes.len()];
        for step in 1..=steps as u64 {
            counts[rotation.step().0 as usize] += 1;
            for (count, stake) in counts.iter().zip(&stakes) {
                prop_assert!(count * total < step * stake + total);
                prop_assert!(step * stake < count * total + 2 * total);
            }
        }
    }

    /// However the committee changed, the priorities stay within bounds.
    #[test]
    fn priorities_stay_bounded_through_changes(
        changes in prop::collection::vec((prop::collection::vec(1u64..u64::MAX / 16, 1..8), 0usize..9), 1..30),
    ) {
        let mut rotation = Rotation::at(committee(&[1]), 0);
        for (stakes, steps) in changes {
            rotation = rotation.hand_on(committee(&stakes));
            let widest = 2 * i128::try_from(rotation.committee().total()).unwrap();
            let (low, high) = (rotation.priorities().iter().min(), rotation.priorities().iter().max());
            prop_assert!(high.unwrap() - low.unwrap() <= widest + 1);
            let sum: i128 = rotation.priorities().iter().sum();
            prop_assert!(sum.unsigned_abs() < 8, "{sum}");
            (0..steps).for_each(|_| { rotation.step(); });
        }
    }
}
