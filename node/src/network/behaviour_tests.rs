use libp2p::identity::Keypair;

use super::{
    super::{MAX_FAULTS, PeerConfig},
    *,
};

/// Our links and the identities of a peer below us and one above us.
fn links() -> (Links, PeerId, PeerId) {
    let mut keys: Vec<_> =
        (1..=3).map(|seed| Keypair::ed25519_from_bytes([seed; 32]).unwrap().public()).collect();
    keys.sort_by_key(|key| key.to_peer_id());
    let [below, own, above] = [0, 1, 2].map(|index: usize| keys[index].to_peer_id());
    let peers = [0, 2].map(|index: usize| PeerConfig {
        id: index as u32,
        public_key: keys[index].clone().try_into_ed25519().unwrap().to_bytes(),
        address: ([127, 0, 0, 1], 1).into(),
    });
    let tallies = Arc::new(Tallies::default());
    let links = Links::new(
        own,
        StreamProtocol::new("/test"),
        Arc::new(Roster::new(own, &peers, 1, &tallies).unwrap()),
        mpsc::channel(1).0,
        tallies,
    );
    (links, below, above)
}

fn inbound(links: &mut Links, peer_id: PeerId) -> Option<Refusal> {
    links
        .handle_established_inbound_connection(
            ConnectionId::new_unchecked(1),
            peer_id,
            &Multiaddr::empty(),
            &Multiaddr::empty(),
        )
        .err()
        .map(|denied| denied.downcast().unwrap())
}

fn outbound(links: &mut Links, peer_id: PeerId) -> Option<Refusal> {
    links
        .handle_established_outbound_connection(
            ConnectionId::new_unchecked(2),
            peer_id,
            &Multiaddr::empty(),
            Endpoint::Dialer,
            PortUse::New,
        )
        .err()
        .map(|denied| denied.downcast().unwrap())
}

fn told(links: &mut Links) -> Vec<LinkEvent> {
    links
        .pending
        .drain(..)
        .filter_map(|step| match step {
            ToSwarm::GenerateEvent(event) => Some(event),
            _ => None,
        })
        .collect()
}

#[test]
fn a_peer_below_us_may_connect_to_us_only_while_no_connection_stands() {
    let (mut links, below, above) = links();
    for peer_id in [above, below] {
        assert_eq!(inbound(&mut links, peer_id), None);
    }
    for peer_id in [above, below] {
        links.established(peer_id, ConnectionId::new_unchecked(7));
    }
    assert_eq!(inbound(&mut links, above), None, "it has lost the connection we see");
    assert_eq!(inbound(&mut links, below), Some(Refusal::WrongSide(below)));
    assert_eq!(outbound(&mut links, above), Some(Refusal::WrongSide(above)));
    assert_eq!(outbound(&mut links, below), None, "of two at once the one we dialled stays");
    for peer_id in [above, below] {
        links.closed(peer_id, ConnectionId::new_unchecked(7));
        assert_eq!(inbound(&mut links, peer_id), None);
    }
}

#[test]
fn a_peer_that_we_cannot_dial_may_always_connect_to_us() {
    let (mut links, ..) = links();
    let member = Keypair::ed25519_from_bytes([9; 32]).unwrap().public();
    let key = member.clone().try_into_ed25519().unwrap().to_bytes();
    links.roster.recognise(&[(4, key)]);
    for connection in [1, 2] {
        assert_eq!(inbound(&mut links, member.to_peer_id()), None);
        links.established(member.to_peer_id(), ConnectionId::new_unchecked(connection));
    }
}

#[test]
fn strangers_are_guests_as_long_as_there_is_a_place() {
    let (mut links, ..) = links();
    let [first, second] = [PeerId::random(), PeerId::random()];
    assert_eq!(inbound(&mut links, first), None);
    assert_eq!(inbound(&mut links, first), None, "a second connection takes no second place");
    assert_eq!(inbound(&mut links, second), Some(Refusal::NoPlace(second)));
    assert_eq!(outbound(&mut links, second), Some(Refusal::Unknown(second)));
    let counters = links.tallies.snapshot();
    assert_eq!((counters.guests_let_in, counters.guests_turned_away), (1, 1));
    let guest = links.roster.identified(&first).unwrap();
    assert!(guest.is_guest() && guest.seat() >= crate::network::MAX_SEATS);
    links.roster.departed(&guest);
    assert_eq!(inbound(&mut links, second), None);
}

#[test]
fn a_peer_that_is_shut_out_may_neither_connect_nor_be_connected_to() {
    let (mut links, below, above) = links();
    for peer_id in [below, above] {
        let peer = links.roster.identified(&peer_id).unwrap();
        (0..MAX_FAULTS).for_each(|_| peer.punish("test"));
        assert_eq!(inbound(&mut links, peer_id), Some(Refusal::Banned(peer_id)));
        assert_eq!(outbound(&mut links, peer_id), Some(Refusal::Banned(peer_id)));
    }
    let counters = links.tallies.snapshot();
    assert_eq!((counters.peer_faults, counters.peers_banned), (2 * u64::from(MAX_FAULTS), 2));
}

#[test]
fn a_peer_that_is_cut_off_may_neither_connect_nor_be_connected_to_until_it_is_healed() {
    let (mut links, below, above) = links();
    for peer_id in [below, above] {
        let peer = links.roster.identified(&peer_id).unwrap();
        peer.cut();
        assert_eq!(inbound(&mut links, peer_id), Some(Refusal::Cut(peer_id)));
        assert_eq!(outbound(&mut links, peer_id), Some(Refusal::Cut(peer_id)));
        peer.heal();
        assert_eq!(inbound(&mut links, peer_id), None);
        assert_eq!(outbound(&mut links, peer_id), None);
    }
}

#[test]
fn a_second_connection_replaces_the_first() {
    let (mut links, _, peer) = links();
    let [first, second] = [1, 2].map(ConnectionId::new_unchecked);
    links.established(peer, first);
    links.on_connection_handler_event(peer, first, Notice::Opened);
    assert_eq!(told(&mut links), [LinkEvent::Up(peer)]);

    links.established(peer, second);
    assert!(matches!(
        links.pending.pop_front(),
        Some(ToSwarm::CloseConnection { connection: CloseConnection::One(closed), .. })
            if closed == first
    ));
    links.on_connection_handler_event(peer, second, Notice::Opened);
    assert_eq!(told(&mut links), [LinkEvent::Down(peer), LinkEvent::Up(peer)]);

    // The end of the first is no longer news, nor would be a substream it still opened.
    links.on_connection_handler_event(peer, first, Notice::Opened);
    links.closed(peer, first);
    assert_eq!(told(&mut links), []);
    links.closed(peer, second);
    assert_eq!(told(&mut links), [LinkEvent::Down(peer)]);
    assert!(links.connections.is_empty() && links.open.is_empty());
}
