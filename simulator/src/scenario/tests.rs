//! Scenarios as files: what is read, what is refused, and what comes of running them.

use super::*;
use crate::delay::Delay;
use bad::distance;
use consensus::{catalogue::Module, tendermint::Tendermint};
use proptest::prelude::*;

/// That of the design, and a few things more.
const STORY: &str = r#"
name = "A liar and a partition"
consensus = ["tendermint", "pow"]
replicas = 4
seeds = "0..50"
network = { latency = "20ms..80ms", loss = 0.01 }
load = { transfers_per_second = 5 }
byzantine = [{ replica = 3, lie = "equivocate" }]
at = [
  { time = "10s", partition = [[0, 1], [2, 3]] },
  { time = "30s", heal = true },
  { time = "40s", crash = 2, restart_after = "5s" },
]
expect = { agreement = "always", height = 20, progress_within = "10s of heal", pow = { confirmed = "either" } }
"#;

/// One of everything.
const EVERYTHING: &str = r#"
name = "everything"
consensus = ["pow", "tendermint"]
replicas = 7
seeds = 42
until = "2m"
stakes = [3, 1, 1, 1, 1, 1, 1]
block_time = "500ms"
settings = { "pow.confirmations" = 3, "tendermint.propose_ms" = 800 }
topology = { gossip = 4 }
clocks = [{ replica = 1, offset_ms = -300, drift_ppm = 20 }]
disks = [{ replica = 2, sync = "50ms + exp 10ms" }]
hash_rates = [{ replica = 0, factor = 3 }]
load = { transfers_per_second = 0.5 }
byzantine = [{ replicas = [5, 6], lie = "silent" }]
chaos = { faulty = 1, until = "20s" }

[network]
latency = { names = ["a", "b"], one_way = [["1ms", "20ms"], ["20ms", "1ms"]], homes = [0, 1] }
loss = 0.05
duplication = 0.01
reordering = { share = 0.1, by = "200ms" }
links = [{ from = 0, to = 1, latency = "lognormal 50ms 0.5", loss = 0.5 }]
unrest = { until = "5s", loss = 0.2, delay = "1s" }

[[at]]
time = "1s"
silence = [1, 2]
[[at]]
time = "2s"
speak = [1, 2]
[[at]]
time = "3s"
cut = { from = 0, to = 1 }
[[at]]
time = "4s"
mend = { from = 0, to = 1 }
[[at]]
time = "5s"
eclipse = { victim = 3, but = [5] }
[[at]]
time = "6s"
heal = true
[[at]]
time = "7s"
loss = 0.2
duplication = 0
[[at]]
time = "8s"
latency = "planet"
[[at]]
time = "9s"
link = { from = 0, to = 1 }
[[at]]
time = "10s"
skew = { replica = 1 }
[[at]]
time = "11s"
disk = { replica = 2, sync = "1ms" }
[[at]]
time = "12s"
hash_rate = { replica = 0, factor = 0 }
[[at]]
time = "13s"
reordering = { share = 0, by = "0s" }
[[at]]
time = "14s"
restart = 0

[expect]
agreement = "either"
confirmed = "kept"
height = 5
progress_within = ["20s of calm", "20s of 30s", "5s of speak"]
no_progress = "12s..13s"
one_chain = "30s of heal"
final_within = "1m"
[expect.pow]
agreement = "broken"
"#;

fn refused(text: &str) -> BadScenario {
    Scenario::parse(text).expect_err(text)
}

#[test]
fn a_story_is_read_as_it_stands() {
    let story = Scenario::parse(STORY).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((story.replicas, story.seeds.clone()), (4, 0..50));
    assert_eq!(story.network.loss, 10_000);
    let milli = Duration::from_millis;
    assert_eq!(story.network.latency, (milli(20)..milli(80)).into());
    assert_eq!(story.byzantine[&ReplicaId(3)], "equivocate");
    let steps: Vec<_> = story.steps.steps().iter().map(ToString::to_string).collect();
    assert_eq!(
        steps.iter().map(|step| step.trim()).collect::<Vec<_>>(),
        ["10s  partition 0,1 | 2,3", "30s  heal", "40s  crash 2", "45s  restart 2"]
    );
    assert_eq!(story.expect.height, Some(20));
    assert_eq!(story.expect.progress[0].since, Duration::from_secs(30));
    assert_eq!(story.expect("tendermint").confirmed, Confirmed::Kept);
    assert_eq!(story.expect("pow").confirmed, Confirmed::Either);
    assert_eq!(story.expect("pow").height, Some(20), "what is not said again stays");
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let all = Scenario::parse(EVERYTHING).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all.seeds, 42..43);
    assert_eq!(all.steps.steps().len(), 17);
    assert_eq!(all.expect.progress.len(), 3);
    assert_eq!(all.expect("pow").agreement, Agreement::Broken);
    assert_eq!(all.disks[&ReplicaId(2)], "50ms + exp 10ms".parse::<Delay>().unwrap());
    let setup = all.setup("pow", 42, Tracing::Off);
    assert_eq!(setup.settings["pow.confirmations"], 3);
    assert_eq!(setup.stakes[0], 3);
    let first = &setup.schedule.steps()[0];
    assert_eq!(first.fault, Fault::HashRate { replica: ReplicaId(0), factor: 3.0 });
    let restored =
        setup.schedule.steps().iter().filter(|step| {
            step.time == Duration::from_secs(20) && step.fault == Fault::Loss(50_000)
        });
    assert_eq!(restored.count(), 1, "after chaos the loss is the scenario's own");
}

