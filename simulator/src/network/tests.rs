use super::*;

const MILLI: Duration = Duration::from_millis(1);
const PARCELS: u32 = 20_000;
const ONE: ReplicaId = ReplicaId(1);
const ZERO: ReplicaId = ReplicaId(0);

fn network(conditions: Conditions) -> Network {
    Network::new(conditions, 7, 4)
}

fn even() -> Conditions {
    Conditions { latency: (MILLI..9 * MILLI).into(), ..Conditions::default() }
}

fn carry_many(network: &mut Network) -> Vec<Copies> {
    (0..PARCELS).map(|_| network.carry(ZERO, ONE, Duration::ZERO)).collect()
}

/// What becomes of so many parcels from 0 to 1.
fn fates(conditions: Conditions) -> Vec<Copies> {
    carry_many(&mut network(conditions))
}

fn arrived(fates: &[Copies]) -> usize {
    fates.iter().filter(|copies| copies[0].is_some()).count()
}

#[test]
fn as_much_is_lost_as_is_asked_for() {
    let arrived = |loss| arrived(&fates(Conditions { loss, ..even() }));
    assert_eq!(arrived(0), 20_000);
    assert_eq!(arrived(MILLION), 0);
    // 5 % of 20,000 are 1,000, with a standard deviation of 31.
    assert!(arrived(50_000).abs_diff(19_000) < 124);
}

#[test]
fn as_much_comes_twice_as_is_asked_for() {
    let fates = fates(Conditions { duplication: 50_000, ..even() });
    let twice: Vec<_> = fates.iter().filter(|copies| copies[1].is_some()).collect();
    assert!(twice.len().abs_diff(1_000) < 124, "{}", twice.len());
    assert!(twice.iter().any(|[one, other]| one != other), "each copy takes its own time");
}

#[test]
fn as_much_is_held_back_as_is_asked_for() {
    let reordering = Reordering { share: 50_000, by: Duration::from_secs(1).into() };
    let fates = fates(Conditions { reordering, ..even() });
    let held_back = |copies: &&Copies| copies[0].is_some_and(|time| time > 9 * MILLI);
    assert!(fates.iter().filter(held_back).count().abs_diff(1_000) < 124);
}

/// Every fault only touches what it is about.
#[test]
fn one_fault_more_changes_nothing_for_those_it_spares() {
    let without = fates(even());
    let with = fates(Conditions { loss: 100_000, duplication: 100_000, ..even() });
    for ([with, _], [without, _]) in with.iter().zip(&without) {
        assert!(with.is_none() || with == without);
    }
    let mut network = network(even());
    network.cut(ZERO, ONE);
    assert_eq!(arrived(&carry_many(&mut network)), 0);
    network.mend(ZERO, ONE);
    let mut untouched = self::network(even());
    carry_many(&mut untouched);
    assert_eq!(carry_many(&mut network), carry_many(&mut untouched), "chance went on meanwhile");
}

#[test]
fn one_link_does_not_disturb_another() {
    let mut network = network(even());
    let beside: Vec<_> = (0..PARCELS)
        .map(|_| {
            network.carry(ONE, ZERO, Duration::ZERO);
            network.carry(ZERO, ReplicaId(2), Duration::ZERO);
            network.carry(ZERO, ONE, Duration::ZERO)
        })
        .collect();
    assert_eq!(beside, fates(even()));
}

#[test]
fn nothing_leaves_the_silent_and_they_hear_everything() {
    let mut network = network(Conditions { silent: [ZERO].into(), ..even() });
    assert_eq!(arrived(&carry_many(&mut network)), 0);
    assert!(network.carry(ONE, ZERO, Duration::ZERO)[0].is_some());
}

