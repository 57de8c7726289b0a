//! What is wrong with a file, and where.

use std::{fmt, ops::Range};

/// How much of a line is shown.
const SHOWN: usize = 100;

/// A file that is no scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct BadScenario {
    /// The line, counted from one.
    pub line: usize,
    /// Where in the line, in characters, counted from one.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What was meant, perhaps.
    pub hint: Option<String>,
    /// The line itself, or its beginning.
    shown: String,
    /// How much of it is wrong, in characters.
    width: usize,
}

impl BadScenario {
    /// Something is wrong in this part of the text.
    pub(super) fn at(text: &str, place: Range<usize>, what: String) -> BadScenario {
        let start = floor(text, place.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[line_start..];
        let whole = rest.lines().next().unwrap_or("");
        let column = before[line_start..].chars().count() + 1;
        let end =
            floor(text, place.end).clamp(start, line_start + whole.len().max(start - line_start));
        let shown: String = whole.chars().take(SHOWN).collect();
        let width = text[start..end].chars().count();
        let room = shown.chars().count().saturating_sub(column - 1);
        let line = before.matches('\n').count() + 1;
        BadScenario { line, column, what, hint: None, shown, width: width.min(room).max(1) }
    }

    /// Suggests the nearest of what there is, or tells all of it if it is not much.
    pub(super) fn suggest(mut self, found: &str, known: &[&str]) -> BadScenario {
        let nearest = known.iter().map(|word| (distance(found, word), word)).min();
        self.hint = match nearest {
            Some((far, word)) if far <= (word.len() / 3).max(1) => {
                Some(format!("did you mean `{word}`?"))
            }
            _ if known.is_empty() => None,
            _ => Some(format!("there are: {}", known.join(", "))),
        };
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> BadScenario {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for BadScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadScenario { line, column, what, hint, shown, width } = self;
        let margin = " ".repeat(line.to_string().len());
        write!(f, "line {line}, column {column}: {what}")?;
        if *column <= SHOWN {
            let (indent, caret) = (" ".repeat(column - 1), "^".repeat(*width));
            // A tab would move the caret away from what it shows.
            let shown = shown.replace('\t', " ");
            write!(f, "\n{margin} |\n{line} | {shown}\n{margin} | {indent}{caret}")?;
        }
        hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n{margin} = {hint}"))
    }
}

/// The last place at or before this one where a character begins.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// How many characters must be put in, left out or exchanged (Levenshtein) to make one of the other.
/// Only the beginnings count of what is very long.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let [one, other]: [Vec<char>; 2] = [one, other].map(|word| word.chars().take(40).collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, left) in one.iter().zip(1..) {
        let mut diagonal = row[0];
        row[0] = left;
        for (at, letter) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != above);
            diagonal = row[at + 1];
            row[at + 1] = exchanged.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
