use super::super::tests::{down, view};
use super::*;
use crate::live::{partition::Groups, pulse::Split};

fn told(change: impl Fn(&mut NetView)) -> [Vec<String>; 2] {
    let (before, mut after) = (view(4, 9), view(4, 9));
    change(&mut after);
    [between(&before, &after), between(&after, &before)]
        .map(|news| news.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn a_quiet_net_is_no_news() {
    assert!(between(&view(4, 9), &view(4, 10)).is_empty());
}

#[test]
fn nodes_that_go_and_come_are_news() {
    let [gone, back] = told(|view| down(&mut view.nodes[2]));
    assert_eq!(gone, ["node 2 is down (SIGKILL)"]);
    assert_eq!(back, ["node 2 is started, as process 4202"]);
    let [again, _] = told(|view| view.nodes[1].pid = Some(77));
    assert_eq!(again, ["node 1 is down", "node 1 is started, as process 77"]);
    assert_eq!(between(&view(4, 9), &view(5, 9))[0].1, "node 4 has joined");
    assert!(between(&view(5, 9), &view(4, 9)).is_empty(), "no net shrinks; nothing panics");
}

#[test]
fn silence_and_halting_are_news() {
    let [mute, answers] = told(|view| view.nodes[0].sight = None);
    assert_eq!(
        (mute, answers),
        (vec!["node 0 does not answer".into()], vec!["node 0 answers".into()])
    );
    let halted = |view: &mut NetView| {
        let sight = view.nodes[3].sight.as_mut().expect("it answers");
        sight.state = "halted: two blocks at height 7".into();
    };
    assert_eq!(told(halted)[0], ["node 3 halted: two blocks at height 7"]);
}

#[test]
fn partitions_and_finality_are_news() {
    let [cut, healed] = told(|view| view.partition = Some(Groups(vec![vec![0, 1], vec![2, 3]])));
    assert_eq!(
        (cut, healed),
        (vec!["nothing passes between 0 1 | 2 3".into()], vec!["everything passes again".into()])
    );
    let stopped = |view: &mut NetView| {
        view.finality.as_mut().expect("it is known").stopped_ms = Some(6_000);
    };
    let [stopped, resumed] = told(stopped);
    assert_eq!(stopped, ["nothing becomes final any more after height 9"]);
    assert_eq!(resumed, ["height 9 is final"]);
    let split = |view: &mut NetView| {
        let split = Split { height: 8, nodes: [0, 2] };
        view.finality.as_mut().expect("it is known").split = Some(split);
    };
    assert!(told(split)[0][0].starts_with("TWO CHAINS"));
}
