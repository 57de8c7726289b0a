use super::*;
use crate::{catalogue::NAMES, tendermint::Tendermint};
use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::collections::BTreeSet;

#[test]
fn every_lie_is_found_by_its_name_and_says_what_it_does_and_where_it_is_from() {
    for module in NAMES {
        let all = list(module).unwrap();
        let names: BTreeSet<_> = all.iter().map(|lie| lie.name).collect();
        assert_eq!(names.len(), all.len(), "two lies of {module} share a name");
        for lie in all {
            assert_eq!(find(module, lie.name), Ok(lie));
            assert!(!lie.line.is_empty() && !lie.source.is_empty(), "{lie:?}");
            assert!(lie.line.len() <= 76, "{lie:?}: one line");
        }
    }
}

#[test]
fn an_unknown_lie_is_an_error_that_lists_what_exists() {
    let error = find(NAMES[0], "equivocat").unwrap_err().to_string();
    assert!(error.starts_with("there is no lie called \"equivocat\"; there are: silent, crash,"));
    assert!(find("tendermit", "silent").unwrap_err().to_string().contains(NAMES[0]));
}

/// Whatever a replica asks of its protocol it must hear from a liar, too.
#[test]
fn a_liar_answers_for_its_protocol() {
    use crate::pbft::{Config, Pbft};
    let config = Config { checkpoint: 8, ..Config::default() };
    let (plain, liar) = (Pbft::new(config), Liar::honest(Pbft::new(config)));
    assert_eq!(liar.heights_ahead(), plain.heights_ahead());
    assert_ne!(
        liar.heights_ahead(),
        Liar::honest(Tendermint::new(Default::default())).heights_ahead()
    );
    let member = |id| ledger::vote::Member {
        id: ReplicaId(id),
        key: crypto::SecretKey::from_seed([id as u8; 32]).public(),
        stake: ledger::Stake(1 + u64::from(id)),
        share: ledger::Share::FULL,
    };
    let committee = ledger::Committee::new((0..4).map(member).collect()).unwrap();
    assert_eq!(Liar::<Pbft>::quorum(&committee), Pbft::quorum(&committee));
    assert_ne!(Liar::<Pbft>::quorum(&committee), Tendermint::quorum(&committee));
}

#[test]
fn only_twins_take_two_replicas() {
    for lie in list(NAMES[0]).unwrap() {
        let entry = choose::<Tendermint>(lie.name).unwrap();
        assert_eq!(entry.is_twins(), ["equivocate", "straddle"].contains(&lie.name));
        assert_eq!(lie.twins, entry.is_twins());
        assert_eq!(
            entry.lie().is_none(),
            lie.twins && !lie.knowing,
            "they are honest by themselves"
        );
    }
}

#[test]
fn a_plot_splits_the_honest_into_parts_that_differ_by_one_at_most() {
    for (replicas, liars) in [(4, 1), (4, 2), (7, 2), (7, 3), (10, 3), (1, 0)] {
        let liars: BTreeSet<_> = (replicas - liars..replicas).map(ReplicaId).collect();
        let mut seen = BTreeSet::new();
        for seed in 0..20 {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            let plot = Plot::draw(replicas, liars.clone(), &mut chance);
            let everybody = || (0..replicas).map(ReplicaId);
            let [left, right] = Side::BOTH.map(|side| plot.faces(side, everybody()));
            assert!(left.len() == right.len() || left.len() == right.len() + 1);
            assert_eq!(left.len() + right.len(), replicas as usize + liars.len());
            assert!(liars.iter().all(|id| left.contains(id) && right.contains(id)));
            seen.insert(right);
        }
        assert!(replicas < 4 || seen.len() > 1, "chance decides");
    }
}
