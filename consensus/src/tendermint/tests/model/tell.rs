//! A history for people.

use super::{Model, State, Vote};
use std::fmt::Write as _;

const VALUES: [char; 2] = ['v', 'w'];

/// One line for each vote, and what is decided when.
pub(super) fn story(model: &Model, history: &[Vote]) -> String {
    let (mut text, mut state) = (String::new(), 0);
    for vote in history {
        let Vote { replica, round, is_precommit, value } = *vote;
        let (who, what) = (name(replica), VALUES[value]);
        let because = match (is_precommit, why(model, state, *vote)) {
            (true, _) => format!(" for its polka of {}", voters(model, state, *vote)),
            (false, why) => why,
        };
        let kind = if is_precommit { "locks and precommits" } else { "prevotes" };
        let _ = writeln!(text, "round {round}: {who} {kind} {what}{because}");
        let before = model.decisions(state, value).count();
        state |= model.bit(*vote);
        if model.decisions(state, value).count() > before {
            let quorum = voters(model, state, *vote);
            let _ = writeln!(text, "         {what} is decided by {quorum}");
        }
    }
    text
}

/// Why a prevote is cast in spite of a lock.
fn why(model: &Model, state: State, vote: Vote) -> String {
    let Some((locked, values)) = model.lock(model.own(state, vote.replica)) else {
        return String::new();
    };
    if values >> vote.value & 1 == 1 {
        return String::new();
    }
    let is_polka = |round: &usize| model.is_quorum(state, *round, false, vote.value);
    let polka = match (0..vote.round).rev().find(is_polka) {
        Some(round) => format!("shown the polka of round {round}"),
        None => "shown no polka".to_owned(),
    };
    format!(", {polka}, though locked on {} since round {locked}", VALUES[1 - vote.value])
}

/// Who casts the prevotes that a precommit rests on, or the same precommit.
fn voters(model: &Model, state: State, vote: Vote) -> String {
    let is_precommit = vote.is_precommit && state & model.bit(vote) != 0;
    let said =
        |replica: &usize| state & model.bit(Vote { replica: *replica, is_precommit, ..vote }) != 0;
    let names = (0..model.bonds.len()).filter(said).map(name);
    names.chain(["Z".to_owned()]).collect::<Vec<_>>().join(", ")
}

fn name(replica: usize) -> String {
    char::from(b'A' + u8::try_from(replica).expect("they are few")).to_string()
}
