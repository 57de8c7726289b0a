//! Gossip: who hears what, and what judging does.

use super::*;

#[tokio::test]
async fn gossip_reaches_all_once_and_names_its_signer() {
    let mut nodes = full_mesh(4).await;
    // The first message only finds out whether all have subscribed; late ones get it by forwarding.
    publish(&nodes[0], b"batch").await;
    // All of them listen at the same time: whoever subscribed last hears it of the others, once they accept.
    let hears = async |node: &mut Node| {
        let (from, bytes, ticket) = node.gossip().await;
        assert_eq!((from, &bytes[..]), (Some(0), &b"batch"[..]));
        node.network.judge(ticket, Verdict::Accept);
    };
    futures::future::join_all(nodes.iter_mut().skip(1).map(hears)).await;
    for node in &nodes[1..] {
        until("the verdict has been counted", || node.network.counters().gossip_accepted == 1)
            .await;
        assert_eq!(node.network.counters().gossip_received, 1);
    }
    // The same content again, from whomever, is the same message.
    nodes[0].network.publish(b"batch".to_vec());
    nodes[3].network.publish(b"batch".to_vec());
    for seat in [0, 3] {
        until("it is a duplicate", || nodes[seat].network.counters().gossip_duplicates == 1).await;
    }
    shut_down(nodes).await;
}

#[tokio::test]
async fn what_is_published_before_anybody_listens_is_heard_by_the_first_who_does() {
    let seeds = seeds(2);
    let early = launch(config(0, &seeds, &[], |_, _| true)).await;
    for content in [&b"first"[..], b"second", b"first"] {
        early.network.publish(content.to_vec());
    }
    until("all of it is unheard", || early.network.counters().gossip_unheard == 3).await;
    let addresses = [Some(early.network.address())];
    let mut late = launch(config(1, &seeds, &addresses, |_, _| true)).await;
    let heard = [late.gossip().await.1, late.gossip().await.1];
    assert_eq!(heard, [b"first".to_vec(), b"second".to_vec()]);
    assert_eq!(early.network.counters().gossip_published, 2);
    shut_down(vec![early, late]).await;
}

#[tokio::test]
async fn only_what_is_accepted_is_forwarded() {
    // 0 - 1 - 2: what 2 hears of 0, it hears through 1.
    let mut nodes = graph(3, |one, other| one.abs_diff(other) == 1).await;
    for (bytes, verdict) in [
        (&b"rejected"[..], Some(Verdict::Reject)),
        (b"ignored", Some(Verdict::Ignore)),
        (b"forgotten", None),
    ] {
        publish(&nodes[0], bytes).await;
        let (from, heard, ticket) = nodes[1].gossip().await;
        assert_eq!((from, &heard[..]), (Some(0), bytes));
        match verdict {
            Some(verdict) => nodes[1].network.judge(ticket, verdict),
            None => drop(ticket),
        }
    }
    // Had 2 not subscribed yet at 1, the test would prove nothing: 1 waits until it has.
    publish(&nodes[2], b"from the other end").await;
    nodes[1].gossip().await.2.judge(Verdict::Ignore);

    publish(&nodes[0], b"accepted").await;
    nodes[1].gossip().await.2.judge(Verdict::Accept);
    let (from, bytes, ticket) = nodes[2].gossip().await;
    assert_eq!((from, &bytes[..]), (None, &b"accepted"[..]));
    ticket.judge(Verdict::Accept);
    // Long enough for a heartbeat to offer what should not be offered.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(nodes[2].network.counters().gossip_received, 1);
    let counters = nodes[1].network.counters();
    assert_eq!(counters.gossip_accepted, 1);
    assert_eq!(counters.gossip_rejected, 1);
    assert_eq!(counters.gossip_ignored, 3);
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_node_without_room_ignores_gossip_and_still_takes_frames() {
    let mut nodes = full_mesh(2).await;
    publish(&nodes[0], b"first").await;
    for number in 0..MAX_TICKETS + 10 {
        publish(&nodes[0], &numbered(number)).await;
    }
    until("the rest is ignored", || nodes[1].network.counters().gossip_overloaded == 11).await;
    nodes[0].network.send(1, numbered(42));
    assert_eq!(nodes[1].frame().await, (0, numbered(42).to_vec()));
    // Receiving dropped the tickets, and so freed them.
    until("all are answered", || nodes[1].network.counters().gossip_ignored == MAX_TICKETS as u64)
        .await;
    publish(&nodes[0], b"last").await;
    assert_eq!(nodes[1].gossip().await.1, b"last");
    shut_down(nodes).await;
}

#[tokio::test]
async fn the_longest_message_passes_and_a_longer_one_is_counted() {
    let mut nodes = full_mesh(2).await;
    let longest: Vec<u8> = (0..MAX_GOSSIP).map(|index| index as u8).collect();
    publish(&nodes[1], &longest).await;
    assert!(nodes[0].gossip().await.1 == longest);
    nodes[1].network.publish(vec![0; MAX_GOSSIP + 1]);
    assert_eq!(nodes[1].network.counters().gossip_oversized, 1);
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_peer_that_keeps_sending_invalid_messages_is_no_longer_heard() {
    let mut nodes = full_mesh(3).await;
    publish(&nodes[1], b"from a good peer").await;
    nodes[2].gossip().await.2.judge(Verdict::Accept);
    for number in 0..40 {
        publish(&nodes[0], &numbered(number)).await;
        tokio::task::yield_now().await;
        while let Some(event) = nodes[2].events.try_recv() {
            if let NetworkEvent::Gossip { ticket, .. } = event {
                ticket.judge(Verdict::Reject);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let heard = nodes[2].network.counters().gossip_rejected;
    assert!((9..40).contains(&heard), "{heard} of 40 were heard");
    publish(&nodes[1], b"from the good peer again").await;
    within("the good peer is heard", async { while nodes[2].gossip().await.0 != Some(1) {} }).await;
    shut_down(nodes).await;
}

over_quic_too! {
    gossip_reaches_all_once_and_names_its_signer,
    only_what_is_accepted_is_forwarded,
    the_longest_message_passes_and_a_longer_one_is_counted,
}
