//! Coming and going: refusals, restarts, shutdown.

use super::*;

#[tokio::test]
async fn an_unknown_peer_is_refused_where_there_are_no_places_for_guests() {
    let seeds = seeds(3);
    let known = |one: usize, other: usize| one + other == 1;
    let node = launch(Config { guests: 0, ..config(0, &seeds, &[], known) }).await;
    let addresses = [Some(node.network.address())];
    // The stranger knows the node; the node does not know the stranger.
    let stranger = launch(config(2, &seeds, &addresses, |_, other| other == 0)).await;
    stranger.network.send(0, numbered(42));
    until("it is refused, again and again", || node.network.counters().refused_connections >= 2)
        .await;
    assert_eq!(node.network.peers(), 0);
    assert_eq!(stranger.network.peers(), 0);
    let counters = node.network.counters();
    assert_eq!(counters.frames_received, 0);
    assert!(counters.guests_turned_away >= 2 && counters.guests_let_in == 0, "{counters:?}");

    let mut friend = launch(config(1, &seeds, &addresses, known)).await;
    node.network.send(1, numbered(42));
    assert_eq!(friend.frame().await, (0, numbered(42).to_vec()));
    assert_eq!(node.network.connected(), [1]);
    shut_down(vec![node, stranger, friend]).await;
}

#[tokio::test]
async fn nodes_of_two_chains_do_not_mix() {
    let seeds = seeds(2);
    let node = launch(config(0, &seeds, &[], |_, _| true)).await;
    let addresses = [Some(node.network.address())];
    let other =
        launch(Config { chain: "ff".repeat(32), ..config(1, &seeds, &addresses, |_, _| true) })
            .await;
    for network in [&node.network, &other.network] {
        network.broadcast(numbered(42));
        network.publish(b"batch".to_vec());
    }
    for network in [&node.network, &other.network] {
        until("the substream is refused", || network.counters().refused_substreams > 0).await;
        let counters = network.counters();
        assert_eq!((network.peers(), counters.links_opened), (0, 0));
        assert_eq!(counters.frames_received + counters.gossip_received, 0);
    }
    shut_down(vec![node, other]).await;
}

/// Restarts one of two nodes on its port; the other's frames wait for it.
async fn restart(seat: usize) {
    let other = 1 - seat;
    let seeds = seeds(2);
    let mut nodes = full_mesh(2).await;
    let addresses: Vec<_> = nodes.iter().map(|node| Some(node.network.address())).collect();
    nodes[other].network.send(seat as u32, numbered(0));
    nodes[seat].frame().await;

    let stopped = nodes.remove(seat);
    shut_down(vec![stopped]).await;
    let mut stayed = nodes.remove(0);
    until("it is missed", || stayed.network.peers() == 0).await;
    for number in 1..=500 {
        stayed.network.send(seat as u32, numbered(number));
    }
    let mut restarted = launch(config(seat, &seeds, &addresses, |_, _| true)).await;
    for number in 1..=500 {
        let (from, bytes) = restarted.frame().await;
        assert_eq!((from, &bytes[..]), (other as u32, &numbered(number)[..]));
    }
    restarted.network.send(other as u32, numbered(501));
    assert_eq!(stayed.frame().await.1, numbered(501).to_vec());
    publish(&stayed, b"gossip finds its way again").await;
    restarted.gossip().await;
    // Three if both sides dialled at once.
    assert!(matches!(stayed.network.counters().links_opened, 2 | 3));
    assert_eq!(stayed.network.counters().dropped_queue_full, 0);
    shut_down(vec![stayed, restarted]).await;
}

#[tokio::test]
async fn a_restarted_node_that_is_dialled_gets_what_was_queued() {
    restart(0).await;
}

#[tokio::test]
async fn a_restarted_node_that_dials_gets_what_was_queued() {
    restart(1).await;
}

