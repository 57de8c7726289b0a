use super::*;
use proptest::prelude::*;
use std::{sync::Arc, thread};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Serves one: whose it was.
fn serve(lines: &mut Lines<u32>, costs: impl Fn(u32) -> Duration) -> Option<(u32, u32)> {
    let (who, item) = lines.take()?;
    lines.charge(who, costs(who));
    lines.served(who);
    Some((who, item))
}

#[test]
fn whoever_says_little_never_stands_behind_a_flood() {
    let mut lines = Lines::default();
    (0..10_000).for_each(|item| lines.push(9, item));
    for item in 0..100 {
        for _ in 0..10 {
            assert_eq!(serve(&mut lines, |_| MILLISECOND).map(|(who, _)| who), Some(9));
        }
        lines.push(1, item);
        assert_eq!(serve(&mut lines, |_| MILLISECOND), Some((1, item)), "at once");
    }
}

#[test]
fn time_counts_and_not_how_many() {
    let mut lines = Lines::default();
    for item in 0..1_000 {
        lines.push(1, item);
        lines.push(2, item);
    }
    // What the second one sends is nine times as dear.
    let costs = |who: u32| if who == 2 { MILLISECOND * 9 } else { MILLISECOND };
    let served: Vec<_> = (0..500).filter_map(|_| serve(&mut lines, costs)).collect();
    let dear = served.iter().filter(|(who, _)| *who == 2).count();
    assert!((45..=55).contains(&dear), "{dear}");
}

#[test]
fn nobody_saves_up_time() {
    let mut lines = Lines::default();
    for item in 0..1_000 {
        lines.push(1, item);
        serve(&mut lines, |_| MILLISECOND);
    }
    for item in 0..100 {
        lines.push(1, item);
        lines.push(2, item);
    }
    let served: Vec<_> = (0..20).filter_map(|_| serve(&mut lines, |_| MILLISECOND)).collect();
    let newcomer = served.iter().filter(|(who, _)| *who == 2).count();
    assert!(
        (9..=11).contains(&newcomer),
        "the one who was quiet so long had {newcomer} of 20 turns"
    );
}

#[test]
fn a_line_is_served_by_one_at_a_time_and_forgotten_when_it_is_empty() {
    let mut lines = Lines::default();
    lines.push(1, 0);
    lines.push(1, 1);
    assert_eq!(lines.take(), Some((1, 0)));
    assert_eq!(lines.take(), None, "it is being served");
    lines.served(1);
    assert_eq!(lines.take(), Some((1, 1)));
    lines.served(1);
    assert_eq!((lines.len(), lines.lines.len()), (0, 0));
}

#[test]
fn whoever_waits_hears_that_it_is_over() {
    let fair = Arc::new(Fair::<u32>::default());
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let fair = Arc::clone(&fair);
            thread::spawn(move || {
                let mut taken = 0;
                while let Some((who, _)) = fair.take() {
                    taken += 1;
                    fair.served(who, MILLISECOND);
                }
                taken
            })
        })
        .collect();
    (0..300).for_each(|item| fair.push(item % 2, item));
    assert_eq!(fair.try_push(5, 0, 0), Err(0));
    fair.close();
    let taken: u32 = waiting.into_iter().map(|thread| thread.join().expect("no panic")).sum();
    assert_eq!(taken, 300);
}

proptest! {
    /// While somebody's line is never empty, it has its share of the time whatever the others send, but for
    /// one turn each.
    #[test]
    fn everybody_who_waits_has_a_fair_share(
        costs in prop::collection::vec(1u64..1_000, 2..6),
        turns in 200usize..1_000,
    ) {
        let mut lines = Lines::default();
        for who in 0..costs.len() as u32 {
            (0..turns as u32).for_each(|item| lines.push(who, item));
        }
        let mut spent = vec![0; costs.len()];
        for _ in 0..turns {
            let (who, _) = serve(&mut lines, |who| Duration::from_micros(costs[who as usize]))
                .expect("something waits");
            spent[who as usize] += costs[who as usize];
        }
        let (least, most) = (*spent.iter().min().unwrap(), *spent.iter().max().unwrap());
        prop_assert!(most - least <= *costs.iter().max().unwrap(), "{spent:?}");
    }
}
