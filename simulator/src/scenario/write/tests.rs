//! What is written is read back as what was meant.

use super::*;
use crate::{
    Delay, Latency, Schedule,
    checker::{Goal, Progress},
    clock::Skew,
    latency::Preset,
    scenario::Chaos,
};
use proptest::{collection::vec, option, prelude::*, sample::subsequence};
use std::{fs, ops::Range, path::Path};

/// How many replicas the scenarios here have.
const MANY: u32 = 7;

fn read_back(scenario: &Scenario) -> Scenario {
    let text = scenario.to_toml("One line.\nAnother one.");
    let back = Scenario::parse(&text);
    meant(&back.unwrap_or_else(|error| panic!("{error}\nin what we wrote:\n{text}")))
}

fn meant(scenario: &Scenario) -> Scenario {
    Scenario { adversary: scenario.adversary.grouped(), ..scenario.clone() }
}

#[test]
fn every_scenario_of_the_repository_can_be_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scenarios");
    let mut directories = vec![root];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let scenario = Scenario::parse(&text).unwrap_or_else(|it| panic!("{path:?}: {it}"));
            assert_eq!(read_back(&scenario), meant(&scenario), "{path:?}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen}");
}

#[test]
fn what_is_as_usual_is_not_said() {
    let scenario = Scenario::parse("name = \"as usual\"").unwrap();
    assert_eq!(scenario.to_toml(""), "name = \"as usual\"\n");
    assert_eq!(
        scenario.to_toml("Why.\n\nAnd how."),
        "# Why.\n#\n# And how.\nname = \"as usual\"\n"
    );
}

const STORY: &str = r#"# A story.
name = "T3, as it is told"
consensus = "tendermint"
seeds = 7
until = "24s"
byzantine = [{ replica = 3, lie = "script" }]
catch_up = "4s"
adversary = [
  { withhold = ["prevote", "precommit"], round = 0, from = [0, 3], to = [1, 2] },
  { withhold = "precommit", round = 1, to = 0 },
  { say = "proposal", by = 3, round = 1, value = "mine", to = [1, 2] },
  { say = "prevote", by = 3, height = 2, round = 1, value = "of 0", when = 0 },
  { crash = 1, after = "precommit", round = 0 },
]
at = [
  { time = "1s", crash = [0, 1], restart_after = "500ms" },
  { time = "2s", partition = [[0, 1], [2]] },
  { time = "3s", heal = true },
]
expect = { agreement = "broken", progress_within = ["20s of catch_up"] }
"#;

#[test]
fn a_story_is_written_as_people_write_it() {
    let story = Scenario::parse(STORY).unwrap();
    assert_eq!(story.to_toml("A story."), STORY);
}

#[test]
fn what_is_withheld_one_by_one_is_told_together() {
    let story = Scenario::parse(STORY).unwrap();
    let atoms = story.adversary.atoms();
    assert_eq!(atoms.choices.len(), 4 + 4 + 3 + 3);
    assert_eq!((atoms.len(), story.adversary.len()), (14, 14));
    let scattered = Scenario { adversary: atoms, ..story.clone() };
    assert_eq!(scattered.to_toml("A story."), STORY);
}

fn id() -> impl Strategy<Value = ReplicaId> {
    (0..MANY).prop_map(ReplicaId)
}

fn some_ids() -> impl Strategy<Value = Vec<ReplicaId>> {
    let all: Vec<_> = (0..MANY).map(ReplicaId).collect();
    subsequence(all, 0..=MANY as usize).prop_shuffle()
}

fn link() -> impl Strategy<Value = (ReplicaId, ReplicaId)> {
    (id(), 1..MANY).prop_map(|(from, by)| (from, ReplicaId((from.0 + by) % MANY)))
}

fn span(milliseconds: Range<u64>) -> impl Strategy<Value = Duration> {
    milliseconds.prop_map(Duration::from_millis)
}

fn delay() -> impl Strategy<Value = Delay> {
    let nanos = (0..10_000_000_000_u64).prop_map(Duration::from_nanos);
    prop_oneof![
        nanos.clone().prop_map(Delay::Constant),
        (nanos.clone(), nanos.clone())
            .prop_map(|(one, other)| Delay::Uniform(one.min(other)..one.max(other))),
        (nanos.clone(), nanos.clone()).prop_map(|(floor, mean)| Delay::Exponential { floor, mean }),
        (nanos, 0.0..5.0).prop_map(|(median, sigma)| Delay::LogNormal { median, sigma }),
    ]
}

