//! Reads tables whose every key must be known.

use super::bad::BadScenario;
use crate::{delay::Delay, network::MILLION, span};
use ledger::ReplicaId;
use std::{
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    time::Duration,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The longest time that a file may name: a week.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The widest distribution: beyond that there is hardly anything between no time and for ever.
const WIDEST: f64 = 5.0;

/// The most entries in one list.
const MOST: usize = 10_000;

pub(super) type Read<T> = Result<T, BadScenario>;

/// A value in a file, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    text: &'a str,
    place: Range<usize>,
    /// What leads to it, for people.
    path: String,
    value: &'a DeValue<'a>,
}

/// A table of which entries are taken one by one; what is left over is wrong.
#[derive(Debug)]
pub(super) struct Table<'a> {
    text: &'a str,
    place: Range<usize>,
    path: String,
    left: BTreeMap<&'a str, (Range<usize>, Value<'a>)>,
    known: Vec<String>,
}

impl<'a> Table<'a> {
    /// The table that is a whole file.
    pub(super) fn of_file(text: &'a str, root: &'a Spanned<DeTable<'a>>) -> Table<'a> {
        Table::new(text, root.span(), String::new(), root.get_ref())
    }

    fn new(text: &'a str, place: Range<usize>, path: String, table: &'a DeTable<'a>) -> Table<'a> {
        let left = table.iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            let path = match path.is_empty() {
                true => name.to_owned(),
                false => format!("{path}.{name}"),
            };
            let value = Value { text, place: value.span(), path, value: value.get_ref() };
            (name, (key.span(), value))
        });
        Table { text, place, left: left.collect(), path, known: Vec::new() }
    }

    /// The entry with this key, if there is one.
    pub(super) fn take(&mut self, key: &str) -> Option<Value<'a>> {
        self.known.push(key.to_owned());
        self.left.remove(key).map(|(_, value)| value)
    }

    /// What `read` makes of the entry with this key, if there is one.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value<'a>) -> Read<T>,
    ) -> Read<Option<T>> {
        self.take(key).map(read).transpose()
    }

    /// What `read` makes of the entry with this key.
    pub(super) fn need<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value<'a>) -> Read<T>,
    ) -> Read<T> {
        let value = self.take(key).ok_or_else(|| {
            let what = match self.path.as_str() {
                "" => format!("there is no `{key}`"),
                path => format!("there is no `{key}` in {path}"),
            };
            BadScenario::at(self.text, self.place.clone(), what)
        });
        value.and_then(read)
    }

    /// All entries that are left, whatever they are called.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        std::mem::take(&mut self.left).into_iter().map(|(key, (_, value))| (key, value))
    }

    /// Complains of this table.
    pub(super) fn bad(&self, what: impl Into<String>) -> BadScenario {
        BadScenario::at(self.text, self.place.clone(), what.into())
    }

    /// Nothing may be left over.
    pub(super) fn finish(self) -> Read<()> {
        let first = self.left.iter().min_by_key(|(_, (place, _))| place.start);
        let Some((name, (place, _))) = first else { return Ok(()) };
        let shown: String = name.chars().take(40).collect();
        let what = match self.path.as_str() {
            "" => format!("a scenario has no `{shown}`"),
            path => format!("{path} has no `{shown}`"),
        };
        let known: Vec<_> = self.known.iter().map(String::as_str).collect();
        Err(BadScenario::at(self.text, place.clone(), what).suggest(name, &known))
    }
}

impl<'a> Value<'a> {
    /// Complains of it.
    pub(super) fn bad(&self, what: impl AsRef<str>) -> BadScenario {
        let what = format!("{}: {}", self.path, what.as_ref());
        BadScenario::at(self.text, self.place.clone(), what)
    }

