use super::*;

fn sight() -> Sight {
    Sight {
        height: 128,
        round: 0,
        head: "3f8a00c1".repeat(8),
        head_height: 128,
        pool: 3,
        peers: 3,
        state: "running".to_owned(),
        weights: None,
    }
}

fn view(sight: Option<Sight>) -> NodeView {
    let rpc = "http://127.0.0.1:30102".to_owned();
    NodeView { id: 2, up: true, pid: Some(4711), rpc, exit: None, lie: None, sight }
}

#[test]
fn a_line_says_how_far_a_node_is() {
    assert_eq!(
        view(Some(sight())).to_string(),
        "node 2   height 128    round 0   head 3f8a00c1  pool 3    peers 3"
    );
}

#[test]
fn where_nothing_is_final_at_once_a_line_says_how_far_that_is() {
    let ahead = Sight { height: 28, ..sight() };
    assert_eq!(
        view(Some(ahead)).to_string(),
        "node 2   height 128    final 28     head 3f8a00c1  pool 3    peers 3"
    );
}

#[test]
fn a_dead_node_is_down_whatever_it_said_before() {
    let exit = Some(Exit { code: None, signal: Some(9) });
    let dead = NodeView { up: false, pid: None, exit, ..view(Some(sight())) };
    assert_eq!(dead.to_string(), "node 2   down (SIGKILL)");
    assert_eq!(NodeView { exit: None, ..dead }.to_string(), "node 2   down");
}

#[test]
fn a_silent_node_is_not_called_down() {
    assert_eq!(view(None).to_string(), "node 2   up, and does not answer");
}

#[test]
fn no_line_is_longer_than_a_terminal_is_wide() {
    let state = "halted: two proofs \u{1b}[2J for one height".to_owned();
    let head_height = 999_999;
    for height in [999_999, 999_998] {
        let (state, sight) = (state.clone(), sight());
        let sight =
            Sight { height, head_height, round: 999, pool: 9_999, peers: 15, state, ..sight };
        let line = NodeView { id: 15, ..view(Some(sight)) }.to_string();
        assert!(line.chars().count() <= 79, "{line}");
        assert!(line.contains("halted") && !line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn programs_read_what_a_node_said_beside_its_number() {
    let text = serde_json::to_string(&view(Some(sight()))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["id"], 2);
    assert_eq!(json["up"], true);
    assert_eq!(json["height"], 128);
    assert_eq!(serde_json::from_str::<NodeView>(&text).unwrap(), view(Some(sight())));
    let silent = serde_json::to_string(&view(None)).unwrap();
    assert_eq!(serde_json::from_str::<NodeView>(&silent).unwrap(), view(None));
}

#[test]
fn an_answer_is_forgotten_with_its_process() {
    let mut memory = Memory::default();
    assert!(memory.sight().is_none());
    memory.see(sight());
    assert_eq!(memory.sight(), Some(&sight()));
    memory.forget();
    assert!(memory.sight().is_none());
}
