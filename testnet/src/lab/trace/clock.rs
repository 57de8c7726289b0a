//! Logical clocks, computed from what was sent and where it arrived, so that nobody could lie about them.

use super::weave::{Moment, Weave, Why};

#[cfg(test)]
mod tests;

/// One number for each lane: how many of its moments are in the causal past, with this one counted.
/// The vector clocks of Fidge and Mattern ("Virtual time and global states of distributed systems",
/// 1988), which Lamport's happened-before orders exactly: one moment is in another's past if
/// and only if no component of its clock is greater.
pub type Vector = Vec<u32>;

/// The moment that a moment's envelope left in, if it is seen.
pub fn sender(weave: &Weave, moment: &Moment) -> Option<usize> {
    match moment.why {
        Why::Envelope(number) => Some(weave.sent[number].moment),
        _ => None,
    }
}

/// The vector clock of each moment.
pub fn vectors(weave: &Weave) -> Vec<Vector> {
    let mut clocks: Vec<Vector> = Vec::with_capacity(weave.moments.len());
    let mut last: Vec<Option<usize>> = vec![None; weave.lanes.len()];
    for (at, moment) in weave.moments.iter().enumerate() {
        let before = last[moment.lane].replace(at);
        let mut clock = before.map_or_else(|| vec![0; weave.lanes.len()], |it| clocks[it].clone());
        if let Some(from) = sender(weave, moment) {
            let theirs = clock.iter_mut().zip(&clocks[from]);
            theirs.for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
        }
        clock[moment.lane] += 1;
        clocks.push(clock);
    }
    clocks
}

/// Lamport's clock of each moment: one more than that of any moment that led to it at once.
pub fn lamport(weave: &Weave) -> Vec<u32> {
    let mut clocks: Vec<u32> = Vec::with_capacity(weave.moments.len());
    let mut last = vec![0; weave.lanes.len()];
    for moment in &weave.moments {
        let theirs = sender(weave, moment).map_or(0, |from| clocks[from]);
        let clock = theirs.max(last[moment.lane]) + 1;
        last[moment.lane] = clock;
        clocks.push(clock);
    }
    clocks
}
