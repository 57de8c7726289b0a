use super::*;

fn floor(latency: &Latency, from: u32, to: u32) -> Duration {
    match latency.between(ReplicaId(from), ReplicaId(to)) {
        Delay::Exponential { floor, .. } => floor,
        other => panic!("presets have a floor and a tail: {other}"),
    }
}

#[test]
fn presets_are_symmetric_and_nowhere_is_nearer_than_home() {
    for (preset, name) in Preset::ALL {
        let latency: Latency = name.parse().unwrap();
        assert_eq!(latency, preset.into());
        assert_eq!(latency.to_string(), name);
        let places = preset.regions().names.len() as u32;
        for (from, to) in (0..places).flat_map(|from| (0..places).map(move |to| (from, to))) {
            assert_eq!(floor(&latency, from, to), floor(&latency, to, from), "{name}");
            assert!(floor(&latency, from, to) >= floor(&latency, from, from), "{name}");
        }
    }
}

#[test]
fn replicas_are_dealt_out_to_the_regions_in_turn_unless_told_otherwise() {
    let mut regions = Preset::Wan.regions();
    let homes = |regions: &Regions| [0, 1, 2, 3, 4].map(|id| regions.home(ReplicaId(id)));
    assert_eq!(homes(&regions), [0, 1, 2, 0, 1]);
    regions.homes = vec![2, 2];
    assert_eq!(homes(&regions), [2, 2, 2, 0, 1]);
}

#[test]
fn links_are_what_lies_between() {
    let mut regions = Preset::Planet.regions();
    regions.one_way[0][2] = Duration::from_secs(1).into();
    let latency = Latency::Regions(regions);
    let link = |from, to| latency.between(ReplicaId(from), ReplicaId(to)).to_string();
    assert_eq!(link(0, 2), "1s", "the way there");
    assert_eq!(link(2, 0), "45ms + exp 4.5ms", "need not be the way back");
    assert_eq!(link(5, 7), link(0, 2), "replicas are dealt out to five regions in turn");
}

#[test]
fn latencies_survive_as_text() {
    for latency in [
        Duration::from_millis(3).into(),
        Preset::Planet.into(),
        Latency::Regions(Preset::Wan.regions()),
    ] {
        let json = serde_json::to_string(&latency).unwrap();
        assert_eq!(serde_json::from_str::<Latency>(&json).unwrap(), latency, "{json}");
    }
    let refused = serde_json::from_str::<Latency>("\"moon\"").unwrap_err().to_string();
    assert!(refused.contains("\"moon\" is no span of time"), "{refused}");
}
