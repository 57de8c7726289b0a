use super::*;
use crate::{
    live::{fleet::Exit, liars::Liars, pulse::Pulse, sight::Sight},
    top::figures::{Figures, Times},
};

pub(in crate::top) fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A node that is well.
pub(in crate::top) fn node(id: u32, height: u64) -> NodeView {
    let sight = Sight {
        height,
        round: 0,
        head: format!("{:08x}{}", height * 0x0102_0305, "00".repeat(28)),
        head_height: height,
        pool: 3,
        peers: 3,
        state: "running".into(),
        weights: None,
    };
    NodeView {
        id,
        up: true,
        pid: Some(4_200 + id),
        rpc: format!("http://127.0.0.1:{}", 30_000 + id),
        exit: None,
        lie: None,
        sight: Some(sight),
    }
}

/// A net that is well.
pub(in crate::top) fn view(nodes: u32, height: u64) -> NetView {
    let finality = Pulse { height, round: 0, stopped_ms: None, weights: None, split: None };
    NetView {
        consensus: "tendermint".into(),
        chain_id: "4f2a91c0".repeat(8),
        dir: "my-net".into(),
        depths: None,
        partition: None,
        byzantine: Liars::default(),
        finality: Some(finality),
        nodes: (0..nodes).map(|id| node(id, height)).collect(),
    }
}

/// What a busy node counts in its `second`.
pub(in crate::top) fn figures(second: u64) -> Figures {
    let each = |sum: f64, count: u64| Times { sum: sum * second as f64, count: count * second };
    Figures {
        blocks: second,
        transactions: 120 * second,
        received: 34_500 * second,
        sent: 1_200_000 * second,
        resident: Some(48_300_000),
        cpu: Some(0.12 * second as f64),
        opened: each(0.034, 400),
        syncs: each(0.0425, 5),
        heights: each(1.02, 1),
    }
}

/// A net that has been looked at for some seconds, once a second; `change` may spoil what is seen last.
pub(in crate::top) fn watched(nodes: u32, change: impl FnOnce(&mut NetView)) -> State {
    let mut state = State::default();
    let mut change = Some(change);
    for second in 1..=8 {
        let mut view = view(nodes, 90 + second);
        if second == 8 {
            change.take().expect("once")(&mut view);
        }
        for id in 0..nodes {
            state.take(News::Figures(id, Box::new(figures(second))), at(second));
        }
        state.take(News::View(Box::new(view)), at(second));
        state.tick(at(second));
    }
    state
}

pub(in crate::top) fn down(node: &mut NodeView) {
    node.up = false;
    node.pid = None;
    node.sight = None;
    node.exit = Some(Exit { code: None, signal: Some(9) });
}

#[test]
fn history_gets_a_bar_a_second() {
    let state = watched(4, |_| {});
    assert_eq!(state.transactions.len(), 8);
    assert!(state.transactions.iter().skip(1).all(|bar| *bar == 120), "{:?}", state.transactions);
    assert!(state.block_times.iter().skip(1).all(|bar| *bar == 1_020), "{:?}", state.block_times);
}

#[test]
fn block_time_grows_while_nothing_becomes_final() {
    let mut state = watched(4, |_| {});
    let stalled = |second: u64| Figures { cpu: Some(second as f64), ..figures(8) };
    for second in 9..=20 {
        state.take(News::Figures(0, Box::new(stalled(second))), at(second));
        state.take(News::View(Box::new(view(4, 98))), at(second));
        state.tick(at(second));
    }
    let bars: Vec<_> = state.block_times.iter().rev().take(5).copied().collect();
    assert_eq!(bars, [12_000, 11_000, 10_000, 9_000, 8_000]);
    assert_eq!(state.transactions.back(), Some(&0));
}

#[test]
fn history_and_events_are_bounded_and_a_long_sleep_is_no_flood() {
    let mut state = watched(4, |_| {});
    for second in 9..2_000 {
        let mut view = view(4, 98);
        if second % 2 == 0 {
            down(&mut view.nodes[1]);
        }
        state.take(News::View(Box::new(view)), at(second));
        state.tick(at(second));
    }
    assert_eq!((state.block_times.len(), state.events.len()), (HISTORY, EVENTS));
    let before: Vec<_> = state.transactions.iter().copied().collect();
    state.tick(at(1_000_000));
    state.tick(at(1_000_000));
    assert!(state.transactions.len() <= before.len() + 1);
}

#[test]
fn figures_of_another_process_are_not_mixed() {
    let mut state = watched(4, |_| {});
    assert!(state.samples(2, at(8)).and_then(Samples::rates).is_some());
    let mut view = view(4, 99);
    view.nodes[2].pid = Some(9_999);
    state.take(News::View(Box::new(view)), at(9));
    assert!(state.samples(2, at(9)).is_none());
    assert!(state.samples(1, at(9)).is_some());
}

#[test]
fn what_is_old_is_not_shown_as_the_present() {
    let state = watched(4, |_| {});
    assert!(state.samples(0, at(11)).is_some() && state.samples(0, at(12)).is_none());
    assert_eq!((state.silent(at(11)), state.silent(at(20))), (None, Some(at(12))));
}

#[test]
fn a_net_that_ends_is_told_once_and_so_is_its_return() {
    let mut state = watched(4, |_| {});
    let events = state.events.len();
    for second in 9..12 {
        state.take(News::Gone("the net has ended".into()), at(second));
    }
    assert_eq!(state.events.len(), events + 1);
    state.take(News::View(Box::new(view(4, 99))), at(12));
    assert!(state.gone.is_none());
    assert_eq!(state.events[0].text, "the net answers again");
}

#[test]
fn what_was_asked_for_is_confirmed_and_what_was_refused_is_said() {
    let mut state = watched(4, |_| {});
    let exit = Exit { code: None, signal: Some(9) };
    state.busy = Some(Request::Kill { id: 2 });
    state.take(News::Done(Box::new(Ok(Answer::Exited { id: 2, exit }))), at(9));
    assert_eq!(state.message, Some((Tone::Good, "done: kill node 2".into())));
    assert_eq!(state.busy, None);
    let refused = Answer::Refused {
        reason: crate::live::control::Reason::State,
        message: "node 2 is not running".into(),
    };
    for result in [Ok(refused), Err("node 2 is not running".to_owned())] {
        state.busy = Some(Request::Stop { id: 2 });
        state.take(News::Done(Box::new(result)), at(10));
        assert_eq!(state.message, Some((Tone::Bad, "node 2 is not running".into())));
        assert_eq!(state.busy, None);
    }
}

#[test]
fn a_net_that_shrinks_leaves_somebody_chosen() {
    let mut state = watched(7, |_| {});
    state.chosen = 6;
    state.take(News::View(Box::new(view(4, 99))), at(9));
    assert_eq!(state.node().map(|node| node.id), Some(3));
}
