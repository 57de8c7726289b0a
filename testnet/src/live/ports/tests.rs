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
    // Below what a system hands out to whoever names no port.
    assert!(all.iter().all(|address| (10_000..30_000).contains(&address.port())), "{all:?}");
}

#[test]
fn nobody_is_given_what_another_was_given_just_before() {
    let (one, other) = (choose(8).unwrap(), choose(8).unwrap());
    assert!(all(&one).is_disjoint(&all(&other)), "{one:?} {other:?}");
}

#[test]
fn what_is_taken_over_udp_only_is_taken() {
    let mut ports = choose(1).unwrap();
    let before = ports[0];
    let _somebody_else = UdpSocket::bind(before.listen).unwrap();
    assert!(refresh(&mut ports).unwrap());
    assert_ne!(ports[0].listen, before.listen);
    assert_eq!(ports[0].rpc, before.rpc);
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
    // Another process may take one of these ports between the calls, so a few attempts are allowed.
    let stays = || {
        let before = choose(3).unwrap();
        let mut after = before.clone();
        !refresh(&mut after).unwrap() && after == before
    };
    assert!((0..5).any(|_| stays()));
}
