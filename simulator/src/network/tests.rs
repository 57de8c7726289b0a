use super::*;

const MILLI: Duration = Duration::from_millis(1);
const PARCELS: u32 = 20_000;

fn network(latency: Range<Duration>, loss: u32, silent: &[u32]) -> Network {
    let silent = silent.iter().copied().map(ReplicaId).collect();
    Network::new(Conditions { latency, loss, silent }, 7, 2)
}

fn carry_many(network: &mut Network) -> Vec<Option<Duration>> {
    (0..PARCELS).map(|_| network.carry(ReplicaId(0))).collect()
}

#[test]
fn latencies_fill_the_range_evenly() {
    let fates = carry_many(&mut network(20 * MILLI..80 * MILLI, 0, &[]));
    let latencies: Vec<Duration> = fates.into_iter().flatten().collect();
    assert_eq!(latencies.len(), PARCELS as usize, "nothing is lost");
    assert!(latencies.iter().all(|latency| (20 * MILLI..80 * MILLI).contains(latency)));
    // The mean of 20,000 draws has a standard deviation of 60 ms / sqrt(12 * 20,000) = 0.12 ms.
    let mean = latencies.iter().sum::<Duration>() / PARCELS;
    assert!(mean.abs_diff(50 * MILLI) < MILLI, "the mean is {mean:?}");
}

#[test]
fn an_empty_range_is_a_constant() {
    let fates = carry_many(&mut network(50 * MILLI..50 * MILLI, 0, &[]));
    assert!(fates.iter().all(|fate| *fate == Some(50 * MILLI)));
}

#[test]
fn as_much_is_lost_as_is_asked_for() {
    let arrived = |loss| {
        let fates = carry_many(&mut network(MILLI..MILLI, loss, &[]));
        fates.into_iter().flatten().count()
    };
    assert_eq!(arrived(0), 20_000);
    assert_eq!(arrived(MILLION), 0);
    // 5 % of 20,000 are 1,000, with a standard deviation of 31.
    assert!(arrived(50_000).abs_diff(19_000) < 200);
}

#[test]
fn loss_takes_parcels_away_and_changes_no_other() {
    let without = carry_many(&mut network(MILLI..9 * MILLI, 0, &[]));
    let with = carry_many(&mut network(MILLI..9 * MILLI, 100_000, &[]));
    assert!(with.iter().zip(&without).all(|(with, without)| with.is_none() || with == without));
}

#[test]
fn one_sender_does_not_disturb_another() {
    let mut network = network(MILLI..9 * MILLI, 100_000, &[]);
    let alone = carry_many(&mut self::network(MILLI..9 * MILLI, 100_000, &[]));
    let beside: Vec<_> = (0..PARCELS)
        .map(|_| {
            network.carry(ReplicaId(1));
            network.carry(ReplicaId(0))
        })
        .collect();
    assert_eq!(alone, beside);
}

#[test]
fn nothing_leaves_the_silent() {
    let mut network = network(MILLI..9 * MILLI, 0, &[0]);
    assert!(carry_many(&mut network).iter().all(Option::is_none));
    assert!(network.carry(ReplicaId(1)).is_some());
}