#[test]
fn a_mistake_is_shown_where_it_is_with_what_was_meant() {
    let text = "name = \"x\"\nreplicas = 4\nnetwork = { latancy = \"20ms\" }\n";
    let expected = "line 3, column 13: network has no `latancy`\n  |\n\
                    3 | network = { latancy = \"20ms\" }\n  |             ^^^^^^^\n  \
                    = did you mean `latency`?";
    assert_eq!(refused(text).to_string(), expected);
}

#[test]
fn every_mistake_names_the_remedy() {
    for (line, expected) in [
        ("replicsa = 4", "did you mean `replicas`?"),
        ("replicas = 0", "a whole number from 1 to 1000"),
        ("replicas = 1001", "a whole number from 1 to 1000"),
        ("replicas = \"four\"", "this is a text, not a whole number"),
        ("consensus = \"tendermit\"", "did you mean `tendermint`?"),
        ("consensus = []", "at least one module"),
        ("consensus = [\"pow\", \"pow\"]", "pow is here twice"),
        ("seeds = \"5..5\"", "a range such as"),
        ("seeds = \"0..1000001\"", "of at most 1000000"),
        ("until = \"25h\"", "from 1s to 24h"),
        ("until = 5", "not a text in quotes"),
        ("block_time = \"1ms\"", "from 10ms to 1h"),
        ("stakes = [1, 1, 1, 1, 1]", "there are 5 stakes and 4 replicas"),
        ("stakes = [0]", "from 1 to"),
        ("settings = { \"tendermint.propos_ms\" = 5 }", "which is no setting"),
        ("settings = { \"coffee.sugar\" = 5 }", "a setting of no module"),
        ("settings = { pow.confirmations = 3 }", "under its whole name, in quotes"),
        ("settings = { \"pow.bits\" = 0x1b00ffff }", "simulated miners really try them"),
        ("settings = { \"ledger.median_blocks\" = 2 }", "settings: "),
        ("topology = { gossip = 1 }", "from 2 to 100"),
        ("topology = { random = 0 }", "from 1 to 100"),
        ("network = { loss = 5 }", "5 % is 0.05"),
        ("network = { latency = \"fast\" }", "\"lan\", \"wan\", \"planet\""),
        ("network = { latency = \"50ms..20ms\" }", "ends before it begins"),
        ("network = { latency = \"lognormal 1s 9\" }", "a sigma is at most 5"),
        ("network = { latency = \"200h\" }", "can be waited for"),
        ("network = { latency = { names = [\"a\"], one_way = [[]] } }", "one for each region"),
        ("network = { links = [{ from = 1, to = 1 }] }", "the same replica"),
        ("clocks = [{ replica = 4 }]", "numbered from 0 to 3"),
        ("hash_rates = [{ replica = 0, factor = nan }]", "a number from 0 to 100"),
        ("disks = [{ replica = 0, sync = \"1ms\" }, { replica = 0, sync = \"1ms\" }]", "twice"),
        ("load = { transfers_per_second = 1000 }", "more than 100000 transfers"),
        ("byzantine = [{ replica = 3, lie = \"equivocat\" }]", "did you mean `equivocate`?"),
        ("byzantine = [{ lie = \"silent\" }]", "either `replica` or `replicas`"),
        ("byzantine = [{ replicas = [1, 1], lie = \"silent\" }]", "replica 1 is here twice"),
        ("chaos = { faulty = 1 }", "there is no `until` in chaos"),
        ("at = [{ crash = 2 }]", "there is no `time` in at[0]"),
        ("at = [{ time = \"1s\" }]", "nothing happens in this step"),
        ("at = [{ time = \"1s\", crsh = 2 }]", "did you mean `crash`?"),
        ("at = [{ time = \"1s\", heal = false }]", "only be `true`"),
        ("at = [{ time = \"1s\", heal = true, restart_after = \"1s\" }]", "nobody crashes"),
        ("at = [{ time = \"1s\", partition = [[0], [0]] }]", "replica 0 is on two sides"),
        ("expect = { agreement = \"allways\" }", "did you mean `always`?"),
        ("expect = { progress_within = \"5s of heal\" }", "there is no step with `heal`"),
        ("expect = { progress_within = \"5s of heall\" }", "did you mean `heal`?"),
        ("expect = { progress_within = \"5s\" }", "of what?"),
        ("expect = { progress_within = \"5m of 6m\" }", "before the run is"),
        ("expect = { no_progress = \"5s\" }", "from when to when?"),
        ("expect = { final_within = \"5s\" }", "give the scenario a `load`"),
        ("consensus = \"pow\"\nexpect = { tendermint = {} }", "tendermint is not tried here"),
        ("seeds = [", "line 2"),
    ] {
        let error = refused(&format!("name = \"x\"\n{line}\n")).to_string();
        assert!(error.contains(expected), "{line}\nsays: {error}\nnot: {expected}");
    }
    assert!(refused("replicas = 4").to_string().contains("there is no `name`"));
}

