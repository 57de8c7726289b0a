//! The same seed, the same run.

use super::*;
use crate::{Tracing, Transfer, network::MILLION};

/// A minute with loss, a crash, a partition, transfers and a hash rate that changes.
fn busy(setup: Setup) -> World<Nakamoto> {
    let mut setup = with(setup, "pow.irreversible", 10);
    setup.network.loss = MILLION / 20;
    setup.schedule = Schedule::default()
        .at(seconds(10), Fault::Crash(ALL[2]))
        .at(seconds(15), Fault::HashRate { replica: ALL[0], factor: 2.5 })
        .at(seconds(20), Fault::Restart(ALL[2]))
        .at(seconds(25), Fault::Partition(vec![ALL[..1].to_vec()]))
        .at(seconds(33), Fault::Heal);
    let mut world = miners(setup);
    for number in 0..20 {
        let (from, at) =
            (number % 4, if number % 4 == 2 { ALL[1] } else { ALL[number as usize % 4] });
        world.submit(at, Transfer { from, to: (from + 1) % 4, amount: 10, fee: 1 });
        world.run_for(seconds(3));
    }
    let verdict = judge(&world);
    assert!(verdict.holds(), "{verdict}");
    world
}

#[test]
fn the_same_seed_mines_the_same_blocks() {
    for seed in 0..3 {
        let [one, other] = [(); 2].map(|()| busy(pow(4, seed)));
        assert_eq!(one.trace_hash(), other.trace_hash(), "seed {seed}");
        assert_eq!(one.record().finds(), other.record().finds(), "seed {seed}");
        assert_eq!(one.events(), other.events(), "seed {seed}");
        assert!(one.mining().main > 30, "{}", one.mining());
    }
    assert_ne!(busy(pow(4, 0)).trace_hash(), busy(pow(4, 1)).trace_hash());
}

#[test]
fn watching_miners_changes_nothing() {
    let watched = busy(Setup { tracing: Tracing::Kept, ..pow(4, 5) });
    let unwatched = busy(Setup { tracing: Tracing::Off, ..pow(4, 5) });
    assert_eq!(watched.record().finds(), unwatched.record().finds());
    assert_eq!(watched.events(), unwatched.events());
}

/// Blocks carry no signature of a replica's, and so nothing depends on what signs.
#[test]
fn bytes_and_real_signatures_change_no_block() {
    for seed in 0..2 {
        let [plain, wire] = [false, true].map(|wire| busy(Setup { wire, ..pow(4, seed) }));
        assert_eq!(plain.record().finds(), wire.record().finds());
        assert_eq!(plain.record().sends(), wire.record().sends());
        assert_eq!(plain.events(), wire.events());
    }
}
