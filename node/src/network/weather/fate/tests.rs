use super::*;
use crate::conditions::{Hold, Spread};
use proptest::prelude::*;

const MICRO: Duration = Duration::from_micros(1);
const MANY: u32 = 100_000;

fn fates(seed: u64, link: Link) -> Fates {
    Fates::new(1, Conditions { seed, others: link, ..Conditions::default() })
}

/// What becomes of many messages of one sender, just told.
fn many(fates: &mut Fates, from: u32) -> Vec<Copies> {
    (0..MANY).map(|_| fates.next(from, Duration::ZERO)).collect()
}

/// Four standard deviations of how often something happens among [`MANY`].
fn four_sigma(share_ppm: u32) -> f64 {
    let share = f64::from(share_ppm) / f64::from(MILLION);
    4.0 * (f64::from(MANY) * share * (1.0 - share)).sqrt()
}

#[track_caller]
fn as_often(count: usize, share_ppm: u32, seed: u64) {
    let expected = f64::from(MANY) * f64::from(share_ppm) / f64::from(MILLION);
    let off = (count as f64 - expected).abs();
    assert!(off <= four_sigma(share_ppm), "seed {seed}: {count} of {MANY}, told {share_ppm} ppm");
}

#[test]
fn as_many_are_lost_doubled_and_held_as_is_told() {
    for seed in 0..5 {
        for share_ppm in [1_000, 50_000, 500_000, 999_000] {
            println!("seed {seed}, {share_ppm} ppm");
            let lost = Link { lost_ppm: share_ppm, ..Link::default() };
            let copies = many(&mut fates(seed, lost), 0);
            as_often(copies.iter().filter(|copies| copies[0].is_none()).count(), share_ppm, seed);
            assert!(copies.iter().all(|copies| copies[1].is_none()), "none is doubled");

            let doubled = Link { doubled_ppm: share_ppm, ..Link::default() };
            let copies = many(&mut fates(seed, doubled), 0);
            as_often(copies.iter().filter(|copies| copies[1].is_some()).count(), share_ppm, seed);
            assert!(copies.iter().all(|copies| copies[0].is_some()), "none is lost");

            let hold = Hold { share_ppm, by: Spread(vec![9]), for_ms: None };
            let held = Link { held: vec![hold], ..Link::default() };
            let copies = many(&mut fates(seed, held), 0);
            let waits = |copies: &&Copies| copies[0] == Some(9 * MICRO);
            as_often(copies.iter().filter(waits).count(), share_ppm, seed);
        }
    }
}

#[test]
fn loss_of_all_is_silence() {
    let cut = Link { lost_ppm: MILLION, doubled_ppm: MILLION, ..Link::default() };
    let copies = many(&mut fates(1, cut), 0);
    assert!(copies.iter().all(|copies| *copies == [None; 2]));
    // Not even the least chance passes, nor the greatest.
    assert!(happens(u64::MAX, MILLION) && !happens(0, 0));
}

#[test]
fn each_link_has_a_chance_of_its_own_that_its_seed_repeats() {
    let link = || Link { delay: Spread(vec![0, 1_000_000]), ..Link::default() };
    let one = many(&mut fates(7, link()), 0);
    let mut again = fates(7, link());
    let mixed: Vec<Copies> = (0..MANY)
        .map(|_| {
            again.next(5, Duration::ZERO);
            again.next(0, Duration::ZERO)
        })
        .collect();
    assert_eq!(one, mixed, "whatever others send");
    assert_ne!(one, many(&mut fates(8, link()), 0), "another seed");
    assert_ne!(one, many(&mut fates(7, link()), 5), "another sender");
    let told = Conditions { seed: 7, others: link(), ..Conditions::default() };
    assert_ne!(one, many(&mut Fates::new(2, told), 0), "another receiver");
}

