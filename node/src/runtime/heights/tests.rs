use super::*;
use crate::runtime::Times;
use proptest::prelude::*;
use std::{
    io::{self, Write},
    sync::Mutex,
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

const KINDS: [&str; 2] = ["proposal", "vote"];

fn heights(first: u64) -> (Heights, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    counters.clocks.name_kinds(&KINDS);
    (Heights::new(Arc::clone(&counters), first), counters)
}

fn slot(height: u64, round: u64) -> Option<Slot> {
    Some(Slot { height, epoch: 0, round, phase: 1 })
}

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Three of four.
fn quorum(voices: &BTreeSet<ReplicaId>) -> bool {
    voices.len() >= 3
}

impl Heights {
    fn vote(&mut self, height: u64, round: u64, sender: u32, now: u64) {
        self.heard("vote", slot(height, round), ReplicaId(sender), at(now), quorum);
    }
}

#[test]
fn a_height_is_timed_from_the_final_block_before() {
    let (mut heights, counters) = heights(5);
    heights.committed(5, at(1_000));
    assert_eq!(counters.snapshot().times.heights.count(), 0, "it began before this life");
    heights.committed(6, at(1_250));
    heights.committed(7, at(1_300));
    let times = counters.snapshot().times.heights;
    assert_eq!((times.count(), times.sum, times.longest), (2, at(300), at(250)));
}

#[test]
fn a_step_is_told_by_the_first_of_its_kind_and_by_a_quorum() {
    let (mut heights, counters) = heights(1);
    heights.committed(1, at(1_000));
    heights.heard("proposal", slot(2, 0), ReplicaId(1), at(1_010), quorum);
    for (sender, now) in [(0, 1_020), (1, 1_030), (1, 1_040), (2, 1_050), (3, 1_060)] {
        heights.vote(2, 0, sender, now);
    }
    let figures = counters.snapshot();
    assert_eq!(figures.heard, [("proposal", 1), ("vote", 5)].into());
    let Times { first, quorum, .. } = figures.times;
    assert_eq!((first["proposal"].count(), first["proposal"].sum), (1, at(10)));
    assert_eq!((first["vote"].count(), first["vote"].sum), (1, at(20)));
    assert_eq!((quorum["vote"].count(), quorum["vote"].sum), (1, at(50)), "nobody counts twice");
    assert_eq!(quorum["proposal"].count(), 0, "one proposer is no quorum");
}

#[test]
fn a_quorum_speaks_in_one_round() {
    let (mut heights, counters) = heights(1);
    heights.committed(1, at(0));
    heights.vote(2, 0, 0, 10);
    heights.vote(2, 0, 1, 20);
    heights.vote(2, 1, 2, 30);
    heights.vote(2, 0, 3, 40);
    heights.vote(2, 1, 0, 50);
    assert_eq!(counters.snapshot().times.quorum["vote"].count(), 0);
    heights.vote(2, 1, 1, 60);
    assert_eq!(counters.snapshot().times.quorum["vote"].sum, at(60));
}

#[test]
fn other_heights_and_unknown_kinds_are_no_steps_of_this_one() {
    let (mut heights, counters) = heights(1);
    heights.committed(1, at(0));
    (0..4).for_each(|sender| heights.vote(9, 0, sender, 10));
    heights.heard("vote", None, ReplicaId(0), at(20), quorum);
    heights.heard("rumour", slot(2, 0), ReplicaId(0), at(30), quorum);
    let figures = counters.snapshot();
    assert_eq!(figures.heard, [("proposal", 0), ("vote", 5)].into());
    assert_eq!(figures.times.first["vote"].count(), 0);
}

#[test]
fn rounds_beyond_the_first_are_counted_and_told_with_the_block() {
    let (mut heights, counters) = heights(1);
    heights.committed(1, at(0));
    heights.follow(0);
    heights.follow(1);
    heights.follow(3);
    heights.committed(2, at(500));
    assert_eq!(heights.done(1).expect("it is final").to_string(), ", in one round");
    let done = heights.done(2).expect("it is final");
    assert_eq!(done.to_string(), ", after 0.500 s, in 4 rounds");
    // Where rounds begin anew with each height.
    heights.follow(0);
    heights.committed(3, at(600));
    assert_eq!(heights.done(3).expect("it is final").to_string(), ", after 0.100 s, in one round");
    assert_eq!(counters.snapshot().extra_rounds, 3);
}

#[test]
fn a_view_that_outlives_its_height_is_no_new_one() {
    let (mut heights, counters) = heights(1);
    heights.follow(7);
    heights.committed(1, at(0));
    heights.follow(7);
    heights.committed(2, at(100));
    heights.follow(7);
    assert_eq!(heights.done(2).expect("it is final").to_string(), ", after 0.100 s, in one round");
    let before = counters.snapshot().extra_rounds;
    heights.follow(8);
    assert_eq!(counters.snapshot().extra_rounds, before + 1);
}

#[test]
fn a_height_that_nobody_asked_for_is_none() {
    let (mut heights, _) = heights(1);
    (1..=3).for_each(|height| heights.committed(height, at(height)));
    assert!(heights.done(0).is_none());
    assert!(heights.done(2).is_some(), "what is older was passed over");
    assert!(heights.done(1).is_none());
    assert!(heights.done(3).is_some());
    assert!(heights.done.is_empty());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

fn logged(filter: &str, work: impl FnOnce()) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    log.text()
}

#[test]
fn whatever_is_logged_carries_its_height_and_round_once() {
    for filter in ["info", "warn"] {
        let text = logged(filter, || {
            let (mut heights, _) = heights(17);
            heights.follow(2);
            heights.span().in_scope(|| tracing::warn!("the disk is slow"));
            // As on the replica's thread, where the next height begins under the span of the last.
            let _height = heights.span().entered();
            heights.committed(17, at(100));
            heights.follow(0);
            let done = heights.done(17).expect("it is final");
            done.span.in_scope(|| tracing::error!("block 17"));
            heights.span().in_scope(|| tracing::error!("what comes next"));
        });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].contains(" WARN height{height=17 round=2}: "), "{text}");
        assert!(lines[1].contains("ERROR height{height=17 round=2}: "), "{text}");
        assert!(lines[2].contains("ERROR height{height=18 round=0}: "), "{text}");
    }
}

