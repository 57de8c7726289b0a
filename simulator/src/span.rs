//! Spans of virtual time as people write them: `20ms`, `1.5s`, `2m`.

use std::time::Duration;
use thiserror::Error;

/// The units, with the nanoseconds in each, greatest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A text that is no span of time.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is no span of time; write it like 500us, 20ms, 1.5s, 2m or 1h")]
pub struct BadSpan(pub String);

/// Reads a decimal number and its unit, to the nanosecond.
///
/// # Errors
/// If there is no number, no unit that is known, or more time than 64 bits of nanoseconds hold.
pub fn parse(text: &str) -> Result<Duration, BadSpan> {
    let text = text.trim();
    read(text).ok_or_else(|| BadSpan(text.chars().take(40).collect()))
}

fn read(text: &str) -> Option<Duration> {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    let (number, unit) = text.split_at(end);
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let (whole, part): (u64, u64) = (whole.parse().ok()?, part.parse().ok()?);
    let part = u64::try_from(u128::from(part) * u128::from(*size) / u128::from(scale)).ok()?;
    whole.checked_mul(*size)?.checked_add(part).map(Duration::from_nanos)
}

/// Writes what [`parse`] reads back as the same: hours and minutes only where they are whole.
pub fn show(span: Duration) -> String {
    let nanos = span.as_nanos();
    let whole = |size: u64| nanos.is_multiple_of(size.into());
    let unit = UNITS.iter().find(|(name, size)| match *name {
        "h" | "m" => nanos > 0 && whole(*size),
        _ => nanos >= u128::from(*size),
    });
    let (name, size) = unit.unwrap_or(&("s", 1_000_000_000));
    let (size, digits) = (u128::from(*size), size.ilog10() as usize);
    match nanos % size {
        0 => format!("{}{name}", nanos / size),
        part => {
            let part = format!("{part:0digits$}");
            format!("{}.{}{name}", nanos / size, part.trim_end_matches('0'))
        }
    }
}

/// For `#[serde(with)]`: a span as its text.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::time::Duration;

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::show(*span))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        super::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