#[test]
fn every_mistake_in_a_choice_names_the_remedy() {
    for (line, expected) in [
        ("adversary = []", "until when does it have its way?"),
        ("catch_up = \"1s\"\nadversary = [{}]", "one of `withhold`, `say` and `crash`"),
        (
            "catch_up = \"1s\"\nadversary = [{ withhold = \"precomit\" }]",
            "did you mean `precommit`?",
        ),
        ("catch_up = \"1s\"\nadversary = [{ say = \"prevote\", by = 3 }]", "goes by no script"),
        ("catch_up = \"1s\"\nadversary = [{ crash = 9, after = \"prevote\" }]", "no such replica"),
        ("catch_up = \"1s\"\nadversary = [{ crash = 1 }]", "there is no `after`"),
        (
            "catch_up = \"1s\"\ntopology = { gossip = 2 }\nadversary = [{ crash = 1 }]",
            "the topology is a mesh",
        ),
    ] {
        let text = format!("name = \"x\"\nconsensus = \"tendermint\"\n{line}\n");
        let error = refused(&text).to_string();
        assert!(error.contains(expected), "{line}\nsays: {error}\nwithout: {expected}");
    }
    for (name, expected) in [
        ("tendermint:T99", "there is no mutant called"),
        ("tendermint:P2", "P2 is a mutant of pbft"),
        ("tea:T1", "there is no consensus module"),
    ] {
        let error = refused(&format!("name = \"x\"\nconsensus = \"{name}\"\n")).to_string();
        assert!(error.contains(expected), "{name}\nsays: {error}\nwithout: {expected}");
    }
}

#[test]
fn what_is_meant_is_what_is_nearest() {
    for (one, other, far) in [
        ("", "", 0),
        ("heal", "heal", 0),
        ("hael", "heal", 2),
        ("latancy", "latency", 1),
        ("", "abc", 3),
    ] {
        assert_eq!(distance(one, other), far, "{one} {other}");
        assert_eq!(distance(other, one), far, "{other} {one}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = Scenario::parse(&text) {
            prop_assert!(error.to_string().contains("line "));
        }
    }

    /// A piece of a good file is replaced by something else.
    #[test]
    fn no_spoilt_scenario_makes_the_reader_panic(
        from in 0..EVERYTHING.len(), length in 0..40_usize,
        with in "[a-z0-9_\\[\\]{}=\", .\\n\\-é😀\t]{0,12}",
    ) {
        let end = (from + length).min(EVERYTHING.len());
        let text = format!("{}{with}{}", &EVERYTHING[..from], &EVERYTHING[end..]);
        match Scenario::parse(&text) {
            Ok(scenario) => drop(scenario.schedule(1)),
            Err(error) => prop_assert!(error.line >= 1 && error.to_string().len() < 2_000),
        }
    }
}

fn play(text: &str, seed: u64) -> Outcome {
    let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let make = |genesis: &ledger::Genesis| {
        <Tendermint as Module>::new(genesis).expect("they were checked")
    };
    run(&scenario, Tendermint::NAME, seed, Tracing::Hashed, make).0
}

/// A Tendermint scenario of half a minute with these lines besides.
fn brief(lines: &str) -> String {
    format!("name = \"x\"\nconsensus = \"tendermint\"\nuntil = \"30s\"\n{lines}\n")
}

