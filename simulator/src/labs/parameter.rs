//! What a person may choose of a lab.

use std::{collections::BTreeMap, fmt};
use thiserror::Error;

/// Something that may be chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// As a flag, without its dashes: `q`.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What it may be.
    pub range: Range,
    /// What it is if nobody says.
    pub usual: Value,
}

/// What a parameter may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Range {
    /// A number between these, both excluded unless the formula holds there too.
    Real {
        /// The least.
        from: f64,
        /// Whether the least is one.
        with_from: bool,
        /// The greatest.
        to: f64,
        /// Whether the greatest is one.
        with_to: bool,
    },
    /// A whole number between these, both included.
    Whole(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// At most [`Numbers::MOST`] whole numbers between these, both included.
    List(u64, u64),
    /// Some of at most so many, but not none: `3/5`, or `0.6`.
    Part(u64),
}

/// What was chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Value {
    /// A number.
    Real(f64),
    /// A whole number.
    Whole(u64),
    /// A word of those that were to choose from.
    Word(&'static str),
    /// A few whole numbers.
    List(Numbers),
    /// Some of so many.
    Part(Part),
}

/// Some of so many, exactly: three of five is not six of ten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// At least one.
    pub some: u64,
    /// At least as many.
    pub all: u64,
}

/// A few whole numbers in the order in which they were given; at least one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// Zero past the last of them.
    all: [u64; Numbers::MOST],
    count: usize,
}

