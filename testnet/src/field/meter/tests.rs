use super::*;

fn page(entries: &[(&str, f64)]) -> Page {
    let lines = entries.iter().map(|(series, value)| format!("{series} {value}\n"));
    Page::parse(&lines.collect::<String>())
}

#[test]
fn what_all_lives_counted_is_added_up() {
    let mut counted = Counted::default();
    counted.see(page(&[("sent{class=\"first\"}", 3.0), ("sent{class=\"sync\"}", 1.0)]));
    counted.see(page(&[("sent{class=\"first\"}", 5.0), ("sent{class=\"sync\"}", 2.0)]));
    assert_eq!(counted.sum("sent"), 7.0, "the last page of a life counts");
    counted.buried();
    assert_eq!(counted.sum("sent"), 7.0);
    counted.see(page(&[("sent{class=\"first\"}", 1.0)]));
    assert_eq!(counted.sum("sent"), 8.0);
    assert_eq!(counted.sum("sent{class=\"first\"}"), 6.0);
}

#[test]
fn means_are_weighted_by_how_often_something_happened() {
    let mut each = [Counted::default(), Counted::default()];
    for (counted, (sum, count)) in each.iter_mut().zip([(1.0, 1_000.0), (3.0, 1_000.0)]) {
        counted.see(page(&[
            ("byzantium_sync_seconds_sum", sum),
            ("byzantium_sync_seconds_count", count),
            ("byzantium_gossip_batches_total{fate=\"published\"}", 2.0),
        ]));
    }
    let means = Means::of(&each, &[&each[0], &each[1]]);
    assert_eq!((means.sync_ms, means.batches), (Some(2.0), 4));
    let one = Means::of(&each, &[&each[0]]);
    assert_eq!((one.sync_ms, one.batches), (Some(1.0), 4), "liars are counted, and not believed");
    assert_eq!(means.open_ms, None, "nobody has counted that");
}
