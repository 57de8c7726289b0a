//! Screens, which are held beside this. If one changes, look at the new one before it takes the old one's
//! place: with `BYZANTIUM_SCREENS=write` these tests write it there.

use super::*;
use crate::{
    live::{partition::Groups, pulse::Split},
    top::state::{
        News,
        tests::{at, down, figures, node, view, watched},
    },
};
use ledger::{
    ReplicaId,
    query::{WeightAnswer, WeightsAnswer},
};
use proptest::prelude::*;
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent},
};

/// What is on a screen of this size.
fn screen(state: &State, width: u16, height: u16, now: Duration) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    terminal.draw(|frame| draw(frame, state, now)).expect("memory");
    let buffer = terminal.backend().buffer();
    let line = |y| {
        let cells = (0..width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(|y| line(y) + "\n").collect()
}

fn press(state: &mut State, text: &str) {
    for letter in text.chars() {
        state.press(KeyEvent::from(KeyCode::Char(letter)), at(9));
    }
}

macro_rules! held {
    ($name:literal, $found:expr) => {
        let (found, path) = ($found, concat!("src/top/draw/tests/", $name, ".txt"));
        if std::env::var("BYZANTIUM_SCREENS").is_ok_and(|word| word == "write") {
            std::fs::write(path, found).unwrap();
        } else {
            let expected = std::fs::read_to_string(path).unwrap();
            assert!(found == expected, "{path} has\n{expected}and not\n{found}");
        }
    };
}

#[test]
fn a_healthy_net() {
    held!("healthy", screen(&watched(4, |_| {}), 80, 24, at(9)));
}

#[test]
fn a_healthy_net_on_a_wide_terminal() {
    held!("wide", screen(&watched(7, |_| {}), 132, 40, at(9)));
}

#[test]
fn a_dead_node() {
    let mut state = watched(4, |view| down(&mut view.nodes[2]));
    press(&mut state, "2");
    held!("dead", screen(&state, 80, 24, at(10)));
}

#[test]
fn a_partition_in_which_nothing_becomes_final() {
    let mut state = watched(5, |view| {
        view.partition = Some(Groups(vec![vec![0, 1], vec![2, 3]]));
        view.nodes[4].lie = Some("equivocate".into());
        view.byzantine.0.insert(4, "equivocate".into());
        view.finality.as_mut().expect("it is known").stopped_ms = Some(12_000);
        view.finality.as_mut().expect("it is known").round = 7;
        for node in &mut view.nodes {
            let sight = node.sight.as_mut().expect("it answers");
            (sight.round, sight.peers) = (7, 1);
        }
    });
    press(&mut state, "4p0,1,2/7");
    state.press(KeyCode::Enter.into(), at(9));
    held!("partition", screen(&state, 80, 24, at(9)));
}

#[test]
fn weights_that_leak_and_two_chains() {
    let state = watched(5, |view| {
        let lefts = [1_000_000, 1_000_000, 1_000_000, 733_620, 733_620];
        let members =
            (0..).zip(lefts).map(|(id, left)| WeightAnswer { id: ReplicaId(id), left, score: 48 });
        let weights =
            WeightsAnswer { height: 99, round: 17, recovering: true, members: members.collect() };
        let pulse = view.finality.as_mut().expect("it is known");
        pulse.weights = Some(weights);
        pulse.stopped_ms = Some(34_000);
        pulse.round = 17;
        pulse.split = Some(Split { height: 97, nodes: [0, 3] });
        let sight = view.nodes[3].sight.as_mut().expect("it answers");
        sight.state = "halted: two blocks are final at height 97".into();
        view.nodes[1].sight = None;
    });
    held!("leak", screen(&state, 80, 24, at(9)));
}

#[test]
fn sixteen_nodes_fit_the_smallest_usual_terminal() {
    let mut state = watched(16, |_| {});
    press(&mut state, "13");
    let found = screen(&state, 80, 24, at(9));
    assert!(
        (0..16).all(|id| found
            .lines()
            .any(|line| line.get(1..).is_some_and(|line| line.starts_with(&format!("{id:>2} "))))),
        "{found}"
    );
    held!("sixteen", found);
}

#[test]
fn of_nodes_that_do_not_fit_the_chosen_one_is_shown() {
    let mut state = watched(16, |_| {});
    for chosen in 0..16 {
        state.chosen = chosen;
        let found = screen(&state, 60, 12, at(9));
        assert!(found.contains(&format!(">{chosen:>2} ")), "{found}");
    }
}

#[test]
fn a_tiny_terminal() {
    held!("tiny", screen(&watched(4, |_| {}), 30, 5, at(9)));
}

#[test]
fn a_small_terminal() {
    held!("small", screen(&watched(4, |_| {}), 40, 8, at(9)));
}

#[test]
fn the_help() {
    let mut state = watched(4, |_| {});
    press(&mut state, "?");
    let found = screen(&state, 80, 24, at(9));
    assert!(HELP.lines().all(|line| found.contains(line)), "{found}");
    held!("help", found);
}

#[test]
fn a_chain_of_work_shows_how_deep_blocks_are() {
    let state = watched(4, |view| {
        view.consensus = "pow".into();
        view.finality = None;
        view.depths = Some(consensus::catalogue::Depths { confirmations: 3, irreversible: 20 });
        for node in &mut view.nodes {
            node.sight.as_mut().expect("it answers").height = 78;
        }
    });
    held!("work", screen(&state, 80, 24, at(9)));
}

#[test]
fn before_the_first_answer_and_after_the_last_it_says_so() {
    let mut state = State::default();
    assert!(screen(&state, 80, 24, at(0)).starts_with("the net is being asked …\n"));
    state.take(News::Gone("no testnet is running in x".into()), at(1));
    assert!(screen(&state, 80, 24, at(1)).starts_with("no testnet is running in x\n"));
    let mut state = watched(4, |_| {});
    assert!(screen(&state, 80, 24, at(30)).contains("\nthe net has not answered for 22 s\n"));
    state.take(News::Gone("the net has ended; q quits".into()), at(31));
    assert!(screen(&state, 80, 24, at(31)).contains("\nthe net has ended; q quits\n"));
}

#[test]
fn a_node_with_no_figures_is_shown_without_them() {
    let mut state = State::default();
    state.take(News::View(Box::new(view(2, 7))), at(1));
    state.take(News::Figures(0, Box::new(figures(1))), at(1));
    let found = screen(&state, 80, 24, at(1));
    let row = |id: u32| {
        let start = format!(" {id} ");
        found
            .lines()
            .find(|line| line.get(1..).is_some_and(|line| line.starts_with(&start)))
            .expect("a row")
            .to_owned()
    };
    assert!(row(0).contains(" 48M "), "memory needs one page: {found}");
    assert_eq!(row(1).matches(" -").count(), 7, "{found}");
}

proptest! {
    /// Every size, every state of nodes: nothing panics, and nothing drives the terminal.
    #[test]
    fn every_size_can_be_drawn(
        width in 1..250_u16, height in 1..70_u16, nodes in 0..20_u32, chosen in 0..20_u32,
        mode in 0..4_usize, lost in any::<u32>()
    ) {
        let mut state = watched(nodes, |view| {
            for each in &mut view.nodes {
                match lost.rotate_left(each.id * 2) % 4 {
                    0 => down(each),
                    1 => each.sight = None,
                    2 => {
                        *each = node(each.id, u64::MAX / 0x0102_0306);
                        let sight = each.sight.as_mut().expect("it answers");
                        sight.state = "halted: \u{1b}[2J".repeat(20);
                        (sight.head, sight.pool, sight.round) = ("é".into(), usize::MAX, u64::MAX);
                        sight.head_height = u64::MAX;
                    }
                    _ => {}
                }
            }
        });
        state.chosen = chosen.min(nodes.saturating_sub(1));
        press(&mut state, ["", "?", "p0,1/2", "k"][mode]);
        let found = screen(&state, width, height, at(9));
        let drives = found.contains('\u{1b}');
        prop_assert!(!drives, "{}", found);
    }
}
