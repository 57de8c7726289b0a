//! What somebody outside can make of traces alone, beside what the world has seen itself.

use super::*;
use crate::{Record, Tracing, record::Aside};
use replica::trace::What;

/// Real nodes tell of their heads in their traces only. Whoever reads these must come to the same: which
/// confirmed blocks were taken back, and who was how high at any time.
#[test]
fn traces_tell_the_same_of_heads_as_the_ledgers_do() {
    let mut reverted = 0;
    for seed in 0..6 {
        let mut setup = with(pow(4, seed), "pow.confirmations", 3);
        setup.tracing = Tracing::Kept;
        let halves = vec![ALL[..2].to_vec(), ALL[2..].to_vec()];
        setup.schedule = Schedule::default()
            .at(seconds(10), Fault::Partition(halves))
            .at(seconds(40), Fault::Heal);
        let mut world = miners(setup);
        world.run_for(seconds(80));
        let mut told = Record::observed(4);
        for line in world.record().lines() {
            let at = Duration::from_micros(line.at);
            match line.what {
                What::Started { height } => told.note_life(line.replica, at, height),
                What::Adopted { height, fork, .. } => {
                    told.note_head(line.replica, at, (height, fork), 3);
                }
                _ => {}
            }
        }
        let seen = |record: &Record| {
            let all = record.reversions().iter();
            all.map(|each| (each.replica, each.height, each.blocks, each.depth)).collect::<Vec<_>>()
        };
        assert_eq!(seen(&told), seen(world.record()), "seed {seed}");
        assert_eq!(told.deepest_reorganisation(), world.record().deepest_reorganisation());
        for (id, second) in ALL.iter().flat_map(|id| (2..80).map(move |second| (*id, second))) {
            let [one, other] =
                [&told, world.record()].map(|record| record.adopted_height(id, seconds(second)));
            assert_eq!(one, other, "seed {seed}, replica {id}, second {second}");
        }
        reverted += told.reversions().len();
        assert!(
            !world.record().asides().iter().any(|(_, aside)| matches!(aside, Aside::Life { .. }))
        );
    }
    assert!(reverted > 0, "nothing was ever taken back");
}
