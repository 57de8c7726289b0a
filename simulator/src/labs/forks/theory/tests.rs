use super::*;

#[test]
fn the_table_is_met_digit_for_digit() {
    let table = [
        (0.01, 0.00995, 0.0099),
        (0.05, 0.0488, 0.0476),
        (0.1, 0.0952, 0.0909),
        (0.2, 0.1813, 0.1667),
        (0.5, 0.3935, 0.3333),
        (1.0, 0.6321, 0.5),
        (2.0, 0.8647, 0.6667),
        (5.0, 0.9933, 0.8333),
    ];
    for (x, forks, stales) in table {
        assert!((fork(x) - forks).abs() < 0.500_1e-4, "x = {x}");
        assert!((stale(x) - stales).abs() < 0.500_1e-4, "x = {x}");
        assert!((interval(x) - (1.0 + x)).abs() < 1e-12);
    }
}

/// Of all blocks the main chain has one for each of its intervals.
#[test]
fn what_is_stale_is_what_the_main_chain_lacks() {
    for x in [0.0, 0.3, 4.0] {
        assert!((1.0 - stale(x) - 1.0 / interval(x)).abs() < 1e-12);
    }
}