/// What was chosen of each parameter, by name; each in its range.
#[derive(Clone, PartialEq, Debug)]
pub struct Values(BTreeMap<&'static str, Value>);

/// A value that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("--{name} {value}: {reason}")]
pub struct BadValue {
    /// Of which parameter.
    pub name: &'static str,
    /// What was asked for.
    pub value: String,
    /// What is wrong, and what would do.
    pub reason: String,
}

impl Parameter {
    /// Reads what a person typed.
    ///
    /// # Errors
    ///
    /// [`BadValue`] if it is not in the range.
    pub fn read(&self, text: &str) -> Result<Value, BadValue> {
        let value = match self.range {
            Range::Real { .. } => {
                text.parse().ok().filter(|x: &f64| x.is_finite()).map(Value::Real)
            }
            Range::Whole(..) => text.parse().ok().map(Value::Whole),
            Range::Word(words) => {
                words.iter().find(|word| **word == text).map(|word| Value::Word(word))
            }
            Range::List(..) => {
                let numbers: Option<Vec<u64>> =
                    text.split(',').map(|number| number.trim().parse().ok()).collect();
                numbers.and_then(|numbers| Numbers::of(&numbers)).map(Value::List)
            }
            Range::Part(_) => Part::read(text).map(Value::Part),
        };
        value.filter(|value| self.range.holds(*value)).ok_or_else(|| BadValue {
            name: self.name,
            value: text.to_owned(),
            reason: format!("it is {}", self.range),
        })
    }
}

impl Range {
    fn holds(&self, value: Value) -> bool {
        match (self, value) {
            (Range::Real { from, with_from, to, with_to }, Value::Real(x)) => {
                (x > *from || *with_from && x == *from) && (x < *to || *with_to && x == *to)
            }
            (Range::Whole(from, to), Value::Whole(x)) => (*from..=*to).contains(&x),
            (Range::Word(words), Value::Word(word)) => words.contains(&word),
            (Range::List(from, to), Value::List(numbers)) => {
                numbers.as_slice().iter().all(|number| (*from..=*to).contains(number))
            }
            (Range::Part(most), Value::Part(Part { some, all })) => {
                (1..=all).contains(&some) && all <= *most
            }
            _ => false,
        }
    }
}

impl Part {
    /// A fraction as it stands, or a decimal in its lowest terms.
    fn read(text: &str) -> Option<Part> {
        if let Some((some, all)) = text.split_once('/') {
            return Some(Part { some: some.trim().parse().ok()?, all: all.trim().parse().ok()? });
        }
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        // More digits than that are no share of validators.
        let all =
            10_u64.checked_pow(u32::try_from(digits.len()).ok()?).filter(|_| digits.len() < 10)?;
        let number =
            |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
        let some = number(whole)?.checked_mul(all)?.checked_add(number(digits)?)?;
        let common = greatest_common_divisor(some, all);
        Some(Part { some: some / common, all: all / common })
    }

    /// As a share of one.
    pub fn share(&self) -> f64 {
        self.some as f64 / self.all as f64
    }
}

impl Numbers {
    /// The most of them.
    pub const MOST: usize = 12;

    /// None if there are none, or too many.
    pub const fn of(numbers: &[u64]) -> Option<Numbers> {
        if numbers.is_empty() || numbers.len() > Numbers::MOST {
            return None;
        }
        let (mut all, mut count) = ([0; Numbers::MOST], 0);
        while count < numbers.len() {
            all[count] = numbers[count];
            count += 1;
        }
        Some(Numbers { all, count })
    }

    /// All of them.
    pub fn as_slice(&self) -> &[u64] {
        &self.all[..self.count]
    }
}

impl Values {
    /// Every parameter as it is if nobody says.
    pub fn usual(parameters: &[Parameter]) -> Values {
        Values(parameters.iter().map(|one| (one.name, one.usual)).collect())
    }

    /// Another choice of one parameter.
    pub fn set(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    /// By rising name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }

    /// # Panics
    /// If the lab has no such parameter, or it is no number.
    pub fn real(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(Value::Real(x)) => *x,
            other => panic!("{name} is a number, not {other:?}"),
        }
    }

    /// # Panics
    /// If the lab has no such parameter, or it is no whole number.
    pub fn whole(&self, name: &str) -> u64 {
        match self.0.get(name) {
            Some(Value::Whole(x)) => *x,
            other => panic!("{name} is a whole number, not {other:?}"),
        }
    }

    /// # Panics
    /// If the lab has no such parameter, or it is no word.
    pub fn word(&self, name: &str) -> &'static str {
        match self.0.get(name) {
            Some(Value::Word(word)) => word,
            other => panic!("{name} is a word, not {other:?}"),
        }
    }

    /// # Panics
    /// If the lab has no such parameter, or it is no part.
    pub fn part(&self, name: &str) -> Part {
        match self.0.get(name) {
            Some(Value::Part(part)) => *part,
            other => panic!("{name} is a part, not {other:?}"),
        }
    }

    /// # Panics
    /// If the lab has no such parameter, or it is no list.
    pub fn list(&self, name: &str) -> &[u64] {
        match self.0.get(name) {
            Some(Value::List(numbers)) => numbers.as_slice(),
            other => panic!("{name} is a list, not {other:?}"),
        }
    }
}

/// That of a positive number and another.
fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    if one == 0 { other } else { greatest_common_divisor(other % one, one) }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Real { from, with_from, to, with_to } => {
                let least = if *with_from { "at least" } else { "above" };
                let most = if *with_to { "at most" } else { "below" };
                write!(f, "a number {least} {from} and {most} {to}")
            }
            Range::Whole(from, to) => write!(f, "a whole number from {from} to {to}"),
            Range::Word(words) => write!(f, "one of {}", words.join(", ")),
            Range::List(from, to) => write!(
                f,
                "up to {} whole numbers from {from} to {to}, with commas between them",
                Numbers::MOST
            ),
            Range::Part(most) => {
                write!(f, "some of at most {most}: 3/5, say, or 0.6, which is the same")
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Real(x) => write!(f, "{x}"),
            Value::Whole(x) => write!(f, "{x}"),
            Value::Word(word) => write!(f, "{word}"),
            Value::List(numbers) => {
                let texts: Vec<_> = numbers.as_slice().iter().map(u64::to_string).collect();
                f.write_str(&texts.join(","))
            }
            Value::Part(Part { some, all }) => write!(f, "{some}/{all}"),
        }
    }
}
