use super::*;
use std::time::Duration;

#[test]
fn every_queue_and_step_has_a_name_of_its_own() {
    let clocks = Clocks::default();
    let queues = [Queue::Frames, Queue::Opened, Queue::Batches, Queue::Gossiped, Queue::Questions];
    for (nth, queue) in (1..).zip(queues) {
        (0..nth).for_each(|_| Waiting::now(()).end(queue, &clocks));
    }
    let steps = [
        Step::Commit,
        Step::Received,
        Step::Gossiped,
        Step::Rang,
        Step::Synced,
        Step::Asked,
        Step::Mined,
    ];
    for (nth, step) in (1..).zip(steps) {
        clocks.step(step).observe(Duration::from_millis(nth));
    }
    let times = clocks.read();
    let counts = Queue::NAMES.map(|name| times.queues[name].count());
    assert_eq!(counts, [1, 2, 3, 4, 5]);
    let sums = Step::NAMES.map(|name| times.steps[name].sum.as_millis());
    assert_eq!(sums, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn only_kinds_that_were_named_are_counted() {
    let clocks = Clocks::default();
    assert!(clocks.kind("vote").is_none() && clocks.heard().is_empty());
    clocks.name_kinds(&["proposal", "vote"]);
    clocks.name_kinds(&["something else"]);
    let (number, kind) = clocks.kind("vote").expect("it was named");
    kind.hear();
    assert_eq!(number, 1);
    assert!(clocks.kind("something else").is_none());
    assert_eq!(clocks.heard(), [("proposal", 0), ("vote", 1)].into());
}
