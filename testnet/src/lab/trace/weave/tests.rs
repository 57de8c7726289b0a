use super::{super::read, *};
use crate::lab::trace::clock;
use simulator::{Scenario, record::aside::Loss};

/// A trace from its lines.
fn of(text: &str) -> Weave {
    let lines = read::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    weave(&lines, None).unwrap_or_else(|error| panic!("{error}"))
}

/// The trace of a scenario as `testnet run --trace` writes it.
pub(in crate::lab::trace) fn played(scenario: &str, module: &str) -> Weave {
    let scenario = Scenario::parse(scenario).unwrap_or_else(|error| panic!("{error}"));
    let mut bytes = Vec::new();
    super::super::write(&scenario, module, &mut bytes).unwrap().unwrap();
    weave(&read::read(&bytes[..]).unwrap(), None).unwrap()
}

/// Half and half, then a crash, then one-way; some of it is lost.
pub(in crate::lab::trace) const TROUBLE: &str = r#"
name = "trouble"
consensus = ["tendermint", "pbft", "pow"]
seeds = "3..4"
until = "20s"
network = { latency = "20ms..80ms", loss = 0.03, duplication = 0.02 }
at = [
  { time = "4s", partition = [[0, 1], [2, 3]] },
  { time = "8s", heal = true },
  { time = "10s", crash = 2, restart_after = "3s" },
  { time = "15s", silence = 1 },
]
"#;

fn sent(to: &str, envelope: u64) -> String {
    format!(
        "{{\"replica\":0,\"seq\":{envelope},\"at\":{envelope}000,\"cause\":null,\"event\":\"sent\",\
         \"envelope\":{envelope},\"kind\":\"vote\",\"to\":[{to}],\"class\":\"first\"}}\n"
    )
}

fn refused(replica: u32, at: u64, cause: &str) -> String {
    format!(
        "{{\"replica\":{replica},\"seq\":1,\"at\":{at},\"cause\":{cause},\"event\":\"refused\",\
         \"kind\":\"vote\",\"reason\":\"no\"}}\n"
    )
}

#[test]
fn an_envelope_leads_from_where_it_left_to_where_it_arrived() {
    let weave = of(&(sent("1,2", 1) + &refused(1, 5_000, "[0,1]")));
    assert_eq!(weave.lanes.len(), 2, "nobody has seen replica 2");
    let [sending, arriving] = &weave.moments[..] else { panic!("{:?}", weave.moments) };
    assert_eq!((sending.lane, arriving.lane), (0, 1));
    assert_eq!(arriving.why, Why::Envelope(0));
    assert_eq!(weave.sent[0].arrows, [Arrow { to: 1, end: End::Arrived(1) }]);
}

