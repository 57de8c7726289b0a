//! What a stable checkpoint proves to those who trust the genesis alone, and what a quorum is.

use super::{
    super::{Config, Pbft, Size, Stable},
    rig::*,
};
use crate::{
    catalogue::{BadSettings, Module},
    protocol::{Protocol, Unproven},
};
use ledger::{Block, Genesis, Header, Proof, ReplicaId, Stake, genesis::Validator};
use std::{collections::BTreeMap, sync::Arc};

/// A chain of so many blocks upon the genesis.
fn chain(length: u64) -> Vec<Header> {
    let mut rig = Rig::started(1);
    let blocks = (1..=length).map(|sequence| {
        rig.decide(0, &batch(sequence, 0, 0));
        let block: &Arc<Block> = &rig.book.blocks[&rig.book.root];
        block.header.clone()
    });
    blocks.collect()
}

fn verify(headers: &[Header], proof: &Proof) -> Result<(), Unproven> {
    trusting(&committee(4), |trusted| Pbft::verify(headers, proof, trusted))
}

fn proof_of(last: &Header, signers: &[u32]) -> Proof {
    stable(9, last.height, last.hash(), signers).encode()
}

#[test]
fn a_stable_checkpoint_proves_its_block_and_those_before() {
    let headers = chain(3);
    let proof = proof_of(&headers[2], &[0, 2, 3]);
    assert_eq!(verify(&headers, &proof), Ok(()));
    assert_eq!(verify(&headers[1..], &proof), Ok(()));
    assert_eq!(verify(&headers[2..], &proof), Ok(()));
    assert_eq!(verify(&headers[2..], &proof_of(&headers[2], &[0, 1, 2, 3])), Ok(()));
}

#[test]
fn a_bad_proof_says_what_is_wrong_with_it() {
    let headers = chain(3);
    let last = &headers[2];
    let good = proof_of(last, &[0, 2, 3]);
    assert_eq!(verify(&[], &good), Err(Unproven::NoHeaders));
    let gap = [headers[0].clone(), headers[2].clone()];
    assert_eq!(verify(&gap, &good), Err(Unproven::BrokenChain(3)));
    let (expected, found) = (headers[1].hash(), last.hash());
    assert_eq!(verify(&headers[..2], &good), Err(Unproven::WrongBlock { expected, found }));
    let few = proof_of(last, &[0, 2]);
    assert_eq!(verify(&headers, &few), Err(Unproven::TooFew { found: 2, needed: 3 }));
    let twice = proof_of(last, &[0, 2, 2]);
    assert_eq!(verify(&headers, &twice), Err(Unproven::DuplicateSigner(ReplicaId(2))));
    let stranger = proof_of(last, &[0, 2, 7]);
    assert_eq!(verify(&headers, &stranger), Err(Unproven::NotMember(ReplicaId(7))));
    let mut forged = Stable::decode(&good).unwrap();
    forged.signatures[1].1 = forged.signatures[0].1;
    assert_eq!(verify(&headers, &forged.encode()), Err(Unproven::BadSignature(ReplicaId(2))));
    let mut relabelled = Stable::decode(&good).unwrap();
    relabelled.checkpoint.sequence += 1;
    assert_eq!(verify(&headers, &relabelled.encode()), Err(Unproven::BadSignature(ReplicaId(0))));
    let other_height = stable(9, 2, last.hash(), &[0, 2, 3]).encode();
    assert!(matches!(verify(&headers, &other_height), Err(Unproven::Malformed(_))));
    let mut long = good.0.clone();
    long.push(0);
    assert!(matches!(verify(&headers, &Proof(long)), Err(Unproven::Malformed(_))));
    for length in 0..good.0.len() {
        let cut = Proof(good.0[..length].to_vec());
        assert!(matches!(verify(&headers, &cut), Err(Unproven::Malformed(_))), "{length}");
    }
}

#[test]
fn heads_count_and_not_stake() {
    let headers = chain(1);
    // Replicas 2 and 3 hold 502 of 604.
    let heavy = proof_of(&headers[0], &[2, 3]);
    assert_eq!(verify(&headers, &heavy), Err(Unproven::TooFew { found: 2, needed: 3 }));
    assert_eq!(verify(&headers, &proof_of(&headers[0], &[0, 1, 2])), Ok(()));
}

