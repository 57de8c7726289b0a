//! What everything else is made of: signatures, hashes, the canonical encoding.
//!
//! `cargo bench -p crypto`; the figures are in docs/benchmarks.md.

use criterion::{Criterion, Throughput};
use crypto::{Address, Domain, Hash, PublicKey, SecretKey, Signature, codec, hash};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// What the ledger's transfer looks like to the encoding. The ledger itself is above this crate.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Transfer {
    chain: Hash,
    sender: PublicKey,
    nonce: u64,
    fee: u64,
    action: Action,
    signature: Signature,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Action {
    Transfer { to: Address, amount: u64 },
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    signatures(&mut criterion);
    hashes(&mut criterion);
    encoding(&mut criterion);
    criterion.final_summary();
}

fn signatures(criterion: &mut Criterion) {
    let key = SecretKey::from_seed([7; 32]);
    let (public, message) = (key.public(), hash::tagged(Domain::Transaction, b"message"));
    let signature = key.sign(message.as_bytes());
    let ready = public.verifying().expect("our own key is good");
    criterion.bench_function("sign", |b| b.iter(|| key.sign(black_box(message.as_bytes()))));
    criterion.bench_function("verify_strict, key ready", |b| {
        b.iter(|| ready.verify(black_box(message.as_bytes()), black_box(&signature)))
    });
    criterion.bench_function("verify_strict, key as it travels", |b| {
        b.iter(|| black_box(public).verify(black_box(message.as_bytes()), black_box(&signature)))
    });
}

fn hashes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tagged hash");
    for len in [64, 200, 1_024, 65_536] {
        let bytes = vec![7; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("{len} bytes"), |b| {
            b.iter(|| hash::tagged(Domain::Message, black_box(&bytes)))
        });
    }
}

fn encoding(criterion: &mut Criterion) {
    let key = SecretKey::from_seed([7; 32]);
    let transfer = Transfer {
        chain: Hash::ZERO,
        sender: key.public(),
        nonce: 7,
        fee: 1,
        action: Action::Transfer { to: key.public().address(), amount: 5 },
        signature: key.sign(b"message"),
    };
    let bytes = codec::encode(&transfer);
    let mut group = criterion.benchmark_group(format!("transfer of {} bytes", bytes.len()));
    group.bench_function("encode", |b| b.iter(|| codec::encode(black_box(&transfer))));
    group
        .bench_function("count the bytes", |b| b.iter(|| codec::encoded_len(black_box(&transfer))));
    // Decoding includes the check that there is no other spelling.
    group.bench_function("decode", |b| {
        b.iter(|| codec::decode::<Transfer>(black_box(&bytes), 4_096))
    });
}