#[test]
fn a_run_ends_as_soon_as_everything_has_come() {
    let outcome = play(&brief("expect = { height = 5 }"), 1);
    assert!(outcome.ended < Duration::from_secs(10), "{:?}", outcome.ended);
    assert!(outcome.unmet.is_empty() && outcome.is_safe() && outcome.live);
    assert!(outcome.height >= 5);
    let outcome = play(&brief("expect = { height = 5, no_progress = \"9s..10s\" }"), 1);
    assert_eq!(outcome.ended, Duration::from_secs(10));
    assert!(matches!(outcome.unmet[..], [Unmet::GotOn { .. }]), "{:?}", outcome.unmet);
    let outcome = play(&brief(""), 1);
    assert_eq!(outcome.ended, Duration::from_secs(30), "without a goal it runs to its end");
    assert_eq!(outcome.latencies.submitted, 0, "without a load nobody pays");
}

#[test]
fn what_does_not_come_is_told() {
    let stopped = "at = [{ time = \"5s\", crash = [2, 3] }]\n";
    let outcome = play(&brief(&format!("{stopped}expect = {{ height = 100 }}")), 1);
    assert!(!outcome.live && outcome.is_safe());
    let [Unmet::TooLow { wanted: 100, heights }] = &outcome.unmet[..] else {
        panic!("{:?}", outcome.unmet)
    };
    assert_eq!(heights.len(), 2, "the dead are not asked");
    let outcome =
        play(&brief(&format!("{stopped}expect = {{ progress_within = \"9s of 6s\" }}")), 1);
    let [Unmet::Broken(stalled)] = &outcome.unmet[..] else { panic!("{:?}", outcome.unmet) };
    assert!(matches!(**stalled, crate::Violation::Stalled { .. }));
    let quiet = format!("{stopped}expect = {{ no_progress = \"7s..30s\" }}");
    assert_eq!(play(&brief(&quiet), 1).unmet, []);
}

#[test]
fn transfers_are_followed_until_they_are_final() {
    let outcome =
        play(&brief("load = { transfers_per_second = 2 }\nexpect = { final_within = \"5s\" }"), 3);
    assert_eq!(outcome.unmet, []);
    assert_eq!(outcome.latencies.submitted, 60);
    assert!(outcome.latencies.settled.len() >= 58, "{:?}", outcome.latencies);
    let median = outcome.latencies.percentile(50).expect("there are some");
    assert!(median > Duration::from_millis(60), "three hops take longer than {median:?}");
    let stopped =
        "load = { transfers_per_second = 2 }\nat = [{ time = \"10s\", crash = [2, 3] }]\n";
    let outcome = play(&brief(&format!("{stopped}expect = {{ final_within = \"5s\" }}")), 3);
    assert!(
        matches!(outcome.unmet[..], [Unmet::TooSlow { late: 20..=35, .. }]),
        "{:?}",
        outcome.unmet
    );
}

/// What a dead replica had taken is handed in elsewhere.
#[test]
fn a_client_does_not_give_up() {
    let text = "load = { transfers_per_second = 2 }\nat = [{ time = \"5s\", crash = 1, restart_after = \"200ms\" }, { time = \"9s\", crash = 2, restart_after = \"100ms\" }]\nexpect = { final_within = \"16s\" }";
    for seed in 0..4 {
        let outcome = play(&brief(text), seed);
        assert_eq!(outcome.unmet, [], "seed {seed}");
    }
}

#[test]
fn an_expected_break_is_seen_and_a_missing_one_told() {
    let text = "byzantine = [{ replicas = [2, 3], lie = \"equivocate\" }]\nexpect = { agreement = \"broken\" }";
    let scenario = Scenario::parse(&brief(text)).unwrap();
    let outcomes: Vec<_> = (0..4).map(|seed| play(&brief(text), seed)).collect();
    assert!(outcomes.iter().any(|each| each.is_split()));
    assert!(outcomes.iter().all(|each| each.unmet.is_empty()), "nothing else was expected");
    assert_eq!(judge(&scenario, "tendermint", &outcomes), []);
    let good: Vec<_> = outcomes.into_iter().filter(|each| !each.is_split()).collect();
    assert_eq!(judge(&scenario, "tendermint", &good), [Unmet::NeverBroken]);
}

#[test]
fn the_same_seed_gives_the_same_outcome_whether_or_not_it_is_traced() {
    let scenario = Scenario::parse(STORY).unwrap();
    let go = |tracing| {
        let make = |genesis: &ledger::Genesis| <Tendermint as Module>::new(genesis).expect("good");
        run(&scenario, Tendermint::NAME, 7, tracing, make).0
    };
    let (one, other) = (go(Tracing::Hashed), go(Tracing::Kept));
    assert_eq!(one, other);
    let silent = go(Tracing::Off);
    assert_eq!(
        (one.height, one.counts, one.latencies),
        (silent.height, silent.counts, silent.latencies)
    );
}
