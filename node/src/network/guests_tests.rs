use libp2p::PeerId;
use tokio::sync::Notify;

use super::{super::counters::Tallies, *};

const SECOND: Duration = Duration::from_secs(1);

/// Guests that came one second after the other.
fn guests(count: u32, now: Instant) -> Vec<Arc<Peer>> {
    let (tallies, bell) = (Arc::new(Tallies::default()), Arc::new(Notify::new()));
    let guest = |number: u32| {
        let came = now + SECOND * number;
        Arc::new(Peer::guest(FIRST_PLACE + number, PeerId::random(), came, &tallies, &bell))
    };
    (0..count).map(guest).collect()
}

fn place(guest: Option<Arc<Peer>>) -> Option<u32> {
    guest.map(|guest| guest.seat() - FIRST_PLACE)
}

#[test]
fn a_guest_that_speaks_stays_until_it_had_its_turn() {
    let now = Instant::now();
    let guests = guests(3, now);
    let speak = |at: Instant| guests.iter().for_each(|guest| guest.heard(at));
    let last = now + TURN - SECOND;
    speak(last);
    assert_eq!(place(gives_way(guests.iter(), last)), None);
    speak(now + TURN);
    assert_eq!(place(gives_way(guests.iter(), now + TURN)), Some(0), "who came first");
}

#[test]
fn a_silent_guest_gives_way_before_one_that_had_its_turn() {
    let now = Instant::now();
    let guests = guests(3, now);
    let late = now + TURN * 2;
    guests[0].heard(late);
    guests[2].heard(late - QUIET);
    guests[1].heard(late - QUIET - SECOND);
    assert_eq!(place(gives_way(guests.iter(), late)), Some(1));
    guests[1].heard(late);
    assert_eq!(place(gives_way(guests.iter(), late)), Some(2));
    guests[2].heard(late);
    assert_eq!(place(gives_way(guests.iter(), late)), Some(0));
}

#[test]
fn a_guest_that_came_to_have_a_seat_gives_way_to_nobody() {
    let now = Instant::now();
    let guests = guests(1, now);
    guests[0].seat_at(4);
    assert_eq!(place(gives_way(guests.iter(), now + TURN * 9)), None);
    assert_eq!(guests[0].stay(), None);
}

#[test]
fn a_guest_waits_the_longer_the_more_it_says() {
    assert_eq!(pause(40), PACE);
    assert!(pause(super::super::MAX_FRAME) >= Duration::from_millis(500));
    let second = pause(super::super::MAX_FRAME).as_micros() * 7 / 4;
    assert!(second >= 1_000_000, "at most seven megabytes a second");
}
