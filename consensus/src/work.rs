//! What proof-of-work is measured in: targets, their compact form, and the work they stand for.
//!
//! A hash, read as a little-endian number, meets a target if it does not exceed it. The compact form
//! is Bitcoin's `nBits`: the highest byte `e` is a length in bytes, the lower three a mantissa `m`,
//! and the target is `m · 256^(e-3)`.

use ruint::aliases::U256;
use std::{fmt, iter::Sum};

#[cfg(test)]
mod tests;

/// The greatest number that a hash may be. Never zero, and never above [`Target::EASIEST`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(U256);

/// How many hashes it takes on average to meet a target, or several: what chains are compared by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Work(U256);

/// The bit of the compact form that Bitcoin reads as a sign. No target is negative.
const SIGN: u32 = 0x0080_0000;

/// A fraction is this many binary digits.
const FRACTION_BITS: u32 = 16;

/// The square root of two, its square root, and so on, as fixed-point numbers with 63 binary
/// digits: entry `i` is 2^(2^-(i+1)).
const ROOTS: [u64; FRACTION_BITS as usize] = {
    let mut roots = [0; FRACTION_BITS as usize];
    // 2 · 2^126, whose root is that of two with 63 digits.
    let mut square = 1_u128 << 127;
    let mut index = 0;
    while index < roots.len() {
        roots[index] = square.isqrt() as u64;
        square = (roots[index] as u128) << 63;
        index += 1;
    }
    roots
};

impl Target {
    /// Every second hash meets it.
    pub const EASIEST: Target =
        Target(U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]));

    /// Reads the compact form. None for a negative target, for zero, and for one that is easier
    /// than [`Target::EASIEST`].
    pub fn from_bits(bits: u32) -> Option<Target> {
        let (bytes, mantissa) = (bits >> 24, U256::from(bits & (SIGN - 1)));
        if bits & SIGN != 0 || bytes > 32 + 2 {
            return None;
        }
        let target = match bytes {
            0..=3 => mantissa >> (8 * (3 - bytes)),
            _ => mantissa.checked_mul(U256::ONE.checked_shl(8 * (bytes as usize - 3))?)?,
        };
        (!target.is_zero() && target <= Target::EASIEST.0).then_some(Target(target))
    }

    /// The compact form, in which all but the highest digits are lost: the target gets a little
    /// harder, never easier.
    pub fn to_bits(self) -> u32 {
        let bytes = self.0.byte_len();
        let top: U256 =
            if bytes > 3 { self.0 >> (8 * (bytes - 3)) } else { self.0 << (8 * (3 - bytes)) };
        let mantissa = top.as_limbs()[0] as u32;
        let bytes = bytes as u32;
        if mantissa & SIGN == 0 {
            bytes << 24 | mantissa
        } else {
            (bytes + 1) << 24 | mantissa >> 8
        }
    }

    /// The target that takes about this many hashes to meet, at least two.
    pub fn for_hashes(hashes: u64) -> Target {
        Target(U256::MAX / U256::from(hashes.max(2))).min(Target::EASIEST)
    }

    /// Reads a number of 32 bytes, lowest first; too easy ones become [`Target::EASIEST`] and zero
    /// becomes one.
    pub fn from_le_bytes(bytes: [u8; 32]) -> Target {
        Target(U256::from_le_bytes(bytes).max(U256::ONE)).min(Target::EASIEST)
    }

    /// The number, lowest byte first, as a miner compares it.
    pub fn to_le_bytes(self) -> [u8; 32] {
        self.0.to_le_bytes()
    }

    /// Whether a hash meets it.
    pub fn is_met_by(self, hash: &[u8; 32]) -> bool {
        U256::from_le_bytes(*hash) <= self.0
    }

    /// How many hashes it takes on average: ⌊2^256 / (target + 1)⌋.
    pub fn work(self) -> Work {
        // 2^256 itself does not fit.
        Work(!self.0 / (self.0 + U256::ONE) + U256::ONE)
    }

    /// The target times a whole number, [`Target::EASIEST`] at most.
    pub fn times(self, factor: u64) -> Target {
        self.0.checked_mul(U256::from(factor)).map_or(Target::EASIEST, Target).min(Target::EASIEST)
    }

    /// The target times a fraction, rounded down, between one and [`Target::EASIEST`].
    ///
    /// # Panics
    /// If `denominator` is zero.
    pub fn times_fraction(self, numerator: u128, denominator: u128) -> Target {
        type Wide = ruint::Uint<384, 6>;
        let product = Wide::from(self.0) * Wide::from(numerator) / Wide::from(denominator);
        Target(U256::from(product.clamp(Wide::ONE, Wide::from(Target::EASIEST.0))))
    }

    /// The number itself.
    pub(crate) fn number(self) -> U256 {
        self.0
    }

    /// The target nearest to a number.
    pub(crate) fn of_number(number: U256) -> Target {
        Target(number.clamp(U256::ONE, Target::EASIEST.0))
    }

    /// The target times 2^(`numerator` / `denominator`), between one and [`Target::EASIEST`]. The
    /// exponent is rounded down to a multiple of 2^-16.
    ///
    /// Integers only, so that every machine finds the same: the whole part of the exponent shifts,
    /// each binary digit of the rest multiplies by a root of two.
    ///
    /// # Panics
    /// If `denominator` is zero.
    pub fn times_power_of_two(self, numerator: i128, denominator: u64) -> Target {
        let scaled = numerator.saturating_mul(1 << FRACTION_BITS);
        let exponent = scaled.div_euclid(i128::from(denominator));
        let whole = exponent >> FRACTION_BITS;
        let fraction = (exponent & ((1 << FRACTION_BITS) - 1)) as u32;
        type Wide = ruint::Uint<320, 5>;
        let mut target = Wide::from(self.0);
        for (index, root) in ROOTS.iter().enumerate() {
            if fraction >> (FRACTION_BITS - 1 - index as u32) & 1 == 1 {
                target = (target * Wide::from(*root)) >> 63;
            }
        }
        let shifted = match usize::try_from(whole.unsigned_abs()) {
            Ok(places) if whole < 0 && places < 320 => target >> places,
            _ if whole < 0 => Wide::ZERO,
            Ok(places) if places <= target.leading_zeros() => target << places,
            _ => Wide::MAX,
        };
        let clamped = shifted.clamp(Wide::ONE, Wide::from(Target::EASIEST.0));
        Target(U256::from(clamped))
    }
}

impl Work {
    /// None.
    pub const ZERO: Work = Work(U256::ZERO);

    /// The sum. A chain would have to outdo every hash there is to reach the greatest number, and
    /// stays there.
    pub fn plus(self, other: Work) -> Work {
        Work(self.0.saturating_add(other.0))
    }

    /// The difference; zero where the other is greater.
    pub fn less(self, other: Work) -> Work {
        Work(self.0.saturating_sub(other.0))
    }

    /// The number, highest byte first.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// Reads what [`Work::to_be_bytes`] wrote.
    pub fn from_be_bytes(bytes: [u8; 32]) -> Work {
        Work(U256::from_be_bytes(bytes))
    }

    /// The nearest number that fits, for figures and forecasts.
    pub fn hashes(self) -> f64 {
        self.0
            .as_limbs()
            .iter()
            .rev()
            .fold(0.0, |sum, limb| sum * 18_446_744_073_709_551_616.0 + *limb as f64)
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Work>>(works: I) -> Work {
        works.fold(Work::ZERO, Work::plus)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({})", self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({:#x})", self.0)
    }
}
