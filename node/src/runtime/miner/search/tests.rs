use super::*;
use crate::runtime::miner::tests::{easy, header};
use crypto::hash::tagged;
use ledger::{BlockHash, ReplicaId, Seal};
use proptest::prelude::*;
use std::{collections::BTreeSet, thread};

#[test]
fn a_try_is_the_headers_own_hash() {
    let mut header = header(77);
    header.seal = Seal { bits: 0x1f00_ffff, nonce: 9 };
    let job = Job::new(header.clone(), [0; 32]);
    for nonce in [0, 1, 9, 255, 256, u64::from(u32::MAX) + 1, u64::MAX] {
        header.seal.nonce = nonce;
        assert_eq!(BlockHash(job.hash(nonce)), header.hash(), "nonce {nonce}");
    }
}

#[test]
fn the_encoding_ends_with_the_nonce_in_a_block_that_has_room_for_the_padding() {
    let mut header = header(1);
    header.seal.nonce = 0x0807_0605_0403_0201;
    let encoded = codec::encode(&header);
    assert!(encoded.ends_with(&[1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(encoded.len(), 224, "what the module's text says");
    // Of the last block of 64 bytes; one bit and eight bytes of length come behind.
    assert!(encoded.len() % 64 + 1 + 8 <= 64, "one compression for each try");
}

#[test]
fn a_search_begins_at_the_headers_nonce_and_finds_the_first_that_meets_the_target() {
    let mut wanted = header(3);
    wanted.seal.nonce = 500;
    let target = easy(9);
    let job = Job::new(wanted.clone(), target);
    let (mut tries, found) = (0..1_000)
        .scan(0, |tries, _| {
            let batch = job.try_batch();
            *tries += batch.tries;
            Some((*tries, batch.found))
        })
        .find(|(_, found)| found.is_some())
        .expect("one in 131,072");
    let slow = |header: &Header| header.hash().0.as_bytes().iter().rev().le(target.iter().rev());
    while !slow(&wanted) {
        wanted.seal.nonce += 1;
        tries -= 1;
    }
    assert_eq!(found, Some(wanted));
    assert_eq!(tries, 1, "each try was counted, the last one included");
}

#[test]
fn nonces_go_round_at_the_end_of_their_range() {
    let mut last = header(1);
    last.seal.nonce = u64::MAX - 3;
    let job = Job::new(last.clone(), [0xff; 32]);
    assert_eq!(job.try_batch().found, Some(last));
    let after = job.try_batch().found.expect("anything meets this target");
    assert_eq!(after.seal.nonce, BATCH - 4);
}

#[test]
fn threads_search_disjoint_nonces() {
    // Any hash meets this target, so what a batch finds is where it began.
    let job = Job::new(header(1), [0xff; 32]);
    let begins: Vec<u64> = thread::scope(|scope| {
        let batches = || (0..200).map(|_| job.try_batch().found.expect("any").seal.nonce);
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(move || batches().collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let different: BTreeSet<u64> = begins.iter().copied().collect();
    assert_eq!(different, (0..800).map(|batch| batch * BATCH).collect());
    assert_eq!(begins.len(), different.len());
}

#[test]
fn one_call_ends_a_search() {
    let job = Job::new(header(1), [0; 32]);
    let winners = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| job.end())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert_eq!(winners.iter().filter(|won| **won).count(), 1);
    assert!(job.is_over());
}

#[test]
fn the_target_itself_is_met_and_one_less_is_not() {
    let hash = header(5).hash().0;
    let mut target = hash.to_bytes();
    assert!(Target::new(target).is_met_by(&hash));
    let lowest = target.iter().position(|byte| *byte > 0).expect("not zero");
    target[..lowest].fill(0xff);
    target[lowest] -= 1;
    assert!(!Target::new(target).is_met_by(&hash));
}

proptest! {
    #[test]
    fn the_shortcut_hashes_what_serde_encodes(
        height: u64,
        time: u64,
        proposer: u32,
        bits: u32,
        nonce: u64,
        roots in prop::array::uniform6(prop::array::uniform32(any::<u8>())),
    ) {
        let [parent, transactions, state, committee, participation, leak] = roots.map(Hash::from);
        let header = Header {
            parent: BlockHash(parent),
            height,
            time,
            proposer: ReplicaId(proposer),
            transactions,
            state,
            committee,
            participation,
            leak,
            seal: Seal { bits, nonce },
        };
        let expected = tagged(Domain::Header, &codec::encode(&header));
        prop_assert_eq!(Job::new(header.clone(), [0; 32]).hash(nonce), expected);
        prop_assert_eq!(header.hash().0, expected);
    }

    #[test]
    fn targets_compare_like_numbers(hash: [u8; 32], target: [u8; 32], same in 0..=32_usize) {
        // Random numbers differ at the top, so some are made the same there.
        let mut target = target;
        target[32 - same..].copy_from_slice(&hash[32 - same..]);
        let big = |number: [u8; 32]| number.into_iter().rev().collect::<Vec<_>>();
        let met = Target::new(target).is_met_by(&Hash::from(hash));
        prop_assert_eq!(met, big(hash) <= big(target));
    }
}