/// SCIENCE S8: two quorums share more than f, with f the most that n > 3f allows, and n−f are one.
#[test]
fn quorums_share_an_honest_replica_whatever_n_is() {
    let table =
        [(4, 3), (5, 4), (6, 4), (7, 5), (8, 6), (9, 6), (10, 7), (11, 8), (12, 8), (13, 9)];
    for (n, quorum) in table {
        assert_eq!(Size { n }.quorum(), quorum, "{n}");
    }
    for n in 1..=200 {
        let size = Size { n };
        let (f, q) = (size.faulty(), size.quorum());
        assert!(n > 3 * f && n <= 3 * f + 3, "{n}");
        assert!(2 * q > n + f, "two quorums of {n} share an honest replica");
        assert!(2 * (q - 1) <= n + f, "and one less would not do for {n}");
        assert!(q <= n - f, "those who are up are a quorum of {n}");
        assert_eq!(size.weak(), f + 1);
        // Why a certificate needs no signature of the primary.
        if f > 0 {
            assert!(2 * (q - 1) >= n - 1 + f, "{n}");
        }
    }
}

fn genesis(validators: u8, settings: &[(&str, u64)]) -> Genesis {
    let keys = (0..validators).map(|id| crypto::SecretKey::from_seed([id; 32]).public());
    Genesis {
        name: "settings".into(),
        time: 0,
        consensus: Pbft::NAME.into(),
        block_time: 700,
        settings: settings.iter().map(|&(key, value)| (key.to_owned(), value)).collect(),
        validators: keys.map(|key| Validator { key, stake: Stake(1) }).collect(),
        accounts: Vec::new(),
    }
}

#[test]
fn a_genesis_sets_what_it_likes_and_the_rest_is_the_default() {
    let other = [("tendermint.delta_ms", 7), ("pbft.timeout_ms", 900), ("pbft.checkpoint", 8)];
    let config = Config::from_genesis(&genesis(4, &other)).unwrap();
    let expected =
        Config { block_time: ms(700), timeout: ms(900), checkpoint: 8, ..Config::default() };
    assert_eq!(config, expected);
    assert_eq!(config.window(), 16, "the paper's 2K");
    assert_eq!(Pbft::unproven(&genesis(4, &other)), Ok(16));
    assert_eq!(BTreeMap::<String, u64>::new(), genesis(4, &[]).settings);
}

#[test]
fn bad_settings_are_refused_with_their_names() {
    let refused = |validators, settings: &[(&str, u64)]| {
        Config::from_genesis(&genesis(validators, settings)).unwrap_err()
    };
    let zero = refused(4, &[("pbft.timeout_ms", 0)]);
    assert_eq!(zero, BadSettings::Zero { key: "pbft.timeout_ms".into() });
    let bounds = refused(4, &[("pbft.checkpoint", 33)]);
    assert!(matches!(bounds, BadSettings::Bounds { value: 33, .. }), "{bounds}");
    let unknown = refused(4, &[("pbft.view", 3)]).to_string();
    assert!(
        unknown.contains("pbft.view") && unknown.contains("pbft.max_transactions"),
        "{unknown}"
    );
    assert!(Config::from_genesis(&genesis(76, &[])).is_ok());
    assert!(Config::from_genesis(&genesis(31, &[("pbft.checkpoint", 8)])).is_ok());
    for (validators, checkpoint) in [(100, 1), (31, 32)] {
        let unfit = refused(validators, &[("pbft.checkpoint", checkpoint)]);
        assert!(matches!(unfit, BadSettings::Unfit(_)), "{unfit}");
        assert!(unfit.to_string().contains(&format!("{validators} validators")), "{unfit}");
    }
}

/// What everybody else is told of a quorum is what the protocol counts by.
#[test]
fn others_are_told_the_same_quorum() {
    for n in 1..=40 {
        let (committee, size) = (committee(n), Size { n: n as usize });
        let quorum = Pbft::quorum(&committee);
        assert_eq!((quorum.needed, quorum.total), (size.quorum() as u128, n.into()));
        let heads = |count: usize| quorum.is_met(&committee, (0..count as u32).map(ReplicaId));
        assert!(heads(size.quorum()) && !heads(size.quorum() - 1));
        assert!(!quorum.is_met(&committee, (n..3 * n).map(ReplicaId)), "strangers do not count");
    }
}
