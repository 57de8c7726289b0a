//! What counting votes costs: from the first voice to the certificate.
//!
//! `cargo bench -p consensus`; the figures are in docs/benchmarks.md. Signatures are those of a
//! pretend world, so that only the counting is measured.

use consensus::{Message, Signed, Tally};
use criterion::{Criterion, Throughput};
use crypto::SecretKey;
use ledger::{
    ChainId, Committee, Hand, ReplicaId, Slot, Stake,
    vote::{Member, SimulatedSecret},
};
use serde::{Deserialize, Serialize};
use std::{hint::black_box, sync::Arc};

/// A vote that says as much as any protocol's does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Vote {
    height: u64,
    round: u64,
    value: [u8; 32],
}

impl Message for Vote {
    fn kind(&self) -> &'static str {
        "vote"
    }

    fn kinds() -> &'static [&'static str] {
        &["vote"]
    }

    fn slot(&self) -> Option<Slot> {
        Some(Slot { height: self.height, round: self.round, ..Slot::default() })
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("tally");
    for members in [4, 10, 100] {
        let committee = Arc::new(committee(members));
        let votes = votes(members);
        group.throughput(Throughput::Elements(votes.len() as u64));
        group.bench_function(format!("count {members} votes"), |b| {
            b.iter(|| count(&committee, black_box(&votes)))
        });
        let full = count(&committee, &votes);
        assert!(full.is_quorum(), "all spoke");
        group.bench_function(format!("certificate of {members} votes"), |b| {
            b.iter(|| black_box(&full).certificates())
        });
    }
    group.finish();
    criterion.final_summary();
}

fn count(committee: &Arc<Committee>, votes: &[Signed<Vote>]) -> Tally<Vote> {
    let mut tally = Tally::new(Arc::clone(committee));
    for vote in votes {
        assert!(tally.add(vote), "each speaks once");
    }
    tally
}

fn committee(members: u32) -> Committee {
    let member = |id: u32| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&id.to_le_bytes());
        let key = SecretKey::from_seed(seed).public();
        Member::new(ReplicaId(id), key, Stake(1))
    };
    Committee::new((0..members).map(member).collect()).expect("all differ")
}

fn votes(members: u32) -> Vec<Signed<Vote>> {
    let secret = SimulatedSecret([7; 32]);
    let vote = |id| {
        let hand = Hand::simulated(ReplicaId(id), ChainId::default(), secret);
        Signed::by(&hand, Vote { height: 1, round: 0, value: [7; 32] })
    };
    (0..members).map(vote).collect()
}
