//! Recovery rounds where those who are left are not in the same one.

use super::*;
use crate::soak::Options;

fn ids(numbers: &[u32]) -> Vec<ReplicaId> {
    numbers.iter().copied().map(ReplicaId).collect()
}

/// Two went ahead with a third, and are gone when the other two come back: the third is alone in its round,
/// and no round has a majority. (`testnet soak --leak --replicas 5 --seeds 24` found this.)
#[test]
fn who_is_left_behind_follows_one_who_is_ahead() {
    for seed in 0..5 {
        let mut setup = Options::leaking(Tendermint::NAME, 5).setup;
        setup.seed = seed;
        let mut world = world(setup);
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
        ids(&[3, 4]).into_iter().for_each(|id| world.crash(id));
        // Two recovery rounds, in which nothing leaks yet.
        world.run_for(Duration::from_millis(2_500));
        ids(&[0, 1]).into_iter().for_each(|id| world.crash(id));
        let height = world.height(ReplicaId(2));
        world.run_for(seconds(5));
        ids(&[3, 4]).into_iter().for_each(|id| world.restart(id));
        reach(&mut world, &ids(&[2, 3, 4]), height + 2, seconds(60));
        assert_safe(&world);
    }
}
