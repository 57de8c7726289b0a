use libp2p::identity::Keypair;
use proptest::prelude::*;

use super::{super::guests::TURN, *};

fn key(number: u8) -> [u8; 32] {
    let keypair = Keypair::ed25519_from_bytes([number; 32]).unwrap();
    keypair.public().try_into_ed25519().unwrap().to_bytes()
}

fn identity(number: u8) -> PeerId {
    identify(0, &key(number)).unwrap()
}

fn config(seat: u32, number: u8) -> PeerConfig {
    PeerConfig { id: seat, public_key: key(number), address: ([127, 0, 0, 1], 7_000).into() }
}

/// We are key 200 and know keys 0 to 2 in seats 0 to 2. Two guests fit in.
fn roster() -> Roster {
    let peers: Vec<_> = (0..3).map(|id| config(id.into(), id)).collect();
    Roster::new(identity(200), &peers, 2, &Arc::default()).unwrap()
}

fn seats(roster: &Roster) -> Vec<u32> {
    roster.members().iter().map(|peer| peer.seat()).collect()
}

#[test]
fn a_peer_is_admitted_while_the_network_runs_and_again_with_a_new_address() {
    let roster = roster();
    assert_eq!(roster.admit(&config(4, 4)), Ok(()));
    assert_eq!(seats(&roster), [0, 1, 2, 4]);
    let moved = PeerConfig { address: ([127, 0, 0, 1], 7_001).into(), ..config(4, 4) };
    assert_eq!(roster.admit(&moved), Ok(()));
    assert_eq!(roster.seated(4).unwrap().address(), Some(moved.address));
    assert_eq!(seats(&roster), [0, 1, 2, 4]);
}

#[test]
fn a_seat_or_key_of_another_is_not_admitted() {
    let roster = roster();
    for (config, refused) in [
        (config(1, 4), NetworkError::DuplicateSeat { seat: 1 }),
        (config(4, 1), NetworkError::DuplicateKey { seat: 4 }),
        (config(4, 200), NetworkError::OwnKey { seat: 4 }),
        (config(u32::MAX, 4), NetworkError::BadSeat { seat: u32::MAX }),
        (PeerConfig { public_key: [2; 32], ..config(4, 4) }, NetworkError::BadKey { seat: 4 }),
    ] {
        assert_eq!(roster.admit(&config), Err(refused));
    }
    assert_eq!(seats(&roster), [0, 1, 2]);
}

#[test]
fn a_guest_that_the_chain_names_has_its_seat_and_keeps_its_link() {
    let roster = roster();
    let guest = roster.knock(identity(4), Instant::now()).unwrap();
    guest.set_linked(true);
    guest.queue.push(vec![1].into()).unwrap();
    let place = guest.seat();
    let tight = guest.inbound.available_permits();
    roster.recognise(&[(0, key(0)), (4, key(4))]);
    assert!(!guest.is_guest() && guest.is_linked());
    assert_eq!(guest.seat(), 4);
    assert!(guest.inbound.available_permits() > tight);
    assert!(Arc::ptr_eq(&roster.seated(4).unwrap(), &guest), "what waits for it still does");
    assert!(roster.seated(place).is_none());
    let news = roster.take_news();
    assert_eq!((news.renamed.len(), news.renamed[0].1), (1, place));
    roster.recognise(&[(0, key(0)), (4, key(4))]);
    assert!(roster.take_news().renamed.is_empty(), "to say it again changes nothing");
}

#[test]
fn a_seat_that_the_chain_gives_to_another_key_is_taken_from_who_holds_it() {
    let roster = roster();
    roster.admit(&config(4, 9)).unwrap();
    roster.recognise(&[(4, key(4))]);
    assert_eq!(roster.seated(4).unwrap().peer_id, identity(4));
    assert!(roster.identified(&identity(9)).is_none());
    assert_eq!(roster.take_news().dismissed[0].peer_id, identity(9));
}

#[test]
fn who_left_the_committee_stays_while_it_is_connected_and_whom_we_were_told_of_stays() {
    let roster = roster();
    roster.recognise(&[(4, key(4)), (5, key(5))]);
    roster.seated(4).unwrap().set_linked(true);
    roster.recognise(&[]);
    assert_eq!(seats(&roster), [0, 1, 2, 4]);
    let gone = roster.seated(4).unwrap();
    gone.set_linked(false);
    roster.departed(&gone);
    roster.departed(&roster.seated(0).unwrap());
    assert_eq!(seats(&roster), [0, 1, 2]);
}

