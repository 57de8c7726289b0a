use super::*;

fn id(number: u8) -> TransactionId {
    TransactionId([number; 32].into())
}

#[test]
fn what_becomes_final_leaves_room_in_its_lane_and_is_timed_from_when_it_was_due() {
    let book = Book::new(2);
    let due = Instant::now();
    for (number, lane) in [(1, 0), (2, 1), (3, 1)] {
        book.page().submit(id(number), lane, due);
    }
    let page = book.page();
    assert_eq!((page.in_flight(0), page.in_flight(1)), (1, 2));
    drop(page);
    book.finish(&[id(3), id(9), id(1)], due + Duration::from_millis(4));
    let page = book.page();
    assert_eq!((page.in_flight(0), page.in_flight(1), page.waiting()), (0, 1, 1));
    assert_eq!((page.submitted, page.committed()), (3, 2));
    assert_eq!(page.latencies.greatest(), Some(Duration::from_millis(4)));
}

#[test]
fn what_is_told_twice_counts_once() {
    let book = Book::new(1);
    let due = Instant::now();
    book.page().submit(id(1), 0, due);
    for _ in 0..2 {
        book.finish(&[id(1)], due);
    }
    let page = book.page();
    assert_eq!((page.committed(), page.in_flight(0)), (1, 0));
}

#[test]
fn nobody_waits_longer_than_the_phase_or_after_trouble() {
    let far = Instant::now() + Duration::from_secs(3_600);
    let book = Book::new(1);
    drop(book.wait_until(Phase::Load, far, |page| page.in_flight(0) == 0));
    drop(book.wait_until(Phase::Load, Instant::now(), |_| false));
    drop(book.wait_until(Phase::Drain, far, |_| false));
    book.fail(Trouble::Refused { reason: "balance".into(), message: "poor".into() });
    book.fail(Trouble::Refused { reason: "nonce".into(), message: "old".into() });
    let page = book.wait_until(Phase::Load, far, |_| false);
    let Some(Trouble::Refused { reason, .. }) = &page.trouble else { panic!("{page:?}") };
    assert_eq!(reason, "balance", "the first one counts");
}
