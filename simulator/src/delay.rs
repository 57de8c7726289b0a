//! How long things take: distributions that give the same nanoseconds on every machine.
//!
//! Logarithms, exponentials and cosines come from `libm`, which is plain arithmetic: the standard
//! library's may differ from one system to the next in the last bit, and one bit is another run.
//!
//! | text | what it means |
//! |---|---|
//! | `50ms` | always that long |
//! | `20ms..80ms` | evenly from the range, its end excluded |
//! | `20ms + exp 30ms` | at least 20 ms, and 30 ms more in the mean, exponentially |
//! | `lognormal 50ms 0.5` | median 50 ms, the logarithm's standard deviation 0.5 |

use crate::{
    setup::stream,
    span::{self, BadSpan},
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr, time::Duration};
use thiserror::Error;

/// How many are drawn to tell values that are equally likely.
const SAMPLE: usize = 16_384;

/// How long something takes. As text, see [the module](self).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Delay {
    /// Always the same.
    Constant(Duration),
    /// Evenly from a range. An empty range means always its start.
    Uniform(Range<Duration>),
    /// A floor that nothing beats, and an exponential tail: a fixed way with queues on it.
    Exponential {
        /// The least.
        floor: Duration,
        /// How much longer in the mean; never more than 37 times that.
        mean: Duration,
    },
    /// Many small causes multiplied, as measured on the Internet: mostly near the median, at times
    /// several times as long.
    LogNormal {
        /// Half take less.
        median: Duration,
        /// Standard deviation of the natural logarithm; not negative. Never more than
        /// `exp(8.6 sigma)` medians.
        sigma: f64,
    },
}

/// A text that is no distribution.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadDelay {
    /// A part of it is no span of time.
    #[error(transparent)]
    Span(#[from] BadSpan),
    /// Its sigma is none.
    #[error("{0:?} is no sigma: a number such as 0.5, not negative")]
    Sigma(String),
}

/// The chance that one delay may use up. It is drawn whether or not the delay needs all of it, so
/// that another distribution changes nothing but the delays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) [u64; 2]);

impl Dice {
    pub(crate) fn roll(chance: &mut ChaCha8Rng) -> Dice {
        Dice([chance.next_u64(), chance.next_u64()])
    }
}

impl Delay {
    /// So many values that are equally likely, in rising order: what is told to those who cannot draw from
    /// it themselves. They are read off a fixed sample, so the rarest lie at the ends, and not beyond.
    ///
    /// # Panics
    /// If none is asked for.
    pub fn values(&self, count: usize) -> Vec<Duration> {
        assert!(count > 0, "a distribution has values");
        let mut chance = stream(0, "values of a delay", 0);
        let mut drawn: Vec<_> = (0..SAMPLE).map(|_| self.draw(Dice::roll(&mut chance))).collect();
        drawn.sort_unstable();
        (0..count).map(|at| drawn[(2 * at + 1) * SAMPLE / (2 * count)]).collect()
    }

    /// The next one.
    pub(crate) fn draw(&self, Dice([first, second]): Dice) -> Duration {
        match self {
            Delay::Constant(always) => *always,
            Delay::Uniform(Range { start, end }) => {
                let spread = u64::try_from(end.saturating_sub(*start).as_nanos());
                *start + Duration::from_nanos(below(first, spread.unwrap_or(u64::MAX)))
            }
            Delay::Exponential { floor, mean } => {
                floor.saturating_add(scaled(*mean, -libm::log(unit(first))))
            }
            Delay::LogNormal { median, sigma } => {
                // Box and Muller: two even chances make a normal one.
                let angle = 2.0 * std::f64::consts::PI * unit(second);
                let normal = libm::sqrt(-2.0 * libm::log(unit(first))) * libm::cos(angle);
                scaled(*median, libm::exp(sigma * normal))
            }
        }
    }
}

/// A number evenly drawn from `0..bound`, or zero if there is none. The bias of multiplying and
/// shifting is below `bound / 2^64`.
pub(crate) fn below(chance: u64, bound: u64) -> u64 {
    let product = u128::from(chance) * u128::from(bound);
    u64::try_from(product >> 64).expect("the upper half of a product of two u64 fits in one")
}

/// Evenly from the multiples of 2^-53 in 0 < x <= 1: never zero, which has no logarithm.
fn unit(chance: u64) -> f64 {
    ((chance >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Whole nanoseconds; the cast saturates where a factor is absurd.
fn scaled(span: Duration, factor: f64) -> Duration {
    Duration::from_nanos((span.as_nanos() as f64 * factor) as u64)
}

impl From<Duration> for Delay {
    fn from(always: Duration) -> Delay {
        Delay::Constant(always)
    }
}

impl From<Range<Duration>> for Delay {
    fn from(range: Range<Duration>) -> Delay {
        Delay::Uniform(range)
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |span: &Duration| span::show(*span);
        match self {
            Delay::Constant(always) => write!(f, "{}", show(always)),
            Delay::Uniform(range) => write!(f, "{}..{}", show(&range.start), show(&range.end)),
            Delay::Exponential { floor, mean } => {
                write!(f, "{} + exp {}", show(floor), show(mean))
            }
            Delay::LogNormal { median, sigma } => write!(f, "lognormal {} {sigma}", show(median)),
        }
    }
}

impl FromStr for Delay {
    type Err = BadDelay;

    fn from_str(text: &str) -> Result<Delay, BadDelay> {
        if let Some((start, end)) = text.split_once("..") {
            return Ok(Delay::Uniform(span::parse(start)?..span::parse(end)?));
        }
        if let Some((floor, mean)) = text.split_once("+ exp ") {
            let (floor, mean) = (span::parse(floor)?, span::parse(mean)?);
            return Ok(Delay::Exponential { floor, mean });
        }
        if let Some(rest) = text.strip_prefix("lognormal ") {
            let (median, sigma) = rest.split_once(' ').unwrap_or((rest, ""));
            let bad = || BadDelay::Sigma(sigma.chars().take(40).collect());
            let number: f64 = sigma.parse().map_err(|_| bad())?;
            let sigma = (number.is_finite() && number >= 0.0).then_some(number).ok_or_else(bad)?;
            return Ok(Delay::LogNormal { median: span::parse(median)?, sigma });
        }
        Ok(Delay::Constant(span::parse(text)?))
    }
}

impl TryFrom<String> for Delay {
    type Error = BadDelay;

    fn try_from(text: String) -> Result<Delay, BadDelay> {
        text.parse()
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> String {
        delay.to_string()
    }
}

#[cfg(test)]
mod tests;
