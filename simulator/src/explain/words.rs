//! Words: how replicas, values and messages are called in a story.

use consensus::{Message, Named};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// What values are called, in the order in which they come up.
const LETTERS: [&str; 8] = ["V", "W", "X", "Y", "A", "B", "C", "D"];

/// The names of values: letters instead of hashes.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By the first digits of the hash.
    letters: BTreeMap<String, String>,
    /// What a final block was called before it was one.
    aliases: BTreeMap<String, String>,
    count: usize,
}

impl Names {
    /// A value; where it comes up for the first time, also what it will be called.
    pub(super) fn of(&mut self, hash: &str, noun: &str) -> String {
        let hash = self.aliases.get(hash).cloned().unwrap_or_else(|| hash.to_owned());
        if let Some(letter) = self.letters.get(&hash) {
            return letter.clone();
        }
        let letter = self.letter(self.count);
        self.count += 1;
        self.letters.insert(hash.clone(), letter.clone());
        format!("{noun} {hash}, call it {letter},")
    }

    /// What a message speaks for.
    pub(super) fn named(&mut self, named: Named, noun: &str) -> String {
        match named {
            Named::Nil if noun == "batch" => "nothing".to_owned(),
            Named::Nil => "nil".to_owned(),
            Named::Block(hash) => self.of(&hash.short(), noun),
        }
    }

    /// `block` is what became of `of`.
    pub(super) fn alias(&mut self, block: String, of: String) {
        self.aliases.insert(block, of);
    }

    /// A remark with letters in place of the hashes in it.
    pub(super) fn in_text(&mut self, text: &str, noun: &str) -> String {
        let mut told = String::new();
        let mut rest = text;
        let is_hash = |word: &str| {
            word.len() == 8 && word.bytes().all(|digit| b"0123456789abcdef".contains(&digit))
        };
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
            let end = rest[start..].find(|letter: char| !letter.is_ascii_alphanumeric());
            let end = end.map_or(rest.len(), |end| start + end);
            let word = &rest[start..end];
            told.push_str(&rest[..start]);
            if is_hash(word) {
                if let Some(before) = told.strip_suffix("header ") {
                    told = format!("{before}the header of ");
                }
                for prefix in ["block ", "batch "] {
                    if told.ends_with(prefix) {
                        told.truncate(told.len() - prefix.len());
                    }
                }
                told.push_str(&self.of(word, noun));
            } else {
                told.push_str(word);
            }
            rest = &rest[end..];
        }
        told + rest
    }

    fn letter(&self, at: usize) -> String {
        match at / LETTERS.len() {
            0 => LETTERS[at].to_owned(),
            again => format!("{}{}", LETTERS[at % LETTERS.len()], again + 1),
        }
    }
}

/// How messages of a protocol are spoken of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// Whether leaders stay, and views rather than rounds follow one another.
    pub(super) views: bool,
    /// What values are.
    pub(super) noun: &'static str,
    /// What rounds are.
    pub(super) round: &'static str,
    /// Who speaks first in one.
    pub(super) leader: &'static str,
    /// The kinds of offers, of first votes and of second ones.
    pub(super) offer: &'static str,
    pub(super) first: &'static str,
    pub(super) second: &'static str,
}

impl Grammar {
    /// None for a protocol in which nobody votes.
    pub(super) fn of<M: Message>() -> Option<Grammar> {
        let has = |kind: &str| M::kinds().contains(&kind);
        match (has("prevote"), has("view-change")) {
            (true, _) => Some(Grammar {
                views: false,
                noun: "block",
                round: "round",
                leader: "proposer",
                offer: "proposal",
                first: "prevote",
                second: "precommit",
            }),
            (_, true) => Some(Grammar {
                views: true,
                noun: "batch",
                round: "view",
                leader: "primary",
                offer: "pre-prepare",
                first: "prepare",
                second: "commit",
            }),
            _ => None,
        }
    }

    /// What a vote is called.
    pub(super) fn vote(&self, kind: &str) -> String {
        if self.views { kind.to_uppercase() } else { kind.to_owned() }
    }

    /// What those do who vote for something.
    pub(super) fn votes(&self, kind: &str, many: bool, value: &str) -> String {
        let s = if many { "" } else { "s" };
        match self.views {
            true => format!("send{s} {} for {value}", self.vote(kind)),
            false => format!("{kind}{s} {value}"),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match &items[..] {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `replica 1`, `replicas 0 and 1 and liar 3`.
pub(super) fn who(ids: &BTreeSet<ReplicaId>, liars: &BTreeSet<ReplicaId>) -> String {
    let (lying, honest): (Vec<_>, Vec<_>) = ids.iter().partition(|id| liars.contains(id));
    let group = |one: &str, ids: &[ReplicaId]| match ids {
        [] => None,
        [id] => Some(format!("{one} {id}")),
        some => Some(format!("{one}s {}", list(some))),
    };
    let groups = [group("replica", &honest), group("liar", &lying)];
    let both = groups.iter().flatten().count() == 2 && honest.len() > 1;
    groups.into_iter().flatten().collect::<Vec<_>>().join(if both { ", and " } else { " and " })
}

/// A sentence begins with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let text = first.unwrap_or_default() + letters.as_str();
    // What was called something just before a stop needs no comma.
    let text = text
        .replace(",.", ".")
        .replace(",,", ",")
        .replace(",;", ";")
        .replace(",:", ":")
        .replace(", (", " (");
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}

/// Small numbers are words.
pub(super) fn count(number: usize) -> String {
    let words =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    words.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}