/// A runtime that can go away with all that is on it, as a process does that is killed.
fn host() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// One of two nodes goes away without a word, and is back at once.
fn vanish(seat: usize) {
    let (seeds, other) = (seeds(2), 1 - seat);
    let mut hosts = [Some(host()), Some(host())];
    let mut nodes = Vec::new();
    let mut addresses = Vec::new();
    for (seat, host) in hosts.iter().enumerate() {
        let config = config(seat, &seeds, &addresses, |_, _| true);
        nodes.push(host.as_ref().unwrap().block_on(launch(config)));
        addresses.push(Some(nodes[seat].network.address()));
    }
    let stays = hosts[other].take().unwrap();
    stays.block_on(until("they are linked", || nodes.iter().all(|node| node.network.peers() == 1)));
    hosts[seat].take().unwrap().shutdown_background();
    drop(nodes.remove(seat));
    let mut stayed = nodes.remove(0);

    let back = host();
    let config = || config(seat, &seeds, &addresses, |_, _| true);
    let mut again = back.block_on(within("the port is free", async {
        loop {
            match start(config()).await {
                Ok((network, events)) => break Node { network, events },
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }));
    back.block_on(until("it is linked again", || again.network.peers() == 1));
    // What was sent before the loss was noticed is lost, so only what comes next is waited for.
    let heard = stays.block_on(within("the new link is known", async {
        loop {
            again.network.send(other as u32, numbered(1));
            stayed.network.send(seat as u32, numbered(2));
            tokio::time::sleep(Duration::from_millis(50)).await;
            let frame = |event| matches!(event, Some(NetworkEvent::Frame { .. }));
            let mut all = (0..50).map_while(|_| again.events.try_recv());
            if all.any(|event| frame(Some(event))) {
                break stayed.frame().await;
            }
        }
    }));
    assert_eq!(heard, (seat as u32, numbered(1).to_vec()));
    assert!(stayed.network.counters().links_opened >= 2);
    back.block_on(shut_down(vec![again]));
    stays.block_on(shut_down(vec![stayed]));
}

#[test]
fn a_node_that_vanishes_and_is_dialled_is_found_again() {
    vanish(0);
}

#[test]
fn a_node_that_vanishes_and_dials_finds_the_others_again() {
    vanish(1);
}

#[tokio::test]
async fn the_node_learns_who_comes_and_goes() {
    let mut nodes = full_mesh(2).await;
    let mut stays = nodes.remove(0);
    assert!(matches!(
        within("it comes", stays.events.recv()).await,
        Some(NetworkEvent::Connected(1))
    ));
    shut_down(nodes).await;
    assert!(matches!(
        within("it goes", stays.events.recv()).await,
        Some(NetworkEvent::Disconnected(1))
    ));
    stays.network.clone().shutdown().await;
    assert!(within("the end", stays.events.recv()).await.is_none());
    stays.network.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_leaves_no_task_and_frees_the_port() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let nodes = full_mesh(4).await;
    let addresses: Vec<_> = nodes.iter().map(|node| node.network.address()).collect();
    assert!(alive() > 4);
    // Events nobody takes and frames nobody sends must not hold it up.
    for node in &nodes {
        for _ in 0..200 {
            node.network.broadcast(vec![0; 10_000].into());
        }
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    shut_down(nodes).await;
    // The service's own tasks end with the last thing they do, which is to say so.
    until("no task is left", || alive() == 0).await;
    for address in addresses {
        OVER.get().check_free(address).await.unwrap();
    }
}

#[tokio::test]
async fn the_network_ends_when_nobody_holds_or_hears_it() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut nodes = full_mesh(2).await;
    let Node { network, events } = nodes.remove(0);
    drop(events);
    within("deaf", network.commands.closed()).await;
    let Node { network, events } = nodes.remove(0);
    drop(network);
    until("no task is left", || alive() == 0).await;
    drop(events);
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_is_refused() {
    let seeds = seeds(3);
    let good = config(0, &seeds, &[], |_, _| true);
    let refused = async |change: fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        start(config).await.err()
    };
    assert_eq!(
        refused(|config| config.peers[1].id = 1).await,
        Some(NetworkError::DuplicateSeat { seat: 1 })
    );
    assert_eq!(
        refused(|config| config.peers[1].public_key = config.peers[0].public_key).await,
        Some(NetworkError::DuplicateKey { seat: 2 })
    );
    assert_eq!(
        refused(|config| config.seed = Zeroizing::new(self::seeds(3)[1])).await,
        Some(NetworkError::OwnKey { seat: 1 })
    );
    // No curve point has this y coordinate.
    assert_eq!(
        refused(|config| config.peers[0].public_key = [2; 32]).await,
        Some(NetworkError::BadKey { seat: 1 })
    );
    for chain in ["", "0011/../22334455667788", "00112233", &"0".repeat(65)] {
        let config = Config { chain: chain.to_owned(), ..good.clone() };
        let expected = NetworkError::BadChain(chain.to_owned());
        assert_eq!(start(config).await.err(), Some(expected));
    }

    let node = launch(good.clone()).await;
    let taken = Config { listen: node.network.address(), ..good };
    assert!(matches!(start(taken).await, Err(NetworkError::Listen { .. })));
    shut_down(vec![node]).await;
}

over_quic_too! {
    an_unknown_peer_is_refused_where_there_are_no_places_for_guests,
    nodes_of_two_chains_do_not_mix,
    a_restarted_node_that_is_dialled_gets_what_was_queued,
    a_restarted_node_that_dials_gets_what_was_queued,
    a_node_that_vanishes_and_is_dialled_is_found_again,
    a_node_that_vanishes_and_dials_finds_the_others_again,
    the_node_learns_who_comes_and_goes,
    a_shutdown_leaves_no_task_and_frees_the_port,
    the_network_ends_when_nobody_holds_or_hears_it,
    a_configuration_that_contradicts_itself_is_refused,
}
