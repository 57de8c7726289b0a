//! Every history, breadth first.

use super::{Model, State, Vote};

/// What came of a search.
pub(super) enum Ending {
    /// No history leads there. So many states are all there are, up to names.
    Never { states: usize },
    /// The votes of a shortest history that does.
    Reached { history: Vec<Vote> },
}

/// Looks for the shortest history to a state that is `sought`.
///
/// Each step adds a vote, so whatever takes as many steps has as many votes, and no state is met again
/// later: one level at a time is kept in order, and nothing is remembered but levels.
pub(super) fn explore(model: &Model, sought: impl Fn(State) -> bool) -> Ending {
    let mut levels: Vec<Vec<State>> = vec![vec![0]];
    loop {
        let last = levels.last().expect("there is a first");
        if let Some(&end) = last.iter().find(|state| sought(**state)) {
            return Ending::Reached { history: trace(model, &levels, end) };
        }
        let mut next = Vec::new();
        // Duplicates go now and then, so that they never are most of it.
        let mut bound = 1 << 20;
        for &state in last {
            next.extend(model.votes(state).map(|vote| model.named(state | model.bit(vote))));
            if next.len() > bound {
                distinct(&mut next);
                bound = 2 * next.len().max(1 << 19);
            }
        }
        distinct(&mut next);
        if next.is_empty() {
            return Ending::Never { states: levels.iter().map(Vec::len).sum() };
        }
        levels.push(next);
    }
}

fn distinct(states: &mut Vec<State>) {
    states.sort_unstable();
    states.dedup();
}

/// The way to `end`, from vote to vote, under one set of names.
fn trace(model: &Model, levels: &[Vec<State>], end: State) -> Vec<Vote> {
    let (mut history, mut at) = (Vec::new(), end);
    for level in levels[..levels.len() - 1].iter().rev() {
        let before = |vote: &Vote| {
            let before = at & !model.bit(*vote);
            at != before
                && level.binary_search(&model.named(before)).is_ok()
                && model.may(before, *vote)
        };
        // Of those that could be last, one of the latest round, so that rounds are told in order.
        let last =
            model.all_votes().filter(before).max_by_key(|vote| (vote.round, vote.is_precommit));
        let vote = last.expect("some step led there");
        at &= !model.bit(vote);
        history.push(vote);
    }
    history.reverse();
    history
}
