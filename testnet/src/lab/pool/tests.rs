use super::*;

#[test]
fn outcomes_come_in_the_order_of_the_jobs_on_any_number_of_threads() {
    let jobs: Vec<u64> = (0..100).collect();
    for threads in [1, 2, 7] {
        let mut taken = Vec::new();
        // Every third job takes far longer than the others.
        let work = |job: &u64| {
            let rounds = if job.is_multiple_of(3) { 100_000 } else { 10 };
            (0..rounds).fold(*job, |sum: u64, one| sum.wrapping_mul(31).wrapping_add(one))
        };
        spread(&jobs, threads, &AtomicBool::new(false), work, |job, outcome| {
            assert_eq!(outcome, work(job));
            taken.push(*job);
        });
        assert_eq!(taken, jobs, "{threads} threads");
    }
}

#[test]
fn whoever_stops_gets_what_was_done_without_a_gap() {
    let jobs: Vec<usize> = (0..1000).collect();
    let (stop, mut taken) = (AtomicBool::new(false), Vec::new());
    spread(
        &jobs,
        3,
        &stop,
        |job| {
            // Whoever is this far waits, so that not everything is done before somebody stops.
            while *job >= 500 && !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            *job
        },
        |job, _| {
            taken.push(*job);
            if taken.len() == 10 {
                stop.store(true, Ordering::Relaxed);
            }
        },
    );
    assert!(taken.len() >= 10 && taken.len() < 1000, "{}", taken.len());
    assert_eq!(taken, (0..taken.len()).collect::<Vec<_>>());
}
