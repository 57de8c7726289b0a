//! How fast the miner searches, beside what Bitcoin's proof-of-work costs on the same machine.
//!
//! ```sh
//! cargo bench -p node --bench miner
//! ```
//!
//! Both are measured by turns in one process, so that a machine that is busy with other things
//! slows both. The yardstick is hand-written: the double SHA-256 of an 80-byte header, the state
//! after its first 64 bytes kept, which leaves two compressions for each try.

use sha2::block_api::compress256;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How long each is measured at a time.
const TURN: Duration = Duration::from_millis(500);

/// How often.
const TURNS: usize = 9;

/// The state SHA-256 begins with (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

fn main() {
    println!("million hashes per second of one thread, {TURNS} turns of {TURN:?} each");
    println!("  turn   double SHA-256 of 80 bytes   miner   ratio");
    let mut turns = Vec::new();
    for turn in 1..=TURNS {
        let (raw, ours) = (double_sha256(TURN) / 1e6, node::miner::measure(TURN) / 1e6);
        println!("  {turn:>4}   {raw:>26.2}   {ours:>5.2}   {:>5.2}", ours / raw);
        turns.push((raw, ours, ours / raw));
    }
    let raw = median(turns.iter().map(|turn| turn.0));
    let ours = median(turns.iter().map(|turn| turn.1));
    let ratio = median(turns.iter().map(|turn| turn.2));
    println!("median   {raw:>26.2}   {ours:>5.2}   {ratio:>5.2}");
}

/// Tries per second of a search for a double hash of zero.
fn double_sha256(duration: Duration) -> f64 {
    let mut midstate = START;
    compress256(&mut midstate, &[[7; 64]]);
    // The last 16 of 80 bytes, and the digest of 32, each with its padding.
    let mut rest = padded(80);
    let mut outer = padded(32);
    rest[..16].fill(7);
    let (begun, mut tries) = (Instant::now(), 0_u32);
    while begun.elapsed() < duration {
        for _ in 0..1_024 {
            rest[12..16].copy_from_slice(&tries.to_le_bytes());
            let (mut once, mut twice) = (midstate, START);
            compress256(&mut once, &[rest]);
            for (bytes, word) in outer.chunks_exact_mut(4).zip(once) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
            compress256(&mut twice, &[outer]);
            assert!(black_box(twice) != [0; 8], "nobody has ever found this");
            tries += 1;
        }
    }
    f64::from(tries) / begun.elapsed().as_secs_f64()
}

/// A last block with the padding for a message of so many bytes, and nothing else yet.
fn padded(len: usize) -> [u8; 64] {
    let mut block = [0; 64];
    block[len % 64] = 0x80;
    block[56..].copy_from_slice(&(len as u64 * 8).to_be_bytes());
    block
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