#[test]
fn one_condition_more_leaves_all_else_as_it_was() {
    let plain = Link { delay: Spread(vec![0, 1_000_000]), ..Link::default() };
    let lossy = Link { lost_ppm: 300_000, doubled_ppm: 100_000, ..plain.clone() };
    let without = many(&mut fates(3, plain.clone()), 0);
    let with = many(&mut fates(3, lossy), 0);
    for (without, with) in without.iter().zip(&with) {
        assert!(with[0].is_none() || with[0] == without[0]);
    }
    // Told anew with the same seed, chance goes on where it was.
    let mut fates = fates(3, plain.clone());
    let half = MANY as usize / 2;
    let first: Vec<_> = (0..half).map(|_| fates.next(0, Duration::ZERO)).collect();
    fates.tell(Conditions { seed: 3, others: plain, ..Conditions::default() });
    let second = (half..MANY as usize).map(|_| fates.next(0, Duration::ZERO));
    assert_eq!(without, first.into_iter().chain(second).collect::<Vec<_>>());
}

#[test]
fn who_is_held_is_let_go_when_the_time_is_over() {
    let milli = Duration::from_millis;
    let hold = |by: u64, for_ms| Hold { share_ppm: MILLION, by: Spread(vec![by]), for_ms };
    let delay = Spread(vec![10_000]);
    let held = vec![hold(500_000, Some(2_000))];
    let mut fates = fates(1, Link { delay: delay.clone(), held, ..Link::default() });
    let mut after = |told| fates.next(0, milli(told))[0];
    assert_eq!(after(0), Some(milli(510)));
    assert_eq!(after(1_500), Some(milli(510)));
    assert_eq!(after(1_900), Some(milli(110)), "let go at two seconds, with its delay left");
    assert_eq!(after(2_000), Some(milli(10)));
    assert_eq!(after(9_000), Some(milli(10)));

    let both = vec![hold(500_000, Some(2_000)), hold(30_000, None)];
    let link = Link { delay, held: both, ..Link::default() };
    let mut fates = super::tests::fates(1, link);
    assert_eq!(fates.next(0, milli(0))[0], Some(milli(540)), "both together");
    assert_eq!(fates.next(0, milli(60_000))[0], Some(milli(40)), "one is for good");
    assert_eq!(fates.next(0, Duration::MAX)[0], Some(milli(40)));
}

proptest! {
    #[test]
    fn nobody_is_earlier_than_the_least_or_later_than_the_greatest(
        seed: u64,
        mut delay in proptest::collection::vec(0..1_000_000_u64, 1..6),
        mut by in proptest::collection::vec(0..1_000_000_u64, 1..6),
        share_ppm in 0..=MILLION,
        for_ms in proptest::option::of(0..3_000_u64),
        told in 0..4_000_u64,
    ) {
        delay.sort_unstable();
        by.sort_unstable();
        let least = delay[0];
        let most = delay[delay.len() - 1] + by[by.len() - 1];
        let hold = Hold { share_ppm, by: Spread(by), for_ms };
        let held = vec![hold];
        let doubled_ppm = MILLION;
        let link = Link { delay: Spread(delay), held, doubled_ppm, ..Link::default() };
        let mut fates = fates(seed, link);
        for _ in 0..100 {
            for copy in fates.next(0, Duration::from_millis(told)) {
                let copy = copy.expect("none is lost and all are doubled");
                prop_assert!(copy >= Duration::from_micros(least), "{copy:?}");
                prop_assert!(copy <= Duration::from_micros(most), "{copy:?}");
            }
        }
    }

    #[test]
    fn fair_weather_changes_nothing(seed: u64, from: u32, told: u64) {
        let mut fates = fates(seed, Link::default());
        let told = Duration::from_nanos(told);
        prop_assert_eq!(fates.next(from, told), [Some(Duration::ZERO), None]);
        let nothing = Hold { share_ppm: MILLION, by: Spread(vec![]), for_ms: None };
        let held = vec![nothing];
        let mut fates = super::tests::fates(seed, Link { held, ..Link::default() });
        prop_assert_eq!(fates.next(from, told), [Some(Duration::ZERO), None]);
    }
}
