use super::*;
use crate::{Transfer, network::MILLION};
use std::collections::BTreeMap;

/// The same run with and without bytes. Names and signatures differ, and so do the blocks, but
/// neither time nor chance nor any decision depends on them.
fn both(setup: Setup) -> [World<Tendermint>; 2] {
    [false, true].map(|wire| {
        let mut world = world(Setup { wire, ..setup.clone() });
        world.run_for(seconds(5));
        world.submit(ALL[1], Transfer { from: 0, to: 1, amount: 10, fee: 1 });
        world.run_for(seconds(20));
        assert_safe(&world);
        world
    })
}

#[test]
fn bytes_and_real_signatures_change_nothing() {
    let [plain, wire] = both(four(1));
    assert!(plain.height(ALL[0]) >= 20, "{plain:?}");
    assert_eq!(plain.events(), wire.events());
    assert_eq!(plain.record().sends(), wire.record().sends());
    assert_eq!(plain.record().bytes(), wire.record().bytes(), "both are as long as real ones");
    let decided = |world: &World<Tendermint>| -> Vec<BTreeMap<_, _>> {
        ALL.iter().map(|id| world.decided(*id).clone()).collect()
    };
    assert_eq!(decided(&plain), decided(&wire), "blocks hold no validator's signature");
}

#[test]
fn lost_messages_are_brought_back_as_bytes_too() {
    let mut setup = four(2);
    setup.network.loss = MILLION / 20;
    let [plain, wire] = both(setup);
    assert_eq!(plain.record().sends(), wire.record().sends());
    assert_eq!(plain.events(), wire.events());
}

#[test]
fn one_that_crashed_catches_up_from_bytes() {
    let mut world = world(Setup { wire: true, ..four(3) });
    reach(&mut world, &ALL, 2, seconds(30));
    world.crash(ALL[1]);
    reach(&mut world, &[ALL[0], ALL[2], ALL[3]], 10, seconds(60));
    world.restart(ALL[1]);
    reach(&mut world, &ALL, 12, seconds(30));
    assert_safe(&world);
}
