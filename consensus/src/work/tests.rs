use super::*;
use proptest::prelude::*;

fn number(target: Target) -> f64 {
    Work(target.0).hashes()
}

#[test]
fn compact_targets_are_read_as_bitcoin_reads_them() {
    let read = |bits| Target::from_bits(bits).map(|target| target.0);
    // The first target Bitcoin ever had, and its regression network's, which is too easy here.
    assert_eq!(read(0x1d00_ffff), Some(U256::from(0xffff) << 208));
    assert_eq!(read(0x2000_ffff), Some(U256::from(0xffff) << 232));
    assert_eq!(read(0x0100_3456), None, "all its digits are shifted away");
    assert_eq!(read(0x0112_3456), Some(U256::from(0x12)));
    assert_eq!(read(0x0212_3456), Some(U256::from(0x1234)));
    assert_eq!(read(0x0312_3456), Some(U256::from(0x12_3456)));
    assert_eq!(read(0x0412_3456), Some(U256::from(0x1234_5600)));
}

#[test]
fn zero_negative_and_overflowing_targets_are_refused() {
    for bits in [0, 0x0300_0000, 0x1d80_ffff, 0x0380_0001, 0x2101_0000, 0x2200_0100, 0xff12_3456] {
        assert_eq!(Target::from_bits(bits), None, "{bits:#x}");
    }
    assert!(Target::from_bits(0x2200_007f).is_some(), "the greatest length, and it still fits");
}

#[test]
fn the_work_of_a_target_is_how_many_hashes_it_takes() {
    assert_eq!(Target::EASIEST.work().hashes(), 2.0);
    assert_eq!(Target::for_hashes(256).work().hashes(), 256.0);
    assert_eq!(Target(U256::ONE).work(), Work(U256::ONE << 255));
    assert_eq!(Target::from_bits(0x1d00_ffff).unwrap().work().hashes(), 4_295_032_833.0);
}

#[test]
fn a_hash_is_read_lowest_byte_first() {
    let target = Target(U256::from(0x0102));
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&[0x02, 0x01]);
    assert!(target.is_met_by(&hash));
    hash[0] = 0x03;
    assert!(!target.is_met_by(&hash));
    hash = [0; 32];
    hash[31] = 1;
    assert!(!target.is_met_by(&hash));
}

#[test]
fn whole_powers_of_two_are_exact_and_halves_are_roots() {
    let target = Target(U256::from(1_u64) << 200);
    assert_eq!(target.times_power_of_two(0, 7), target);
    assert_eq!(target.times_power_of_two(21, 7).0, target.0 << 3);
    assert_eq!(target.times_power_of_two(-21, 7).0, target.0 >> 3);
    let root = number(target.times_power_of_two(1, 2)) / number(target);
    assert!((root - std::f64::consts::SQRT_2).abs() < 1e-12, "{root}");
}

#[test]
fn extreme_powers_end_at_the_bounds() {
    let target = Target::from_bits(0x1d00_ffff).unwrap();
    for far in [i128::MAX, i128::from(u64::MAX), 400] {
        assert_eq!(target.times_power_of_two(far, 1), Target::EASIEST);
        assert_eq!(target.times_power_of_two(-far, 1), Target(U256::ONE));
    }
    assert_eq!(target.times_power_of_two(i128::MIN, 1), Target(U256::ONE));
    assert_eq!(target.times(u64::MAX), Target::EASIEST);
}

proptest! {
    #[test]
    fn what_was_read_is_written_the_same_way(bits in any::<u32>()) {
        if let Some(target) = Target::from_bits(bits) {
            prop_assert_eq!(Target::from_bits(target.to_bits()), Some(target));
        }
    }

    #[test]
    fn compacting_makes_a_target_harder_by_less_than_a_part_in_32768(
        limbs in any::<[u64; 4]>(), shift in 0_usize..250,
    ) {
        let target = Target((U256::from_limbs(limbs) >> shift).clamp(U256::ONE, Target::EASIEST.0));
        let compact = Target::from_bits(target.to_bits()).unwrap();
        prop_assert!(compact <= target);
        prop_assert!(number(compact) >= number(target) * (1.0 - 1.0 / 32_768.0));
    }

    #[test]
    fn powers_follow_the_formula(numerator in -2_000_000_i64..2_000_000, half_life in 1_u64..200_000) {
        let target = Target(U256::from(0xffff_u64) << 150);
        let found = number(target.times_power_of_two(numerator.into(), half_life)) / number(target);
        let exponent = (numerator as f64 / half_life as f64).clamp(-60.0, 60.0);
        if (numerator as f64 / half_life as f64).abs() < 60.0 {
            let expected = exponent.exp2();
            prop_assert!((found / expected - 1.0).abs() < 2e-5, "{found} {expected}");
        }
    }

    #[test]
    fn the_longer_it_took_the_easier_it_gets(one in -9_000_i64..9_000, more in 0_i64..9_000) {
        let target = Target::for_hashes(1_000_000);
        let (early, late) = (target.times_power_of_two(one.into(), 100),
                             target.times_power_of_two((one + more).into(), 100));
        prop_assert!(early <= late);
    }

    #[test]
    fn an_easier_target_never_stands_for_more_work(one in any::<u64>(), other in any::<u64>()) {
        let (one, other) = (Target::for_hashes(one), Target::for_hashes(other));
        prop_assert_eq!(one.cmp(&other).is_gt(), one.work() < other.work() || one > other);
        if one > other { prop_assert!(one.work() <= other.work()); }
    }
}
