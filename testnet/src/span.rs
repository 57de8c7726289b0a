//! Spans of time as people type them: `500ms`, `1s`, `2m`, `1h`.

use std::time::Duration;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The units, with the milliseconds in each. `ms` stands before `m` and `s` because the unit is
/// found by what the text ends with.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Reads a whole number and its unit.
///
/// # Errors
///
/// [`BadSpan`] if there is no unit, no whole number, or more time than fits.
pub fn parse(text: &str) -> Result<Duration, BadSpan> {
    let refuse = |fault| BadSpan { value: text.chars().take(40).collect(), fault };
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(digits.len());
    let (_, milliseconds) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| refuse(if unit.is_empty() { SpanFault::NoUnit } else { SpanFault::Unit }))?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse(SpanFault::Number));
    }
    number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(*milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| refuse(SpanFault::TooLong))
}

/// Writes what [`parse`] reads, in the largest unit that loses nothing.
pub fn format(span: Duration) -> String {
    let milliseconds = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let (unit, size) = UNITS
        .iter()
        .rev()
        .find(|(_, size)| milliseconds != 0 && milliseconds % size == 0)
        .unwrap_or(&UNITS[1]);
    format!("{}{unit}", milliseconds / size)
}

/// A text that is no span of time.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{value:?} is no span of time: {fault}; write it like 500ms, 1s, 2m or 1h")]
pub struct BadSpan {
    /// The text as it was given, shortened if it is very long.
    pub value: String,
    /// What is wrong with it.
    pub fault: SpanFault,
}

/// What can be wrong with a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SpanFault {
    /// A bare number.
    #[error("it has no unit")]
    NoUnit,
    /// A unit other than `ms`, `s`, `m` and `h`.
    #[error("its unit is none of ms, s, m and h")]
    Unit,
    /// What stands before the unit is no whole number.
    #[error("it does not begin with a whole number")]
    Number,
    /// It does not fit into 64 bits of milliseconds.
    #[error("it is too long")]
    TooLong,
}
