use super::*;

/// The simulated figures of SCIENCE S5, within its 5 %.
#[test]
fn it_follows_the_hash_rate_as_others_simulated_it() {
    let table = [
        (72.0, 0.1, (150.0, 358.0)),
        (288.0, 0.1, (616.0, 1471.0)),
        (72.0, 10.0, (372.0, 156.0)),
        (288.0, 10.0, (1484.0, 619.0)),
    ];
    for (half_life, factor, (blocks, time)) in table {
        let found = response(half_life, factor, 1.25);
        println!("{half_life}, {factor}: {found:?}");
        assert!((found.0 / blocks - 1.0_f64).abs() < 0.05, "{half_life}, {factor}: {found:?}");
        assert!((found.1 / time - 1.0_f64).abs() < 0.05, "{half_life}, {factor}: {found:?}");
    }
}

/// What is lost while blocks are late is made up for while they are early, and the other way round.
#[test]
fn a_tenth_takes_as_many_blocks_as_ten_times_takes_intervals() {
    let ([slow, fast], memory) =
        ([0.1, 10.0].map(|factor| response(72.0, factor, 1.25)), 72.0 / LN_2);
    assert!((slow.0 - fast.1).abs() < 1e-9 && (slow.1 - fast.0).abs() < 1e-9);
    // The schedule: each doubling of the target is a half-life behind it.
    assert!((slow.1 - slow.0 - memory * libm::log(8.0)).abs() < 1e-9);
}
