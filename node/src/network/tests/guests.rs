//! Nodes that nobody told us of: they come, read, misbehave, and come to have a seat.

use super::{super::guests::FIRST_PLACE, *};

fn key(seed: &[u8; 32]) -> [u8; 32] {
    public(seed).try_into_ed25519().unwrap().to_bytes()
}

/// A node that knows nobody, and another that knows it. The second has the higher identity, or not.
async fn host_and_guest(guest_is_higher: bool) -> (Vec<[u8; 32]>, Node, Node) {
    let mut seeds = seeds(2);
    if !guest_is_higher {
        seeds.reverse();
    }
    let host = launch(config(0, &seeds, &[], |_, _| false)).await;
    let addresses = [Some(host.network.address())];
    let guest = launch(config(1, &seeds, &addresses, |_, _| true)).await;
    until("the guest is let in", || host.network.guests() == 1).await;
    until("the host is there", || guest.network.connected() == [0]).await;
    (seeds, host, guest)
}

/// Says something to the host, and is answered.
async fn ask(host: &mut Node, guest: &mut Node, expected: u32) {
    guest.network.send(0, numbered(1));
    assert_eq!(host.frame().await, (expected, numbered(1).to_vec()));
    host.network.send(expected, numbered(2));
    assert_eq!(guest.frame().await, (0, numbered(2).to_vec()));
}

async fn a_guest_reads_and_joins(guest_is_higher: bool) {
    let (seeds, mut host, mut guest) = host_and_guest(guest_is_higher).await;
    assert_eq!(host.network.connected(), [] as [u32; 0], "a guest is no peer");
    ask(&mut host, &mut guest, FIRST_PLACE).await;
    host.network.broadcast(numbered(3));
    publish(&guest, b"a transaction").await;
    let (from, bytes, _ticket) = host.gossip().await;
    assert_eq!((from, &bytes[..]), (Some(FIRST_PLACE), &b"a transaction"[..]));

    host.network.recognise(&[(1, key(&seeds[1]))]);
    assert_eq!((host.network.connected(), host.network.guests()), (vec![1], 0));
    for expected in ["Disconnected(2147483648)", "Connected(1)"] {
        let told = within("it is told", host.events.recv()).await;
        assert_eq!(format!("{:?}", told.unwrap()), expected);
    }
    ask(&mut host, &mut guest, 1).await;
    assert_eq!(host.network.counters().links_opened, 1, "the link survived");

    // The host knows from the chain who has the seat, and not where it listens.
    let address = host.network.address();
    shut_down(vec![host]).await;
    until("it is missed", || guest.network.peers() == 0).await;
    let mut host = launch(config(0, &seeds, &[Some(address)], |_, _| false)).await;
    host.network.recognise(&[(1, key(&seeds[1]))]);
    ask(&mut host, &mut guest, 1).await;
    assert_eq!(host.network.counters().guests_let_in, 0);
    shut_down(vec![host, guest]).await;
}

#[tokio::test]
async fn a_guest_with_a_higher_identity_reads_and_joins() {
    a_guest_reads_and_joins(true).await;
}

#[tokio::test]
async fn a_guest_with_a_lower_identity_reads_and_joins() {
    a_guest_reads_and_joins(false).await;
}

#[tokio::test]
async fn who_is_admitted_is_dialled() {
    let seeds = seeds(2);
    let mut joined = launch(config(0, &seeds, &[], |_, _| true)).await;
    let mut host = launch(Config { guests: 0, ..config(1, &seeds, &[], |_, _| false) }).await;
    host.network.admit(&peer(0, &seeds[0], joined.network.address())).unwrap();
    host.network.send(0, numbered(1));
    assert_eq!(joined.frame().await, (1, numbered(1).to_vec()));
    joined.network.send(1, numbered(2));
    assert_eq!(host.frame().await, (0, numbered(2).to_vec()));
    let contradiction = peer(0, &[77; 32], joined.network.address());
    let refused = Err(NetworkError::DuplicateSeat { seat: 0 });
    assert_eq!(host.network.admit(&contradiction), refused);
    shut_down(vec![joined, host]).await;
}

#[tokio::test]
async fn a_guest_waits_for_a_place_and_gets_it_when_another_comes_to_have_a_seat() {
    let seeds = seeds(3);
    let host = launch(Config { guests: 1, ..config(0, &seeds, &[], |_, _| false) }).await;
    let addresses = [Some(host.network.address())];
    let first = launch(config(1, &seeds, &addresses, |_, other| other == 0)).await;
    until("the first is in", || host.network.guests() == 1).await;
    first.network.send(0, numbered(1));
    let second = launch(config(2, &seeds, &addresses, |_, other| other == 0)).await;
    until("the second is turned away", || host.network.counters().guests_turned_away >= 2).await;
    assert_eq!((host.network.guests(), first.network.connected()), (1, vec![0]));
    host.network.recognise(&[(1, key(&seeds[1]))]);
    until("the second is in", || host.network.guests() == 1).await;
    assert_eq!(host.network.connected(), [1]);
    assert_eq!(host.network.counters().guests_gave_way, 0);
    shut_down(vec![host, first, second]).await;
}

#[tokio::test]
async fn a_guest_that_misbehaves_is_shut_out_and_the_others_stay() {
    let seeds = seeds(3);
    let host = launch(config(0, &seeds, &[], |_, _| false)).await;
    let addresses = [Some(host.network.address())];
    let mut guests = Vec::new();
    for seat in 1..3 {
        guests.push(launch(config(seat, &seeds, &addresses, |_, other| other == 0)).await);
        until("it is in", || host.network.guests() == seat).await;
    }
    let warden = host.network.warden();
    (0..MAX_FAULTS).for_each(|_| warden.punish(FIRST_PLACE, "test"));
    until("it is out", || guests[0].network.peers() == 0).await;
    until("it tries again", || host.network.counters().refused_connections >= 2).await;
    assert_eq!(host.network.guests(), 1);
    assert_eq!(guests[1].network.connected(), [0]);
    let counters = host.network.counters();
    assert_eq!((counters.peers_banned, counters.guests_let_in), (1, 2));
    guests.push(host);
    shut_down(guests).await;
}

#[tokio::test]
async fn what_a_guest_sends_too_fast_waits_and_nothing_is_lost() {
    let (_, mut host, guest) = host_and_guest(true).await;
    (0..50).for_each(|number| guest.network.send(0, numbered(number)));
    for number in 0..50 {
        assert_eq!(host.frame().await.1, numbered(number).to_vec());
    }
    shut_down(vec![host, guest]).await;
}

over_quic_too! {
    a_guest_with_a_higher_identity_reads_and_joins,
    a_guest_with_a_lower_identity_reads_and_joins,
    who_is_admitted_is_dialled,
    a_guest_that_misbehaves_is_shut_out_and_the_others_stay,
}
