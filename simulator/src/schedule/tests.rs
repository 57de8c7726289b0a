use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ids(ids: &[u32]) -> Vec<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

/// One of each.
fn everything() -> Schedule {
    let [zero, one] = [ReplicaId(0), ReplicaId(1)];
    let faults = [
        Fault::Crash(one),
        Fault::Restart(one),
        Fault::Partition(vec![ids(&[0, 1]), ids(&[2, 3])]),
        Fault::Heal,
        Fault::Cut { from: zero, to: one },
        Fault::Mend { from: zero, to: one },
        Fault::Eclipse { victim: one, but: vec![] },
        Fault::Eclipse { victim: one, but: ids(&[2, 3]) },
        Fault::Silence(zero),
        Fault::Speak(zero),
        Fault::Loss(MILLION / 20),
        Fault::Duplication(MILLION / 1_000),
        Fault::Reordering(Reordering { share: MILLION / 10, by: SECOND.into() }),
        Fault::Latency((SECOND / 50..SECOND / 10).into()),
        Fault::Link(Exception { from: one, to: zero, latency: Some(SECOND.into()), loss: None }),
        Fault::Link(Exception { from: one, to: zero, latency: None, loss: Some(MILLION / 2) }),
        Fault::Skew { replica: one, skew: Skew { offset_ms: -250, drift_ppm: 20 } },
        Fault::Disk { replica: one, sync: "5ms + exp 20ms".parse().unwrap() },
        Fault::HashRate { replica: one, factor: 0.1 },
    ];
    let steps = faults.into_iter().zip(1..);
    Schedule::new(steps.map(|(fault, second)| Step { time: second * SECOND / 2, fault }).collect())
}

#[test]
fn a_schedule_tells_its_story() {
    let story = "     500ms  crash 1
        1s  restart 1
      1.5s  partition 0,1 | 2,3
        2s  heal
      2.5s  cut 0 -> 1
        3s  mend 0 -> 1
      3.5s  eclipse 1
        4s  eclipse 1 but for 2,3
      4.5s  silence 0
        5s  speak 0
      5.5s  loss 5 %
        6s  duplication 0.1 %
      6.5s  reordering 10 % by 1s
        7s  latency 20ms..100ms
      7.5s  link 1 -> 0 latency 1s
        8s  link 1 -> 0 loss 50 %
      8.5s  skew 1 -250ms +20ppm
        9s  disk 1 5ms + exp 20ms
      9.5s  hash rate 1 x0.1
";
    assert_eq!(everything().to_string(), story);
}

#[test]
fn a_schedule_survives_as_json_and_as_toml() {
    let schedule = everything();
    let json = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule, "{json}");
    #[derive(Deserialize)]
    struct File {
        at: Schedule,
    }
    let file: File = toml::from_str(
        "at = [
            { time = \"40s\", crash = 2 },
            { time = \"10s\", partition = [[0, 1], [2, 3]] },
            { time = \"35s\", latency = \"planet\" },
            { time = \"37s\", loss = 0.05 },
            { time = \"36s\", skew = { replica = 1, offset_ms = 300 } },
            { time = \"38s\", hash_rate = { replica = 1, factor = 10.0 } },
        ]",
    )
    .unwrap();
    let times: Vec<_> = file.at.steps().iter().map(|step| step.time.as_secs()).collect();
    assert_eq!(times, [10, 35, 36, 37, 38, 40], "steps are put into order");
    assert_eq!(file.at.steps()[3].fault, Fault::Loss(50_000));
    assert_eq!(file.at.steps()[0].fault, Fault::Partition(vec![ids(&[0, 1]), ids(&[2, 3])]));
}

#[test]
fn a_hash_rate_is_a_number_of_times_and_not_absurd() {
    for factor in ["-1.0", "nan", "inf", "1e9"] {
        let text =
            format!("at = [{{ time = \"1s\", hash_rate = {{ replica = 0, factor = {factor} }} }}]");
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct File {
            at: Schedule,
        }
        let error = toml::from_str::<File>(&text).expect_err("it is no factor").to_string();
        assert!(error.contains("a factor is between 0 and 1000000"), "{error}");
    }
}

#[test]
fn steps_at_one_time_keep_their_order() {
    let schedule = Schedule::default()
        .at(SECOND, Fault::Crash(ReplicaId(1)))
        .at(2 * SECOND, Fault::Heal)
        .at(SECOND, Fault::Restart(ReplicaId(1)));
    let faults: Vec<_> = schedule.steps().iter().map(|step| step.fault.clone()).collect();
    assert_eq!(faults, [Fault::Crash(ReplicaId(1)), Fault::Restart(ReplicaId(1)), Fault::Heal]);
    assert_eq!(schedule.end(), 2 * SECOND);
}

#[test]
fn what_is_left_in_the_end_is_known() {
    let at = Duration::from_secs;
    let (zero, one) = (ReplicaId(0), ReplicaId(1));
    let cut = Fault::Cut { from: zero, to: one };
    let schedule = Schedule::default().at(at(1), cut.clone());
    assert!(!schedule.ends_whole());
    let mended = schedule.clone().at(at(2), Fault::Mend { from: zero, to: one });
    assert!(mended.ends_whole() && !mended.at(at(3), cut).ends_whole());
    let healed = schedule.at(at(2), Fault::Heal);
    assert!(healed.ends_whole(), "healing mends every cut");
    let silent = healed.at(at(3), Fault::Silence(zero)).at(at(4), Fault::Heal);
    assert!(!silent.ends_whole(), "and wakes nobody");
    assert!(silent.at(at(5), Fault::Speak(zero)).ends_whole());
}
