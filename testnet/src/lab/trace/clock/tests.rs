use super::{
    super::weave::tests::{TROUBLE, played},
    *,
};

/// Whether one clock is nowhere greater than another.
fn is_below(one: &Vector, other: &Vector) -> bool {
    one.iter().zip(other).all(|(one, other)| one <= other)
}

#[test]
fn the_clock_of_a_receipt_dominates_that_of_its_send() {
    for module in ["tendermint", "pbft", "pow"] {
        let weave = played(TROUBLE, module);
        let clocks = vectors(&weave);
        let mut seen = 0;
        for (at, moment) in weave.moments.iter().enumerate() {
            if let Some(from) = sender(&weave, moment) {
                seen += 1;
                assert!(is_below(&clocks[from], &clocks[at]), "{module}: {from} and {at}");
                assert!(clocks[from] != clocks[at], "{module}: {from} and {at}");
            }
        }
        assert!(seen > 200, "{module}: {seen}");
    }
}

#[test]
fn a_replicas_own_component_counts_its_moments() {
    let weave = played(TROUBLE, "tendermint");
    let mut counts = vec![0; weave.lanes.len()];
    for (moment, clock) in weave.moments.iter().zip(vectors(&weave)) {
        counts[moment.lane] += 1;
        assert_eq!(clock[moment.lane], counts[moment.lane]);
    }
}

/// Clocks order moments exactly as a search through lanes and envelopes does.
#[test]
fn moments_are_concurrent_where_neither_clock_is_below_the_other() {
    let weave = played(TROUBLE, "pbft");
    let clocks = vectors(&weave);
    let count = 400;
    let mut past = vec![vec![false; count]; count];
    let mut last = vec![None; weave.lanes.len()];
    for at in 0..count {
        let moment = &weave.moments[at];
        for from in [last[moment.lane].replace(at), sender(&weave, moment)].into_iter().flatten() {
            let before = past[from].clone();
            past[at].iter_mut().zip(before).for_each(|(mine, theirs)| *mine |= theirs);
            past[at][from] = true;
        }
    }
    let mut concurrent = 0;
    for one in 0..count {
        for other in 0..count {
            let below = one != other && is_below(&clocks[one], &clocks[other]);
            assert_eq!(below, past[other][one], "{one} and {other}");
            concurrent += usize::from(one < other && !past[other][one]);
        }
    }
    assert!(concurrent > 100, "{concurrent}");
}

#[test]
fn lamports_clock_grows_along_every_cause() {
    let weave = played(TROUBLE, "pow");
    let clocks = lamport(&weave);
    let mut last = vec![0; weave.lanes.len()];
    for (at, moment) in weave.moments.iter().enumerate() {
        assert!(clocks[at] > std::mem::replace(&mut last[moment.lane], clocks[at]));
        assert!(sender(&weave, moment).is_none_or(|from| clocks[from] < clocks[at]));
    }
}