fn latency() -> impl Strategy<Value = Latency> {
    let names = vec!["north".to_owned(), "the \"south\" \\ é".to_owned()];
    prop_oneof![
        delay().prop_map(Latency::Everywhere),
        Just(Latency::Preset(Preset::Planet)),
        (vec(vec(delay(), 2), 2), vec(0..2_usize, 0..4)).prop_map(move |(one_way, homes)| {
            Latency::Regions(Regions { names: names.clone(), one_way, homes })
        }),
    ]
}

fn held() -> impl Strategy<Value = Reordering> {
    (0..=MILLION, delay()).prop_map(|(share, by)| Reordering { share, by })
}

fn exception() -> impl Strategy<Value = Exception> {
    (link(), option::of(delay()), option::of(0..=MILLION))
        .prop_map(|((from, to), latency, loss)| Exception { from, to, latency, loss })
}

fn skew() -> impl Strategy<Value = Skew> {
    (-5_000..5_000_i64, -99..99).prop_map(|(offset_ms, drift_ppm)| Skew { offset_ms, drift_ppm })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let unrest = (span(0..9_000), 0..=MILLION, delay()).prop_map(|(until, loss, delay)| Unrest {
        until,
        loss,
        delay,
    });
    let shares = (0..=MILLION, 0..=MILLION);
    (latency(), shares, vec(exception(), 0..3), held(), option::of(unrest)).prop_map(
        |(latency, (loss, duplication), links, reordering, unrest)| Conditions {
            latency,
            loss,
            links,
            duplication,
            reordering,
            unrest,
            ..Conditions::default()
        },
    )
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let sides = some_ids().prop_filter("somebody is somewhere", |ids| ids.len() > 1);
    let lives = prop_oneof![id().prop_map(Fault::Crash), id().prop_map(Fault::Restart)];
    let others = prop_oneof![
        id().prop_map(Fault::Silence),
        id().prop_map(Fault::Speak),
        sides.prop_map(|ids| Fault::Partition(vec![ids[..1].to_vec(), ids[1..].to_vec()])),
        Just(Fault::Heal),
        link().prop_map(|(from, to)| Fault::Cut { from, to }),
        link().prop_map(|(from, to)| Fault::Mend { from, to }),
        (id(), some_ids()).prop_map(|(victim, but)| Fault::Eclipse { victim, but }),
        (0..=MILLION).prop_map(Fault::Loss),
        (0..=MILLION).prop_map(Fault::Duplication),
        held().prop_map(Fault::Reordering),
        latency().prop_map(Fault::Latency),
        exception().prop_map(Fault::Link),
        (id(), skew()).prop_map(|(replica, skew)| Fault::Skew { replica, skew }),
        (id(), delay()).prop_map(|(replica, sync)| Fault::Disk { replica, sync }),
        (id(), 0.0..9.0).prop_map(|(replica, factor)| Fault::HashRate { replica, factor }),
    ];
    prop_oneof![lives, others]
}

/// Few times, so that much happens at once.
fn schedule() -> impl Strategy<Value = Schedule> {
    let step = ((0..6_u64).prop_map(Duration::from_secs), any_fault());
    vec(step.prop_map(|(time, fault)| Step { time, fault }), 0..12).prop_map(Schedule::new)
}

fn place() -> impl Strategy<Value = Place> {
    let kinds = prop_oneof![Just("proposal"), Just("prevote"), Just("precommit")];
    (kinds, 1..4_u64, 0..3_u64).prop_map(|(kind, height, round)| Place {
        kind: kind.to_owned(),
        height,
        round,
    })
}

fn any_word() -> impl Strategy<Value = Word> {
    prop_oneof![Just(Word::Nil), any::<u8>().prop_map(Word::Mine), (0..9_u64).prop_map(Word::Of)]
}

fn line() -> impl Strategy<Value = Line> {
    let claim = (0..9_u64, 0..1_000_000_u64, any_word())
        .prop_map(|(sequence, view, value)| Claim { sequence, view, value });
    let numbers = (option::of(0..9_u64), option::of(0..9_u64));
    (place(), any_word(), numbers, vec(claim, 0..3), some_ids(), some_ids()).prop_map(
        |(Place { kind, height, round }, value, (proof, when), claims, names, to)| Line {
            kind,
            height,
            round,
            value,
            proof,
            claims,
            names,
            to,
            when,
        },
    )
}

fn choice() -> impl Strategy<Value = Choice> {
    let until = option::weighted(0.2, span(0..3_000));
    prop_oneof![
        4 => (place(), some_ids(), some_ids(), until).prop_map(|(what, from, to, until)| {
            let (from, to) = (from.into_iter().collect(), to.into_iter().collect());
            Choice::Withhold(Withhold { what, from, to, until })
        }),
        1 => line().prop_map(|line| Choice::Say { by: ReplicaId(6), line }),
        1 => (id(), place(), span(0..90)).prop_map(|(replica, after, down)| {
            Choice::Crash(Crash { replica, after, down })
        }),
    ]
}

