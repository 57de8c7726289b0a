use super::*;
use consensus::catalogue::NAMES;

/// Whoever knows the number has the trial, and can write it down: also where a file says what to begin
/// with.
#[test]
fn every_trial_follows_from_its_number_and_can_be_written() {
    for module in NAMES {
        let variant = Variant::sound(module).unwrap();
        let file = format!(
            "name = \"x\"\nconsensus = \"{module}\"\ntopology = {{ gossip = 4 }}\n\
             replicas = 7\nat = [{{ time = \"5s\", crash = 1 }}]\n"
        );
        let file = Scenario::parse(&file).unwrap();
        for base in [general(&variant), file] {
            for number in 0..200 {
                let made = trial(&base, number);
                assert_eq!(made, trial(&base, number));
                let text = made.scenario.to_toml("");
                let read = Scenario::parse(&text);
                assert!(read.is_ok(), "{module}, trial {number}: {}\n{text}", read.unwrap_err());
            }
        }
    }
}

#[test]
fn the_fewest_and_the_most_replicas_can_be_explored() {
    for replicas in [LEAST, MOST] {
        let mut base = general(&Variant::sound("tendermint").unwrap());
        base.replicas = replicas;
        base.name = "of another size".into();
        for number in 0..60 {
            assert_eq!(trial(&base, number).scenario.replicas, replicas);
        }
    }
}

/// Every strategy has its turn.
#[test]
fn strategies_take_turns() {
    let base = general(&Variant::sound("pbft").unwrap());
    let strategies: std::collections::BTreeSet<_> =
        (0..ROUND).map(|number| trial(&base, number).strategy).collect();
    let all = ["as it is", "priorities", "rounds", "twins", "walk"];
    assert_eq!(strategies.into_iter().collect::<Vec<_>>(), all);
}