    fn not(&self, wanted: &str) -> BadScenario {
        self.bad(format!("this is {}, not {wanted}", kind(self.value)))
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        self.value.as_str().ok_or_else(|| self.not("a text in quotes"))
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, bounds: RangeInclusive<i64>) -> Read<i64> {
        let DeValue::Integer(integer) = self.value else { return Err(self.not("a whole number")) };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|number| bounds.contains(number)).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            self.bad(format!("this must be a whole number from {least} to {most}"))
        })
    }

    /// The same, where it cannot be negative.
    pub(super) fn count(&self, bounds: RangeInclusive<u32>) -> Read<u32> {
        let number = self.whole((*bounds.start()).into()..=(*bounds.end()).into())?;
        Ok(u32::try_from(number).expect("it is within bounds"))
    }

    /// A number within bounds, whole or not.
    pub(super) fn number(&self, bounds: RangeInclusive<f64>) -> Read<f64> {
        let number = match self.value {
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|it| it as f64)
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => return Err(self.not("a number")),
        };
        number.filter(|number| bounds.contains(number)).ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            self.bad(format!("this must be a number from {least} to {most}"))
        })
    }

    /// A fraction, in parts per million.
    pub(super) fn share(&self) -> Read<u32> {
        let fraction = self.number(0.0..=1.0).map_err(|bad| bad.hint("5 % is 0.05"))?;
        Ok((fraction * f64::from(MILLION) + 0.5) as u32)
    }

    /// A span of time.
    pub(super) fn span(&self) -> Read<Duration> {
        self.span_of(self.text()?)
    }

    /// A part of it, as a span of time.
    pub(super) fn span_of(&self, text: &str) -> Read<Duration> {
        let span = span::parse(text).map_err(|error| self.bad(error.to_string()))?;
        self.bounded(span)
    }

    fn bounded(&self, span: Duration) -> Read<Duration> {
        match span <= LONGEST {
            true => Ok(span),
            false => Err(self.bad(format!("at most {} can be waited for", span::show(LONGEST)))),
        }
    }

    pub(super) fn delay(&self) -> Read<Delay> {
        let delay: Delay = self.text()?.parse().map_err(|error| self.bad(format!("{error}")))?;
        let (one, other) = match &delay {
            Delay::Constant(always) => (*always, *always),
            Delay::Uniform(range) if range.start > range.end => {
                return Err(self.bad("the range ends before it begins"));
            }
            Delay::Uniform(range) => (range.start, range.end),
            Delay::Exponential { floor, mean } => (*floor, *mean),
            Delay::LogNormal { sigma, .. } if *sigma > WIDEST => {
                return Err(self.bad(format!("a sigma is at most {WIDEST}")));
            }
            Delay::LogNormal { median, .. } => (*median, *median),
        };
        self.bounded(one.max(other)).map(|_| delay)
    }

    /// One of the replicas there are.
    pub(super) fn replica(&self, replicas: u32) -> Read<ReplicaId> {
        let DeValue::Integer(_) = self.value else {
            return Err(self.not("a replica's number"));
        };
        let last = replicas.saturating_sub(1);
        let found = self.count(0..=last);
        found.map(ReplicaId).map_err(|_| {
            self.bad(format!("there is no such replica; they are numbered from 0 to {last}"))
        })
    }

    /// One replica, or a list of different ones.
    pub(super) fn replicas(&self, replicas: u32) -> Read<Vec<ReplicaId>> {
        if let DeValue::Integer(_) = self.value {
            return Ok(vec![self.replica(replicas)?]);
        }
        let mut ids = Vec::new();
        for value in self.list()? {
            let id = value.replica(replicas)?;
            if ids.contains(&id) {
                return Err(value.bad(format!("replica {id} is here twice")));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    pub(super) fn list(&self) -> Read<Vec<Value<'a>>> {
        let list = self.value.as_array().ok_or_else(|| self.not("a list in brackets"))?;
        if list.len() > MOST {
            return Err(self.bad(format!("a list has at most {MOST} entries")));
        }
        let values = list.iter().zip(0..).map(|(value, number): (_, usize)| Value {
            text: self.text,
            place: value.span(),
            path: format!("{}[{number}]", self.path),
            value: value.get_ref(),
        });
        Ok(values.collect())
    }

    /// A list, or one value that stands for a list of it.
    pub(super) fn one_or_more(&self) -> Read<Vec<Value<'a>>> {
        match self.value {
            DeValue::Array(_) => self.list(),
            _ => Ok(vec![self.clone()]),
        }
    }

    pub(super) fn table(&self) -> Read<Table<'a>> {
        let table = self.value.as_table().ok_or_else(|| self.not("a table in braces"))?;
        Ok(Table::new(self.text, self.place.clone(), self.path.clone(), table))
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.as_table().is_some()
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.value, DeValue::Integer(_))
    }

    /// The word `true`, which is all that can be said of some things.
    pub(super) fn yes(&self) -> Read<()> {
        match self.value.as_bool() {
            Some(true) => Ok(()),
            _ => Err(self.bad("this can only be `true`")),
        }
    }

    /// One of these words, by its place among them.
    pub(super) fn one_of(&self, words: &[&str]) -> Read<usize> {
        let found = self.text()?;
        words.iter().position(|word| *word == found).ok_or_else(|| {
            let shown: String = found.chars().take(40).collect();
            self.bad(format!("{shown:?} is none of the words that can stand here"))
                .suggest(found, words)
        })
    }
}

/// What people call a value's kind.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
