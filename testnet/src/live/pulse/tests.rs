use super::*;
use ledger::{Genesis, ReplicaId, query::WeightAnswer};

fn genesis() -> Genesis {
    Genesis {
        name: "test".to_owned(),
        time: 0,
        consensus: "tendermint".to_owned(),
        block_time: 1_000,
        settings: [].into(),
        validators: Vec::new(),
        accounts: Vec::new(),
    }
}

fn sight(height: u64, round: u64, weights: Option<WeightsAnswer>) -> Sight {
    Sight {
        height,
        round,
        head: "3f8a00c1".repeat(8),
        head_height: height,
        pool: 0,
        peers: 3,
        state: "running".to_owned(),
        weights,
    }
}

fn node(id: u32, sight: Option<Sight>) -> NodeView {
    NodeView { id, up: true, pid: Some(1), rpc: String::new(), exit: None, lie: None, sight }
}

/// What counts of as many bonds, in hundredths.
fn weights(percents: &[u32]) -> Option<WeightsAnswer> {
    let members = (0..).zip(percents).map(|(id, percent)| WeightAnswer {
        id: ReplicaId(id),
        left: percent * PERCENT,
        score: 4,
    });
    Some(WeightsAnswer { height: 42, round: 17, recovering: true, members: members.collect() })
}

fn pulse(stopped_ms: Option<u64>, percents: &[u32]) -> Pulse {
    Pulse { height: 41, round: 17, stopped_ms, weights: weights(percents), split: None }
}

#[test]
fn a_halt_is_told_once_and_so_is_its_end() {
    let mut heart = Heart::of(&genesis(), None).unwrap();
    let begin = Instant::now();
    let at = |milliseconds| begin + Duration::from_millis(milliseconds);
    assert_eq!(heart.look(at(0)), None, "nobody has said anything");
    assert_eq!(heart.see(&sight(41, 0, None), at(0)), None);
    assert_eq!(heart.see(&sight(40, 0, None), at(4_000)), None, "another node is behind");
    assert_eq!(heart.look(at(5_000)), None, "two blocks of one second, and three seconds");
    assert_eq!(heart.look(at(5_001)), Some(News::Halted { height: 41 }));
    assert_eq!(heart.look(at(9_000)), None);
    let after_ms = 37_250;
    assert_eq!(
        heart.see(&sight(42, 0, None), at(after_ms)),
        Some(News::Resumed { height: 42, after_ms })
    );
    assert_eq!(heart.see(&sight(43, 0, None), at(after_ms + 1_000)), None);
    assert_eq!(heart.look(at(after_ms + 7_000)), Some(News::Halted { height: 43 }));
}

#[test]
fn where_blocks_are_final_by_depth_nothing_is_said_of_it() {
    let depths = Some(Depths { confirmations: 6, irreversible: 100 });
    assert!(Heart::of(&genesis(), depths).is_none());
}

#[test]
fn the_honest_node_that_is_furthest_speaks_for_all() {
    let mut heart = Heart::of(&genesis(), None).unwrap();
    let now = Instant::now();
    assert_eq!(heart.pulse(&[], now), None);
    heart.see(&sight(41, 3, None), now);
    let down = NodeView { up: false, ..node(0, Some(sight(41, 99, None))) };
    let liar = NodeView { lie: Some("bent".to_owned()), ..node(1, Some(sight(999, 9, None))) };
    let calm = WeightsAnswer { recovering: false, ..weights(&[100]).unwrap() };
    let nodes = [
        down,
        liar,
        node(2, None),
        node(3, Some(sight(41, 18, Some(calm)))),
        node(4, Some(sight(41, 17, weights(&[100, 72])))),
        node(5, Some(sight(41, 16, weights(&[100, 80])))),
        node(6, Some(sight(40, 30, weights(&[100, 61])))),
    ];
    let seen = heart.pulse(&nodes, now).unwrap();
    assert_eq!(seen, Pulse { stopped_ms: None, ..pulse(None, &[100, 72]) });
    assert_eq!(heart.pulse(&nodes[..3], now), None, "nobody who could be believed says anything");
}

#[test]
fn a_line_says_that_finality_has_stopped_and_whose_weight_fades() {
    let shown = |pulse: Pulse| pulse.lines().join("\n");
    assert_eq!(shown(pulse(None, &[100; 5])), "", "as usual");
    assert_eq!(
        shown(pulse(Some(12_900), &[100, 100, 100, 72, 72])),
        "nothing final for 12 s · height 41 · round 17 · weights 100 100 100 72 72 %"
    );
    assert_eq!(
        shown(Pulse { weights: None, ..pulse(Some(5_100), &[]) }),
        "nothing final for 5 s · height 41 · round 17"
    );
    assert_eq!(
        shown(pulse(None, &[100, 100, 100, 61, 61])),
        "height 41 final · weights 100 100 100 61 61 %"
    );
    assert_eq!(
        pulse(Some(12_900), &[100, 72]).timeless().to_string(),
        "nothing becomes final · height 41 · round 17 · weights 100 72 %"
    );
}

#[test]
fn two_nodes_with_different_final_blocks_are_news_once() {
    let mut heart = Heart::of(&genesis(), None).unwrap();
    let other = |height| Sight { head: "b1a00699".repeat(8), ..sight(height, 0, None) };
    assert_eq!(heart.compare(0, &sight(41, 0, None)), None);
    assert_eq!(heart.compare(2, &sight(41, 0, None)), None);
    assert_eq!(heart.compare(2, &other(42)), None, "nobody else is there yet");
    let ahead = Sight { head_height: 42, ..other(41) };
    assert_eq!(heart.compare(3, &ahead), None, "a head that is not final may differ");
    let split = Split { height: 42, nodes: [2, 0] };
    assert_eq!(heart.compare(0, &sight(42, 0, None)), Some(News::Split(split)));
    assert_eq!(heart.compare(1, &sight(42, 0, None)), None, "it is known");
    heart.see(&sight(42, 0, None), Instant::now());
    let pulse = heart.pulse(&[node(0, Some(sight(42, 0, None)))], Instant::now()).unwrap();
    let words = "TWO CHAINS: nodes 2 and 0 hold different final blocks at height 42";
    assert_eq!(pulse.lines(), ["height 42 final", words]);
}

#[test]
fn only_the_newest_heights_are_remembered() {
    let mut heart = Heart::of(&genesis(), None).unwrap();
    (0..10_000).for_each(|height| _ = heart.compare(0, &sight(height, 0, None)));
    assert_eq!(heart.blocks.len(), REMEMBERED);
    assert_eq!(heart.blocks.last_key_value().unwrap().0, &9_999);
}

#[test]
fn no_line_is_too_long_for_a_terminal() {
    for validators in [5, 7, 16, 17, 1024] {
        let mut percents = vec![100; validators];
        percents[1] = 61;
        let height = 1_234_567;
        let lines = Pulse { height, ..pulse(Some(3_600_000), &percents) }.lines();
        assert!(lines.iter().all(|line| line.chars().count() < 80), "{lines:?}");
        assert!(lines.concat().contains("61"), "{lines:?}");
    }
}