/// Which of the links between all four are open.
fn open(network: &Network) -> String {
    let ids = || (0..4).map(ReplicaId);
    let links = ids().flat_map(|from| ids().map(move |to| (from, to)));
    let open = links.filter(|(from, to)| from != to && network.is_open(*from, *to));
    open.map(|(from, to)| format!("{from}{to}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn cuts_and_partitions_close_links_until_they_heal() {
    let all = "01 02 03 10 12 13 20 21 23 30 31 32";
    let mut network = network(even());
    assert_eq!(open(&network), all);
    network.cut(ZERO, ONE);
    assert_eq!(open(&network), &all[3..], "a cut has one direction");
    network.partition(&[vec![ZERO, ONE]]);
    assert_eq!(open(&network), "10 23 32", "the rest are together");
    network.partition(&[vec![ReplicaId(3)], vec![ReplicaId(2)]]);
    assert_eq!(open(&network), "10", "a partition replaces another");
    network.heal();
    assert_eq!(open(&network), all);
}

#[test]
fn a_change_of_latency_concerns_what_leaves_afterwards() {
    let mut network = network(even());
    let before = network.carry(ZERO, ONE, Duration::ZERO)[0].unwrap();
    assert!(before < 9 * MILLI);
    network.change(|conditions| conditions.latency = Duration::from_secs(1).into());
    assert_eq!(network.carry(ZERO, ONE, Duration::ZERO)[0], Some(Duration::from_secs(1)));
}

#[test]
fn a_link_may_be_an_exception_in_one_direction() {
    let slow = Exception { from: ZERO, to: ONE, latency: Some((90 * MILLI).into()), loss: None };
    let lossy = Exception { from: ONE, to: ZERO, latency: None, loss: Some(MILLION) };
    let mut network = network(Conditions { links: vec![slow, lossy], ..even() });
    let mut carry = |from, to| network.carry(from, to, Duration::ZERO)[0];
    assert_eq!(carry(ZERO, ONE), Some(90 * MILLI));
    assert_eq!(carry(ONE, ZERO), None);
    assert!(carry(ZERO, ReplicaId(2)).is_some_and(|time| time < 9 * MILLI));
}

#[test]
fn what_was_sent_in_unrest_arrives_in_order_once_it_is_over() {
    let until = Duration::from_secs(10);
    let unrest = Unrest { until, loss: MILLION / 2, delay: Duration::from_secs(60).into() };
    let mut network = network(Conditions { unrest: Some(unrest), ..even() });
    let fates = carry_many(&mut network);
    // Half of 20,000 have a standard deviation of 71.
    assert!(arrived(&fates).abs_diff(10_000) < 284);
    let times = fates.iter().flat_map(|copies| copies[0]);
    assert!(times.into_iter().all(|time| (until + MILLI..until + 9 * MILLI).contains(&time)));
    let later = network.carry(ZERO, ONE, until)[0].expect("nothing is lost any more");
    assert!(later < 9 * MILLI);
}

#[test]
fn conditions_are_read_as_people_write_them() {
    let read = |text| toml::from_str::<Conditions>(text);
    assert_eq!(read("").unwrap(), Conditions::default());
    let text = "latency = '1ms..9ms'
        loss = 0.05
        duplication = 1
        links = [{ from = 0, to = 1, loss = 0.5 }]";
    let read_back = read(text).unwrap();
    let half = Exception { from: ZERO, to: ONE, latency: None, loss: Some(MILLION / 2) };
    let expected = Conditions { loss: 50_000, duplication: MILLION, links: vec![half], ..even() };
    assert_eq!(read_back, expected);
    let text = toml::to_string(&read_back).unwrap();
    assert_eq!(read(&text).unwrap(), read_back, "{text}");
    for bad in ["loss = 5", "loss = -0.1", "los = 0.1", "latency = 'slow'", "latency = '1..2'"] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

/// Most parcels can only be late, and their delay is drawn by a shorter way.
#[test]
fn the_short_way_leads_where_the_long_one_does() {
    let latencies = ["20ms..80ms", "20ms + exp 30ms", "7ms"].map(|text| text.parse().unwrap());
    for latency in latencies.into_iter().map(|delay: Delay| Latency::from(delay)) {
        let plain = Conditions { latency, ..Conditions::default() };
        // Takes the long way, and does nothing on it.
        let harmless = Unrest { until: Duration::MAX, loss: 0, delay: Duration::ZERO.into() };
        let long = Conditions { unrest: Some(harmless), ..plain.clone() };
        let mut networks = [plain, long].map(network);
        for parcel in 0..100 {
            // Now and then both take the long way.
            let is_rough = parcel % 7 == 3;
            let loss = if is_rough { MILLION / 2 } else { 0 };
            let mut carry = |at: usize| {
                networks[at].change(|conditions| conditions.loss = loss);
                networks[at].carry(ReplicaId(0), ReplicaId(1), Duration::ZERO)
            };
            assert_eq!(carry(0), carry(1), "parcel {parcel}");
        }
    }
}
