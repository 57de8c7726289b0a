//! `cat` makes a good node for these tests: like one, it ends when its standard input closes.

use super::*;
use tempfile::TempDir;

fn fleet(nodes: u32, launch: impl Fn(u32) -> Command + 'static) -> (TempDir, Fleet) {
    let dir = tempfile::tempdir().unwrap();
    let logs = (0..nodes).map(|id| dir.path().join(format!("node-{id}/node.log"))).collect();
    (dir, Fleet::new(logs, launch))
}

fn cats(nodes: u32) -> (TempDir, Fleet) {
    let (dir, mut fleet) = fleet(nodes, |_| Command::new("cat"));
    for id in 0..nodes {
        fleet.start(id).unwrap();
    }
    (dir, fleet)
}

/// A shell that ignores SIGTERM and says so, so that the test need not guess when it does.
fn stubborn() -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"]);
    command
}

fn is_alive(pid: u32) -> bool {
    kill(Pid::from_raw(pid.try_into().unwrap()), None).is_ok()
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "this should have happened by now");
        thread::sleep(LOOK);
    }
}

#[test]
fn a_killed_node_is_dead_and_can_be_started_again() {
    let (_dir, mut fleet) = cats(2);
    let pid = fleet.pid(1).unwrap();
    assert_eq!(fleet.kill(1).unwrap(), Exit { code: None, signal: Some(9) });
    assert!(!is_alive(pid));
    assert_eq!(fleet.pid(1), None);
    assert_eq!(fleet.exit(1).unwrap().to_string(), "SIGKILL");
    assert!(matches!(fleet.kill(1), Err(FleetError::Dead { id: 1 })));
    assert!(matches!(fleet.stop(1, GRACE), Err(FleetError::Dead { id: 1 })));
    assert!(fleet.reap().is_empty(), "a death that was answered is not news");

    let pid = fleet.start(1).unwrap();
    assert!(is_alive(pid) && fleet.exit(1).is_none());
    assert!(matches!(fleet.start(1), Err(FleetError::Running { id: 1, pid: p }) if p == pid));
    assert!(fleet.pid(0).is_some(), "the others were left alone");
}

#[test]
fn who_ends_by_itself_is_noticed_once() {
    let (_dir, mut fleet) = fleet(1, |_| {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]);
        command
    });
    fleet.start(0).unwrap();
    let mut noticed = Vec::new();
    wait_for(|| {
        noticed.extend(fleet.reap());
        !noticed.is_empty()
    });
    assert_eq!(noticed, [(0, Exit { code: Some(7), signal: None })]);
    assert!(fleet.reap().is_empty());
}

#[test]
fn an_unknown_node_is_refused() {
    let (_dir, mut fleet) = cats(2);
    let message = fleet.kill(2).unwrap_err().to_string();
    assert!(message.contains("no node 2") && message.contains("2 nodes"), "{message}");
    assert!(matches!(fleet.start(u32::MAX), Err(FleetError::Unknown { .. })));
}

#[test]
fn a_node_that_does_not_stop_is_reported_and_can_be_killed() {
    let (dir, mut fleet) = fleet(1, |_| stubborn());
    fleet.start(0).unwrap();
    wait_for(|| fs::read_to_string(dir.path().join("node-0/node.log")).unwrap() == "deaf\n");
    let slow = fleet.stop(0, Duration::from_millis(100));
    assert!(matches!(slow, Err(FleetError::Slow { id: 0, .. })));
    fleet.kill(0).unwrap();
}

#[test]
fn stopping_all_leaves_nobody_not_even_the_stubborn() {
    let (dir, mut fleet) = fleet(3, |id| if id == 1 { stubborn() } else { Command::new("cat") });
    let pids: Vec<_> = (0..3).map(|id| fleet.start(id).unwrap()).collect();
    wait_for(|| fs::read_to_string(dir.path().join("node-1/node.log")).unwrap() == "deaf\n");
    fleet.stop_all(Duration::from_millis(200));
    assert!(pids.into_iter().all(|pid| !is_alive(pid)));
}

#[test]
fn dropping_the_fleet_stops_it() {
    let (_dir, fleet) = cats(3);
    let pids: Vec<_> = (0..3).filter_map(|id| fleet.pid(id)).collect();
    assert_eq!(pids.len(), 3);
    drop(fleet);
    assert!(pids.into_iter().all(|pid| !is_alive(pid)));
}

#[test]
fn the_log_is_appended_to() {
    let (dir, mut fleet) = fleet(1, |_| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2"]);
        command
    });
    for _ in 0..2 {
        fleet.start(0).unwrap();
        wait_for(|| !fleet.reap().is_empty());
    }
    let log = fs::read_to_string(dir.path().join("node-0/node.log")).unwrap();
    assert_eq!(log, "out\nerr\nout\nerr\n");
}
