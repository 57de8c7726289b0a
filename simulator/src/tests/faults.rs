use super::*;
use crate::network::MILLION;

/// One of four may fail in any way; here it says nothing. Each fourth height then loses its first
/// round, and lost messages are brought back by gossip.
#[test]
fn with_one_silent_and_loss_the_others_reach_twenty_heights() {
    for seed in 0..20 {
        let mut setup = four(seed);
        setup.network.loss = MILLION / 20;
        setup.network.silent = [ALL[3]].into();
        let mut world = world(setup);
        reach(&mut world, &ALL[..3], 20, seconds(120));
        assert_safe(&world);
        println!("seed {seed}: {:?}", world.now());
    }
}

#[test]
fn with_heavy_loss_all_four_still_reach_twenty_heights() {
    for seed in 0..10 {
        let mut setup = four(seed);
        setup.network.loss = MILLION / 5;
        let mut world = world(setup);
        reach(&mut world, &ALL, 20, seconds(240));
        assert_safe(&world);
        println!("seed {seed}: {:?}", world.now());
    }
}

#[test]
fn two_silent_of_four_are_too_many() {
    let mut setup = four(1);
    setup.network.silent = [ALL[1], ALL[2]].into();
    let mut world = world(setup);
    world.run_for(seconds(120));
    assert!(ALL.iter().all(|id| world.height(*id) == 0), "{world:?}");
    assert_safe(&world);
}
