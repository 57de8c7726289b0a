//! Frames: order, size, bounds, hostile lengths.

use super::*;

#[tokio::test]
async fn two_nodes_exchange_frames_in_order() {
    let mut nodes = full_mesh(2).await;
    for number in 0..1_000 {
        nodes[0].network.send(1, numbered(number));
        nodes[1].network.send(0, numbered(number));
    }
    for (seat, other) in [(0, 1), (1, 0)] {
        for number in 0..1_000 {
            let (from, bytes) = nodes[seat].frame().await;
            assert_eq!((from, &bytes[..]), (other, &numbered(number)[..]));
        }
        let counters = nodes[seat].network.counters();
        assert_eq!(counters.frames_received, 1_000);
        assert_eq!(counters.bytes_received, 8_000);
        assert_eq!(counters.dropped_queue_full, 0);
    }
    shut_down(nodes).await;
}

#[tokio::test]
async fn four_nodes_hear_every_broadcast_in_order() {
    let mut nodes = full_mesh(4).await;
    for number in 0..200 {
        for node in &nodes {
            node.network.broadcast(numbered(number));
        }
    }
    for node in &mut nodes {
        let mut heard = [0; 4];
        for _ in 0..3 * 200 {
            let (from, bytes) = node.frame().await;
            let expected = &mut heard[from as usize];
            assert_eq!(bytes[..], numbered(*expected)[..]);
            *expected += 1;
        }
        let mut counts = heard;
        counts.sort_unstable();
        assert_eq!(counts, [0, 200, 200, 200], "one is silent: itself");
    }
    shut_down(nodes).await;
}

#[tokio::test]
async fn large_frames_pass_up_to_the_limit() {
    let mut nodes = full_mesh(2).await;
    for length in [0, 1, 1 << 20, MAX_FRAME as usize] {
        let frame: Arc<[u8]> = (0..length).map(|index| index as u8).collect();
        nodes[0].network.send(1, Arc::clone(&frame));
        let (_, bytes) = nodes[1].frame().await;
        assert!(bytes[..] == frame[..], "a frame of {length} bytes differs");
    }
    nodes[0].network.send(1, vec![0; MAX_FRAME as usize + 1].into());
    assert_eq!(nodes[0].network.counters().dropped_oversized, 1);
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_never_blocks() {
    let seeds = seeds(2);
    // Nobody listens on port 1: the peer never comes.
    let node = launch(config(1, &seeds, &[], |_, _| true)).await;
    for number in 0..MAX_QUEUED_FRAMES + 5 {
        node.network.send(0, numbered(number));
    }
    node.network.broadcast(numbered(0));
    assert_eq!(node.network.counters().dropped_queue_full, 6);
    node.network.send(7, numbered(0));
    assert_eq!(node.network.counters().dropped_unknown_peer, 1);
    until("dials fail", || node.network.counters().dials_failed > 1).await;
    shut_down(vec![node]).await;
}

/// More events than the channel holds, and nobody receives: the sender has to wait, and not one
/// frame is lost.
#[tokio::test]
async fn a_slow_node_makes_its_peers_wait_and_loses_nothing() {
    let mut nodes = full_mesh(2).await;
    let batch = 900;
    for round in 0..3 {
        for number in 0..batch {
            let mut frame = vec![0; 2_000];
            frame[..8].copy_from_slice(&numbered(round * batch + number));
            nodes[0].network.send(1, frame.into());
        }
        let sent = (round as u64 + 1) * 900;
        let room = MAX_EVENTS as u64;
        until("what can be sent is sent", || {
            let [here, there] = [0, 1].map(|seat: usize| nodes[seat].network.counters());
            here.frames_sent == sent || there.frames_received >= room
        })
        .await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let received = nodes[1].network.counters().frames_received;
    assert!(received <= MAX_EVENTS as u64 + 1, "{received} were taken");
    let dropped = nodes[0].network.counters().dropped_queue_full as usize;
    for number in 0..3 * batch - dropped {
        let (_, bytes) = nodes[1].frame().await;
        assert_eq!(bytes[..8], numbered(number)[..]);
    }
    shut_down(nodes).await;
}

/// The bytes of one peer that wait for the node are bounded too, and it alone has to wait.
#[tokio::test]
async fn a_flood_of_large_frames_leaves_other_peers_their_room() {
    /// Four of these fill a peer's budget, with what each frame counts for besides.
    const LARGE: usize = (2 << 20) - 512;
    let mut nodes = full_mesh(3).await;
    for _ in 0..3 {
        nodes[0].network.send(2, vec![0; LARGE].into());
    }
    until("three are in", || nodes[2].network.counters().frames_received == 3).await;
    for _ in 0..3 {
        nodes[0].network.send(2, vec![0; LARGE].into());
    }
    until("the budget is spent", || nodes[2].network.counters().frames_received == 5).await;
    nodes[1].network.send(2, numbered(42));
    until("the other peer's frame is in", || nodes[2].network.counters().frames_received == 6)
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(nodes[2].network.counters().frames_received, 6);
    let mut lengths = Vec::new();
    for _ in 0..7 {
        lengths.push(nodes[2].frame().await.1.len());
    }
    lengths.sort_unstable();
    assert_eq!(lengths[..2], [8, LARGE]);
    shut_down(nodes).await;
}

#[tokio::test]
async fn an_oversized_announcement_costs_the_peer_its_substream_and_nobody_else_anything() {
    let mut nodes = full_mesh(3).await;
    // The public call would not send this, so the hostile peer goes around it.
    let hostile = nodes[0].network.roster.seated(2).unwrap();
    let oversized = vec![0; MAX_FRAME as usize + 1];
    hostile.queue.push(oversized.into()).unwrap();
    until("it is refused, again and again", || nodes[2].network.counters().refused_oversized >= 2)
        .await;
    nodes[1].network.send(2, numbered(42));
    assert_eq!(nodes[2].frame().await, (1, numbered(42).to_vec()));
    assert_eq!(nodes[2].network.counters().frames_received, 1);
    shut_down(nodes).await;
}

over_quic_too! {
    two_nodes_exchange_frames_in_order,
    four_nodes_hear_every_broadcast_in_order,
    large_frames_pass_up_to_the_limit,
    a_slow_node_makes_its_peers_wait_and_loses_nothing,
    a_flood_of_large_frames_leaves_other_peers_their_room,
    an_oversized_announcement_costs_the_peer_its_substream_and_nobody_else_anything,
}
