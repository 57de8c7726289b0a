use super::*;
use crate::runtime::miner::tests::header;
use std::thread;

fn job(height: u64) -> Job {
    Job::new(header(height), [0; 32])
}

#[test]
fn a_newer_job_ends_the_older_one_at_once() {
    let board = Board::new(1.0);
    board.put(job(1));
    let (number, first) = board.next(0).expect("open");
    assert!(!first.is_over());
    board.put(job(2));
    assert!(first.is_over());
    let (newer, second) = board.next(number).expect("open");
    assert!(newer > number && !second.is_over());
}

#[test]
fn every_thread_sees_the_job_and_each_sees_it_once() {
    let board = Arc::new(Board::new(1.0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let board = Arc::clone(&board);
            thread::spawn(move || {
                let mut seen = 0;
                while let Some((number, job)) = board.next(seen) {
                    assert!(number > seen && number <= 2);
                    seen = number;
                    if number == 2 {
                        // All four have seen the last one.
                        job.try_batch();
                    }
                }
                seen
            })
        })
        .collect();
    board.put(job(1));
    board.put(job(2));
    let (_, last) = board.next(0).expect("open");
    while last.taken() < 4 * crate::runtime::miner::search::BATCH {
        thread::yield_now();
    }
    board.close();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), 2);
    }
}

#[test]
fn closing_ends_the_last_job_and_every_sleep() {
    let board = Arc::new(Board::new(1.0));
    board.put(job(1));
    let (number, job) = board.next(0).expect("open");
    let sleeper = {
        let board = Arc::clone(&board);
        thread::spawn(move || {
            board.sleep(Duration::from_secs(3_600), 1.0);
            board.next(number).is_none()
        })
    };
    board.close();
    assert!(job.is_over());
    assert!(sleeper.join().expect("no panic"), "it wakes to the end");
    assert!(board.next(0).is_none(), "what is over is not shown any more");
    board.sleep(Duration::from_secs(3_600), 1.0);
}

#[test]
fn another_share_ends_every_sleep_and_the_same_does_not() {
    let board = Arc::new(Board::new(0.5));
    let sleeper = {
        let board = Arc::clone(&board);
        thread::spawn(move || {
            board.sleep(Duration::from_secs(3_600), 0.5);
            board.share()
        })
    };
    board.set_share(0.5);
    board.set_share(0.25);
    assert_eq!(sleeper.join().expect("no panic"), 0.25);
    // Whoever has not heard of it yet does not fall asleep.
    board.sleep(Duration::from_secs(3_600), 0.5);
}
