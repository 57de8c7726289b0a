//! Partitions: cut on purpose, and healed.

use super::*;
use std::collections::BTreeSet;

/// Long enough for several dials and a gossip heartbeat, in which something could get through.
const A_WHILE: Duration = Duration::from_millis(1_500);

async fn cut(node: &Node, seats: &[u32]) {
    let seats = BTreeSet::from_iter(seats.iter().copied());
    within("a cut", node.network.cut(&seats)).await.unwrap();
}

async fn linked(node: &Node, seats: &[u32]) {
    until("it is linked again", || node.network.connected() == seats).await;
}

/// Everything that has come, but for what tells of links.
fn heard(node: &mut Node) -> Vec<Vec<u8>> {
    let events = std::iter::from_fn(|| node.events.try_recv());
    events
        .filter_map(|event| match event {
            NetworkEvent::Frame { bytes, .. } | NetworkEvent::Gossip { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect()
}

/// Both ways between two nodes, frames and gossip.
async fn talk(nodes: &mut [Node; 2]) {
    for (from, to) in [(0, 1), (1, 0)] {
        nodes[from].network.send(to as u32, numbered(from));
        assert_eq!(nodes[to].frame().await, (from as u32, numbered(from).to_vec()));
        let content = format!("{from} at {:?}", nodes[from].network.counters().gossip_published);
        publish(&nodes[from], content.as_bytes()).await;
        assert_eq!(nodes[to].gossip().await.1, content.as_bytes());
    }
}

async fn pair() -> [Node; 2] {
    full_mesh(2).await.try_into().unwrap_or_else(|_| panic!("two"))
}

/// One side cuts the other, whose side dials if it is 1.
async fn one_side_cuts(side: usize) {
    let mut nodes = pair().await;
    talk(&mut nodes).await;
    let other = 1 - side;
    cut(&nodes[side], &[other as u32]).await;
    assert_eq!(nodes[side].network.cut_off(), [other as u32]);
    assert_eq!(nodes[side].network.peers(), 0, "it returns when the connection is closed");
    until("the other notices", || nodes[other].network.peers() == 0).await;

    nodes[side].network.send(other as u32, numbered(7));
    nodes[side].network.broadcast(numbered(8));
    nodes[side].network.publish(b"to nobody".to_vec());
    nodes[other].network.send(side as u32, numbered(9));
    nodes[other].network.publish(b"to whoever comes".to_vec());
    let before = nodes[side].network.counters();
    tokio::time::sleep(A_WHILE).await;
    for node in &mut nodes {
        assert_eq!(node.network.peers(), 0);
        assert_eq!(heard(node), Vec::<Vec<u8>>::new());
    }
    let counters = nodes[side].network.counters();
    assert_eq!(counters.dropped_cut, 2);
    assert_eq!(counters.frames_sent, before.frames_sent);
    assert_eq!(counters.dials_failed, before.dials_failed, "it does not even dial");

    cut(&nodes[side], &[]).await;
    linked(&nodes[side], &[other as u32]).await;
    assert_eq!(nodes[side].network.cut_off(), [] as [u32; 0]);
    // What the other had for us waited, as when a link breaks by itself; ours was dropped.
    assert_eq!(nodes[side].frame().await.1, numbered(9).to_vec());
    assert_eq!(nodes[side].gossip().await.1, b"to whoever comes");
    talk(&mut nodes).await;
    assert_eq!(heard(&mut nodes[other]), Vec::<Vec<u8>>::new());
    shut_down(nodes.into()).await;
}

#[tokio::test]
async fn nothing_gets_through_a_cut_by_the_side_that_is_dialled() {
    one_side_cuts(0).await;
}

#[tokio::test]
async fn nothing_gets_through_a_cut_by_the_side_that_dials() {
    one_side_cuts(1).await;
}

#[tokio::test]
async fn both_sides_cut_and_healed_in_any_order_find_each_other_again() {
    let mut nodes = pair().await;
    for first in [0, 1] {
        cut(&nodes[0], &[1]).await;
        cut(&nodes[1], &[0]).await;
        cut(&nodes[first], &[]).await;
        cut(&nodes[1 - first], &[]).await;
        linked(&nodes[0], &[1]).await;
        linked(&nodes[1], &[0]).await;
        talk(&mut nodes).await;
    }
    shut_down(nodes.into()).await;
}

#[tokio::test]
async fn a_cut_spares_the_others_and_a_later_one_replaces_it() {
    let mut nodes = full_mesh(3).await;
    cut(&nodes[0], &[1]).await;
    assert_eq!(nodes[0].network.connected(), [2]);
    nodes[0].network.broadcast(numbered(1));
    assert_eq!(nodes[2].frame().await, (0, numbered(1).to_vec()));
    assert_eq!(nodes[0].network.counters().dropped_cut, 1);
    // What 1 gossips reaches 0 all the same, from 2: whom we cut says nothing of whom others hear.
    publish(&nodes[1], b"by a detour").await;
    let ticket = loop {
        let (from, bytes, ticket) = nodes[2].gossip().await;
        if bytes == b"by a detour" {
            assert_eq!(from, Some(1));
            break ticket;
        }
    };
    ticket.judge(Verdict::Accept);
    assert_eq!(nodes[0].gossip().await.1, b"by a detour");

    cut(&nodes[0], &[2]).await;
    assert_eq!(nodes[0].network.cut_off(), [2]);
    linked(&nodes[0], &[1]).await;
    cut(&nodes[0], &[1, 2]).await;
    assert_eq!(nodes[0].network.connected(), [] as [u32; 0]);
    assert_eq!(nodes[1].network.cut_off(), [] as [u32; 0], "nobody else has cut anybody");
    cut(&nodes[0], &[]).await;
    linked(&nodes[0], &[1, 2]).await;
    assert!(heard(&mut nodes[1]).is_empty(), "the first frame is gone for good");
    shut_down(nodes).await;
}

#[tokio::test]
async fn frames_that_wait_are_dropped_and_counted() {
    let seeds = seeds(2);
    // Nobody is at the other seat.
    let lonely = launch(config(0, &seeds, &[], |_, _| true)).await;
    (0..50).for_each(|number| lonely.network.send(1, numbered(number)));
    assert_eq!(lonely.network.counters().dropped_cut, 0);
    cut(&lonely, &[1]).await;
    assert_eq!(lonely.network.counters().dropped_cut, 50);
    cut(&lonely, &[1]).await;
    lonely.network.send(1, numbered(50));
    assert_eq!(lonely.network.counters().dropped_cut, 51);
    cut(&lonely, &[]).await;

    lonely.network.send(1, numbered(51));
    let addresses = [Some(lonely.network.address())];
    let mut friend = launch(config(1, &seeds, &addresses, |_, _| true)).await;
    assert_eq!(friend.frame().await.1, numbered(51).to_vec());
    shut_down(vec![lonely, friend]).await;
}

#[tokio::test]
async fn a_seat_without_a_peer_is_refused_and_changes_nothing() {
    let nodes = full_mesh(3).await;
    cut(&nodes[0], &[1]).await;
    for wrong in [0, 3, u32::MAX] {
        let seats = BTreeSet::from([2, wrong]);
        let error = nodes[0].network.cut(&seats).await.unwrap_err();
        assert_eq!(error, CutError::NotAPeer { seat: wrong, peers: Seats(vec![1, 2]) });
        assert!(error.to_string().contains("whose peers are 1, 2"), "{error}");
    }
    assert_eq!(nodes[0].network.cut_off(), [1]);
    assert_eq!(nodes[0].network.connected(), [2]);
    let handle = nodes[0].network.clone();
    shut_down(nodes).await;
    assert_eq!(handle.cut(&BTreeSet::new()).await, Err(CutError::Ended));
}

#[tokio::test]
async fn the_node_is_told_of_a_cut_as_of_any_loss() {
    let mut nodes = pair().await;
    let told = async |node: &mut Node| within("news", node.events.recv()).await;
    assert!(matches!(told(&mut nodes[0]).await, Some(NetworkEvent::Connected(1))));
    cut(&nodes[0], &[1]).await;
    assert!(matches!(told(&mut nodes[0]).await, Some(NetworkEvent::Disconnected(1))));
    cut(&nodes[0], &[]).await;
    assert!(matches!(told(&mut nodes[0]).await, Some(NetworkEvent::Connected(1))));
    shut_down(nodes.into()).await;
}

over_quic_too! {
    nothing_gets_through_a_cut_by_the_side_that_is_dialled,
    nothing_gets_through_a_cut_by_the_side_that_dials,
    both_sides_cut_and_healed_in_any_order_find_each_other_again,
    a_cut_spares_the_others_and_a_later_one_replaces_it,
    the_node_is_told_of_a_cut_as_of_any_loss,
}
