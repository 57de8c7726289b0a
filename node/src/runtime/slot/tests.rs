use super::*;
use std::thread;

#[test]
fn the_newest_replaces_what_nobody_took() {
    let (giver, taker) = slot();
    giver.put(1);
    giver.put(2);
    assert_eq!(taker.take(), Some(2));
    drop(giver);
    assert_eq!(taker.take(), None, "the first is gone");
}

#[test]
fn the_last_value_is_taken_before_the_end_is_told() {
    let (giver, taker) = slot();
    giver.put(1);
    drop(giver);
    assert_eq!(taker.take(), Some(1));
    assert_eq!(taker.take(), None);
    assert_eq!(taker.take(), None);
}

#[test]
fn a_waiting_taker_is_woken() {
    let (giver, taker) = slot();
    let waiting = thread::spawn(move || (taker.take(), taker.take()));
    giver.put(7);
    while Arc::strong_count(&giver.0) > 1 && giver.0.lock().value.is_some() {
        thread::yield_now();
    }
    drop(giver);
    assert_eq!(waiting.join().expect("no panic"), (Some(7), None));
}
