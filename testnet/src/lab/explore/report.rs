//! What is told of a search, and the file that is written.

use super::{
    Explore, ExploreError,
    search::{Found, Search},
};
use crate::lab::print;
use serde_json::json;
use simulator::Variant;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// How wide a comment is, in characters.
const WIDTH: usize = 100;

/// How many names for a file are tried before one is given up.
const NAMES: u32 = 1_000;

/// What there is to tell.
pub(super) struct Told<'a> {
    pub(super) order: &'a Explore,
    pub(super) variant: Variant,
    pub(super) search: &'a Search,
    /// Whether the scenario broke that a repair is tried on, and how, if one was given.
    pub(super) against: Option<&'a Option<String>>,
}

impl Told<'_> {
    /// Nothing was found.
    pub(super) fn nothing(&self) {
        let Search { tried, seconds, .. } = *self.search;
        if self.order.json {
            return print(&self.object(None));
        }
        let what = format!("{tried} trials of {} in {seconds:.1} s", self.variant);
        match self.against {
            None => print(&format!("{what}: no promise was broken")),
            Some(None) => {
                print(&format!("{what}: no promise was broken. The repair holds so far."));
            }
            Some(Some(_)) => print(&format!("{what} besides: no other promise was broken")),
        }
    }

    /// A violation was, and is in a file.
    pub(super) fn found(&self, found: &Found, path: &Path) {
        if self.order.json {
            return print(&self.object(Some((found, path))));
        }
        let Found { number, strategy, before, scenario, finding, runs, story } = found;
        let Search { seconds, .. } = *self.search;
        print(&format!(
            "{}: trial {number} ({strategy}) broke a promise after {seconds:.1} s.\n{}\n",
            self.variant, finding.violation
        ));
        if let Some(about) = self.variant.mutant {
            print(&format!("What is weak: {}\n", about.line));
        }
        print(&format!(
            "Of {before} steps {} are left, after {runs} runs, in {}:\n\n{}",
            scenario.faults(),
            path.display(),
            scenario.to_toml("")
        ));
        print(story);
        if self.against.is_some() {
            print(&"The repair does not hold.");
        }
    }

    /// The same for scripts.
    fn object(&self, found: Option<(&Found, &Path)>) -> serde_json::Value {
        let mut object = json!({
            "mutant": self.variant.mutant.map(|about| about.id),
            "consensus": self.variant.module,
            "violation": found.map(|(found, _)| found.finding.violation.to_string()),
            "seed": found.map(|(found, _)| found.number),
            "steps": found.map(|(found, _)| found.scenario.faults()),
            "file": found.map(|(_, path)| path.display().to_string()),
            "strategy": found.map(|(found, _)| found.strategy),
            "explanation": found.map_or(&[][..], |(found, _)| &found.story.sentences),
            "tried": self.search.tried,
            "seconds": self.search.seconds,
        });
        if let Some(against) = self.against {
            object["against"] = json!({
                "file": self.order.against.as_ref().map(|path| path.display().to_string()),
                "violation": against,
            });
        }
        object
    }
}

/// Writes what was found, and says where.
pub(super) fn write(
    order: &Explore,
    variant: Variant,
    found: &Found,
) -> Result<PathBuf, ExploreError> {
    let text = text(order, found);
    let path = match &order.out {
        Some(path) => {
            if path.exists() {
                // Whoever asks for JSON reads this elsewhere.
                let _ = writeln!(io::stderr(), "{} is written over", path.display());
            }
            path.clone()
        }
        None => free(variant, found.number, &text),
    };
    let failed = |reason| ExploreError::Write { path: path.clone(), reason };
    fs::write(&path, &text).map_err(failed)?;
    Ok(path)
}

/// A name that no other file has: what is written there is this text already, or nothing.
fn free(variant: Variant, number: u64, text: &str) -> PathBuf {
    let what = variant.mutant.map_or(variant.module, |about| about.id);
    let name = |count: u32| match count {
        1 => PathBuf::from(format!("found-{what}-{number}.toml")),
        count => PathBuf::from(format!("found-{what}-{number}-{count}.toml")),
    };
    let is_free =
        |path: &PathBuf| !path.exists() || fs::read(path).is_ok_and(|it| it == text.as_bytes());
    (1..=NAMES).map(name).find(is_free).unwrap_or_else(|| name(NAMES))
}

/// The file, which says where it comes from.
fn text(order: &Explore, found: &Found) -> String {
    let Found { number, strategy, before, scenario, finding, story, .. } = found;
    let comment = format!(
        "{}\n\n{story}\nFound by `{}` ({strategy}) and shrunk from {before} steps to {}.",
        finding.violation,
        order.again(*number),
        scenario.faults()
    );
    let lines: Vec<_> = comment.lines().flat_map(wrapped).collect();
    scenario.to_toml(&lines.join("\n"))
}

/// A line in lines that are not too wide. What follows a number is indented by it.
fn wrapped(line: &str) -> Vec<String> {
    let numbered = line.trim_start_matches(|it: char| it == ' ' || it.is_ascii_digit());
    let text = numbered.strip_prefix(". ").unwrap_or(line);
    let (mark, text) = line.split_at(line.len() - text.len());
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always one");
        let width = mark.len() + last.chars().count() + 1 + word.chars().count();
        match (last.is_empty(), width > WIDTH) {
            (true, _) => last.push_str(word),
            (false, false) => *last += &format!(" {word}"),
            (false, true) => lines.push(word.to_owned()),
        }
    }
    let blank = " ".repeat(mark.len());
    let marks = [mark].into_iter().chain(std::iter::repeat(blank.as_str()));
    marks.zip(lines).map(|(mark, line)| format!("{mark}{line}")).collect()
}
