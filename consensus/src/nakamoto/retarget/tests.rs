use super::*;
use crate::catalogue::Depths;
use crypto::Hash;
use ledger::{ReplicaId, Seal};

const T: Duration = Duration::from_secs(600);

fn target(hashes: u64) -> Target {
    Target::for_hashes(hashes)
}

/// Within what whole numbers of milliseconds lose.
fn assert_near(found: Target, expected: Target) {
    let [found, expected] = [found, expected].map(|target| target.work().hashes());
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} hashes, not {expected}");
}

#[test]
fn bitcoin_counts_one_interval_too_few() {
    // 2016 blocks on schedule are 2015 intervals, so that the next are a little too hard.
    let next = bitcoin(target(1 << 40), T * 2015, 2016, T);
    assert_near(next, target((1 << 40) / 2015 * 2016));
    assert_eq!(bitcoin(target(1 << 40), T * 2016, 2016, T), target(1 << 40));
}

#[test]
fn bitcoin_changes_by_four_times_at_most() {
    let before = target(1 << 40);
    assert_near(bitcoin(before, Duration::ZERO, 144, T), target(1 << 42));
    assert_near(bitcoin(before, T * 144 * 100, 144, T), target(1 << 38));
    assert_near(bitcoin(before, T * 144 * 2, 144, T), target(1 << 39));
}

#[test]
fn the_newest_of_an_lwma_weighs_most() {
    let weighted = |times: &[u32]| (1..).zip(times).map(|(i, took)| T * i * *took).sum();
    let next = |times: &[u32]| lwma(target(1 << 40), weighted(times), times.len() as u64, T);
    assert_eq!(next(&[1, 1, 1]), target(1 << 40));
    // (1 + 2 + 3 * 2) / 6 and (2 + 2 + 3) / 6 of an interval.
    assert_near(next(&[1, 1, 2]), target((1 << 40) * 6 / 9));
    assert_near(next(&[2, 1, 1]), target((1 << 40) * 6 / 7));
}

#[test]
fn no_target_is_zero_or_too_easy() {
    let hardest = target(u64::MAX).times_fraction(1, u128::MAX);
    assert!(hardest.times_fraction(0, 1).number() == U256::ONE);
    assert_eq!(target(2).times_fraction(u128::MAX, 1), Target::EASIEST);
    assert_eq!(Target::of_number(U256::MAX), Target::EASIEST);
    assert_eq!(Target::of_number(U256::ZERO).number(), U256::ONE);
}

fn config() -> Config {
    Config {
        depths: Depths { confirmations: 6, irreversible: 100 },
        interval: T,
        half_life: T * 72,
        began: 0,
        anchor: target(1_000),
        limit: Target::EASIEST,
        clock_skew: T,
        max_transactions: 0,
        refresh: T,
        relay: 0,
    }
}

/// Sums that are kept up to date are the sums of what is in the window.
#[test]
fn a_window_is_the_last_blocks_of_its_branch() {
    let config = config();
    let window = 4;
    let (mut kept, mut all) = (Window::default(), Vec::new());
    for height in 0..20_u64 {
        let hash = BlockHash(crypto::hash::sha256(&height.to_le_bytes()));
        let bits = target(1_000 + height * height).to_bits();
        let (time, zero) = (1_000_000 + height * height * 777, Hash::ZERO);
        let header = Header {
            parent: BlockHash(zero),
            height,
            time,
            proposer: ReplicaId(0),
            transactions: zero,
            state: zero,
            committee: zero,
            participation: zero,
            leak: zero,
            seal: Seal { bits, nonce: 0 },
        };
        kept.push(hash, &header, &config, window);
        all.push((time, Target::from_bits(bits).expect("a target")));
        assert_eq!(kept.blocks.len(), all.len().min(5));
        if let Some(last) = all.len().checked_sub(5).map(|first| &all[first..]) {
            let intervals = last.windows(2).map(|pair| pair[1].0 - pair[0].0);
            let weighted = (1..).zip(intervals).map(|(i, took)| i * took).sum();
            let parts = last[1..].iter().map(|(_, target)| target.number() / U256::from(4));
            let mean = Target::of_number(parts.fold(U256::ZERO, |sum, part| sum + part));
            let expected = lwma(mean, Duration::from_millis(weighted), window, T);
            assert_eq!(kept.next(window, T), expected, "height {height}");
        }
    }
}