fn expect() -> impl Strategy<Value = Expect> {
    let progress = (span(0..99_000), span(1..99_000)).prop_map(|(since, within)| Progress {
        since,
        within,
        goal: Goal::Gain(1),
    });
    let still = (span(0..99_000), span(1..99_000)).prop_map(|(since, long)| since..since + long);
    let agreements = [Agreement::Always, Agreement::Broken, Agreement::Either];
    let confirmed = [Confirmed::Kept, Confirmed::Reverted, Confirmed::Either];
    let words = (0..3_usize, 0..3_usize);
    (words, 1..99_u64, vec(progress, 0..3), vec(still, 0..3), span(1..99_000)).prop_map(
        move |((agreement, is_kept), height, progress, no_progress, one_chain)| Expect {
            agreement: agreements[agreement],
            confirmed: confirmed[is_kept],
            height: Some(height),
            progress,
            no_progress,
            one_chain: Some(one_chain),
            final_within: None,
        },
    )
}

/// All of what stands.
fn standing() -> impl Strategy<Value = Scenario> {
    let first = "name = \"x\"\nconsensus = [\"tendermint\", \"pbft\"]\nreplicas = 7";
    let first = Scenario::parse(first).expect("it is one");
    let world = (conditions(), vec((id(), skew()), 0..3), vec((id(), delay()), 0..3));
    let rates = vec((id(), 0.0..9.0), 0..3);
    let stakes = vec(1..50_u64, 0..=MANY as usize);
    let load = prop_oneof![Just(0.0), Just(0.5), Just(5.0)];
    let seeds = (0..=u64::MAX - 9, 1..9_u64).prop_map(|(seed, many)| seed..seed + many);
    let chaos = option::of((0..2_u32, span(0..9_000)));
    let more = (rates, stakes, load, seeds, chaos, option::of(2..9_u32));
    (world, more, expect(), option::of(expect())).prop_map(
        move |(
            (network, clocks, disks),
            (rates, stakes, load, seeds, chaos, degree),
            expect,
            of,
        )| {
            Scenario {
                seeds,
                network,
                stakes,
                clocks: clocks.into_iter().collect(),
                disks: disks.into_iter().collect(),
                hash_rates: rates.into_iter().collect(),
                transfers_per_second: load,
                topology: match degree {
                    None => Topology::Mesh,
                    Some(degree) if degree % 2 == 0 => Topology::Gossip { degree },
                    Some(fanout) => Topology::Random { fanout },
                },
                settings: [("tendermint.propose_ms".to_owned(), 800)].into(),
                chaos: chaos.map(|(faulty, until)| Chaos { faulty, until }),
                expect,
                expect_of: of.map(|of| ("pbft".to_owned(), of)).into_iter().collect(),
                ..first.clone()
            }
        },
    )
}

/// An adversary's.
fn chosen() -> impl Strategy<Value = Scenario> {
    let first = "name = \"x\"\nconsensus = \"tendermint\"\nreplicas = 7\ncatch_up = \"4s\"\n\
                 byzantine = [{ replicas = [4, 6], lie = \"script\" }, { replica = 5, lie = \"silent\" }]";
    let first = Scenario::parse(first).expect("it is one");
    (vec(choice(), 0..12), option::of(some_ids())).prop_map(move |(choices, faces)| Scenario {
        adversary: Adversary { choices },
        faces: faces.map(|faces| faces.into_iter().collect()),
        ..first.clone()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_stands_is_read_back(scenario in standing(), steps in schedule()) {
        let scenario = Scenario { steps, ..scenario };
        prop_assert_eq!(read_back(&scenario), meant(&scenario));
    }

    #[test]
    fn whatever_is_chosen_is_read_back(scenario in chosen(), steps in schedule()) {
        let scenario = Scenario { steps, ..scenario };
        let back = read_back(&scenario);
        prop_assert_eq!(&back, &meant(&scenario));
        prop_assert_eq!(back.to_toml(""), scenario.to_toml(""), "nothing is told otherwise again");
    }

    /// Nothing is lost by grouping, and nothing comes twice.
    #[test]
    fn grouped_or_alone_the_choices_are_the_same(scenario in chosen()) {
        let sorted = |adversary: &Adversary| {
            let mut choices = adversary.atoms().choices;
            choices.sort();
            choices
        };
        let (adversary, grouped) = (&scenario.adversary, scenario.adversary.grouped());
        prop_assert_eq!(sorted(adversary), sorted(&grouped));
        prop_assert_eq!(grouped.len(), adversary.atoms().choices.len());
        prop_assert!(grouped.len() <= adversary.len());
        prop_assert_eq!(adversary.atoms().grouped().grouped(), grouped);
    }
}