#[test]
fn numbers_that_are_no_seats_are_nobodys() {
    let roster = roster();
    roster.recognise(&[
        (u32::MAX, key(4)),
        (FIRST_PLACE, key(5)),
        (MAX_SEATS, key(6)),
        (6, [2; 32]),
    ]);
    assert_eq!(seats(&roster), [0, 1, 2]);
}

#[test]
fn a_flood_of_guests_takes_the_places_and_nothing_else() {
    let roster = roster();
    let now = Instant::now();
    let welcome = |at| (0..100).filter(|_| roster.knock(PeerId::random(), at).is_ok()).count();
    assert_eq!(welcome(now), 2);
    assert_eq!(roster.knock(PeerId::random(), now).unwrap_err(), Unwelcome::Full);
    assert_eq!(seats(&roster), [0, 1, 2]);
    // Each of them had its turn, and whoever replaces one begins a turn of its own.
    let later = now + TURN;
    assert_eq!(welcome(later), 2);
    assert_eq!(roster.take_news().dismissed.len(), 2);
    roster.admit(&config(4, 4)).unwrap();
    roster.recognise(&[(5, key(5))]);
    assert_eq!(seats(&roster), [0, 1, 2, 4, 5], "places are not seats");
}

#[test]
fn a_guest_that_is_shut_out_is_remembered_and_its_place_is_free() {
    let roster = roster();
    let (now, soon) = (Instant::now(), Instant::now() + TURN);
    let guest = roster.knock(identity(4), now).unwrap();
    roster.shun(&guest, soon);
    assert_eq!(roster.knock(identity(4), now).unwrap_err(), Unwelcome::Shunned);
    assert!(roster.seated(guest.seat()).is_none());
    for _ in 0..2 * MAX_SHUNNED {
        let guest = roster.knock(PeerId::random(), now).unwrap();
        roster.shun(&guest, soon);
    }
    assert_eq!(roster.read().shunned.len(), MAX_SHUNNED);
    assert!(roster.knock(identity(4), soon).is_ok());
}

/// What can happen to a roster.
#[derive(Clone, Debug)]
enum Happening {
    Knock(u8),
    Admit(u32, u8),
    Recognise(Vec<(u32, u8)>),
    Link(u8, bool),
    Shun(u8),
    Later,
}

fn happening() -> impl Strategy<Value = Happening> {
    let seat = prop_oneof![0..8_u32, Just(FIRST_PLACE), Just(u32::MAX)];
    prop_oneof![
        (0..12_u8).prop_map(Happening::Knock),
        (seat.clone(), 0..12_u8).prop_map(|(seat, key)| Happening::Admit(seat, key)),
        prop::collection::vec((seat, 0..12_u8), 0..6).prop_map(Happening::Recognise),
        (0..12_u8, any::<bool>()).prop_map(|(key, linked)| Happening::Link(key, linked)),
        (0..12_u8).prop_map(Happening::Shun),
        Just(Happening::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_seat_has_one_key_and_each_key_one_seat_whatever_happens(
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let roster = roster();
        let mut now = Instant::now();
        for happening in happenings {
            match happening {
                Happening::Knock(number) => {
                    // As the behaviour does: only whoever is unknown knocks.
                    if roster.identified(&identity(number)).is_none() {
                        let _ = roster.knock(identity(number), now);
                    }
                }
                Happening::Admit(seat, number) => drop(roster.admit(&config(seat, number))),
                Happening::Recognise(members) => {
                    let members = members.iter().map(|(seat, number)| (*seat, key(*number)));
                    roster.recognise(&members.collect::<Vec<_>>());
                }
                Happening::Link(number, linked) => {
                    let Some(peer) = roster.identified(&identity(number)) else { continue };
                    peer.set_linked(linked);
                    if !linked {
                        roster.departed(&peer);
                    }
                }
                Happening::Shun(number) => {
                    if let Some(guest) = roster.identified(&identity(number))
                        && guest.is_guest()
                    {
                        roster.shun(&guest, now + TURN);
                    }
                }
                Happening::Later => now += TURN / 2,
            }
            let book = roster.read();
            prop_assert_eq!(book.by_seat.len(), book.by_identity.len());
            prop_assert!(book.guests().count() <= 2);
            for (seat, peer) in &book.by_seat {
                prop_assert_eq!(*seat, peer.seat());
                prop_assert_eq!(peer.is_guest(), *seat >= FIRST_PLACE);
                prop_assert!(peer.is_guest() || *seat < MAX_SEATS);
                prop_assert!(Arc::ptr_eq(peer, &book.by_identity[&peer.peer_id]));
                prop_assert_ne!(peer.peer_id, identity(200));
            }
        }
    }
}
