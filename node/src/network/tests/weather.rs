//! Weather between two networks.

use super::*;
use crate::conditions::{Conditions, Link, MILLION, Spread};
use std::time::Instant;

/// Much longer than a message takes on this machine, and than a test may.
const AN_AGE: u64 = 600_000_000;

fn others(link: Link) -> Conditions {
    Conditions { others: link, ..Conditions::default() }
}

fn slow(micros: &[u64]) -> Conditions {
    others(Link { delay: Spread(micros.into()), ..Link::default() })
}

/// Two linked networks, the second of which has weather.
async fn pair(conditions: Conditions) -> (Node, Node, Weather) {
    let [first, Node { network, events }]: [Node; 2] =
        full_mesh(2).await.try_into().unwrap_or_else(|_| panic!("two"));
    let (weather, events) = network.weather(events, 1, conditions).unwrap();
    (first, Node { network, events }, weather)
}

/// Sends numbered frames to the second, no faster than its network takes them.
async fn send(first: &Node, second: &Node, numbers: std::ops::Range<usize>) {
    let received = || second.network.counters().frames_received;
    let before = received();
    for (count, number) in (1..).zip(numbers) {
        first.network.send(1, numbered(number));
        if count % 500 == 0 {
            until("they are taken in", || received() == before + count).await;
        }
    }
}

async fn comes(node: &mut Node, number: usize) {
    assert_eq!(node.frame().await.1, numbered(number).to_vec());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fair_weather_changes_nothing_and_keeps_the_order() {
    let (mut first, mut second, _weather) = pair(Conditions::default()).await;
    send(&first, &second, 0..900).await;
    for number in 0..900 {
        comes(&mut second, number).await;
    }
    second.network.send(0, numbered(7));
    comes(&mut first, 7).await;
    let counters = second.network.counters();
    assert_eq!(counters.weather_lost + counters.weather_doubled + counters.weather_waiting, 0);
    shut_down(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_one_way_cut_lets_nothing_pass_one_way_and_everything_the_other() {
    let silent = Link { lost_ppm: MILLION, ..Link::default() };
    let cut = Conditions { links: [(0, silent)].into(), ..Conditions::default() };
    let (mut first, mut second, weather) = pair(cut).await;
    send(&first, &second, 0..500).await;
    publish(&first, b"unheard").await;
    until("all of it is lost", || second.network.counters().weather_lost == 501).await;
    send_back(&second, &mut first).await;
    assert_eq!(second.network.peers(), 1, "the link itself stands");
    while let Some(event) = second.events.try_recv() {
        assert!(matches!(event, NetworkEvent::Connected(0)), "{event:?}");
    }
    // Lost is lost, and what is sent afterwards is not.
    weather.tell(Conditions::default());
    send(&first, &second, 500..501).await;
    comes(&mut second, 500).await;
    publish(&first, b"heard").await;
    assert_eq!(second.gossip().await.1, b"heard");
    shut_down(vec![first, second]).await;
}

async fn send_back(second: &Node, first: &mut Node) {
    for number in 0..100 {
        second.network.send(0, numbered(number));
        comes(first, number).await;
    }
    publish(second, b"the other way").await;
    assert_eq!(first.gossip().await.1, b"the other way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_delay_delays_everything_and_keeps_the_order() {
    let (first, mut second, _weather) = pair(slow(&[200_000])).await;
    let start = Instant::now();
    publish(&first, b"gossip, too").await;
    send(&first, &second, 0..300).await;
    let (_, bytes, ticket) = second.gossip().await;
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(bytes, b"gossip, too");
    ticket.judge(Verdict::Accept);
    for number in 0..300 {
        comes(&mut second, number).await;
    }
    assert_eq!(second.network.counters().weather_waiting, 301);
    until("the ticket is still good", || second.network.counters().gossip_accepted == 1).await;
    shut_down(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_keeps_its_room_and_gives_it_back() {
    // Thrice what a peer may have waiting, so most of it comes only when some has left.
    let (first, mut second, _weather) = pair(slow(&[1_000, 30_000])).await;
    let frame = |number: usize| -> Arc<[u8]> {
        let mut bytes = vec![0; 1 << 20];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    };
    let mut seen = std::collections::BTreeSet::new();
    for half in [0..8, 8..16, 16..24_usize] {
        for number in half.clone() {
            first.network.send(1, frame(number));
        }
        for _ in half {
            let (_, bytes) = second.frame().await;
            seen.insert(usize::from_le_bytes(bytes[..8].try_into().unwrap()));
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), (0..24).collect::<Vec<_>>());
    shut_down(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_frames_come_twice_and_doubled_gossip_once() {
    let doubled = Link { doubled_ppm: MILLION, delay: Spread(vec![0, 2_000]), ..Link::default() };
    let (first, mut second, _weather) = pair(others(doubled)).await;
    send(&first, &second, 0..200).await;
    let mut times = [0; 200];
    for _ in 0..400 {
        let (_, bytes) = second.frame().await;
        times[usize::from_le_bytes(bytes.try_into().unwrap())] += 1;
    }
    assert_eq!(times, [2; 200]);
    assert_eq!(second.network.counters().weather_doubled, 200);
    publish(&first, b"once").await;
    second.gossip().await.2.judge(Verdict::Accept);
    publish(&first, b"the next").await;
    assert_eq!(second.gossip().await.1, b"the next");
    shut_down(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_sender_only_so_many_wait_and_one_more_is_lost() {
    let (first, second, _weather) = pair(slow(&[AN_AGE])).await;
    let room = super::super::weather::MAX_WAITING;
    send(&first, &second, 0..room + 500).await;
    until("all are taken in", || second.network.counters().weather_lost == 500).await;
    assert_eq!(second.network.counters().weather_waiting, room as u64);
    shut_down(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_waits_for_nothing_that_is_under_way() {
    let (first, mut second, _weather) = pair(slow(&[AN_AGE])).await;
    send(&first, &second, 0..10).await;
    until("they wait", || second.network.counters().weather_waiting == 10).await;
    second.network.shutdown().await;
    within("the end", async {
        while let Some(event) = second.events.recv().await {
            assert!(!matches!(event, NetworkEvent::Frame { .. }));
        }
    })
    .await;
    shut_down(vec![first]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_ends_when_nobody_listens_behind_the_weather() {
    let (first, second, _weather) = pair(slow(&[AN_AGE])).await;
    let Node { network, events } = second;
    drop(events);
    within("the end", network.commands.closed()).await;
    shut_down(vec![first]).await;
}

over_quic_too! {
    a_one_way_cut_lets_nothing_pass_one_way_and_everything_the_other,
}