#[test]
fn lines_of_one_cause_at_one_time_are_one_moment() {
    let twice = refused(1, 5_000, "[0,1]").repeat(2) + &refused(1, 9_000, "[0,1]");
    let weave = of(&(sent("1", 1) + &twice));
    let counts: Vec<_> = weave.moments.iter().map(|moment| moment.items.len()).collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn a_cause_that_names_nobody_is_a_stranger() {
    let weave = of(&(sent("1", 1) + &refused(1, 5_000, "[0,7]") + &refused(1, 6_000, "[9,1]")));
    let whys: Vec<_> = weave.moments.iter().map(|moment| moment.why).collect();
    assert_eq!(whys, [Why::Itself, Why::Stranger(0, 7), Why::Stranger(9, 1)]);
    assert!(
        weave.warnings.iter().any(|it| it.ends_with("is seen to send: 2.")),
        "{:?}",
        weave.warnings
    );
    let huge = of(&refused(1, 6_000, "[4294967295,18446744073709551615]"));
    assert_eq!(huge.moments[0].why, Why::Stranger(u32::MAX, u64::MAX));
}

/// Two replicas, each of which says that what the other sent made it send that.
fn circle() -> String {
    let line = |me: u32, other: u32| {
        format!(
            "{{\"replica\":{me},\"seq\":1,\"at\":1000,\"cause\":[{other},1],\"event\":\"sent\",\
             \"envelope\":1,\"kind\":\"vote\",\"to\":[{other}],\"class\":\"first\"}}\n"
        )
    };
    line(0, 1) + &line(1, 0)
}

#[test]
fn causes_that_go_in_a_circle_are_cut() {
    let weave = of(&circle());
    assert!(weave.warnings.iter().any(|it| it.starts_with("Arrived before they were sent")));
    assert_forward(&weave);
    assert_eq!(clock::vectors(&weave).len(), 2);
    // A replica that was caused by itself.
    let own = circle().replace("[1,1]", "[0,1]").replace("\"to\":[1]", "\"to\":[0]");
    assert_forward(&of(own.lines().next().unwrap()));
}

#[test]
fn a_cause_from_the_future_is_cut_where_the_world_keeps_time() {
    let world = "{\"world\":\"run\",\"seed\":1,\"lanes\":[0,1],\"liars\":[]}\n\
                 {\"world\":\"woke\",\"time\":0,\"lane\":0,\"life\":1}\n\
                 {\"world\":\"woke\",\"time\":0,\"lane\":1,\"life\":1}\n";
    let weave = of(&(world.to_owned() + &refused(1, 500, "[0,1]") + &sent("1", 1)));
    let early = weave.moments.iter().find(|moment| moment.time == 500).unwrap();
    assert_eq!(early.why, Why::Stranger(0, 1));
    assert_forward(&weave);
}

#[test]
fn clocks_of_their_own_are_set_by_what_was_sent() {
    // Replica 1 has lived one millisecond when it hears what replica 0 sent after three.
    let weave = of(&(refused(1, 1_000, "[0,3]") + &sent("1", 3)));
    assert!(weave.warnings[0].contains("own clock"), "{:?}", weave.warnings);
    assert_eq!(weave.moments[1].why, Why::Envelope(0));
    assert_forward(&weave);
}

#[test]
fn a_lane_that_nobody_declared_is_refused() {
    let world = "{\"world\":\"run\",\"seed\":1,\"lanes\":[0],\"liars\":[]}\n";
    let lines = |text: &str| read::read((world.to_owned() + text).as_bytes()).unwrap();
    for text in [
        "{\"world\":\"crashed\",\"time\":1,\"lane\":1}\n".to_owned(),
        "{\"world\":\"arrived\",\"time\":1,\"from\":0,\"life\":1,\"envelope\":1,\"to\":4000000000}\n"
            .to_owned(),
        refused(1, 0, "null"),
    ] {
        let error = weave(&lines(&text), None).unwrap_err().to_string();
        assert!(error.starts_with("line 2 is about lane"), "{error}");
    }
}

#[test]
fn so_many_replicas_are_refused() {
    let all: String = (0..1_001).map(|id| refused(id, 0, "null")).collect();
    let error = weave(&read::read(all.as_bytes()).unwrap(), None).unwrap_err().to_string();
    assert!(error.contains("the number of replicas is 1001, and can be 1000"), "{error}");
}

#[test]
fn what_comes_after_the_end_is_left_out() {
    let text = sent("1", 1) + &refused(1, 5_000, "[0,1]") + &refused(1, 9_000, "null");
    let lines = read::read(text.as_bytes()).unwrap();
    let short = weave(&lines, Some(6_000)).unwrap();
    assert_eq!((short.moments.len(), short.end), (2, 5_000));
}

/// Whatever causes a moment stands before it, in time and in order.
fn assert_forward(weave: &Weave) {
    for (at, moment) in weave.moments.iter().enumerate() {
        if let Some(from) = clock::sender(weave, moment) {
            assert!(from < at, "{from} and {at}");
            assert!(weave.moments[from].time <= moment.time, "{from} and {at}");
        }
    }
}

#[test]
fn in_a_run_every_arrival_has_its_sender_and_every_loss_its_reason() {
    for module in ["tendermint", "pbft", "pow"] {
        let weave = played(TROUBLE, module);
        assert_forward(&weave);
        assert_eq!(weave.warnings, Vec::<String>::new(), "{module}");
        let ends = weave.sent.iter().flat_map(|sent| &sent.arrows).map(|arrow| arrow.end);
        let (mut arrived, mut open, mut lost) = (0, 0, BTreeMap::new());
        for end in ends {
            match end {
                End::Arrived(_) => arrived += 1,
                End::Open => open += 1,
                End::Lost(why) => *lost.entry(format!("{why:?}")).or_insert(0) += 1,
            }
        }
        assert!(arrived > 200, "{module}: {arrived}");
        // What is sent in the last moments is still under way.
        assert!(open < 40, "{module}: {open} of {arrived}");
        for why in [Loss::Chance, Loss::Closed, Loss::Down] {
            assert!(lost.contains_key(&format!("{why:?}")), "{module}: {lost:?}");
        }
        let two = &weave.lanes[2].lives;
        let to = Some(10_000_000);
        assert_eq!(
            two[..],
            [Life { from: 0, to }, Life { from: 13_000_000, to: None }],
            "{module}"
        );
        let bands: Vec<_> =
            weave.bands.iter().map(|it| (it.from, it.to, it.words.as_str())).collect();
        let (four, eight, fifteen) = (4_000_000, Some(8_000_000), 15_000_000);
        let expected =
            [(four, eight, "partition 0,1 | 2,3"), (fifteen, Some(weave.end), "silence 1")];
        assert_eq!(bands, expected, "{module}");
        assert!(weave.sent.iter().all(|sent| sent.bytes.is_none_or(|bytes| bytes > 0)));
        assert!(weave.sent.iter().filter(|sent| sent.bytes.is_some()).count() > 100, "{module}");
        assert_eq!((weave.seed, weave.name.as_str()), (Some(3), "trouble"));
    }
}

#[test]
fn twins_have_a_lane_each_and_an_honest_replica_meets_one_of_them() {
    let twins = "name = \"twins\"\nconsensus = \"tendermint\"\nseeds = \"1..2\"\nuntil = \"10s\"\n\
                 byzantine = [{ replica = 3, lie = \"equivocate\" }]\n";
    let weave = played(twins, "tendermint");
    let names: Vec<_> = weave.lanes.iter().map(Lane::name).collect();
    let expected = ["replica-0", "replica-1", "replica-2", "replica-3", "replica-3-twin"];
    assert_eq!(names, expected);
    assert!(weave.lanes[4].lie.is_some() && weave.lanes[4].is_second);
    assert_forward(&weave);
    let mut met = [[0, 0]; 3];
    for moment in weave.moments.iter().filter(|moment| moment.lane < 3) {
        if let Some(from) = clock::sender(&weave, moment)
            && let lane @ 3.. = weave.moments[from].lane
        {
            met[moment.lane][lane - 3] += 1;
        }
    }
    for [first, second] in met {
        assert!((first == 0) != (second == 0), "{met:?}");
    }
}

#[test]
fn of_one_number_said_again_in_one_life_only_the_last_counts() {
    let again = sent("1", 1).repeat(1_000);
    let weave =
        of(&(again + &sent("2", 1) + &refused(2, 5_000, "[0,1]") + &refused(1, 6_000, "[0,1]")));
    let why: Vec<_> = weave.moments.iter().filter(|it| it.lane > 0).map(|it| it.why).collect();
    assert_eq!(why, [Why::Envelope(1_000), Why::Stranger(0, 1)]);
}

#[test]
fn every_copy_finds_its_arrow_in_whatever_order_they_arrive() {
    let to: Vec<_> = (1..100).map(|id| id.to_string()).collect();
    let order = (1..100).map(|id| 1 + id * 37 % 99);
    let arrivals: String = order.map(|id| refused(id, 5_000, "[0,1]")).collect();
    let doubled = arrivals.replace("\"at\":5000", "\"at\":9000");
    let weave = of(&(sent(&to.join(","), 1) + &arrivals + &doubled));
    let arrows = &weave.sent[0].arrows;
    assert_eq!(arrows.len(), 2 * 99);
    for arrow in arrows {
        let End::Arrived(at) = arrow.end else { panic!("{arrow:?}") };
        assert_eq!(weave.moments[at].lane, arrow.to);
    }
    assert!(arrows[..99].iter().map(|arrow| arrow.to).eq(1..100));
}

#[test]
fn what_arrives_before_it_is_sent_is_told_by_who_carried_it() {
    let world = "{\"world\":\"run\",\"seed\":1,\"lanes\":[0,1,2],\"liars\":[]}\n\
                 {\"world\":\"woke\",\"time\":0,\"lane\":0,\"life\":1}\n\
                 {\"world\":\"woke\",\"time\":0,\"lane\":1,\"life\":1}\n\
                 {\"world\":\"arrived\",\"time\":500,\"from\":0,\"life\":1,\"envelope\":9,\"to\":1}\n";
    // Replica 0 passes on what replica 2 has signed.
    let passed = sent("1", 9).replace("\"first\"", "\"relay\",\"signer\":2");
    let weave = of(&(world.to_owned() + &passed));
    assert_eq!(weave.sent[0].signer, Some(2));
    let early = weave.moments.iter().find(|moment| moment.time == 500).unwrap();
    assert_eq!(early.why, Why::Stranger(0, 9));
}

#[test]
fn words_hold_no_line_breaks_and_no_more_than_fits() {
    let note = serde_json::json!({ "replica": 0, "seq": 1, "at": 0, "cause": null, "event": "note",
        "label": "a\nb", "detail": "\u{1b}[31m".repeat(1_000) });
    let weave = of(&note.to_string());
    let told = describe(&weave, &weave.moments[0]);
    assert!(!told.chars().any(char::is_control) && told.len() < 1_000, "{told}");
    assert!(told.contains("a b: "), "{told}");
}

#[test]
fn what_repeats_for_ever_is_bounded() {
    let again: String = (0..100).map(|at| refused(1, 5_000 + 10 * at, "[0,1]")).collect();
    let repeated = of(&(sent("1", 1) + &again));
    assert_eq!(repeated.moments.len(), 101);
    assert_eq!(repeated.sent[0].arrows.len(), 8, "four for each lane");
    let fault = "{\"world\":\"fault\",\"time\":1,\"fault\":\"heal\",\"words\":\"heal\"}\n";
    let faults = refused(0, 0, "null") + &fault.repeat(20_001);
    let error = weave(&read::read(faults.as_bytes()).unwrap(), None).unwrap_err().to_string();
    assert!(error.contains("the number of faults is 20001"), "{error}");
}

#[test]
fn where_only_births_are_told_a_life_ends_with_its_last_word() {
    let started = |seq: u64| {
        format!(
            "{{\"replica\":0,\"seq\":{seq},\"at\":0,\"cause\":null,\"event\":\"started\",\
             \"height\":0}}\n"
        )
    };
    let weave = of(&(started(1) + &refused(0, 7_000, "null") + &started(1)));
    let first = Life { from: 0, to: Some(7_000) };
    let later = weave.lanes[0].lives[1].from;
    assert!(later >= 8_000, "{later}");
    assert_eq!(weave.lanes[0].lives, [first, Life { from: later, to: None }]);
}
