use super::*;
use std::collections::BTreeSet;

fn all(ports: &[Ports]) -> BTreeSet<SocketAddr> {
    ports.iter().flat_map(|ports| [ports.listen, ports.rpc]).collect()
}

#[test]
fn every_node_gets_two_ports_of_its_own_on_the_loopback() {
    let ports = choose(16).unwrap();
    let all = all(&ports);
    assert_eq!(all.len(), 32);
    assert!(all.iter().all(|address| address.ip().is_loopback() && address.port() != 0));
}

#[test]
fn only_what_is_taken_is_replaced() {
    let before = choose(4).unwrap();
    let mut after = before.clone();
    let _somebody_else = TcpListener::bind(before[2].rpc).unwrap();
    assert!(refresh(&mut after).unwrap());
    assert_ne!(after[2].rpc, before[2].rpc);
    assert_eq!(all(&after).len(), 8);
    after[2].rpc = before[2].rpc;
    assert_eq!(after, before);
}

#[test]
fn free_ports_stay() {
    // Another test may take one of these ports between the calls, so a few attempts are allowed.
    let stays = || {
        let before = choose(3).unwrap();
        let mut after = before.clone();
        !refresh(&mut after).unwrap() && after == before
    };
    assert!((0..5).any(|_| stays()));
}