#[test]
fn steps_are_told_at_debug_and_not_at_info() {
    let story = || {
        let (mut heights, _) = heights(1);
        heights.committed(1, at(0));
        (0..4).for_each(|sender| heights.vote(2, 0, sender, u64::from(sender) * 10));
        heights.follow(0);
        heights.follow(1);
    };
    assert_eq!(logged("info", story), "");
    let text = logged("debug", story);
    assert_eq!(text.lines().count(), 3, "{text}");
    for part in ["the first vote is here", "a quorum has sent its vote", "round 1 follows round 0"]
    {
        assert!(text.contains(part), "{text}");
    }
}

proptest! {
    /// Whatever is heard, in whatever order, a height has at most one first message and one quorum of a
    /// kind, and what is kept is no more than the committee.
    #[test]
    fn what_is_kept_is_bounded(
        heard in prop::collection::vec((0..4_u64, 0..3_u64, 0..5_u32, any::<bool>()), 0..200)
    ) {
        let (mut heights, counters) = heights(1);
        heights.committed(1, at(0));
        let mut commits = 0;
        for (height, round, sender, commits_now) in heard {
            heights.vote(height, round, sender, 10);
            if commits_now && height == heights.height {
                heights.committed(height, at(20));
                heights.done(height);
                commits += 1;
            }
            prop_assert!(heights.steps.iter().all(|step| step.voices.len() <= 5));
        }
        let times = counters.snapshot().times;
        prop_assert!(times.first["vote"].count() <= commits + 1);
        prop_assert!(times.quorum["vote"].count() <= times.first["vote"].count());
        prop_assert_eq!(times.heights.count(), commits);
        prop_assert!(heights.done.len() <= 1);
    }
}
